"""sigmoid and tanh: a spline of five pieces, all powers and comparisons shared by the pieces.

S(x) = sigmoid(x) - 1/2 is odd. In u = x / 8: an odd polynomial of degree 5 for |x| < 1.9, one of
degree 5 for 1.9 <= |x| < 8.8, taken as -p(-u) on the negative side, and +-1/2 beyond. The four
comparisons run as one, and what each piece adds to its inner neighbour is selected by its
comparison: a choice of bit times word is exact modulo 2^64, so that far outside, where the powers
have wrapped, the sum of the differences is still +-1/2. tanh(x) = 2 S(2 x).

Coefficients: minimax of the absolute error (Remez exchange on 4,000 Chebyshev points of each
piece): 1.5e-4 on each, and 1.5e-4 at the border of the flat pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from petcore.mpc.conversion import is_negative
from petcore.mpc.functions.words import (
    combine,
    elementwise,
    encode,
    multiply_pairs,
    truncate,
)
from petcore.mpc.shaping import concatenate, stack

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

KNOT, FLAT = 1.9, 8.8
CENTRE = (1.9955564, -9.96989558, 39.2409779)
OUTER = (-0.065897043, 3.11826231, -7.10477498, 8.26284245, -4.85694222, 1.14609177)
UNIT_BITS = 3
POWER_SCALE = 27  # of u for 24 fraction bits, the most; others are shifted up
COEFFICIENT_SCALE = 20


def sigmoid(x: SharedArray) -> SharedArray:
    """Give 1 / (1 + e^-x) element by element.

    Domain: every x below 2^(61 - frac_bits) in magnitude; the limits are exactly 0 and 1.
    Error: at most 2e-4 + 2^(1 - frac_bits); the value may leave [0, 1] by as much.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 15 · Bytes: 214 an element and 210 from the dealer · Uses: 4 edaBits, 24 ANDs,
    triples, truncation pairs, 4 bit products · Adversary: that of the session · Leaks:
    nothing.
    """
    return elementwise(x, "sigmoid", _sigmoid)


def _sigmoid(x: SharedArray, frac_bits: int) -> SharedArray:
    return _odd_part(x, frac_bits + UNIT_BITS, frac_bits) + (1 << (frac_bits - 1))


def tanh(x: SharedArray) -> SharedArray:
    """Give the hyperbolic tangent element by element.

    Domain: every x below 2^(61 - frac_bits) in magnitude; the limits are exactly -1 and 1.
    Error: at most 4e-4 + 2^(1 - frac_bits); the value may leave [-1, 1] by as much.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 15 · Bytes: 214 an element and 210 from the dealer · Uses: as `sigmoid` · Adversary:
    that of the session · Leaks: nothing.
    """
    return elementwise(x, "tanh", _tanh)


def _tanh(x: SharedArray, frac_bits: int) -> SharedArray:
    return _odd_part(x, frac_bits + UNIT_BITS - 1, frac_bits + 1)


def _odd_part(u: SharedArray, scale: int, result_scale: int) -> SharedArray:
    """Give S(8 u) for words u of this scale, as words of result_scale."""
    powers = _powers(u * 2 ** (POWER_SCALE - scale))
    odd, even = powers[0::2], powers[1::2]
    flat = 1 << (POWER_SCALE + COEFFICIENT_SCALE - 1)
    outer = [encode(c, COEFFICIENT_SCALE) for c in OUTER]
    constant = outer[0] << POWER_SCALE
    outer_odd, outer_even = combine(outer[1::2], odd), combine(outer[2::2], even) + constant
    centre = combine([encode(c, COEFFICIENT_SCALE) for c in CENTRE], odd)
    above, below = outer_odd + outer_even, outer_odd - outer_even
    steps = stack([above - centre, flat - above, below - centre, -flat - below])
    total = centre + combine([1] * 4, _outside(u, scale) * steps)
    return truncate(total, POWER_SCALE + COEFFICIENT_SCALE - result_scale)


def _outside(u: SharedArray, scale: int) -> SharedArray:
    """Tell where 8 u is above the knot, above the flat border, and the same below. Rounds: 7."""
    knot, flat = encode(KNOT / 8, scale), encode(FLAT / 8, scale)
    return is_negative(stack([knot - u, flat - u, u + knot, u + flat]))


def _powers(u: SharedArray) -> SharedArray:
    """Stack u, u^2, ..., u^5, all of scale 27. Rounds: 6."""
    square = truncate(u * u, POWER_SCALE)
    higher = truncate(multiply_pairs((u, square), (square, square)), POWER_SCALE)
    fifth = truncate(higher[0] * square, POWER_SCALE)
    return concatenate([stack([u, square]), higher, stack([fifth])])
