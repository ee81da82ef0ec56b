"""Matrix and inner products of shared and public arrays, for one and two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from petcore.errors import UsageError
from petcore.mpc.arithmetic import multiply, scaled_product
from petcore.mpc.conversion import bit_to_int, truncate
from petcore.mpc.fixed import Plain, encode, plain_array, scaled_multiplier
from petcore.mpc.operands import public_operand, same_session
from petcore.mpc.shared_base import flat, is_shared

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def matmul(x: Any, y: Any, *, truncation: str | None = None) -> SharedArray:
    """Multiply matrices and vectors as ``@`` does; at least one operand is shared.

    The encoded sum of products must stay below 2^62 in magnitude where it is truncated.

    Rounds: 1 for shared by shared, 0 for shared by public, and one truncation where both are reals.
    Bytes: 8 (mk + kn) per party for (m, k) @ (k, n). Uses: one matrix triple. Leaks: as `multiply`.
    """
    m, k, n, shape = product_shape(np.shape(x), np.shape(y))
    if is_shared(x) and is_shared(y):
        same_session(x, y)
        x, y = _numbers(x), _numbers(y)
        core = x.session._core
        left, right = flat(x._share), flat(y._share)
        return scaled_product(
            x,
            y,
            shape,
            truncation,
            lambda bits: core.matmul(left, right, m, k, n, bits),
        )
    if is_shared(x):
        return _matmul_public(_numbers(x), public_operand(x, y), "right", truncation)
    if is_shared(y):
        return _matmul_public(_numbers(y), public_operand(y, x), "left", truncation)
    raise UsageError("none of the operands is a SharedArray; use NumPy itself")


def dot(x: Any, y: Any) -> SharedArray:
    """Multiply as ``numpy.dot``: scalars by element, vectors and matrices as ``@``."""
    if 0 in (np.ndim(x), np.ndim(y)):
        return multiply(x, y)
    return matmul(x, y)


def product_shape(
    left: tuple[int, ...], right: tuple[int, ...]
) -> tuple[int, int, int, tuple[int, ...]]:
    """Give m, k, n and the shape of the result of ``left @ right``, or raise UsageError."""
    if not 1 <= len(left) <= 2 or not 1 <= len(right) <= 2:
        raise UsageError(
            f"@ takes arrays of one or two dimensions, not {left} @ {right}; loop over the leading "
            "axes, or use * for scalars"
        )
    if left[-1] != right[0]:
        raise UsageError(
            f"shapes do not fit: {left} @ {right} needs {left[-1]} == {right[0]}; transpose one?"
        )
    m = left[0] if len(left) == 2 else 1
    n = right[1] if len(right) == 2 else 1
    return m, left[-1], n, left[:-1] + right[1:]


def _numbers(x: SharedArray) -> SharedArray:
    return bit_to_int(x) if x.dtype == "bool" else x


def _matmul_public(
    x: SharedArray, array: Plain, public: Literal["left", "right"], truncation: str | None
) -> SharedArray:
    """Multiply by a public matrix that stands on one side; local but for the truncation."""
    g, dtype, frac_bits = 0, x.dtype, x.frac_bits
    if array.dtype.kind != "f":
        words = encode(array, "bool" if array.dtype.kind == "b" else "int64", 0)
    elif x.dtype == "fixed":
        words, g = scaled_multiplier(array, x.frac_bits)
    else:  # bits, counted: the sum has the scale of the reals
        dtype, frac_bits = "fixed", x.session.frac_bits
        words = encode(array, dtype, frac_bits)
    if public == "left":
        m, k, n, shape = product_shape(array.shape, x.shape)
        made = [_ring_product(words.reshape(m, k), row.reshape(k, n)) for row in x._share]
    else:
        m, k, n, shape = product_shape(x.shape, array.shape)
        made = [_ring_product(row.reshape(m, k), words.reshape(k, n)) for row in x._share]
    raw = x._shaped(np.stack(made), shape, dtype, frac_bits + g)
    return truncate(raw, g, truncation)


def _ring_product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """Multiply matrices of words modulo 2^64; NumPy has no fast product of integers."""
    if not left.size or not right.size:
        return np.zeros((left.shape[0], right.shape[1]), np.uint64)
    from petcore import _core

    kernels: Any = _core.kernels
    product: NDArray[Any] = kernels.matmul(np.ascontiguousarray(left), np.ascontiguousarray(right))
    return product


def outer(x: Any, y: Any) -> SharedArray:
    """Multiply every element of x by every element of y, both flattened."""
    left = x.reshape(-1, 1) if is_shared(x) else plain_array(x).reshape(-1, 1)
    right = y.reshape(1, -1) if is_shared(y) else plain_array(y).reshape(1, -1)
    return multiply(left, right)
