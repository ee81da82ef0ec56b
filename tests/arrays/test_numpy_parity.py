"""Every operation on shares gives what NumPy gives on the values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc
from tests.arrays.conftest import evaluate

I = np.array([[3, -1, 4], [1, 5, -9]])  # noqa: E741
J = np.array([[2, -1, 7], [-8, 5, 0]])
ROW = np.array([2, -7, 1])
X = np.array([[2.5, -6.0, 5.0], [3.0, 0.125, 8.25]])
Y = np.array([[-0.75, 6.0, 1.0], [2.0, 0.125, -4.5]])
B = np.array([[True, False, True], [False, False, True]])
C = np.array([[True, True, False], [False, True, True]])

# products of these reals are multiples of 2^-6, so the error is that of the truncation alone
ULP = 2.0**-18


def agree(function: Callable[..., Any], *arrays: Any, ulps: float = 0) -> None:
    got, want = evaluate(function, *arrays), function(*arrays)
    pairs = zip(got, want, strict=True) if isinstance(want, list) else [(got, want)]
    for a, b in pairs:
        assert a.shape == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=ulps * ULP)


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul], ids=lambda f: f.__name__)
@pytest.mark.parametrize("pair", [(I, J), (I, ROW), (ROW, I), (I, I[:, :1]), (X, Y), (I, X)])
def test_elementwise_arithmetic_broadcasts_as_numpy_does(op: Any, pair: Any) -> None:
    agree(op, *pair, ulps=1)
    agree(lambda x: op(x, pair[1]), pair[0].astype(float) if pair[1] is X else pair[0], ulps=1)
    agree(lambda y: op(pair[0], y), pair[1], ulps=1)


@pytest.mark.parametrize(
    "op",
    [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize(
    "pair", [(I, J), (X, Y), (I, ROW), (B, C)], ids=["int", "real", "row", "bit"]
)
def test_comparisons_work_with_a_public_operand_on_either_side(op: Any, pair: Any) -> None:
    agree(op, *pair)
    agree(lambda x: op(x, pair[1]), pair[0])
    agree(lambda y: op(pair[0], y), pair[1])


@pytest.mark.parametrize(
    "op", [operator.and_, operator.or_, operator.xor], ids=lambda f: f.__name__
)
def test_logic_takes_shared_and_public_bits(op: Any) -> None:
    agree(op, B, C)
    agree(lambda x: op(x, C[0]), B)
    agree(lambda x: op(True, x), B)


LINEAR = {
    "negate": lambda x: -x,
    "sum": lambda x: x.sum(),
    "sum_rows": lambda x: x.sum(axis=1),
    "sum_keepdims": lambda x: np.sum(x, axis=0, keepdims=True),
    "sum_two_axes": lambda x: x.sum(axis=(0, 1)),
    "cumsum": lambda x: x.cumsum(),
    "cumsum_axis": lambda x: np.cumsum(x, axis=1),
    "transpose": lambda x: x.T,
    "reshape": lambda x: x.reshape(3, -1),
    "ravel": lambda x: np.ravel(x),
    "element": lambda x: x[1, 2],
    "row": lambda x: x[-1],
    "slice": lambda x: x[:, ::-1],
    "newaxis": lambda x: x[..., None, 1:],
    "list": lambda x: x[[1, 0, 1]],
    "pairs": lambda x: x[[0, 1], [2, 0]],
    "split_advanced": lambda x: x[None][0, :, [2, 0]],
    "mask": lambda x: x[B],
    "row_mask": lambda x: x[np.array([False, True])],
    "expand": lambda x: np.expand_dims(x, 1),
    "flip": lambda x: np.flip(x, axis=1),
    "roll": lambda x: np.roll(x, 2),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "tile": lambda x: np.tile(x, (2, 1)),
    "take": lambda x: np.take(x, [2, 0], axis=1),
    "delete": lambda x: np.delete(x, 1, axis=1),
    "moveaxis": lambda x: np.moveaxis(x[None], 0, -1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "split": lambda x: np.split(x, 3, axis=1),
    "squeeze": lambda x: np.squeeze(x[:1]),
    "concatenate": lambda x: np.concatenate([x, I, x[:1]]),
    "concatenate_flat": lambda x: np.concatenate([x, x], axis=None),
    "stack": lambda x: np.stack([x, I], axis=-1),
    "vstack": lambda x: np.vstack([x, x[0]]),
    "hstack": lambda x: np.hstack([x, I]),
    "column_stack": lambda x: np.column_stack([x[0], x[1]]),
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
    "diagonal": np.diagonal,
    "iterate": list,
    "public_matrix_left": lambda x: J[:, :2] @ x,
    "public_matrix_right": lambda x: x @ J.T,
    "public_vector": lambda x: x @ ROW,
}


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("values", [I, X], ids=["int64", "fixed"])
def test_local_operations_equal_numpy_exactly(name: str, values: Any) -> None:
    agree(LINEAR[name], values)


NONLINEAR = {
    "matmul": lambda x, y: x @ y.T,
    "matvec": lambda x, y: x @ y[0],
    "vecmat": lambda x, y: x[:, 0] @ y,
    "inner": lambda x, y: x[0] @ y[1],
    "dot": lambda x, y: np.dot(x[0], y[1]),
    "outer": lambda x, y: np.outer(x[0], y[1]),
    "square": lambda x, y: x**2,
    "cube": lambda x, y: (x / 4 if x.dtype in ("fixed", float) else x) ** 3,
    "fourth": lambda x, y: (x / 4 if x.dtype in ("fixed", float) else x) ** 4,
    "where": lambda x, y: np.where(x > y, x, y - 1),
    "where_public": lambda x, y: np.where(B, x, y),
    "minimum": np.minimum,
    "maximum": lambda x, y: np.maximum(x, y[0]),
    "maximum_public": lambda x, y: np.maximum(2, x),
    "abs": lambda x, y: abs(x),
    "clip": lambda x, y: np.clip(x, -2, 3),
    "clip_below": lambda x, y: x.clip(0, None),
    "max": lambda x, y: x.max(),
    "max_axis": lambda x, y: x.max(axis=1),
    "min_keepdims": lambda x, y: np.min(x, axis=0, keepdims=True),
    "argmax": lambda x, y: x.argmax(axis=1),
    "argmin_flat": lambda x, y: np.argmin(x),
    "argmax_keepdims": lambda x, y: np.argmax(y, axis=0, keepdims=True),
    "count_nonzero": lambda x, y: np.count_nonzero(x - y),
}


@pytest.mark.parametrize("name", NONLINEAR)
@pytest.mark.parametrize("values", [(I, J), (X, Y)], ids=["int64", "fixed"])
def test_interactive_operations_equal_numpy(name: str, values: Any) -> None:
    ulps = 0 if values[0] is I else 80 if name in ("cube", "fourth") else 1
    agree(NONLINEAR[name], *values, ulps=ulps)


BITS = {
    "invert": lambda b: ~b,
    "sum": lambda b: b.sum(axis=1),
    "mean": lambda b: b.mean(),
    "any": lambda b: b.any(axis=0),
    "all": lambda b: np.all(b),
    "all_keepdims": lambda b: b.all(axis=1, keepdims=True),
    "max": lambda b: b.max(axis=0),
    "min": lambda b: b.min(),
    "argmax": lambda b: b.argmax(axis=1),
    "times_int": lambda b: b * I,
    "times_real": lambda b: b * X,
    "plus_int": lambda b: b + 3,
    "one_minus": lambda b: 1 - b,
    "public_bit": lambda b: b * C,
    "where_bits": lambda b: np.where(b, C, ~b),
    "where_numbers": lambda b: np.where(b, 1, -2),
    "where_reals": lambda b: np.where(b, 1.5, -2),
    "compare_int": lambda b: b < 1,
    "matmul": lambda b: b @ ROW,
}


@pytest.mark.parametrize("name", BITS)
def test_bits_count_select_and_combine_as_in_numpy(name: str) -> None:
    agree(BITS[name], B, ulps=1)


def test_a_shared_bit_selects_shared_numbers() -> None:
    agree(lambda b, x: b * x, B, I)
    agree(lambda b, x: x * b, B[0], X)
    agree(lambda b, c: b * c, B, C)
    agree(lambda b, x: b @ x, B, I.T)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 13])
def test_the_first_of_equal_extremes_is_found_at_every_length(n: int) -> None:
    values = np.random.default_rng(n).integers(-2, 2, (3, n))
    agree(lambda x: [x.argmax(axis=1), x.argmin(axis=1), x.max(axis=1), x.min(axis=1)], values)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (2, 1, 3), (1, 2, 1, 2, 1)])
def test_every_shape_survives_input_arithmetic_and_opening(shape: tuple[int, ...]) -> None:
    values = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape) - 2
    agree(lambda x: x * 3 - x, values)
    agree(lambda x: (x * x) > 1, values)
    agree(lambda x: x * 0.5, values.astype(float), ulps=1)


def test_int64_is_exact_to_the_last_bit() -> None:
    edges = np.array([2**63 - 1, -(2**63), 0, -1, 2**53 + 1])
    agree(lambda x: x, edges)
    agree(lambda x: x == -1, edges)
    agree(lambda x: x < 0, edges)
    with np.errstate(over="ignore"):
        agree(lambda x: x * x + 7, edges)


def test_assignment_writes_through_views_as_numpy_does() -> None:
    def write(x: Any, y: Any) -> Any:
        x = x.copy()
        x[0] = y[1]
        x[1, ::2] = 7
        x[:, 1][:1] = -1
        x[[0, 1], [2, 0]] = y[0, :2]
        x[np.array([[False, True, False], [False, False, False]])] = 4
        x[1:, 1:] = y[:1, :1]
        x[..., 0] = y[:, 2]
        return x

    agree(write, I, J)
    agree(write, X, Y)


def test_overlapping_assignment_reads_before_it_writes() -> None:
    def shift(x: Any) -> Any:
        x = x.copy()
        x[1:] = x[:-1]
        return x

    agree(shift, np.arange(6))


def test_bits_are_assigned_from_shared_and_public_bits() -> None:
    def write(b: Any, c: Any) -> Any:
        b = b.copy()
        b[0] = c[1]
        b[1, 1:] = True
        return b

    agree(write, B, C)


def test_numpy_arrays_on_the_left_leave_the_operation_to_the_shares() -> None:
    agree(lambda x: J + x, I)
    agree(lambda x: J * x, I)
    agree(lambda x: J.T @ x, I)
    agree(lambda x: np.greater(J, x), I)
    agree(lambda x: np.float64(1.5) - x, X)
    agree(lambda x: np.int64(2) * x, I)


def test_casts_follow_numpy() -> None:
    for_both = {"int64": np.int64, "bool": np.bool_}

    def cast(x: Any, dtype: str) -> Any:
        return x.astype(dtype if isinstance(x, pc.SharedArray) else for_both.get(dtype, float))

    agree(lambda x: cast(x, "int64"), np.array([2.75, -2.75, 0.0, -0.25, -3.0]))
    agree(lambda x: cast(x, "bool"), I - 1)
    agree(lambda x: cast(x, "fixed"), I)
    agree(lambda x: cast(x, "int64"), B)
    agree(lambda x: cast(x, "fixed"), B)


@pytest.mark.parametrize("values", [I, X], ids=["int64", "fixed"])
def test_empty_arrays_pass_through_every_kind_of_operation(values: Any) -> None:
    agree(lambda x: x[:0] @ values.T, values)
    agree(lambda x: values.T[:, :0] @ x[:0], values)
    agree(lambda x, y: x[:0] @ y.T, values, values)
    agree(lambda x, y: x[:, :0] @ y[:, :0].T, values, values)
    agree(lambda x: x[:0].sum(axis=0), values)
    agree(lambda x: np.where(x[:0] > 1, x[:0], 0), values)
    agree(lambda x: (x[:0] > 1).all(axis=0), values)
    agree(lambda x: (x > 1)[:0].any(), values)
    agree(lambda x: np.concatenate([x[:0], x]), values)
    agree(lambda x: x[:0].max(axis=1), values)


def test_bits_weighted_by_public_reals_have_the_scale_of_the_session() -> None:
    def program(session: pc.Session) -> Any:
        bits = session.input(B if session.party == 0 else None, owner=0)
        weighted = [bits @ np.array([0.5, 0.25, 1.5]), bits[0] * 0.5]
        assert [w.frac_bits for w in weighted] == [18, 18]
        return [session.open(w, label="weighted").tolist() for w in weighted]

    assert pc.simulate(program)[0] == [[2.0, 1.5], [0.5, 0.0, 0.5]]


def test_quotients_and_real_functions_reach_the_operators_and_numpy_names() -> None:
    positive = np.array([0.5, 2.0, 7.25])
    for function in (
        lambda x: positive[::-1] / x,
        lambda x: x / x[::-1],
        lambda x: np.sqrt(x),
        lambda x: np.exp(-x),
        lambda x: np.log(x),
        lambda x: np.reciprocal(x),
    ):
        got, want = evaluate(function, positive), function(positive)
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-4)


@pytest.mark.parametrize(
    "copied",
    [
        lambda x: x.flatten(),
        lambda x: x.max(axis=0),
        lambda x: x.min(axis=0),
        lambda x: (x > 0).all(axis=0),
        lambda x: x.copy(),
    ],
    ids=["flatten", "max", "min", "all", "copy"],
)
def test_what_numpy_copies_is_no_view(copied: Callable[..., Any]) -> None:
    def change(x: Any) -> Any:
        made = copied(x)
        made[0] = made.dtype == "bool"
        return x

    agree(change, I[:1])


def test_what_numpy_views_writes_through() -> None:
    def change(x: Any) -> Any:
        y = x.copy()
        y[0][1:] = 7
        y.T[0, 1] = 8
        y.reshape(-1)[2] = y.ravel()[3]
        y[:, 1:] = y[:, :-1]
        return y

    agree(change, I)


def test_a_public_number_minus_a_bit_is_a_number_of_its_own_kind() -> None:
    agree(lambda x: 1 - x, B)
    agree(lambda x: 1.5 - x, B)


def test_keepdims_may_be_any_truth() -> None:
    agree(lambda x: np.sum(x, axis=0, keepdims=1), I)  # type: ignore[call-overload]


def test_axes_are_permuted_as_numpy_does_or_refused() -> None:
    agree(lambda x: x.transpose(1, 0), I)
    agree(lambda x: x.transpose((-1, 0)), I)
    agree(lambda x: x.transpose(), I)

    def program(session: pc.Session) -> None:
        for axes in ((0, 3), (0, 0), (0,), (-3, 0)):
            with pytest.raises(pc.errors.UsageError, match="permutation"):
                session.zeros((2, 3)).transpose(axes)

    pc.simulate(program)


def test_zeros_and_ones_like_keep_the_scale() -> None:
    def program(session: pc.Session) -> Any:
        x = session.zeros(2, "fixed", frac_bits=0)
        assert np.zeros_like(x).frac_bits == np.ones_like(x).frac_bits == 0
        return session.open(np.ones_like(x), label="ones").tolist()

    assert pc.simulate(program) == [[1.0, 1.0]] * 2
