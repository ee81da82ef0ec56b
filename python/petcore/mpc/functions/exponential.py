"""exp: 2^y with y = x log2(e), the integer part of y by its bits and the rest by a polynomial.

2^integer is a product over the bits of the integer, three pairs of them; 2^rest, rest in [0, 1),
is a polynomial in z = 2 rest - 1.

Coefficients: minimax of the relative error (Remez exchange on 4,000 Chebyshev points of [-1, 1])
of 2^((z + 1) / 2), degree 4, 2.6e-6.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from petcore.mpc.conversion import bit_to_int
from petcore.mpc.functions.polynomial import POINT_SCALE, evaluate
from petcore.mpc.functions.words import (
    WORD_BITS,
    combine,
    decompose,
    elementwise,
    encode,
    multiply_pairs,
    truncate,
)
from petcore.mpc.shaping import concatenate

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

EXP2 = (1.41421252, 0.490111135, 0.0849402999, 0.00988497456, 0.000845885504)
INTEGER_BITS = 6
TOP = 22  # y < 22: the product of power and polynomial stays below 2^62
LOG2_E_SCALE = 20


def exp(x: SharedArray) -> SharedArray:
    """Give e^x element by element.

    Domain: -2^(40 - frac_bits) <= x <= 15.
    Error: at most 1e-4 e^x + 2^(1 - frac_bits).
    Outside: above 15.2 the value has no meaning, and no party notices; limit x with clip() where
    that can happen.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 18 · Bytes: 168 an element and 203 from the dealer · Uses: an edaBit, ANDs, daBits,
    a square, triples, truncation pairs · Adversary: that of the session · Leaks: nothing.
    """
    return elementwise(x, "exp", _exp)


def _exp(x: SharedArray, frac_bits: int) -> SharedArray:
    log2_e = encode(math.log2(math.e), LOG2_E_SCALE)
    y = truncate(x * log2_e, frac_bits + LOG2_E_SCALE - POINT_SCALE)
    offset = frac_bits + 1  # what lies below zero now is below half a unit of the result
    y = y + (offset << POINT_SCALE)
    power, integer = _integer_power(y)
    fraction = y - integer * 2**POINT_SCALE
    scale = WORD_BITS - 2 - TOP - offset
    value = evaluate(fraction * 2 - (1 << POINT_SCALE), EXP2, scale)
    return truncate(value * power, scale + offset - frac_bits)


def _integer_power(y: SharedArray) -> tuple[SharedArray, SharedArray]:
    """Give 2^floor(y) and floor(y) for y in [0, 64), and zero powers below. Rounds: 11."""
    bits = decompose(y)
    low = bits[POINT_SCALE : POINT_SCALE + INTEGER_BITS]
    both = low[0::2] & low[1::2]
    rows = bit_to_int(concatenate([low, both, bits[WORD_BITS - 1 :]]))
    integer = combine([2**j for j in range(INTEGER_BITS)], rows[:INTEGER_BITS])
    # 2^(b 2^j) = 1 + b (2^(2^j) - 1), and two such factors multiplied out need only the bits' AND.
    pairs = []
    for j in range(0, INTEGER_BITS, 2):
        first, second = 2 ** (2**j) - 1, 2 ** (2 ** (j + 1)) - 1
        weights = [0] * rows.shape[0]
        weights[j], weights[j + 1], weights[INTEGER_BITS + j // 2] = first, second, first * second
        pairs.append(combine(weights, rows) + 1)
    not_negative = 1 - rows[-1]
    halves = multiply_pairs((pairs[0], pairs[1]), (pairs[2], not_negative))
    return halves[0] * halves[1], integer
