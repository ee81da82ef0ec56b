"""Keys of one-round comparisons wait in a store like everything else."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_the_choice_takes_keys_that_are_in_stock_and_no_others(pair):
    pair.make(("comparison_key", [40, 0], 900, 512))

    def program(core):
        far = Session(_Far(core))
        return [far.explain("less", n, bits=b) for n, b in ((900, 40), (901, 40), (9, 41))]

    for enough, too_few, other in pair.run(program):
        assert enough.method == "fss"
        assert too_few.method == other.method == "tree"
        assert too_few.why == "900 of the 901 keys are in stock"
        assert other.why == "0 of the 9 keys are in stock"


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
