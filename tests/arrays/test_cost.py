"""Operators cost what their docstrings say; local ones cost nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import petcore as pc
from tests.arrays.conftest import shared_by_turns

I = np.arange(12).reshape(3, 4)  # noqa: E741
X = I / 4

ROUNDS: dict[str, tuple[int, Any]] = {
    "add": (0, lambda x, y: x + y),
    "add_public": (0, lambda x, y: 3 - x),
    "times_public": (0, lambda x, y: x * 3),
    "public_matrix": (0, lambda x, y: I.T @ x),
    "sum": (0, lambda x, y: x.sum(axis=0).cumsum()),
    "move": (0, lambda x, y: np.concatenate([x.T[1:], y.T])[[0, 2]]),
    "where_public": (0, lambda x, y: np.where(I > 3, x, y)),
    "multiply": (1, lambda x, y: x * y),
    "square": (1, lambda x, y: x**2),
    "matmul": (1, lambda x, y: x @ y.T),
    "less": (3, lambda x, y: x < y),
    "less_public": (3, lambda x, y: x <= 3),
    "equal": (3, lambda x, y: x == y),
    "minimum": (4, np.minimum),
    "abs": (4, lambda x, y: abs(x)),
    "clip": (8, lambda x, y: x.clip(1, 3)),
    "max_of_four": (8, lambda x, y: x.max(axis=1)),
    "argmax_of_four": (8, lambda x, y: x.argmax(axis=1)),
    "all_of_three": (5, lambda x, y: (x > 3).all(axis=0)),
    "select_bit": (4, lambda x, y: (x > 3) * y),
    "count": (4, lambda x, y: (x > 3).sum()),
}


def measured(function: Any, *arrays: Any) -> tuple[pc.Cost, pc.Cost]:
    def program(session: pc.Session) -> pc.Cost:
        inputs = shared_by_turns(session, arrays)
        with session.measure() as cost:
            function(*inputs)
        return cost

    first, second = pc.simulate(program)
    return first, second


@pytest.mark.parametrize("name", ROUNDS)
def test_integers_cost_the_rounds_that_are_stated(name: str) -> None:
    rounds, function = ROUNDS[name]
    for cost in measured(function, I, I.T.reshape(3, 4)):
        assert cost.rounds == rounds
        if rounds == 0:
            assert (cost.bytes_sent, cost.bytes_received, cost.offline_bytes) == (0, 0, 0)


@pytest.mark.parametrize(
    ("rounds", "function"),
    [
        (2, lambda x: x * x[0]),
        (2, lambda x: x**2),
        (2, lambda x: x @ x[0]),
        (1, lambda x: x * 0.3),
        (1, lambda x: x.mean()),
        (0, lambda x: x * 2.0),
        (6, lambda x: pc.multiply(x, x[0], truncation="exact")),
        (9, lambda x: x.astype("int64")),
    ],
    ids=["multiply", "square", "matmul", "public", "mean", "integral", "exact", "cast"],
)
def test_reals_add_one_truncation(rounds: int, function: Any) -> None:
    for cost in measured(function, X):
        assert cost.rounds == rounds


def test_a_product_sends_sixteen_bytes_an_element_and_uses_one_triple_each() -> None:
    first, second = measured(lambda x, y: x * y, I, I)
    for cost in (first, second):
        assert cost.bytes_sent == cost.bytes_received == 16 * I.size
        assert list(cost.correlations.values()) == [I.size]
    assert first.offline_bytes + second.offline_bytes >= 8 * I.size


def test_costs_add_subtract_and_read_well() -> None:
    a = pc.Cost(3, 1500, 20, 0, {"triple": 5, "bit": 1}, 0.5)
    b = pc.Cost(1, 500, 20, 0, {"triple": 5}, 0.25)
    assert a - b == pc.Cost(2, 1000, 0, 0, {"bit": 1}, 0.25)
    assert (a - b) + b == pc.Cost(3, 1500, 20, 0, {"bit": 1, "triple": 5}, 0.5)
    text = "Cost(3 rounds, 1.5 kB sent, 20 B received, 0 B offline, "
    assert repr(a) == text + "correlations: 5 triple, 1 bit, 0.5 s)"
    with pytest.raises(TypeError):
        a + 1  # type: ignore[operator]


def test_a_session_counts_from_its_start() -> None:
    def program(session: pc.Session) -> Any:
        start = session.cost
        x = session.input(I if session.party == 0 else None, owner=0)
        session.open(x, label="x")
        return start.rounds, (session.cost - start).rounds, session.cost.seconds > 0

    assert pc.simulate(program) == [(0, 2, True)] * 2


def test_a_masked_matrix_is_sent_once_however_often_it_is_used() -> None:
    rows = np.arange(60).reshape(20, 3) - 30

    def program(session: pc.Session) -> Any:
        x = session.input(rows if session.party == 0 else None, owner=0)
        w = session.input([1, -2, 3] if session.party == 1 else None, owner=1)
        with session.measure() as masking:
            masked = session.mask(x)
        with session.measure() as using:
            products = [masked @ w, masked[5:9] @ w]
        return masking, using, [session.open(p, label="product").tolist() for p in products]

    for masking, using, opened in pc.simulate(program):
        assert (masking.rounds, masking.bytes_sent) == (1, 8 * 60)
        assert (using.rounds, using.bytes_sent) == (2, 2 * 8 * 3)
        w = np.array([1, -2, 3])
        assert opened == [(rows @ w).tolist(), (rows[5:9] @ w).tolist()]
