"""Keys of one-round comparisons wait in a store like everything else."""

from __future__ import annotations

import numpy as np
import pytest

import petcore as pc
from petcore.errors import StockExhausted
from petcore.mpc import Session
from petcore.stock import orders_for

U64 = np.uint64
X = (np.arange(1000) * 7919 - 2**22).astype(U64)


def shared(session):
    return session.input(0, X if session.party == 0 else None, b"")[0]


def signs(session):
    """Take the sign of a thousand numbers, some of them twice."""
    x = shared(session)
    found = [session.open_bits(session.fss_sign(part.copy(), 40), "sign") for part in (x, x[300:])]
    return found, session.cost()["offline_bytes"]


def test_keys_from_a_store_compare_right_and_cost_no_byte_offline(pair):
    orders = orders_for("fss_sign", [1700, 40], 1, "dealer")
    pair.make(*((o.kind, list(o.sizes), o.units, o.chunk) for o in orders))
    for result in pair.run(signs):
        (whole, part), offline = result
        np.testing.assert_array_equal(whole, X >> U64(63))
        np.testing.assert_array_equal(part, X[300:] >> U64(63))
        assert offline == 0
    assert sum(pair.left().values()) == 0


def test_a_store_without_enough_keys_refuses_or_makes_them(pair):
    pair.make(("comparison_key", [40, 0], 900, 512))
    for result in pair.run(signs):
        assert isinstance(result, StockExhausted)
        assert "comparison_key" in str(result)
    for result in pair.run(signs, at_zero="make"):
        np.testing.assert_array_equal(result[0][0], X >> U64(63))


def orders(operation: str, *sizes: int) -> list[tuple]:
    made = orders_for(operation, sizes, 1, "dealer")
    return [(o.kind, list(o.sizes), o.units, o.chunk) for o in made]


def test_the_choice_takes_keys_that_are_in_stock_where_the_link_is_long(pair):
    pair.make(("comparison_key", [40, 0], 900, 512), *orders("msb", 901, 40))

    def program(core):
        far = Session(_Far(core))
        return [far.explain("less", n, bits=40) for n in (900, 901)]

    for enough, too_few in pair.run(program):
        assert enough.method == "fss"
        assert "at a round trip of 150 ms" in enough.why
        assert [a.why_not for a in enough.alternatives] == ["", ""]
        assert too_few.method == "tree"
        assert too_few.why == "900 of the 901 units of comparison_key 40 are in stock"


def less(n: int):
    """Compare n numbers with zero by whatever the session chooses."""

    def program(core):
        session = Session(core)
        x = session.input(X[:n].view(np.int64) if session.party == 0 else None, 0)
        chosen = session.explain("less", n, bits=40)
        return chosen, session.open(pc.less(x, 0, bits=40), label="sign")

    return program


@pytest.mark.parametrize("at_zero", ["refuse", "make"])
def test_keys_in_stock_are_taken_at_any_distance_where_a_tree_has_no_stock(pair, at_zero):
    pair.make(("comparison_key", [40, 0], 900, 512))
    for chosen, opened in pair.run(less(900), at_zero=at_zero):
        assert chosen.round_trip < 0.01
        assert chosen.method == "fss"
        assert chosen.why.startswith("0 of the ")
        assert chosen.why.endswith("are in stock")
        assert chosen.alternatives[0].why_not == chosen.why
        np.testing.assert_array_equal(opened, X[:900].view(np.int64) < 0)
    assert sum(pair.left().values()) == 0


def test_a_tree_in_stock_is_taken_where_keys_are_not(pair):
    pair.make(*orders("msb", 900, 40), ("comparison_key", [40, 0], 899, 512))
    for chosen, opened in pair.run(less(900)):
        assert chosen.method == "tree"
        assert chosen.why == "899 of the 900 units of comparison_key 40 are in stock"
        np.testing.assert_array_equal(opened, X[:900].view(np.int64) < 0)
    assert pair.left()["comparison_key 40"] == 899


def test_where_neither_is_in_stock_the_tree_is_made_or_refused_and_both_lacks_are_told(pair):
    pair.make(("comparison_key", [41, 0], 900, 512))
    for error in pair.run(less(900)):
        assert isinstance(error, StockExhausted)
    for chosen, opened in pair.run(less(900), at_zero="make"):
        assert chosen.method == "tree"
        assert chosen.why.startswith(
            "0 of the 900 units of comparison_key 40 are in stock and 0 of"
        )
        np.testing.assert_array_equal(opened, X[:900].view(np.int64) < 0)


def test_an_open_batch_counts_what_its_operations_are_going_to_take(pair):
    pair.make(("comparison_key", [40, 0], 900, 512), *orders("msb", 400, 40))

    def program(core):
        session = Session(_Far(core))
        x = session.input(X.view(np.int64) if session.party == 0 else None, 0)
        with session.batch():
            signs = [pc.less(x[i : i + 400], 0, bits=40) for i in (0, 400, 600)]
        left = {pool["pool"]: pool["units"] for pool in session.stock()["pools"]}
        return np.concatenate([session.open(s, label="sign") for s in signs]), left

    expected = X.view(np.int64) < 0
    for opened, left in pair.run(program):
        np.testing.assert_array_equal(opened[:800], expected[:800])
        np.testing.assert_array_equal(opened[800:], expected[600:])
        assert left.pop("comparison_key 40") == 100
        assert set(left.values()) == {0}  # two by keys, the third by a tree


class _Far:
    """A session's core, its peer 150 ms away."""

    round_trip = 0.15

    def __init__(self, core):
        self._core = core

    def __getattr__(self, name):
        return getattr(self._core, name)


@pytest.mark.parametrize("operation", ["fss_sign", "fss_zero", "fss_interval", "fss_select"])
def test_a_plan_knows_the_keys_of_every_comparison(operation):
    orders = {order.kind: order for order in orders_for(operation, [500, 32], 3, "dealer")}
    assert orders["comparison_key"].units == 1500
    assert orders["comparison_key"].sizes[0] == 32
