"""reciprocal and divide.

reciprocal: |x| = m 4^k with m from 1/4 to 2, so 1/x = 1/m 4^-k up to sign; the core takes 1/m
from a Fourier series.

divide: Goldschmidt's iteration on a normalised divisor. With |y| = c 2^k, x / y = (x 2^-k) / c up
to sign. A linear start w = (45 - 30 c) / 16 has |1 - c w| <= 1/16 on [1/2, 1]; with e = 1 - c w
the quotient is (x 2^-k) w (1 + e) (1 + e^2) to a relative e^4 <= 1.6e-5 (Goldschmidt, MIT 1964;
Ercegovac et al., IEEE Trans. Computers 49(7), 2000). The numerator is not normalised: its factors
stay near one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from petcore.errors import UsageError
from petcore.mpc.arithmetic import multiply, public_reciprocal
from petcore.mpc.functions.normalise import WINDOW, count_leading_zeros, mantissa
from petcore.mpc.functions.words import (
    elementwise,
    multiply_pairs,
    read_words,
    require_fixed,
    truncate,
)
from petcore.mpc.operands import align
from petcore.mpc.shaping import broadcast_to
from petcore.mpc.shared_base import common_shape, is_shared

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

# The numerator keeps two bits below the result's last, and 22 bits above its scale belong to the
# start of the iteration: so quotients up to 2^(37 - frac_bits) stay below 2^62.
SCALE = 18
START = (45, -30)
START_SCALE = 4
GUARD_BITS = 2
# x 2^-k has this scale before its truncation: quotients up to 2^17 stay below 2^62.
NUMERATOR_SCALE = 44


def reciprocal(x: SharedArray) -> SharedArray:
    """Give 1/x element by element.

    Domain: |x| from the larger of 2^(1 - frac_bits) and 2^(frac_bits - 35) up to
    2^(48 - frac_bits); for 18 fraction bits 2^-17 to 2^30.
    Error: at most 4e-5 |1/x| + 2^(1 - frac_bits).
    Outside: 0 gives 0, or one unit; beyond the domain the value has no meaning, and no party notices.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 13 · Bytes: 90 an element and 230 from the dealer · Uses: a digit
    table, ANDs, bit bytes, scaled cross products, waves with a digit table, a half select, cross
    bits · Adversary: that of the session · Leaks: nothing.
    """
    return elementwise(x, "reciprocal")


def divide(x: Any, y: Any) -> SharedArray:
    """Give x / y element by element, broadcasting; one of them may be public.

    Domain: |y| from 2^(1 - frac_bits) to 2^(44 - frac_bits), |x / y| up to the smaller of 2^17 and
    2^(37 - frac_bits); for 18 fraction bits |y| from 2^-17 to 2^26 and quotients up to 2^17.
    Error: at most 5e-5 |x / y| + 2^(1 - frac_bits).
    Outside: y = 0 gives 0; beyond the domain the value has no meaning, and no party notices.

    Parameters
    ----------
    x, y : SharedArray or array_like
        Shared operands are fixed, of 16 to 24 fraction bits; the larger of two scales is taken. A
        public x becomes a constant of that scale; a public y is inverted in clear.

    Raises
    ------
    UsageError
        For other dtypes and scales, shapes that do not broadcast, mixed sessions, a public zero.

    Rounds: 24 · Bytes: 257 an element and 306 from the dealer · Uses: edaBits, ANDs,
    daBits, triples, cross bits ·
    Adversary: that of the session · Leaks: nothing.
    """
    if not is_shared(x) and not is_shared(y):
        raise UsageError("divide() needs a SharedArray on one side; on public values use NumPy")
    for operand in (x, y):
        if is_shared(operand):
            require_fixed(operand, "divide")
    if is_shared(x) and not is_shared(y):
        return multiply(x, public_reciprocal(y))
    numerator, divisor = align(x, y)
    shape = common_shape(numerator.shape, divisor.shape)
    numerator, divisor = broadcast_to(numerator, shape), broadcast_to(divisor, shape)
    if numerator.size == 0:
        return numerator
    with numerator.session.region("divide"):
        words = _divide(read_words(numerator), read_words(divisor), numerator.frac_bits)
    return numerator._with(words._share.reshape(numerator._share.shape))


def _divide(x: SharedArray, y: SharedArray, frac_bits: int) -> SharedArray:
    zeros = count_leading_zeros(y)
    factors = multiply_pairs(zeros.power_of_two(), zeros.power_of_two(NUMERATOR_SCALE - WINDOW))
    scaled = multiply_pairs((y, factors[0]), (x, factors[1]))
    divisor = mantissa(scaled[0], SCALE)
    scale = frac_bits + GUARD_BITS
    numerator = truncate(scaled[1], NUMERATOR_SCALE - scale)
    return _quotient(numerator, divisor, zeros.sign, scale, frac_bits)


def _quotient(
    numerator: SharedArray, divisor: SharedArray, sign: SharedArray, scale: int, frac_bits: int
) -> SharedArray:
    """Divide by a divisor in +-[1/2, 1]; the numerator has its own scale. Rounds: 6."""
    start_scale = SCALE + START_SCALE
    start = (sign * -2 + 1) * (START[0] << SCALE) + divisor * START[1]
    rows = multiply_pairs((divisor, start), (numerator, start))
    rows = truncate(rows, start_scale)
    error, quotient = (1 << SCALE) - rows[0], rows[1]
    rows = multiply_pairs((error, error), (quotient, error + (1 << SCALE)))
    rows = truncate(rows, SCALE)
    squared, quotient = rows[0], rows[1]
    return truncate(quotient * (squared + (1 << SCALE)), SCALE + scale - frac_bits)
