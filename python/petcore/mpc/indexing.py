"""Reading and writing parts of a shared array at public places; local."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from petcore.errors import UsageError
from petcore.mpc.arithmetic import require_same_scale
from petcore.mpc.operands import constant, public_operand, same_session
from petcore.mpc.shared_base import is_shared, lift

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def get_item(x: SharedArray, key: Any) -> SharedArray:
    """Index as NumPy does: basic indices give views, lists and masks copies."""
    parts = _parts(key)
    try:
        if _is_basic(parts):
            return x._with(x._share[(slice(None), *parts)])
        places = _places(x.shape)[parts]
    except IndexError as error:
        raise _outside(x.shape, parts, error) from None
    return gather(x, places)


def set_item(x: SharedArray, key: Any, value: Any) -> None:
    """Write shared or public values of the same dtype to public places; local."""
    parts = _parts(key)
    if not x._share.flags.writeable:
        raise UsageError("this array is a read-only view (of a broadcast); write to x.copy()")
    try:
        places = _places(x.shape)[parts]
    except IndexError as error:
        raise _outside(x.shape, parts, error) from None
    written = _written(x, value)
    if not _fits(written.shape, places.shape):
        raise UsageError(f"values of shape {written.shape} do not fit the place {places.shape}")
    source = np.broadcast_to(
        lift(_squeezed(written, places.ndim), places.ndim), (x._share.shape[0], *places.shape)
    )
    if _is_basic(parts):
        x._share[(slice(None), *parts)] = source
    else:
        _scatter(x._share, places, source)


def gather(x: SharedArray, places: NDArray[np.intp]) -> SharedArray:
    """Pick elements by their flat positions."""
    share = x._share.reshape(x._share.shape[0], -1)
    return x._with(share[:, places])


def _parts(key: Any) -> tuple[Any, ...]:
    parts = key if isinstance(key, tuple) else (key,)
    for part in parts:
        if is_shared(part):
            raise UsageError(
                "an index must be public: open it with a label, or choose without opening by "
                "where(mask, a, b) or (mask * x).sum()"
            )
    return parts


def _is_basic(parts: tuple[Any, ...]) -> bool:
    return all(
        part is None
        or isinstance(part, (slice, EllipsisType))
        or (isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)))
        for part in parts
    )


def _places(shape: tuple[int, ...]) -> NDArray[np.intp]:
    return np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.intp).reshape(shape)


def _outside(shape: tuple[int, ...], parts: tuple[Any, ...], error: IndexError) -> UsageError:
    """Say what NumPy says of an array of this shape: a share has one axis more."""
    try:
        np.broadcast_to(np.False_, shape)[parts]
    except IndexError as logical:
        error = logical
    return UsageError(f"cannot index shape {shape}: {error}")


def _written(x: SharedArray, value: Any) -> SharedArray:
    if is_shared(value):
        same_session(x, value)
        return require_same_scale(x, value)
    return constant(x.session, public_operand(x, value), x.dtype, x.frac_bits)


def _fits(source: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(source[max(0, len(source) - len(target)) :], target) == target
    except ValueError:
        return False


def _squeezed(x: SharedArray, ndim: int) -> NDArray[Any]:
    """Drop leading axes of size one beyond ndim, as NumPy's assignment does."""
    extra = x.ndim - ndim
    if extra <= 0:
        return x._share
    if any(n != 1 for n in x.shape[:extra]):
        raise UsageError(f"values of shape {x.shape} do not fit a place of {ndim} dimensions")
    return x._share.reshape(x._share.shape[0], *x.shape[extra:])


def _scatter(share: NDArray[Any], places: NDArray[np.intp], source: NDArray[Any]) -> None:
    where = np.unravel_index(places, share.shape[1:]) if share.ndim > 1 else ()
    for row, values in zip(share, source, strict=True):
        row[where] = values
