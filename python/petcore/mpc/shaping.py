"""Changing the shape of shared arrays, and joining them; local.

A function that only moves elements is applied to the positions of the elements, and the share
follows. So every NumPy function that permutes, repeats or drops elements works as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.indexing import _places, gather
from petcore.mpc.operands import align

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def rearrange(x: SharedArray, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Move the elements of x as a NumPy function moves those of a plain array.

    A function that gives several arrays gives as many shared ones.
    """
    try:
        moved = function(_places(x.shape), *args, **options)
    except (ValueError, TypeError, IndexError) as error:
        if isinstance(error, UsageError):
            raise
        name = getattr(function, "__name__", "this")
        raise UsageError(f"{name} on shape {x.shape}: {error}") from None
    if isinstance(moved, (list, tuple)):
        return [gather(x, places) for places in moved]
    return gather(x, np.asarray(moved))


def reshape(x: SharedArray, *shape: Any) -> SharedArray:
    """Give the same elements, in the same order, another shape; one size may be -1."""
    wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
    try:
        sizes = np.broadcast_to(np.uint8(0), x.shape).reshape(tuple(wanted)).shape
    except (ValueError, TypeError):
        raise UsageError(
            f"{x.size} elements of shape {x.shape} do not reshape to {wanted}"
        ) from None
    return x._with(x._share.reshape(x._share.shape[0], *sizes))


def transpose(x: SharedArray, axes: Sequence[int] | None = None) -> SharedArray:
    """Permute the axes; reverse them where axes is None."""
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(axes)
    places = range(-x.ndim, x.ndim)
    if any(a not in places for a in order) or len({a % x.ndim for a in order}) != x.ndim:
        raise UsageError(f"axes {order} are no permutation of the axes of shape {x.shape}")
    return x._with(x._share.transpose(0, *(a % x.ndim + 1 for a in order)))


def broadcast_to(x: SharedArray, shape: int | tuple[int, ...]) -> SharedArray:
    """Repeat along axes of size one, as ``numpy.broadcast_to`` does, but into a copy."""
    result: SharedArray = rearrange(x, np.broadcast_to, shape)
    return result


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> SharedArray:
    """Join shared and public arrays along an axis; one dtype after promotion."""
    joined = align(*_listed(arrays, "concatenate"))
    if axis is None:
        joined, axis = [reshape(x, -1) for x in joined], 0
    ndim = joined[0].ndim
    if not -ndim <= axis < ndim:
        raise UsageError(f"cannot concatenate shape {joined[0].shape} along axis {axis}")
    try:
        share = np.concatenate([x._share for x in joined], axis=axis % ndim + 1)
    except ValueError:
        shapes = ", ".join(str(x.shape) for x in joined)
        raise UsageError(f"shapes {shapes} do not join along axis {axis}") from None
    return joined[0]._with(share)


def stack(arrays: Sequence[Any], axis: int = 0) -> SharedArray:
    """Join arrays of one shape along a new axis."""
    joined = align(*_listed(arrays, "stack"))
    if len({x.shape for x in joined}) != 1:
        shapes = ", ".join(str(x.shape) for x in joined)
        raise UsageError(f"stack needs one shape, not {shapes}")
    ndim = joined[0].ndim + 1
    if not -ndim <= axis < ndim:
        raise UsageError(f"cannot stack shape {joined[0].shape} along axis {axis}")
    return joined[0]._with(np.stack([x._share for x in joined], axis=axis % ndim + 1))


def _listed(arrays: Sequence[Any], name: str) -> list[Any]:
    listed = list(arrays)
    if not listed:
        raise UsageError(f"{name} needs at least one array")
    return listed
