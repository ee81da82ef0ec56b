"""log: a minimax polynomial on the normalised operand.

x = c 2^(48 - f - zeros) with c in [1/2, 1], so log x = log c + (48 - f - zeros) log 2, and the
second term is a public combination of the one-hot bits of the number of zeros.

Coefficients: minimax of the absolute error (Remez exchange on 4,000 Chebyshev points of [-1, 1])
of log((z + 3) / 4), z = 4 c - 3, degree 6, 1.3e-6.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from petcore.mpc.functions.normalise import COARSE, FINE, WINDOW, count_leading_zeros, mantissa
from petcore.mpc.functions.polynomial import POINT_SCALE, evaluate
from petcore.mpc.functions.words import elementwise, encode

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

LOG = (
    -0.287681697,
    0.333341839,
    -0.0555648085,
    0.0122789335,
    -0.00304883944,
    0.000951538845,
    -0.000278245421,
)


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

    Rounds: 23 · Bytes: 184 an element and 266 from the dealer · Uses: edaBits, ANDs, daBits,
    squares, triples, truncation pairs · Adversary: that of the session · Leaks: nothing.
    """
    return elementwise(x, "log", _log)


def _log(x: SharedArray, frac_bits: int) -> SharedArray:
    zeros = count_leading_zeros(x)
    coarse, fine = zeros.power_of_two()
    quadruple = mantissa(x * (coarse * fine), POINT_SCALE + 2)
    value = evaluate(quadruple - (3 << POINT_SCALE), LOG, frac_bits)
    lowest = encode(-frac_bits * math.log(2), frac_bits)
    powers = [WINDOW - frac_bits - FINE * a for a in range(COARSE)]
    coarse, fine = zeros.weigh(
        [encode(k * math.log(2), frac_bits) - lowest for k in powers],
        [encode(-b * math.log(2), frac_bits) for b in range(FINE)],
    )
    return value + coarse + fine + lowest
