"""Words from a store are the same kind of words as a dealer's: every operation runs unchanged."""

from __future__ import annotations

import numpy as np
import pytest

import petcore as pc
from petcore import _core
from petcore.errors import StockExhausted, UsageError
from tests.protocol.operations import OPERATIONS, open_any, share, words

from .conftest import Pair


def orders_for(operation, *sizes: int, maker: str = "dealer"):
    merged: dict[tuple, list[int]] = {}
    for n in sizes:
        stock = _core.stock_for("semi2k", operation.declared, n, *operation.extra, maker=maker)
        for kind, dims, units, chunk in stock:
            entry = merged.setdefault((kind, tuple(dims)), [0, 0])
            entry[0] += units
            entry[1] = max(entry[1], chunk)
    return [(kind, list(dims), units, chunk) for (kind, dims), (units, chunk) in merged.items()]


MADE = [("dealer", op) for op in OPERATIONS]
MADE += [("ot", op) for op in OPERATIONS if not op.needs_dealer]


@pytest.mark.parametrize(
    ("maker", "operation"), [pytest.param(m, op, id=f"{m}-{op.name}") for m, op in MADE]
)
def test_an_operation_takes_from_the_store_exactly_what_it_declares(pair: Pair, maker, operation):
    sizes = [1, 65, 1000, 33000, 130] if maker == "dealer" else [1, 65, 1000]
    inputs = [operation.inputs(np.random.default_rng(n), n) for n in sizes]
    pair.make(*orders_for(operation, *sizes, maker=maker), maker=maker)

    def program(session):
        opened = []
        for values in inputs:
            shares = [share(session, x, i % 2) for i, x in enumerate(values)]
            opened.append(open_any(session, operation.call(session, *shares)))
        return opened, session.cost()["offline_bytes"]

    for result in pair.run(program, maker=maker):
        opened, offline_bytes = result
        assert offline_bytes == 0
        for values, values_in in zip(opened, inputs, strict=True):
            expected = operation.reference(*values_in)
            above = (
                (values - expected).astype(np.int64) if operation.tolerance else values ^ expected
            )
            assert above.min() >= 0
            assert above.max() <= operation.tolerance
    assert set(pair.left(0).values()) == {0} == set(pair.left(1).values())


@pytest.mark.parametrize("name", ["exp", "log", "sigmoid", "tanh", "rsqrt", "reciprocal"])
def test_a_function_of_reals_takes_from_the_store_exactly_what_it_declares(pair: Pair, name):
    n, f = 300, 18
    values = np.random.default_rng(1).uniform(0.5, 2.0, n)
    pair.make(*_core.stock_for("semi2k", name, n, f))

    def program(session):
        x = np.round(values * 2**f).astype(np.uint64)
        return session.open(session.function(share(session, x, 0), name, f), "y")

    expected = {
        "exp": np.exp(values),
        "log": np.log(values),
        "sigmoid": 1 / (1 + np.exp(-values)),
        "tanh": np.tanh(values),
        "rsqrt": values**-0.5,
        "reciprocal": 1 / values,
    }[name]
    for opened in pair.run(program):
        np.testing.assert_allclose(opened.astype(np.int64) / 2**f, expected, atol=1e-3)
    assert set(pair.left().values()) == {0}


def test_matrices_are_stocked_whole(pair: Pair):
    m, k, n = 7, 33, 5
    rng = np.random.default_rng(3)
    x, y = words(rng, m * k), words(rng, k * n)
    pair.make(("matrix", [m, k, n], 3, 1))

    def program(session):
        a, b = share(session, x, 0), share(session, y, 1)
        return [session.open(session.matmul(a, b, m, k, n), "xy") for _ in range(3)]

    expected = (x.reshape(m, k) @ y.reshape(k, n)).ravel()
    for opened in pair.run(program):
        for product in opened:
            np.testing.assert_array_equal(product, expected)
    assert pair.left() == {"matrix 7 x 33 x 5": 0}


def test_a_request_crosses_lots_and_segments(pair: Pair):
    for units in (500, 1100, 40_000, 100_000):  # topped up each time: four lots
        pair.make(("multiplication", [], units, 32768))
    x = words(np.random.default_rng(0), 99_999)

    def program(session):
        a = share(session, x, 0)
        return session.open(session.mul(a, a), "square")

    for opened in pair.run(program):
        np.testing.assert_array_equal(opened, x * x)
    assert pair.left() == {"multiplication": 1}


def test_an_empty_store_refuses_by_name_amount_and_remedy(pair: Pair):
    pair.make(("multiplication", [], 100, 32768))

    def program(session):
        a = share(session, words(np.random.default_rng(0), 101), 0)
        session.mul(a, a)

    for error in pair.run(program):
        assert isinstance(error, StockExhausted)
        for part in ("100 units of multiplication", "takes 101", "petcore prepare", "at_zero"):
            assert part in str(error)
    assert pair.left() == {"multiplication": 100}


def test_what_a_store_lacks_is_made_online_where_the_policy_says_so_and_is_told(pair: Pair):
    pair.make(("multiplication", [], 100, 32768))
    x = words(np.random.default_rng(0), 60)

    def program(session):
        a = share(session, x, 0)
        opened = [session.open(session.mul(a, a), "square") for _ in range(3)]
        pools = {pool["pool"]: pool["online"] for pool in session.stock()["pools"]}
        return opened, pools, session.cost()["offline_bytes"]

    for party, result in enumerate(pair.run(program, at_zero="make")):
        opened, pools, offline_bytes = result
        for product in opened:
            np.testing.assert_array_equal(product, x * x)
        assert pools == {"multiplication": 120}
        assert offline_bytes == (120 * 8 if party == 1 else 0)
        assert any("made online" in note for note in pair.notes[party])
    assert pair.left() == {"multiplication": 40}


def test_a_store_can_be_restocked_in_the_session_and_keeps_the_rest(pair: Pair):
    pair.make(("multiplication", [], 100, 32768))
    x, bit = words(np.random.default_rng(0), 90), np.ones(10, np.uint8)

    def program(session):
        a, b = share(session, x, 0), share(session, bit, 0)
        opened = [session.open(session.mul(a, a), "square") for _ in range(2)]
        return opened, session.open(session.b2a(b), "bits")

    for opened, converted in pair.run(program, at_zero="restock"):
        for product in opened:
            np.testing.assert_array_equal(product, x * x)
        np.testing.assert_array_equal(converted, bit)
    assert pair.left(0) == pair.left(1) == {"multiplication": 0}
    for results in pair.run(lambda s: s.stock_up([("dabit", [], 10, 64)]), at_zero="restock"):
        assert results is None
    assert pair.left(0) == pair.left(1) == {"dabit": 64}


def test_a_simulation_takes_everything_from_stores():
    def program(session):
        x = session.input(np.linspace(0.5, 3, 50) if session.party == 0 else None, owner=0)
        opened = session.open(pc.functions.sigmoid(x * x) > 0.6, label="x")
        return opened, session.correlations

    results = pc.simulate(program, correlations="store")
    for opened, correlations in results:
        values = np.linspace(0.5, 3, 50) ** 2
        np.testing.assert_array_equal(opened, 1 / (1 + np.exp(-values)) > 0.6)
        assert correlations == "stores filled by an in-process dealer (simulation only)"


def test_a_masked_matrix_is_made_online_or_refused(pair: Pair):
    rng = np.random.default_rng(4)
    x, y = words(rng, 12 * 5), words(rng, 5 * 2)

    def program(session):
        masked = session.mask(share(session, x, 0), 12, 5)
        z = session.masked_matmul(masked, share(session, y, 1), 2, 0, 12, False)
        return session.open(z, "product")

    for error in pair.run(program):
        assert isinstance(error, StockExhausted)
        assert "no store holds" in str(error)
    for opened in pair.run(program, at_zero="make"):
        np.testing.assert_array_equal(opened, (x.reshape(12, 5) @ y.reshape(5, 2)).ravel())


def test_prepare_tops_up_and_asks_for_nothing_that_is_there(pair: Pair):
    pair.make(("multiplication", [], 1000, 32768), ("square", [], 10, 32768))
    pair.make(("multiplication", [], 1000, 32768), ("square", [], 10, 32768))
    assert pair.left(0) == pair.left(1) == {"multiplication": 1000, "square": 10}
    pair.make(("multiplication", [], 1500, 32768), ("square", [], 10, 32768))
    assert pair.left(0) == pair.left(1) == {"multiplication": 1500, "square": 10}


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        (("luck", [], 10, 1), "no correlation is called 'luck'; there are: multiplication"),
        (("mask", [3, 3], 1, 1), "mask"),
        (("tree_layer", [0, 0, 0, 0], 1, 512), "layer"),
        (("matrix", [0, 1, 1], 1, 1), "empty"),
        (("square", [1] * 8, 1, 1), "at most 7 sizes"),
    ],
)
def test_what_cannot_be_stocked_is_refused(pair: Pair, order, complaint):
    for error in pair.run(lambda s: s.stock_up([order]), correlations="dealer"):
        assert isinstance(error, UsageError)
        assert complaint in str(error)


def test_low_stock_is_told_once_and_shown(pair: Pair):
    pair.make(("multiplication", [], 1000, 32768))

    def program(session):
        a = share(session, words(np.random.default_rng(0), 400), 0)
        session.mul(a, a)
        low = [session.stock()["pools"][0]["low"]]
        session.mul(a, a)
        session.mul(a[:10], a[:10])
        return [*low, session.stock()["pools"][0]["low"]]

    assert pair.run(program) == [[False, True]] * 2
    for notes in pair.notes:
        assert [note for note in notes if "low" in note] == [
            "the stock of multiplication is low: 200 of 1,000 units are left; "
            "'petcore prepare' makes more"
        ]
