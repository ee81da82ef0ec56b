"""Sums, extremes and their places along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.arithmetic import multiply
from petcore.mpc.comparison import less, logic, where
from petcore.mpc.conversion import bit_to_int, invert, to_fixed
from petcore.mpc.core import Words

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

Axis = int | tuple[int, ...] | None


def normal_axes(x: SharedArray, axis: object) -> tuple[int, ...]:
    """Give the axes as sorted non-negative numbers, or raise UsageError."""
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(a, (int, np.integer)) and -x.ndim <= a < x.ndim for a in given):
        raise UsageError(f"axis {axis} does not exist in an array of shape {x.shape}")
    axes = tuple(sorted(int(a) % x.ndim for a in given))
    if len(set(axes)) != len(axes):
        raise UsageError(f"axis {axis} names an axis twice")
    return axes


def total(x: SharedArray, axis: Axis = None, keepdims: bool = False) -> SharedArray:
    """Sum along axes; local. A sum of bools counts, as int64, after one round of B2A."""
    x = bit_to_int(x) if x.dtype == "bool" else x
    axes = tuple(a + 1 for a in normal_axes(x, axis))
    summed: Words = np.sum(x._share, axis=axes, keepdims=keepdims, dtype=np.uint64)
    return x._with(summed)


def mean(x: SharedArray, axis: Axis = None, keepdims: bool = False) -> SharedArray:
    """Average along axes: the sum times the public 1/n. The mean of bools is a fixed fraction.

    Rounds: 1 for the truncation, 2 from n = 17 on (see `multiply`). Raises UsageError for int64,
    which stays exact, and for no elements.
    """
    if x.dtype == "int64":
        raise UsageError("the mean of int64 is a real; say x.astype('fixed').mean()")
    axes = normal_axes(x, axis)
    count = int(np.prod([x.shape[a] for a in axes], dtype=np.int64))
    if count == 0:
        raise UsageError(f"mean of no elements (shape {x.shape}, axis {axis})")
    summed = total(x, axis, keepdims)
    if x.dtype == "bool":
        summed = to_fixed(summed, x.session.frac_bits)
    return multiply(summed, 1.0 / count)


def cumsum(x: SharedArray, axis: int | None = None) -> SharedArray:
    """Running sums along an axis (flattened where None); local but for bools."""
    x = bit_to_int(x) if x.dtype == "bool" else x
    x = x.reshape(-1) if axis is None else x
    (along,) = normal_axes(x, 0 if axis is None else axis)
    return x._with(np.cumsum(x._share, axis=along + 1, dtype=np.uint64))


def all_true(x: SharedArray, axis: Axis = None, keepdims: bool = False) -> SharedArray:
    """Tell whether all bits along axes are set. Rounds: log2 of their number. Leaks: nothing."""
    if x.dtype != "bool":
        raise UsageError(f"all() and any() need bools, not {x.dtype}; compare first, as in x != 0")
    axes = normal_axes(x, axis)
    bits = _front(x, axes)
    if bits.shape[0] == 0:
        bits = x.session.constant(np.ones((1, *bits.shape[1:]), np.bool_))
    while bits.shape[0] > 1:
        half = bits.shape[0] // 2
        paired = logic(bits[:half], bits[half : 2 * half], "and")
        bits = _join(paired, bits[2 * half :])
    return _restore(bits[0], x, axes, keepdims)


def any_true(x: SharedArray, axis: Axis = None, keepdims: bool = False) -> SharedArray:
    """Tell whether any bit along axes is set. Rounds: log2 of their number. Leaks: nothing."""
    if x.dtype != "bool":
        raise UsageError(f"all() and any() need bools, not {x.dtype}; compare first, as in x != 0")
    return invert(all_true(invert(x), axis, keepdims))


def extreme(x: SharedArray, which: str, axis: Axis = None, keepdims: bool = False) -> SharedArray:
    """Give the "max" or "min" along axes by a tournament.

    Rounds: 4 (5 for many) log2(n) for n elements along the axes. Leaks: nothing.
    """
    if x.dtype == "bool":
        return (any_true if which == "max" else all_true)(x, axis, keepdims)
    axes = normal_axes(x, axis)
    values = _front(x, axes)
    _require_elements(values, which)
    while values.shape[0] > 1:
        left, right, odd = _pairs(values)
        later = less(left, right) if which == "max" else less(right, left)
        values = _join(where(later, right, left), odd)
    return _restore(values[0], x, axes, keepdims)


def arg_extreme(
    x: SharedArray, which: str, axis: int | None = None, keepdims: bool = False
) -> SharedArray:
    """Give the int64 index of the first "max" or "min" along an axis (flattened where None).

    Rounds: 4 (5 for many) log2(n). Leaks: nothing.
    """
    if isinstance(axis, tuple):
        raise UsageError(f"arg{which} takes one axis or None")
    x = bit_to_int(x) if x.dtype == "bool" else x
    axes = normal_axes(x, axis)
    values = _front(x, axes)
    _require_elements(values, f"arg{which}")
    indices = np.arange(values.shape[0]).reshape(-1, *(1,) * (values.ndim - 1))
    places = x.session.constant(np.broadcast_to(indices, values.shape))
    while values.shape[0] > 1:
        left, right, odd = _pairs(values)
        later = less(left, right) if which == "max" else less(right, left)
        here, there, odd_place = _pairs(places)
        both = _choose_together(later, (right, there), (left, here))
        values, places = _join(both[0], odd), _join(both[1], odd_place)
    return _restore(places[0], x, axes, keepdims)


def _choose_together(
    bit: SharedArray, a: tuple[SharedArray, SharedArray], b: tuple[SharedArray, SharedArray]
) -> tuple[SharedArray, SharedArray]:
    """Choose between two pairs (values, places) in one round."""
    twice = bit._with(np.concatenate([bit._share, bit._share], axis=1))
    words = [np.concatenate([p._share for p in pair], axis=1) for pair in (a, b)]
    chosen = where(twice, a[1]._with(words[0]), b[1]._with(words[1]))
    n = bit.shape[0]
    return a[0]._with(chosen[:n]._share), chosen[n:]


def _front(x: SharedArray, axes: tuple[int, ...]) -> SharedArray:
    """Merge the axes into one and put it first; a copy, so that no result is a view of x."""
    kept = [a for a in range(x.ndim) if a not in axes]
    moved = x._share.transpose(0, *(a + 1 for a in (*axes, *kept)))
    merged = int(np.prod([x.shape[a] for a in axes], dtype=np.int64))
    shape = (moved.shape[0], merged, *(x.shape[a] for a in kept))
    return x._with(moved.copy().reshape(shape))


def _restore(
    result: SharedArray, x: SharedArray, axes: tuple[int, ...], keepdims: bool
) -> SharedArray:
    if not keepdims:
        return result
    return result.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape)))


def _pairs(values: SharedArray) -> tuple[SharedArray, SharedArray, SharedArray]:
    """Split neighbours apart, so that the left of a pair always stood before the right."""
    even = values.shape[0] // 2 * 2
    return values[0:even:2], values[1:even:2], values[even:]


def _join(values: SharedArray, odd: SharedArray) -> SharedArray:
    if odd.shape[0] == 0:
        return values
    return values._with(np.concatenate([values._share, odd._share], axis=1))


def _require_elements(values: SharedArray, which: str) -> None:
    if values.shape[0] == 0:
        raise UsageError(f"{which} of no elements; check the shape first")
