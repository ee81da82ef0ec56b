"""SharedBase: what every shared array holds, and what it refuses to become."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from petcore.errors import InternalError, UsageError
from petcore.mpc.deferred import is_deferred

if TYPE_CHECKING:
    from petcore.mpc.session import Session
    from petcore.mpc.shared_array import SharedArray

_OPEN_IT = "open it with a label first: session.open(x, label='...')"


class SharedBase:
    """A share of an array, its dtype and the session it belongs to; see `SharedArray`."""

    __slots__ = ("_dtype", "_frac_bits", "_session", "_share")

    def __init__(
        self, session: Session, share: NDArray[Any], dtype: str, frac_bits: int = 0
    ) -> None:
        session._require_usable()
        word = np.uint8 if dtype == "bool" else np.uint64
        if share.dtype != word or share.ndim == 0:
            raise InternalError(f"a share of dtype {dtype} must be {word.__name__} with components")
        if is_deferred(share):
            share.owned_by(self)
        self._session = session
        self._share = share
        self._dtype = dtype
        self._frac_bits = frac_bits

    def _with(
        self, share: NDArray[Any], dtype: str | None = None, frac_bits: int | None = None
    ) -> SharedArray:
        """Give another share of the same session; dtype and frac_bits as here where left out."""
        dtype = self._dtype if dtype is None else dtype
        frac_bits = self._frac_bits if frac_bits is None else frac_bits
        made = type(self)(self._session, share, dtype, frac_bits if dtype == "fixed" else 0)
        return cast("SharedArray", made)

    def _shaped(
        self,
        words: NDArray[Any],
        shape: tuple[int, ...],
        dtype: str | None = None,
        frac_bits: int | None = None,
    ) -> SharedArray:
        """Give a flat share, as the core returns it, the shape of its values; see `_with`."""
        components = self._share.shape[0]
        return self._with(words.reshape(components, *shape), dtype, frac_bits)

    @property
    def session(self) -> Session:
        """The session that holds the other shares."""
        return self._session

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._share.shape[1:]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._share.ndim - 1

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> str:
        """``"int64"``, ``"fixed"`` or ``"bool"``."""
        return self._dtype

    @property
    def frac_bits(self) -> int:
        """Fraction bits of a fixed-point array; 0 for the others."""
        return self._frac_bits

    def __repr__(self) -> str:
        """Show shape, dtype, session and party; never a share."""
        bits = f", frac_bits={self.frac_bits}" if self.dtype == "fixed" else ""
        return (
            f"SharedArray(shape={self.shape}, dtype={self.dtype}{bits}, "
            f"session={'/'.join(self.session.names)}, party={self.session.name})"
        )

    def __len__(self) -> int:
        """Give the size of the first axis."""
        if self.ndim == 0:
            raise UsageError("a shared scalar has no len()")
        return self.shape[0]

    def __bool__(self) -> NoReturn:
        """Refuse: the truth is shared."""
        raise UsageError(
            f"a SharedArray has no truth value here: {_OPEN_IT}; to choose without opening use "
            "where(condition, a, b)"
        )

    def __array__(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse: the values are shared."""
        raise UsageError(f"a SharedArray cannot become a NumPy array: {_OPEN_IT}")

    def _refuse_number(self, *args: Any) -> NoReturn:
        """Refuse: the value is shared."""
        raise UsageError(f"a SharedArray cannot become a Python number: {_OPEN_IT}")

    __float__ = __int__ = __index__ = __complex__ = __round__ = _refuse_number

    def __contains__(self, item: object) -> NoReturn:
        """Refuse: whether the item is there is shared."""
        raise UsageError(
            f"'in' on a SharedArray would need its values; use (x == v).any() and {_OPEN_IT}"
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: a share must not leave its session."""
        raise UsageError(
            "a SharedArray does not pickle: a share has no place outside its session; open the "
            "value with a label, or use session.export(x, to=..., label=...)"
        )


def is_shared(value: object) -> TypeGuard[SharedArray]:
    """Tell whether the value is a shared array."""
    return isinstance(value, SharedBase)


def flat(share: NDArray[Any]) -> NDArray[Any]:
    """Lay a share array out as (components, n), as the core takes it."""
    if is_deferred(share):
        laid: NDArray[Any] = share.reshape(share.shape[0], -1)
        return laid
    return np.ascontiguousarray(share).reshape(share.shape[0], -1)


def lift(share: NDArray[Any], ndim: int) -> NDArray[Any]:
    """Insert axes behind the components, so that shares broadcast as their values do."""
    missing = ndim - (share.ndim - 1)
    if missing == 0:
        return share
    return share.reshape(share.shape[0], *(1,) * missing, *share.shape[1:])


def spread(share: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Broadcast a share array to a shape of values, laid out as (components, n)."""
    if share.shape[1:] == shape:
        return flat(share)
    return flat(np.broadcast_to(lift(share, len(shape)), (share.shape[0], *shape)))


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Broadcast shapes, or raise UsageError naming them."""
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(str(shape) for shape in shapes)
        raise UsageError(
            f"shapes {listed} do not broadcast; reshape one so that axes are equal or 1"
        ) from None
