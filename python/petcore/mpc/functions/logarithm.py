"""log: a Fourier series on the normalised operand.

|x| = m 4^k with m from 1/4 to 2, so log x = log m + k log 4, where k is the shared number of powers
of four that x is below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from petcore.mpc.functions.words import elementwise

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def log(x: SharedArray) -> SharedArray:
    """Give the natural logarithm element by element.

    Domain: 2^-frac_bits <= x < 2^(48 - frac_bits); for 18 fraction bits 2^-18 to 2^30.
    Error: at most 1e-5 + 2^(1 - frac_bits).
    Outside: 0 gives a value below that of every positive number; beyond the domain, and below zero,
    the value has no meaning, and no party notices.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 11 · Bytes: 56 an element and 177 from the dealer · Uses: a digit
    table, ANDs, bit bytes, a scaled cross product, waves, cross bits · Adversary: that of the session
    · Leaks: nothing.
    """
    return elementwise(x, "log")
