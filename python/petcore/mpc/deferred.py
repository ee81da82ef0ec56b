"""Deferred: an array that is computed later, together with others of its kind.

Shape and dtype are known at once. What NumPy would compute from it is deferred as well, and what
needs its elements (a conversion to a plain array, a write, an attribute of the memory) makes the
batch run first. So code written for plain arrays works as it is.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from petcore.errors import UsageError

if TYPE_CHECKING:
    from petcore.mpc.batching import Batch

_METHODS = {
    name: getattr(np.ndarray, name)
    for name in ("astype", "copy", "cumsum", "ravel", "sum", "transpose", "view")
}
_NESTED = (tuple, list)
_NONE: Mapping[str, Any] = MappingProxyType({})


class Deferred(NDArrayOperatorsMixin):
    """The result of a call that has not been made yet.

    Attributes
    ----------
    shape, dtype, ndim, size
        As of the array to come.
    level : int
        Core operations that depend on each other before it, itself included.
    """

    __slots__ = (
        *("_args", "_batch", "_call", "_options", "_owners", "_value"),
        *("context", "dtype", "group", "level", "shape", "size"),
    )

    def __init__(
        self,
        batch: Batch,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        call: Callable[..., Any],
        args: tuple[Any, ...],
        *,
        options: Any = _NONE,
        level: int,
        group: Any = None,
    ) -> None:
        self.shape, self.size, self.dtype = shape, math.prod(shape), dtype
        self.level, self.group = level, group
        self.context = None if group is None else copy_context()
        self._batch, self._call, self._args, self._options = batch, call, args, options
        self._value: NDArray[Any] | None = None
        self._owners: list[Any] = []
        batch.add(self)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def owned_by(self, owner: Any) -> None:
        """Have ``owner._share`` replaced by the array once it is there."""
        self._owners.append(owner)

    def resolve(self) -> None:
        """Compute the array; what it is made of has been computed."""
        if self._call is np.ndarray.reshape:
            source, shape = self._args
            self.become(_known(source).reshape(shape))
        else:
            self.become(np.asarray(self._call(*known(self._args), **known(self._options))))

    def arguments(self) -> tuple[Any, ...]:
        """Give the arguments of the call, computed."""
        found: tuple[Any, ...] = known(self._args)
        return found

    def become(self, value: NDArray[Any]) -> None:
        """Take the array that was computed."""
        self._value = value
        self._call, self._args, self._options = _nothing, (), _NONE
        for owner in self._owners:
            if owner._share is self:
                owner._share = self._value
        self._owners.clear()

    def force(self) -> NDArray[Any]:
        """Give the array; the batch runs where it is not there yet."""
        if self._value is None:
            self._batch.run()
        if self._value is None:
            raise UsageError("this value was not computed: its batch ended with an error")
        return self._value

    def apply(self, call: Callable[..., Any], args: tuple[Any, ...], options: Any) -> Any:
        """Defer a call that changes none of its arguments and gives one array; else make it now."""
        args, options = known(args), known(options)
        level = level_of(args)
        if level == 0 and level_of(tuple(options.values())) == 0:
            return call(*args, **options)
        try:
            like = call(*_imitated(args), **_imitated(options))
        except Exception:  # the call itself says what is wrong
            like = None
        odd = not isinstance(like, (np.ndarray, np.generic)) or options.get("out") is not None
        if odd or level == 0 or self._batch.over:
            return call(*forced(args), **forced(options))
        kept, chosen = _kept(args), _kept(options)
        return Deferred(
            self._batch, like.shape, like.dtype, call, kept, options=chosen, level=level
        )

    def reshape(self, *shape: Any) -> Any:
        """Defer giving the elements another shape."""
        if self._value is not None or self._batch.over:
            return self.force().reshape(*shape)
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if sizes == self.shape:
            return self
        if sizes.count(-1) == 1 and math.prod(sizes):
            sizes = tuple(self.size // -math.prod(sizes) if n == -1 else n for n in sizes)
        if math.prod(sizes) != self.size:
            return self.force().reshape(*shape)  # which says what is wrong
        return Deferred(
            self._batch, sizes, self.dtype, np.ndarray.reshape, (self, sizes), level=self.level
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Defer a universal function."""
        return self.apply(getattr(ufunc, method), inputs, options)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        """Defer any other function."""
        return self.apply(func, args, kwargs)

    def __array__(self, *args: Any, **options: Any) -> NDArray[Any]:
        """Compute the array now."""
        return np.asarray(self.force(), *args)

    def __getitem__(self, key: Any) -> Any:
        """Defer taking a part."""
        return self.apply(operator.getitem, (self, key), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        """Compute the array now, and write to it."""
        self.force()[key] = forced(value)

    def __len__(self) -> int:
        """Give the size of the first axis."""
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        """Go through the first axis."""
        return (self[i] for i in range(len(self)))

    def __getattr__(self, name: str) -> Any:
        """Defer a method that gives a new array, or give what the computed array has."""
        method = _METHODS.get(name)
        if method is None:
            return getattr(self.force(), name)
        return lambda *args, **options: self.apply(method, (self, *args), options)


def is_deferred(value: object) -> TypeGuard[Deferred]:
    """Tell whether an array is computed later."""
    return type(value) is Deferred


def known(value: Any) -> Any:
    """Replace what is computed by its array, in lists and tuples too."""
    return _each(value, _known)


def forced(value: Any) -> Any:
    """Replace what is deferred by its array, computing it now."""
    return _each(value, Deferred.force)


def level_of(values: Sequence[Any]) -> int:
    """Give the highest level of what is deferred among values that went through `known`."""
    level = 0
    for x in values:
        if type(x) is Deferred:
            level = max(level, x.level)
        elif type(x) in _NESTED:
            level = max(level, level_of(x))
    return level


def kept(array: Any) -> Any:
    """Copy an array that is not deferred, so that writing to it later changes nothing here."""
    return array if type(array) is Deferred else array.copy()


def _known(x: Deferred) -> Any:
    return x if x._value is None else x._value


def _imitated(value: Any) -> Any:
    """Replace what is deferred by zeros of its shape, which take no memory."""
    return _each(value, lambda x: np.broadcast_to(np.zeros((), x.dtype), x.shape))


def _kept(value: Any) -> Any:
    return _each(value, _itself, np.ndarray.copy)


def _itself(x: Any) -> Any:
    return x


def _each(value: Any, deferred: Callable[[Any], Any], plain: Callable[[Any], Any] = _itself) -> Any:
    kind = type(value)
    if kind is Deferred:
        return deferred(value)
    if kind in _NESTED:
        return kind([_each(x, deferred, plain) for x in value])
    if isinstance(value, np.ndarray):
        return plain(value)
    if kind is dict and value:
        return {key: _each(x, deferred, plain) for key, x in value.items()}
    return value


def _nothing() -> None:
    """Stand for the call of an array that is there."""
