"""exp: a product of two powers of two, one from each party's share of the exponent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from petcore.mpc.functions.words import elementwise

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def exp(x: SharedArray) -> SharedArray:
    """Give e^x element by element.

    Domain: -2^(40 - frac_bits) <= x <= 26.
    Error: at most 1e-5 e^x + 2^(1 - frac_bits).
    Outside: up to log(2) (62 - frac_bits) the value is right, but further operations may not take
    it; beyond, the value has no meaning, and no party notices; limit x with clip() where that can
    happen.

    With y = x log2(e) and its shares y = y0 + y1, e^x = 2^y0 2^y1: modulo 2^128 - 1 powers of two
    have the period 128, so that shares may wrap. A comparison of the top bits gives zero far below.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 5 · Bytes: 29 an element and 43 from the dealer · Uses: a digit table, ANDs, a wide
    cross product, a bit product · Adversary: that of the session · Leaks: nothing.
    """
    return elementwise(x, "exp")
