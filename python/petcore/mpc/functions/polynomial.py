"""Polynomials with public coefficients at shared points.

Splitting p(z) = low(z) + z^h high(z) costs h - 1 products for the powers up to z^h and one for the
rest, since public coefficients are free (Paterson and Stockmeyer, SIAM J. Comput. 2(1), 1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from petcore.mpc.functions.words import combine, encode, truncate
from petcore.mpc.shaping import stack

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

POINT_SCALE = 20
COEFFICIENT_SCALE = 19


def evaluate(z: SharedArray, coefficients: Sequence[float], scale: int) -> SharedArray:
    """Evaluate a polynomial of degree 4 or 6 at words z.

    Parameters
    ----------
    z : SharedArray
        Flat words of scale 20, |z| <= 3.
    coefficients : sequence of float
        Five or seven, constant first; |p(z)| < 7.
    scale : int
        Scale of the result, below 59.

    Rounds: 4 (degree 4) or 6 (degree 6) · Bytes: 40 or 64 an element · Uses: a square and 1 or 2
    triples, 2 or 3 truncation pairs · Leaks: nothing.
    Error: half of 2^-19 for each coefficient and twice 2^-20, besides one unit of the result.
    """
    step = (len(coefficients) - 1) // 2
    powers = _powers(z, step)
    weights = [encode(c, COEFFICIENT_SCALE) for c in coefficients]
    low = combine(weights[1:step], powers) + (weights[0] << POINT_SCALE)
    high = combine(weights[step + 1 :], powers) + (weights[step] << POINT_SCALE)
    value = high * powers[step - 1] + low * 2**POINT_SCALE
    return truncate(value, 2 * POINT_SCALE + COEFFICIENT_SCALE - scale)


def _powers(z: SharedArray, highest: int) -> SharedArray:
    """Stack z, z^2, ..., z^highest, all of scale 20; 2 rounds for each but the first."""
    powers = [z]
    while len(powers) < highest:
        powers.append(truncate(powers[-1] * z, POINT_SCALE))
    return stack(powers)
