"""Which NumPy functions and ufuncs take shared arrays, and what they become.

Anything else raises UsageError: a function that NumPy would run on plain values has none to run on.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc import comparison, products, shaping
from petcore.mpc.operands import refuse_options, require_shared
from petcore.mpc.shared_base import is_shared

# ufunc: the operator of a shared left operand, and that of a shared right one
_BINARY: dict[np.ufunc, tuple[str, str]] = {
    np.add: ("__add__", "__radd__"),
    np.subtract: ("__sub__", "__rsub__"),
    np.multiply: ("__mul__", "__rmul__"),
    np.true_divide: ("__truediv__", "__rtruediv__"),
    np.floor_divide: ("__floordiv__", "__rfloordiv__"),
    np.remainder: ("__mod__", "__rmod__"),
    np.power: ("__pow__", "__rpow__"),
    np.matmul: ("__matmul__", "__rmatmul__"),
    np.less: ("__lt__", "__gt__"),
    np.less_equal: ("__le__", "__ge__"),
    np.greater: ("__gt__", "__lt__"),
    np.greater_equal: ("__ge__", "__le__"),
    np.equal: ("__eq__", "__eq__"),
    np.not_equal: ("__ne__", "__ne__"),
    np.bitwise_and: ("__and__", "__rand__"),
    np.bitwise_or: ("__or__", "__ror__"),
    np.bitwise_xor: ("__xor__", "__rxor__"),
    np.logical_and: ("__and__", "__rand__"),
    np.logical_or: ("__or__", "__ror__"),
    np.logical_xor: ("__xor__", "__rxor__"),
}
_PAIRS: dict[np.ufunc, Callable[[Any, Any], Any]] = {
    np.minimum: comparison.minimum,
    np.maximum: comparison.maximum,
}
_UNARY: dict[np.ufunc, str] = {
    np.negative: "__neg__",
    np.positive: "__pos__",
    np.absolute: "__abs__",
    np.invert: "__invert__",
    np.logical_not: "__invert__",
    np.square: "square",
}
_REAL_FUNCTIONS = ("exp", "log", "sqrt", "tanh", "reciprocal")

# only move, repeat or drop elements of their first argument
_MOVING: frozenset[Any] = frozenset(
    (
        *(np.ravel, np.squeeze, np.expand_dims, np.moveaxis, np.swapaxes, np.broadcast_to),
        *(np.flip, np.fliplr, np.flipud, np.roll, np.rot90, np.repeat, np.tile, np.take),
        *(np.delete, np.atleast_1d, np.atleast_2d, np.diagonal, np.reshape),
        *(np.split, np.array_split, np.hsplit, np.vsplit),
    )
)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: Any) -> Any:
    """Apply a ufunc where at least one input is shared."""
    name = ufunc.__name__
    if method != "__call__":
        raise UsageError(f"np.{name}.{method} does not take a SharedArray; see its methods")
    refuse_options(f"np.{name}", options)
    if ufunc in _BINARY:
        left, right = _BINARY[ufunc]
        x, y = inputs
        return getattr(x, left)(y) if is_shared(x) else getattr(y, right)(x)
    if ufunc in _PAIRS:
        return _PAIRS[ufunc](*inputs)
    if ufunc in _UNARY:
        return getattr(inputs[0], _UNARY[ufunc])()
    if name in _REAL_FUNCTIONS:
        functions = importlib.import_module("petcore.mpc.functions")
        return getattr(functions, name)(inputs[0])
    raise _unknown(name)


def call_function(function: Callable[..., Any], args: Any, options: Any) -> Any:
    """Apply a NumPy function where at least one argument is shared."""
    name = getattr(function, "__name__", str(function))
    try:
        if function in _MOVING:
            x = require_shared(args[0] if args else None, f"the first argument of np.{name}")
            if any(is_shared(value) for value in (*args[1:], *options.values())):
                raise UsageError(f"np.{name} takes one SharedArray; its other arguments are public")
            return shaping.rearrange(x, function, *args[1:], **options)
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](*args, **options)
    except TypeError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"np.{name} on a SharedArray: {error}") from None
    raise _unknown(name)


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"np.{name} does not take a SharedArray; see the methods of SharedArray and "
        "petcore.functions, or open the value with a label"
    )


def _reduction(method: str) -> Callable[..., Any]:
    def call(x: Any, axis: Any = None, **options: Any) -> Any:
        refuse_options(f"np.{method}", options, ("keepdims",))
        keepdims = options.get("keepdims", False)
        return getattr(require_shared(x, f"the first argument of np.{method}"), method)(
            axis=axis, keepdims=keepdims is not np._NoValue and bool(keepdims)
        )

    return call


def _running_sum(x: Any, axis: int | None = None, **options: Any) -> Any:
    refuse_options("np.cumsum", options)
    return x.cumsum(axis)


def _clip(x: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Any:
    low, high = options.pop("min", a_min), options.pop("max", a_max)
    refuse_options("np.clip", options)
    return comparison.clip(x, low, high)


def _join(name: str, join: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def call(arrays: Any, axis: Any = 0, **options: Any) -> Any:
        refuse_options(name, options)
        return join(arrays, axis)

    return call


def _vstack(arrays: Any, **options: Any) -> Any:
    refuse_options("np.vstack", options)
    return shaping.concatenate([np.atleast_2d(x) for x in arrays], 0)


def _hstack(arrays: Any, **options: Any) -> Any:
    refuse_options("np.hstack", options)
    rows = [np.atleast_1d(x) for x in arrays]
    return shaping.concatenate(rows, 0 if rows[0].ndim == 1 else 1)


def _column_stack(arrays: Any) -> Any:
    columns = [x.reshape(-1, 1) if x.ndim < 2 else x for x in map(np.atleast_1d, arrays)]
    return shaping.concatenate(columns, 1)


def _count(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return (x if x.dtype == "bool" else x != 0).sum(axis=axis, keepdims=keepdims)


def _like(value: int) -> Callable[..., Any]:
    def call(x: Any, **options: Any) -> Any:
        refuse_options("np.ones_like" if value else "np.zeros_like", options)
        zeros = x.session.zeros(x.shape, x.dtype, frac_bits=x.frac_bits)
        if value == 0:
            return zeros
        return ~zeros if x.dtype == "bool" else zeros + value

    return call


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{
        getattr(np, name): _reduction(name)
        for name in ("sum", "mean", "min", "max", "argmin", "argmax", "all", "any")
    },
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x, axis=None: x.size if axis is None else x.shape[axis],
    np.copy: lambda x: x.copy(),
    np.zeros_like: _like(0),
    np.ones_like: _like(1),
    np.transpose: lambda x, axes=None: shaping.transpose(x, axes),
    np.concatenate: _join("np.concatenate", shaping.concatenate),
    np.stack: _join("np.stack", shaping.stack),
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.column_stack: _column_stack,
    np.where: comparison.where,
    np.clip: _clip,
    np.dot: products.dot,
    np.outer: products.outer,
    np.cumsum: _running_sum,
    np.count_nonzero: _count,
}
