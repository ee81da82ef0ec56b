"""sqrt and rsqrt: a minimax polynomial on the normalised operand.

x = c 2^(48 - f - zeros) with c in [1/2, 1], and with z = 4 c - 3 in [-1, 1] sqrt(x) = p(z) 2^((48
- f - zeros) / 2). The half power of two splits into one for the coarse and one for the fine part
of the number of zeros.

Coefficients: minimax of the relative error (Remez exchange on 4,000 Chebyshev points of [-1, 1])
of sqrt((z + 3) / 4), degree 4, 8.4e-6, and of 1/sqrt((z + 3) / 4), degree 6, 1.9e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from petcore.mpc.functions.normalise import COARSE, FINE, WINDOW, count_leading_zeros, mantissa
from petcore.mpc.functions.polynomial import POINT_SCALE, evaluate
from petcore.mpc.functions.words import elementwise, encode, multiply_pairs, truncate

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

SQRT = (0.866022413, 0.144304521, -0.0119957607, 0.00213495201, -0.000474485793)
RSQRT = (
    1.15470022,
    -0.192464826,
    0.0481228656,
    -0.0132491657,
    0.00384658047,
    -0.00139054915,
    0.000436730386,
)
FACTOR_BITS = 16  # of the smallest factor, so that its rounding is below 1e-5 of it


def sqrt(x: SharedArray) -> SharedArray:
    """Give the square root element by element.

    Domain: 0 <= x < 2^(48 - frac_bits); for 18 fraction bits up to 2^30.
    Error: at most 3e-5 sqrt(x) + 2^(1 - frac_bits).
    Outside: beyond the domain, and below zero, the value has no meaning, and no party notices.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 23 · Bytes: 200 an element and 274 from the dealer · Uses: edaBits, ANDs, daBits,
    squares, triples, truncation pairs · Adversary: that of the session · Leaks: nothing.
    """
    return elementwise(x, "sqrt", _sqrt)


def _sqrt(x: SharedArray, frac_bits: int) -> SharedArray:
    scale = FACTOR_BITS + frac_bits // 2
    coarse = [2 ** (2 * (COARSE - 1 - a)) for a in range(COARSE)]
    largest = (WINDOW - frac_bits) / 2 - 2 * (COARSE - 1)
    fine = [encode(2.0 ** (largest - b / 2), scale) for b in range(FINE)]
    return _root(x, SQRT, coarse, fine, scale - frac_bits)


def rsqrt(x: SharedArray) -> SharedArray:
    """Give 1/sqrt(x) element by element.

    Domain: 2^-frac_bits <= x < 2^(48 - frac_bits); for 18 fraction bits 2^-18 to 2^30.
    Error: at most 3e-5 / sqrt(x) + 2^(1 - frac_bits).
    Outside: 0 gives 0; beyond the domain, and below zero, the value has no meaning, and no party
    notices.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 25 · Bytes: 216 an element and 290 from the dealer · Uses: as `sqrt` · Adversary:
    that of the session · Leaks: nothing.
    """
    return elementwise(x, "rsqrt", _rsqrt)


def _rsqrt(x: SharedArray, frac_bits: int) -> SharedArray:
    scale = FACTOR_BITS + (WINDOW - frac_bits + 1) // 2
    coarse = [2 ** (2 * a) for a in range(COARSE)]
    smallest = -(WINDOW - frac_bits) / 2
    fine = [encode(2.0 ** (smallest + b / 2), scale) for b in range(FINE)]
    return _root(x, RSQRT, coarse, fine, scale - frac_bits)


def _root(
    x: SharedArray,
    coefficients: Sequence[float],
    coarse: Sequence[int],
    fine: Sequence[int],
    surplus: int,
) -> SharedArray:
    """Multiply p(z) by the factor of coarse and fine, which has `surplus` bits above the result."""
    zeros = count_leading_zeros(x)
    factors = multiply_pairs(zeros.power_of_two(), zeros.weigh(coarse, fine))
    quadruple = mantissa(x * factors[0], POINT_SCALE + 2)
    value = evaluate(quadruple - (3 << POINT_SCALE), coefficients, POINT_SCALE)
    return truncate(value * factors[1], POINT_SCALE + surplus)
