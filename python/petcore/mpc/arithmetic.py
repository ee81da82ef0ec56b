"""Sums, products and powers of shared and public arrays, element by element and as matrices.

With f fraction bits a product of two fixed arrays, before its truncation, must stay below 2^62 in
encoded magnitude: |x y| < 2^(62 - 2f), which is 2^26 for f = 18. Sums must stay below 2^(63 - f).
Beyond, the value has no meaning, and no party notices. An int64 array is exact modulo 2^64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.conversion import bit_to_int, to_fixed, truncate, truncation_mode
from petcore.mpc.core import Words
from petcore.mpc.fixed import (
    TRUNCATION_BITS_MAX,
    Plain,
    encode,
    plain_array,
    scaled_multiplier,
)
from petcore.mpc.operands import add_words, align, promote, public_operand, same_session
from petcore.mpc.shared_base import common_shape, flat, is_shared, lift, spread

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

SMALL = 1 / 16


def add(x: SharedArray, y: Any) -> SharedArray:
    """Add, broadcasting; local (but bits meeting numbers cost 1 round)."""
    return _combine(x, y, "+")


def subtract(x: SharedArray, y: Any) -> SharedArray:
    """Subtract, broadcasting; local (but bits meeting numbers cost 1 round)."""
    return _combine(x, y, "-")


def _combine(x: SharedArray, y: Any, sign: str) -> SharedArray:
    if is_shared(y):
        shape = common_shape(x.shape, y.shape)
        same_session(x, y)
        _refuse_bits(sign, x.dtype, y.dtype)
        x, y = align(x, y)
        left, right = lift(x._share, len(shape)), lift(y._share, len(shape))
        return x._with(left + right if sign == "+" else left - right)
    array = public_operand(x, y)
    shape = common_shape(x.shape, array.shape)
    _refuse_bits(sign, x.dtype, "bool" if array.dtype.kind == "b" else "")
    if x.dtype == "bool":
        x = bit_to_int(x)
        x = to_fixed(x, x.session.frac_bits) if array.dtype.kind == "f" else x
    words = encode(array, x.dtype, x.frac_bits)
    words = words if sign == "+" else np.asarray(np.uint64(0) - np.atleast_1d(words))
    wide = x._shaped(spread(x._share, shape), shape)
    return add_words(wide, np.broadcast_to(words.reshape(array.shape), shape))


def _refuse_bits(sign: str, *dtypes: str) -> None:
    if all(dtype == "bool" for dtype in dtypes):
        raise UsageError(f"bool {sign} bool is unclear; use | or ^, or x.astype('int64') to count")


def negate(x: SharedArray) -> SharedArray:
    """Change the sign; local."""
    if x.dtype == "bool":
        raise UsageError("a bool has no sign; use ~x, or x.astype('int64')")
    return x._with(np.uint64(0) - x._share)


def multiply(x: Any, y: Any, *, truncation: str | None = None) -> SharedArray:
    """Multiply element by element, broadcasting; at least one operand is shared.

    bool by bool is AND; bool by a number selects; fixed by fixed, and fixed by public reals, are
    truncated back to the larger scale; integers multiply without truncation.

    Parameters
    ----------
    x, y : SharedArray or array_like
    truncation : {"probabilistic", "exact"}, optional
        The session's choice where left out. Probabilistic is at most 1 LSB off, exact is the floor.

    A public real carries frac_bits significant bits, so that small ones are precise. Where all are
    below 1/16, x is truncated first (at most 1 LSB more), so that x itself may be large, but not
    with exact truncation: there, and for public reals above 1/16, |x| < 2^(61 - 2 frac_bits) and
    |x y| < 2^(61 - 2 frac_bits) hold.

    Rounds: 1 for shared by shared, 0 for shared by public; a truncation adds 1 (probabilistic) or 7
    (exact), public reals below 1/16 one more. Uses: a Beaver triple and a cross bit per
    element. Leaks: nothing beyond what the core's truncation states.
    """
    if not is_shared(x):
        x, y = y, x
    if not is_shared(x):
        raise UsageError("none of the operands is a SharedArray; use NumPy itself")
    if is_shared(y):
        same_session(x, y)
        return _multiply_shared(x, y, truncation)
    return _multiply_public(x, public_operand(x, y), truncation)


def _multiply_shared(x: SharedArray, y: SharedArray, truncation: str | None) -> SharedArray:
    if x is y and x.dtype != "bool":
        return square(x, truncation=truncation)
    shape = common_shape(x.shape, y.shape)
    if x.dtype != "bool" and y.dtype == "bool":
        x, y = y, x
    left, right = spread(x._share, shape), spread(y._share, shape)
    core = x.session._core
    if y.dtype == "bool":
        return x._shaped(core.and_bits(left, right), shape)
    if x.dtype == "bool":
        return y._shaped(core.mul_bit(left, right), shape)
    return scaled_product(x, y, shape, truncation, lambda bits: core.mul(left, right, bits))


def scaled_product(
    x: SharedArray,
    y: SharedArray,
    shape: tuple[int, ...],
    truncation: str | None,
    product: Callable[[int], Words],
) -> SharedArray:
    """Give the flat product of x and y its shape, and the larger scale of the two.

    ``product(bits)`` multiplies in the core, truncating probabilistically by as many bits.
    """
    if "fixed" not in (x.dtype, y.dtype):
        return x._shaped(product(0), shape)
    bits = min(x.frac_bits, y.frac_bits)
    if truncation_mode(x.session, truncation) == "probabilistic":
        return x._shaped(product(bits), shape, "fixed", max(x.frac_bits, y.frac_bits))
    raw = x._shaped(product(0), shape, "fixed", x.frac_bits + y.frac_bits)
    return truncate(raw, bits, "exact")


def _multiply_public(x: SharedArray, array: Plain, truncation: str | None) -> SharedArray:
    shape = common_shape(x.shape, array.shape)
    if x.dtype == "bool":
        if array.dtype.kind == "b":
            kept = lift(x._share, len(shape)) & array.astype(np.uint8)
            return x._with(kept)
        x = bit_to_int(x)
        if array.dtype.kind == "f":
            words = encode(array, "fixed", x.session.frac_bits)
            return x._with(lift(x._share, len(shape)) * words, "fixed", x.session.frac_bits)
    if array.dtype.kind != "f":
        words = encode(array, "bool" if array.dtype.kind == "b" else "int64", 0)
        return x._with(lift(x._share, len(shape)) * words)
    x, array = _shrink_first(x, array, truncation)
    words, g = scaled_multiplier(array, x.frac_bits)
    raw = x._with(lift(x._share, len(shape)) * words, "fixed", x.frac_bits + g)
    return truncate(raw, g, truncation)


def _shrink_first(
    x: SharedArray, array: Plain, truncation: str | None
) -> tuple[SharedArray, Plain]:
    """Move a power of two from small public reals to x: sum * (1/n) must not need the sum's room."""
    largest = float(np.max(np.abs(array), initial=0.0))
    mode = truncation_mode(x.session, truncation)
    if not 0.0 < largest < SMALL or mode == "exact":
        return x, array
    bits = min(-int(np.frexp(largest)[1]), TRUNCATION_BITS_MAX)  # leaves a factor in [1/2, 1)
    return x._with(truncate(x, bits, mode)._share), np.ldexp(array, bits)


def square(x: SharedArray, *, truncation: str | None = None) -> SharedArray:
    """Square every element. Rounds: 1, and the truncation's for fixed. Leaks: as `multiply`."""
    if x.dtype == "bool":
        return x._with(x._share.copy())
    core, share = x.session._core, flat(x._share)
    return scaled_product(x, x, x.shape, truncation, lambda bits: core.square(share, bits))


def power(x: SharedArray, exponent: Any) -> SharedArray:
    """Raise to a public positive integer by squaring and multiplying; x**2 is one square."""
    if is_shared(exponent) or isinstance(exponent, bool) or not _is_integer(exponent):
        raise UsageError(
            "** takes one public positive integer; see petcore.functions for exp, log and sqrt"
        )
    n = int(exponent)
    if n < 1:
        raise UsageError(f"x**{n} is not supported; use petcore.functions.reciprocal, or ones")
    if n == 1:
        return x._with(x._share.copy())
    half = square(power(x, n // 2)) if n > 3 else square(x)
    return multiply(half, x) if n % 2 else half


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) or (isinstance(value, float) and value.is_integer())


def divide(x: SharedArray, y: Any) -> SharedArray:
    """Divide by a public number (a multiplication by its reciprocal) or by a shared array.

    Raises UsageError for int64 arrays: money never becomes a real silently.
    """
    if x.dtype != "fixed":
        raise _inexact(x)
    if is_shared(y):
        same_session(x, y)
        from petcore.mpc.functions import divide as divide_shared

        return divide_shared(x, y)
    return multiply(x, public_reciprocal(y))


def divide_public(value: Any, y: SharedArray) -> SharedArray:
    """Divide a public number by a shared array."""
    if y.dtype != "fixed":
        raise _inexact(y)
    from petcore.mpc.functions import reciprocal

    return multiply(reciprocal(y), value)


def _inexact(x: SharedArray) -> UsageError:
    return UsageError(
        f"/ on {x.dtype} shares would turn exact numbers into reals; say x.astype('fixed') / y"
    )


def public_reciprocal(value: Any) -> Plain:
    """Give 1/value as float64, or raise naming the index of a zero."""
    array = plain_array(value).astype(np.float64)
    if np.any(array == 0):
        first = np.unravel_index(int(np.argmax(array == 0)), array.shape)
        raise UsageError(f"division by the public zero at index {[int(i) for i in first]}")
    return np.asarray(1.0 / array)


def require_same_scale(x: SharedArray, y: SharedArray) -> SharedArray:
    """Promote y to the dtype and scale of x, or raise where that would lose digits."""
    if (y.dtype == "fixed" and x.dtype != "fixed") or y.frac_bits > x.frac_bits:
        raise UsageError(
            f"values of dtype {y.dtype} (frac_bits {y.frac_bits}) do not fit dtype {x.dtype} "
            f"(frac_bits {x.frac_bits}); convert them with astype"
        )
    if x.dtype == "bool" and y.dtype != "bool":
        raise UsageError(f"values of dtype {y.dtype} do not fit dtype bool; compare them first")
    return promote(y, x.dtype, x.frac_bits)
