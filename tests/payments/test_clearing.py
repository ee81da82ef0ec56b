from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import petcore as pc
from petcore.datasets import load_credit_default
from petcore.errors import StepMismatch, UsageError
from petcore.payments import (
    Batch,
    Routes,
    assign_routes,
    clear,
    combine_shares,
    plaintext_positions,
    share_for_nodes,
)
from petcore.payments.clearing import accepted_amounts
from petcore.payments.money import MAX_AMOUNT


def routes(count: int, seed: int = 0) -> Routes:
    random = np.random.default_rng(seed)
    columns = (("w1", "w2"), ("a1", "a2", "a3"), ("EUR", "JPY"))
    mpp, acqp, currency = (random.choice(names, count).tolist() for names in columns)
    return Routes.of([f"p{i}" for i in range(count)], mpp, acqp, currency)


def cleared(public: Routes, amount: Any, limit: Any, **options: Any) -> dict[str, Any]:
    amounts, limits = share_for_nodes(amount), share_for_nodes(limit)

    def program(session: pc.Session) -> dict[str, Any]:
        batch = Batch(public, amounts[session.party], limits[session.party])
        return clear(session, batch, **options)

    shares = pc.simulate(program)
    combined = {name: combine_shares([node[name] for node in shares]) for name in shares[0]}
    assert not any(values[-1] for values in combined.values())
    return {name: values[:-1] for name, values in combined.items()}


def accepted(amount: list[int], limit: list[int]) -> list[int]:
    amounts, limits = share_for_nodes(np.array(amount)), share_for_nodes(np.array(limit))

    def program(session: pc.Session) -> Any:
        counted = accepted_amounts(
            session.from_shares(amounts[session.party][None, :]),
            session.from_shares(limits[session.party][None, :]),
        )
        return session.open(counted, label="accepted amounts")

    return list(pc.simulate(program)[0])


def test_a_payment_at_its_limit_is_accepted_and_one_above_it_is_not() -> None:
    assert accepted([999, 1000, 1001, MAX_AMOUNT], [1000, 1000, 1000, MAX_AMOUNT]) == [
        999,
        1000,
        0,
        MAX_AMOUNT,
    ]


def test_amounts_that_are_not_positive_never_count() -> None:
    low, high = -(2**63), 2**63 - 1
    assert accepted([0, -1, low, low + 1, high], [5, 5, high, 0, 0]) == [0] * 5


@settings(max_examples=15, deadline=None)
@given(data=st.data(), count=st.integers(1, 60))
def test_net_positions_equal_those_in_clear_to_the_minor_unit(data: Any, count: int) -> None:
    money = hnp.arrays(np.int64, count, elements=st.integers(0, MAX_AMOUNT))
    amount, limit = data.draw(money) + 1, data.draw(money)
    public = routes(count)
    nets = cleared(public, amount, limit, min_count=0)
    expected = plaintext_positions(amount, limit, public)
    assert nets.keys() == expected.keys()
    assert all(np.array_equal(nets[name], expected[name]) for name in nets)
    assert not sum(nets.values()).any()


def test_each_participants_position_is_disclosed_to_it_alone() -> None:
    public = routes(200)
    ones = share_for_nodes(np.ones(200, np.int64))
    sinks = [pc.MemorySink(), pc.MemorySink()]

    def program(session: pc.Session) -> None:
        clear(session, Batch(public, ones[session.party], ones[session.party]))

    pc.simulate(program, sinks=sinks)
    told = [(d.label, d.recipients, d.kind) for d in sinks[0]]
    assert told == [(f"net position of {n}", (n,), "export") for n in public.participants]


def test_a_position_over_too_few_payments_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a net position of w1 would cover 8 payments"):
        cleared(routes(40), np.ones(40, int), np.ones(40, int))


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ((["p", "p"], ["w", "w"], ["a", "a"], ["EUR", "EUR"]), "occurs twice"),
        ((["p"], ["x"], ["x"], ["EUR"]), "both an MPP and an ACQP"),
        ((["p"], ["w"], ["a"], ["EURO"]), "unknown currency"),
        ((["p"], ["w"], ["a"], []), "equally long"),
        (([], [], [], []), "1 to"),
        ((["p"], ["../w"], ["a"], ["EUR"]), "needs a name of"),
        ((["p"], ["w"], ["a\nb"], ["EUR"]), "needs a name of"),
        ((["p"], ["w"], ["a" * 64], ["EUR"]), "needs a name of"),
        ((["p\nq"], ["w"], ["a"], ["EUR"]), "printable"),
        ((["p" * 65], ["w"], ["a"], ["EUR"]), "at most 64"),
    ],
)
def test_routes_that_make_no_batch_are_refused(columns: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        Routes.of(*columns)


@given(hnp.arrays(np.int64, hnp.array_shapes(max_side=5)), st.integers(2, 4))
def test_shares_add_up_to_the_values(values: Any, nodes: int) -> None:
    assert np.array_equal(combine_shares(share_for_nodes(values, nodes)), values)


def test_one_share_is_fresh_noise_every_time() -> None:
    first, second = (share_for_nodes(np.zeros(4, int)) for _ in range(2))
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_floats_and_a_single_node_are_refused() -> None:
    with pytest.raises(UsageError, match="minor units"):
        share_for_nodes([1.5])
    with pytest.raises(UsageError, match="at least two nodes"):
        share_for_nodes([1], 1)


def test_the_rule_for_routes_is_seeded_and_loses_no_money() -> None:
    table = load_credit_default()
    paid = table.columns(tuple(f"PAY_AMT{month}" for month in range(1, 7)))
    limits = table.columns(("LIMIT_BAL",))[:, 0]
    payments = assign_routes(paid, limits, seed=3)
    assert len(payments.amount) == np.count_nonzero(paid)
    digits = np.where(payments.routes.currency == "JPY", 1, 100)
    assert (payments.amount // digits).sum() == paid.sum()
    assert len(payments.routes.participants) == 9
    assert payments.routes.digest() == assign_routes(paid, limits, seed=3).routes.digest()
    assert payments.routes.digest() != assign_routes(paid, limits, seed=4).routes.digest()


def test_shares_of_two_runs_do_not_add_up_to_a_position() -> None:
    public = routes(200)
    ones = share_for_nodes(np.ones(200, np.int64))

    def program(session: pc.Session) -> dict[str, Any]:
        return clear(session, Batch(public, ones[session.party], ones[session.party]))

    first, second = pc.simulate(program), pc.simulate(program)
    for name in public.participants:
        assert combine_shares([first[0][name], first[1][name]])[-1] == 0
        assert combine_shares([first[0][name], second[1][name]])[-1] != 0


@pytest.mark.parametrize("change", ["routes", "min_count", "sharings"])
def test_nodes_that_would_clear_different_batches_are_stopped(change: str) -> None:
    ones = np.ones(200, np.uint64)

    def program(session: pc.Session) -> Any:
        mine = session.party if change == "routes" else 0
        sharings = (f"{session.party}",) if change == "sharings" else ("1",)
        batch = Batch(routes(200, seed=mine), ones, ones, sharings)
        return clear(session, batch, min_count=session.party if change == "min_count" else 0)

    with pytest.raises(StepMismatch, match="petcore clear"):
        pc.simulate(program)


def test_amounts_that_would_turn_negative_are_not_shared() -> None:
    with pytest.raises(UsageError, match="above 2\\^63 - 1"):
        share_for_nodes(np.array([2**63], np.uint64))


@pytest.mark.parametrize(
    "shares",
    [
        [np.zeros(2, np.uint64)],
        [np.zeros(2, np.uint64), np.zeros(3, np.uint64)],
        [np.zeros(2, np.uint64), np.zeros(2)],
    ],
    ids=["one", "shapes", "floats"],
)
def test_shares_that_do_not_belong_together_are_not_added(shares: Any) -> None:
    with pytest.raises(UsageError, match="combine at least two"):
        combine_shares(shares)
