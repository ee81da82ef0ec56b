"""SharedArray: a NumPy-like array of which every party holds a share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc import (
    arithmetic,
    comparison,
    conversion,
    indexing,
    numpy_functions,
    products,
    reductions,
    shaping,
)
from petcore.mpc.shared_base import SharedBase, is_shared

Axis = int | tuple[int, ...] | None


class SharedArray(SharedBase):
    """A NumPy-like array of which every party holds a share; made by `Session.input`.

    dtype ``"int64"`` is exact modulo 2^64 (money, counts, ids); numbers that are compared must lie
    less than 2^63 apart. ``"fixed"`` is a real with ``frac_bits`` fraction bits: encoded magnitudes
    stay below 2^62, products below |x y| < 2^(62 - 2 frac_bits). ``"bool"`` holds truth values.

    Operators, comparisons, reductions, indexing by public indices and many NumPy functions work as
    on a NumPy array; what would need the values raises UsageError. Every operation is called by
    all parties in the same order, with the same public operands. ``x += y`` makes a new array and
    leaves views of the old one as they are; write in place by ``x[...] = y``.

    Examples
    --------
    >>> import numpy as np, petcore as pc
    >>> def program(session):
    ...     x = session.input(np.arange(6) if session.party == 0 else None, owner=0)
    ...     big = np.where(x > 2, x.reshape(6), 0)
    ...     return x, session.open(big.sum(), label="sum of what is above two")
    >>> x, opened = pc.simulate(program)[0]
    >>> x
    SharedArray(shape=(6,), dtype=int64, session=party0/party1, party=party0)
    >>> print(opened)
    12
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Take NumPy's universal functions."""
        return numpy_functions.call_ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        """Take NumPy's other functions."""
        return numpy_functions.call_function(func, args, kwargs)

    def __add__(self, other: Any) -> SharedArray:
        """Add; see `petcore.mpc.arithmetic`."""
        return arithmetic.add(self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> SharedArray:
        """Subtract."""
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Any) -> SharedArray:
        """Subtract from a public value."""
        return arithmetic.negate(arithmetic.subtract(self, other))

    def __mul__(self, other: Any) -> SharedArray:
        """Multiply element by element; see `petcore.multiply`."""
        return arithmetic.multiply(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> SharedArray:
        """Divide a fixed array by a public or shared one."""
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> SharedArray:
        """Divide a public value by a fixed array."""
        return arithmetic.divide_public(other, self)

    def _refuse_quotient(self, other: Any) -> SharedArray:
        """Refuse: // and % are not there."""
        raise UsageError(
            "// and % are not supported on shares; for reals use x.astype('fixed') / y, for money "
            "multiply by a public ratio and round with petcore.multiply(..., truncation='exact')"
        )

    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = _refuse_quotient

    def __pow__(self, exponent: Any) -> SharedArray:
        """Raise to a public positive integer."""
        return arithmetic.power(self, exponent)

    def __rpow__(self, base: Any) -> SharedArray:
        """Refuse: a shared exponent."""
        raise UsageError(
            "a shared exponent is not supported; use petcore.functions.exp(y * log(base))"
        )

    def __matmul__(self, other: Any) -> SharedArray:
        """Multiply matrices; see `petcore.matmul`."""
        return products.matmul(self, other)

    def __rmatmul__(self, other: Any) -> SharedArray:
        """Multiply a public matrix by a shared one; local."""
        return products.matmul(other, self)

    def __neg__(self) -> SharedArray:
        """Change the sign; local."""
        return arithmetic.negate(self)

    def __pos__(self) -> SharedArray:
        """Copy."""
        return self.copy()

    def __abs__(self) -> SharedArray:
        """Give the magnitude."""
        return comparison.absolute(self)

    def __invert__(self) -> SharedArray:
        """Flip bits; local."""
        if self.dtype != "bool":
            raise UsageError(f"~ needs bools, not {self.dtype}; compare first, as in x == 0")
        return conversion.invert(self)

    def __and__(self, other: Any) -> SharedArray:
        """And of bits."""
        return comparison.logic(self, other, "and")

    def __or__(self, other: Any) -> SharedArray:
        """Or of bits."""
        return comparison.logic(self, other, "or")

    def __xor__(self, other: Any) -> SharedArray:
        """Exclusive or of bits; local."""
        return comparison.logic(self, other, "xor")

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lt__(self, other: Any) -> SharedArray:
        """Tell where self < other."""
        return comparison.less(self, other)

    def __gt__(self, other: Any) -> SharedArray:
        """Tell where self > other."""
        return comparison.less(other, self)

    def __le__(self, other: Any) -> SharedArray:
        """Tell where self <= other."""
        return conversion.invert(comparison.less(other, self))

    def __ge__(self, other: Any) -> SharedArray:
        """Tell where self >= other."""
        return conversion.invert(comparison.less(self, other))

    def __eq__(self, other: object) -> SharedArray:  # type: ignore[override]
        """Tell where self == other."""
        return comparison.equal(self, other)

    def __ne__(self, other: object) -> SharedArray:  # type: ignore[override]
        """Tell where self != other."""
        return conversion.invert(comparison.equal(self, other))

    def __getitem__(self, key: Any) -> SharedArray:
        """Index by public integers, slices, lists and masks."""
        return indexing.get_item(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write shared or public values of the same dtype at public places."""
        indexing.set_item(self, key, value)

    def __iter__(self) -> Iterator[SharedArray]:
        """Go through the first axis."""
        if self.ndim == 0:
            raise UsageError("a shared scalar cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    def copy(self) -> SharedArray:
        """Copy the share."""
        return self._with(self._share.copy())

    def __copy__(self) -> SharedArray:
        """Copy the share."""
        return self.copy()

    def __deepcopy__(self, memo: Any) -> SharedArray:
        """Copy the share; the session stays the same."""
        return self.copy()

    @property
    def T(self) -> SharedArray:  # noqa: N802
        """The array with its axes reversed."""
        return shaping.transpose(self)

    def transpose(self, *axes: Any) -> SharedArray:
        """Permute the axes, given one by one or as a tuple; reverse them where none is given."""
        return shaping.transpose(self, *axes) if len(axes) < 2 else shaping.transpose(self, axes)

    def reshape(self, *shape: Any) -> SharedArray:
        """Give the elements another shape; one size may be -1."""
        return shaping.reshape(self, *shape)

    def ravel(self) -> SharedArray:
        """Flatten to one axis; a view where the layout allows one."""
        return shaping.reshape(self, -1)

    def flatten(self) -> SharedArray:
        """Flatten to one axis, into a copy."""
        return self.ravel().copy()

    def squeeze(self, axis: Axis = None) -> SharedArray:
        """Drop axes of size one."""
        squeezed: SharedArray = shaping.rearrange(self, np.squeeze, axis)
        return squeezed

    def astype(self, dtype: Any, *, frac_bits: int | None = None) -> SharedArray:
        """Convert to another dtype; see `petcore.mpc.conversion.astype`."""
        return conversion.astype(self, dtype, frac_bits=frac_bits)

    def square(self) -> SharedArray:
        """Multiply by itself, cheaper than ``x * y``."""
        return arithmetic.square(self)

    def dot(self, other: Any) -> SharedArray:
        """Multiply as ``numpy.dot`` does."""
        return products.dot(self, other)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> SharedArray:
        """Sum along axes; local, counts bools."""
        return reductions.total(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> SharedArray:
        """Average along axes; fixed or bool."""
        return reductions.mean(self, axis, keepdims)

    def cumsum(self, axis: int | None = None) -> SharedArray:
        """Running sums; local."""
        return reductions.cumsum(self, axis)

    def min(self, axis: Axis = None, keepdims: bool = False) -> SharedArray:
        """Smallest along axes; 8 log2(n) rounds."""
        return reductions.extreme(self, "min", axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> SharedArray:
        """Largest along axes; 8 log2(n) rounds."""
        return reductions.extreme(self, "max", axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> SharedArray:
        """Index of the first smallest; 8 log2(n) rounds."""
        return reductions.arg_extreme(self, "min", axis, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> SharedArray:
        """Index of the first largest; 8 log2(n) rounds."""
        return reductions.arg_extreme(self, "max", axis, keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> SharedArray:
        """Whether any bit is set; log2(n) rounds."""
        return reductions.any_true(self, axis, keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> SharedArray:
        """Whether all bits are set; log2(n) rounds."""
        return reductions.all_true(self, axis, keepdims)

    def clip(self, low: Any = None, high: Any = None) -> SharedArray:
        """Limit to [low, high]; 4 or 5 rounds per bound."""
        return comparison.clip(self, low, high)

    def where(self, a: Any, b: Any) -> SharedArray:
        """Choose a where this bool array holds and b elsewhere; 1 round."""
        return comparison.where(self, a, b)


__all__ = ["SharedArray", "is_shared"]
