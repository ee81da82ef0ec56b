"""sqrt and rsqrt: a Fourier series on the normalised operand.

x = m 4^k with m from 1/4 to 2, so sqrt(x) = sqrt(m) 2^k; k is the shared number of powers of four
that x is below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from petcore.mpc.functions.words import elementwise

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def sqrt(x: SharedArray) -> SharedArray:
    """Give the square root element by element.

    Domain: 0 <= x < 2^(48 - frac_bits); for 18 fraction bits up to 2^30.
    Error: at most 1e-5 sqrt(x) + 2^(1 - frac_bits).
    Outside: beyond the domain, and below zero, the value has no meaning, and no party notices.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 12 · Bytes: 72 an element and 149 from the dealer · Uses: a digit
    table, ANDs, bit bytes, scaled cross products, waves, cross bits · Adversary: that of the session ·
    Leaks: nothing.
    """
    return elementwise(x, "sqrt")


def rsqrt(x: SharedArray) -> SharedArray:
    """Give 1/sqrt(x) element by element.

    Domain: 2^-frac_bits <= x < 2^(48 - frac_bits); for 18 fraction bits 2^-18 to 2^30.
    Error: at most 2e-5 / sqrt(x) + 2^(1 - frac_bits).
    Outside: 0 gives 0, or one unit; beyond the domain, and below zero, the value has no
    meaning, and no party notices.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 12 · Bytes: 72 an element and 185 from the dealer · Uses: as `sqrt` · Adversary:
    that of the session · Leaks: nothing.
    """
    return elementwise(x, "rsqrt")
