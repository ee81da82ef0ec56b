"""The circuit on shares: borders of every condition, wrap-around, refunds, cost, disclosures."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import petcore as pc
from petcore.errors import DisclosureRefused, PeerAborted, StepMismatch, UsageError
from petcore.network.circuit import (
    CONSULT,
    PAY,
    REFUND,
    RiskModel,
    Rows,
    authorise,
    plain_authorise,
)
from petcore.network.circuit.rows import size_class
from petcore.network.directory import RATE_MAX

from .batches import MAX, changed, decisions, good, refund, run, split, split_model, words

TOP = 2**63
ODD = [0, -1, 1, MAX, MAX + 1, TOP - 1, TOP, TOP + 1, -MAX, 2**62, 2**62 + 1, -(2**62)]


def apart(n: int, **columns: Any) -> Rows:
    """Make good payments of n wallets, so that no row bears on another."""
    return good(n, wallet=np.arange(n), **columns)


def joined(*parts: Rows) -> Rows:
    names = [c.name for c in fields(Rows) if c.name not in ("names", "acqp", "mpp")]
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    edges = [[p.names[i] for p in parts for i in getattr(p, side)] for side in ("acqp", "mpp")]
    return Rows.of(*edges, **columns)


def test_a_batch_that_holds_is_approved_and_posts_its_amounts() -> None:
    rows = good(11)
    outcome = run(rows)
    assert outcome.decision.tolist() == [1] * 11
    for name in ("seen", "debit", "fee"):
        assert np.array_equal(getattr(outcome, name), getattr(rows, name))


def test_a_declined_row_posts_nothing_and_disturbs_no_other() -> None:
    rows = changed(apart(9), 4, available=0)
    outcome = run(rows)
    assert outcome.decision.tolist() == [1] * 4 + [0] + [1] * 4
    assert [int(x[4]) for x in (outcome.seen, outcome.debit, outcome.fee)] == [0, 0, 0]
    assert np.array_equal(np.delete(outcome.debit, 4), np.delete(rows.debit, 4))


@pytest.mark.parametrize("method", ["fss", "tree"])
@pytest.mark.parametrize("column", ["amount", "seen", "debit", "fee"])
def test_no_word_but_the_right_one_passes_for_an_amount(column: str, method: str) -> None:
    rows = apart(len(ODD) + 8)
    true = getattr(rows, column).astype(object)
    off = [1, -1, 2**20, 2**46, 2**60, 2**62, TOP, -(2**40)]
    for i, value in enumerate([*ODD, *(int(true[len(ODD) + j]) + d for j, d in enumerate(off))]):
        rows = changed(rows, i, **{column: value})
    assert decisions(rows, method=method) == [0] * len(rows)
    assert plain_authorise(rows).decision.tolist() == [0] * len(rows)


@pytest.mark.parametrize("method", ["fss", "tree"])
@pytest.mark.parametrize("value", ODD)
def test_amounts_from_one_to_the_largest_pass_and_no_others(value: int, method: str) -> None:
    """All that an acquirer and a wallet could agree on between themselves, at the rate 1/1."""
    word = words([value])
    room = words([TOP - 1])
    rows = Rows.of(
        *(["a"], ["w"]),
        **dict.fromkeys(("amount", "seen", "debit"), word),
        **dict.fromkeys(("available", "sum_left"), words([2**62])),
        count_left=words([1]),
        headroom=room,
    )
    expected = [int(1 <= value <= MAX)]
    assert decisions(rows, method=method) == expected == plain_authorise(rows).decision.tolist()


@pytest.mark.parametrize("column", ["available", "sum_left"])
def test_a_debit_passes_up_to_what_may_be_spent(column: str) -> None:
    debit = int(apart(1).debit[0])
    most = debit + 2**62
    values = [debit, debit - 1, debit + 1, 0, -1, TOP, TOP + debit - 1, most, most + 1, TOP - 1]
    rows = apart(len(values), debit=words([0] * len(values)))
    base = apart(1)
    rows = joined(*(changed(replace(base, wallet=np.array([i])), 0) for i in range(len(values))))
    for i, value in enumerate(values):
        rows = changed(rows, i, **{column: value})
    expected = [int(debit <= v <= most) for v in values]
    assert decisions(rows) == expected == plain_authorise(rows).decision.tolist()


def test_the_count_of_payments_left_must_be_positive() -> None:
    values = [1, 0, -1, 2, TOP, TOP + 1, TOP - 1, 2**62, 2**62 + 2]
    rows = apart(len(values), count_left=words(values))
    assert decisions(rows) == [1, 0, 0, 1, 0, 0, 0, 1, 0] == plain_authorise(rows).decision.tolist()


@settings(max_examples=12)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_rates_and_fees_hold_to_the_minor_unit_and_one_unit_off_is_declined(
    data: Any, seed: int
) -> None:
    num, den = (data.draw(st.integers(1, RATE_MAX)) for _ in range(2))
    fee_den = data.draw(st.integers(1, 1 << 20))
    fee_num = data.draw(st.integers(0, fee_den))
    seen = data.draw(st.integers(1, max(1, min(MAX, MAX * den // num))))
    debit, fee = -(-seen * num // den), -(-seen * fee_num // fee_den)
    six = [(debit, fee), (debit + 1, fee), (debit - 1, fee), (debit, fee + 1), (debit, fee - 1)]
    n = len(six)
    rows = apart(
        n,
        fx_num=np.full(n, num),
        fx_den=np.full(n, den),
        fee_num=np.full(n, fee_num),
        fee_den=np.full(n, fee_den),
        **dict.fromkeys(("amount", "seen"), words([seen] * n)),
        debit=words(d for d, _ in six),
        fee=words(f for _, f in six),
        **dict.fromkeys(("available", "sum_left", "headroom"), words([2**50] * n)),
    )
    assert decisions(rows) == [1, 0, 0, 0, 0] if debit <= MAX else [0] * n


def test_no_debit_is_found_for_which_a_rate_wraps_around() -> None:
    """A debit whose product with den is right modulo 2^64 only is out of range."""
    seen, num, den = 10**9, 3, 1 << 22
    rest = -(-seen * num // den) * den - seen * num
    wraps = [(seen * num + rest + k * 2**64) // den for k in (1, 5, 1000)]
    wraps = [w for w in wraps if (w * den - seen * num) % 2**64 < den]
    assert wraps
    n = len(wraps)
    rows = apart(
        n,
        fx_num=np.full(n, num),
        fx_den=np.full(n, den),
        fee_num=np.zeros(n, np.int64),
        amount=words([seen] * n),
        seen=words([seen] * n),
        fee=words([0] * n),
        debit=words(wraps),
        **dict.fromkeys(("available", "sum_left", "headroom"), words([2**62] * n)),
    )
    assert decisions(rows) == [0] * n


def test_a_wallet_pays_up_to_its_prefunding_within_a_batch() -> None:
    rows = good(4, wallet=np.zeros(4, np.int64))
    debits = [int(d) for d in rows.debit]
    three = changed_headroom(rows, sum(debits[:3]))
    assert decisions(three) == [1, 1, 1, int(debits[3] == 0)]
    assert decisions(changed_headroom(rows, sum(debits[:2]) - 1))[:2] == [1, 0]
    assert decisions(changed_headroom(rows, -1)) == [0] * 4


def changed_headroom(rows: Rows, value: int) -> Rows:
    return replace(rows, headroom=words([value] * len(rows)))


def test_a_debit_out_of_range_makes_no_room_for_the_next_payment_of_its_wallet() -> None:
    """Else -debit in a row that is declined anyway would lift the wallet above its prefunding."""
    rows = good(6, wallet=np.array([0, 0, 1, 0, 1, 0]))
    room = int(rows.debit[0])
    rows = replace(rows, headroom=words([room] + [2**45] * 5))
    rows = changed(rows, 1, debit=-(10**11), headroom=room)
    rows = changed(rows, 3, headroom=room)
    rows = changed(rows, 5, headroom=room)
    assert decisions(rows) == [1, 0, 1, 0, 1, 0]
    assert plain_authorise(rows).decision.tolist() == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("method", ["fss", "tree"])
def test_many_debits_out_of_range_do_not_cancel(method: str) -> None:
    n = 80
    rows = good(n, wallet=np.zeros(n, np.int64))
    rows = replace(rows, headroom=words([2**50] * n))
    for i in range(n - 1):
        rows = changed(rows, i, debit=-int(rows.debit[i]) if i % 2 else MAX + 1)
    assert decisions(rows, method=method) == [0] * n


def test_a_consult_is_decided_and_posts_nothing() -> None:
    rows = good(4, kind=np.array([PAY, CONSULT, CONSULT, PAY]), wallet=np.zeros(4, np.int64))
    room = int(rows.debit[0]) + int(rows.debit[3])
    rows = replace(changed(rows, 1, available=0), headroom=words([room, 2**45, 2**45, room]))
    outcome = run(rows)
    assert outcome.decision.tolist() == [1, 0, 1, 1]
    assert outcome.seen.tolist() == [int(rows.seen[0]), 0, 0, int(rows.seen[3])]


def test_refunds_in_parts_give_back_exactly_what_was_paid() -> None:
    paid, num, den = 1000, 7, 3
    before, parts, back = 0, (1, 1, 498, 500), 0
    for now in parts:
        rows = refund(paid, before, now, num, den)
        outcome = run(rows)
        assert outcome.decision.tolist() == [1] == plain_authorise(rows).decision.tolist()
        before, back = before + now, back + int(outcome.debit[0])
    assert back == -(-paid * num // den)


@pytest.mark.parametrize(
    ("columns", "passes"),
    [
        ({}, 1),
        ({"left": 399}, 0),
        ({"left": 400}, 1),
        ({"left": 0}, 0),
        ({"left": -1}, 0),
        ({"left": MAX + 401}, 0),
        ({"left": TOP}, 0),
        ({"amount": 401}, 0),
        ({"debit": 934, "fx_debit": 1634 + 1}, 0),
        ({"fee": 0, "fee_sum": 9}, 0),
        ({"fee": -1}, 0),
    ],
)
def test_a_refund_holds_only_within_what_is_left_of_its_payment(
    columns: dict[str, int], passes: int
) -> None:
    rows = refund(1000, 300, 400, 7, 3)
    for name, value in columns.items():
        rows = replace(rows, **{name: words([value])})
    assert decisions(rows) == [passes] == plain_authorise(rows).decision.tolist()


def test_a_refund_that_rounds_to_nothing_for_the_payer_is_approved() -> None:
    assert decisions(refund(1000, 1, 1, 1, 1000)) == [1]


def test_requests_of_all_kinds_are_decided_in_one_run() -> None:
    plain = joined(good(7, kind=np.array([PAY, CONSULT] * 3 + [PAY])), refund(50, 10, 40, 9, 7))
    rows = changed(plain, 2, sum_left=0)
    outcome, expected = run(rows), plain_authorise(rows)
    for name in ("decision", "seen", "debit", "fee"):
        assert np.array_equal(getattr(outcome, name), getattr(expected, name))
    assert expected.decision.tolist() == [1, 1, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("method", ["fss", "tree"])
@settings(max_examples=20)
@given(data=st.data())
def test_the_circuit_on_shares_equals_the_one_in_clear(method: str, data: Any) -> None:
    n = data.draw(st.integers(1, 40))
    kinds = data.draw(st.lists(st.sampled_from([PAY, CONSULT, REFUND]), min_size=n, max_size=n))
    rows = good(n, seed=data.draw(st.integers(0, 999)), kind=np.array(kinds))
    rows = replace(rows, left=rows.seen.copy())
    values = st.one_of(st.sampled_from(ODD), st.integers(-(2**63), 2**63 - 1), st.integers(0, 9**9))
    names = st.sampled_from(["amount", "seen", "debit", "fee", "available", "left", "fx_debit"])
    for _ in range(data.draw(st.integers(0, 4))):
        row = data.draw(st.integers(0, n - 1))
        rows = changed(rows, row, **{data.draw(names): data.draw(values)})
    outcome, expected = run(rows, method=method), plain_authorise(rows)
    for name in ("decision", "seen", "debit", "fee"):
        assert np.array_equal(getattr(outcome, name), getattr(expected, name)), name


def model(threshold: int = 0) -> RiskModel:
    return RiskModel(
        "fraud-7", words([3 << 18, -(1 << 18)]), np.array([5 << 30], np.uint64)[0], threshold
    )


def test_a_risk_at_the_threshold_passes_and_the_least_above_it_does_not() -> None:
    features = np.array([[1 << 12, 8 << 12], [(1 << 12) + 1, 8 << 12], [0, 0], [-(9 << 12), 1]])
    rows = apart(4, features=features.astype(np.int64).view(np.uint64))
    assert (
        decisions(rows, model()) == [1, 0, 0, 1] == plain_authorise(rows, model()).decision.tolist()
    )
    assert decisions(rows, model(5 << 30)) == [1, 1, 1, 1]


def test_a_refund_is_no_matter_of_risk() -> None:
    rows = refund(10, 0, 10, 1, 1, features=words([100 << 12, 0]).reshape(1, 2))
    assert decisions(rows, model()) == [1] == plain_authorise(rows, model()).decision.tolist()


@pytest.mark.parametrize("n", [1, 8, 9, 100, 1024])
def test_a_batch_of_any_size_takes_four_rounds_with_the_agreements(n: int) -> None:
    rows = good(n, features=np.zeros((n, 2), np.uint64))
    shares, models = split(rows), split_model(model(6 << 30))

    def program(session: pc.Session) -> int:
        with session.measure() as cost:
            authorise(session, shares[session.party], models[session.party], batch="7 abc")
        return cost.rounds

    assert pc.simulate(program) == [4, 4]


def test_what_crosses_the_link_depends_on_the_size_class_alone() -> None:
    assert [size_class(n) for n in (1, 8, 9, 16, 17, 65536)] == [8, 8, 16, 16, 32, 65536]
    sent = set()
    for n in (9, 13, 16):
        shares = split(good(n))

        def program(session: pc.Session, shares: list[Rows] = shares) -> int:
            with session.measure() as cost:
                authorise(session, shares[session.party])
            return cost.bytes_sent

        sent.add(pc.simulate(program)[0])
    assert len(sent) == 1


def test_comparisons_by_a_tree_decide_the_same() -> None:
    rows = changed(good(9), 3, fee=0)
    assert (
        decisions(rows, method="tree") == decisions(rows) == plain_authorise(rows).decision.tolist()
    )


def test_each_edge_gets_one_record_and_its_own_decisions() -> None:
    rows = changed(good(9), 0, count_left=0)
    sinks = [pc.MemorySink(), pc.MemorySink()]
    shares = split(rows)
    outcomes = pc.simulate(lambda s: authorise(s, shares[s.party], batch="12 0abc"), sinks=sinks)
    for sink in sinks:
        assert {(r.recipients[0], r.shape[0]) for r in sink} == {
            (edge, len(rows.of_edge(edge))) for edge in rows.edges
        }
        assert {(r.kind, r.label, r.purpose) for r in sink} == {
            ("export", "payment decision", "batch 12 0abc")
        }
    decided = outcomes[0].decision + outcomes[1].decision
    for edge in rows.edges:
        both = outcomes[0].exported[edge] + outcomes[1].exported[edge]
        assert np.array_equal(both, decided[rows.of_edge(edge)])


class Refusing:
    def record(self, d: pc.Disclosure) -> None:
        raise DisclosureRefused(f"no {d.label}")


def test_a_policy_that_refuses_stops_the_batch_before_its_first_round() -> None:
    shares = split(good(8))
    steps: list[int] = []

    def program(session: pc.Session) -> None:
        try:
            authorise(session, shares[session.party])
        finally:
            steps.append(session._core.step)

    with pytest.raises((DisclosureRefused, PeerAborted)):
        pc.simulate(program, sinks=[Refusing(), None])
    assert min(steps) == 0


@pytest.mark.parametrize("column", ["kind", "wallet", "fx_num", "fee_den", "mpp", "batch", "model"])
def test_nodes_that_disagree_about_a_batch_get_no_result(column: str) -> None:
    shares, models = split(good(8, features=np.zeros((8, 2), np.uint64))), split_model(model())
    batch = ["1", "1"]
    if column == "batch":
        batch[1] = "2"
    elif column == "model":
        models[1] = replace(models[1], version="fraud-8")
    else:
        other = getattr(shares[1], column).copy()
        other[5] = 0 if column == "mpp" else 2 if column == "kind" else other[5] + 1
        shares[1] = replace(shares[1], **{column: other})

    def program(session: pc.Session) -> None:
        i = session.party
        authorise(session, shares[i], models[i], batch=batch[i])

    with pytest.raises(StepMismatch):
        pc.simulate(program)


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"fx_num": [RATE_MAX + 1]}, "fx_num"),
        ({"fx_den": [0]}, "fx_den"),
        ({"fee_num": [-1]}, "fee_num"),
        ({"fee_num": [2]}, "fee"),
        ({"kind": [4]}, "kind"),
        ({"kind": [0.5]}, "kind"),
        ({"amount": np.array([1])}, "uint64"),
        ({"amount": words([1, 2])}, "shape"),
        ({"tip": words([1])}, "tip"),
        ({"features": np.zeros((1, 65), np.uint64)}, "features"),
        ({"mpp": [2]}, "mpp"),
        ({"acqp": [-1]}, "acqp"),
    ],
)
def test_columns_that_cannot_be_are_refused(columns: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Rows.coded(
            ("a", "w"), *(columns.pop(n, [i]) for i, n in enumerate(("acqp", "mpp"))), **columns
        )


def test_rows_without_the_features_of_the_model_are_refused() -> None:
    with pytest.raises(UsageError, match="fraud-7"):
        run(good(3), model())


@pytest.mark.parametrize("n", [0, 65537])
def test_a_batch_too_large_or_empty_is_refused(n: int) -> None:
    with pytest.raises(UsageError, match="1 to 65536"):
        size_class(n)
