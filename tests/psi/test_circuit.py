"""`Session.psi_shares`: what is in the bins, what can be computed on it, and who learns nothing."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import _core
from petcore.errors import PeerAborted, PetcoreError, StepMismatch, UsageError


def names(*numbers: int) -> list[str]:
    return [f"customer {n}" for n in numbers]


def shared(
    at_table: list[Any],
    other: list[Any],
    columns: dict[str, Any] | None = None,
    table: int = 0,
    **options: Any,
) -> list[dict[str, Any]]:
    """Open everything at both parties; columns are the other party's."""
    columns = columns or {}
    dtypes = {
        name: "fixed" if np.asarray(values).dtype.kind == "f" else "int64"
        for name, values in columns.items()
    }

    def program(session: pc.Session) -> dict[str, Any]:
        own = session.party == table
        found = session.psi_shares(
            at_table if own else other, table=table, columns=dtypes if own else columns, **options
        )
        return {
            "member": session.open(found.member, label="member"),
            "ids": found.ids,
            "sizes": found.sizes,
            **{name: session.open(c, label=name) for name, c in found.columns.items()},
        }

    return pc.simulate(program)


def common(at_table: list[Any], other: list[Any]) -> list[int]:
    return [i for i, item in enumerate(at_table) if item in set(other)]


@pytest.mark.parametrize(
    ("at_table", "other"),
    [
        (names(*range(60)), names(*range(40, 100))),
        (names(1), names(1)),
        (names(1), names(2)),
        (names(1, 2), []),
        ([], names(1, 2)),
        ([], []),
        (names(*range(900)), names(5, 10_000, 899)),
        (names(7), names(*range(700))),
    ],
    ids=["some", "one", "none", "no other", "no own", "empty", "large table", "small table"],
)
@pytest.mark.parametrize("table", [0, 1])
def test_the_bins_of_common_ids_are_marked_and_hold_the_others_rows(at_table, other, table):
    amounts = np.arange(len(other)) * 7 - 11
    results = shared(at_table, other, {"amount": amounts}, table=table)
    found, blind = results[table], results[1 - table]
    assert blind["ids"] is None
    ids, member = found["ids"], found["member"]
    assert sorted(ids[ids >= 0].tolist()) == list(range(len(at_table)))
    assert sorted(ids[member].tolist()) == common(at_table, other)
    for at, is_member, amount in zip(ids, member, found["amount"], strict=True):
        assert amount == (amounts[other.index(at_table[at])] if is_member else 0)
    sizes = (len(at_table), len(other))
    assert found["sizes"] == blind["sizes"] == (sizes if table == 0 else sizes[::-1])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_any_number_of_columns_travels(count):
    other = names(*range(20))
    columns: dict[str, Any] = {}
    for i in range(count):
        whole = np.arange(20) * 10**i - 2**40 * (i == 3)
        columns[f"column {i}"] = whole / 8 if i % 2 else whole
    found, _ = shared(names(3, 30, 17), other, columns)
    for at, name in ((0, 3), (2, 17)):
        bin_of = int(np.flatnonzero(found["ids"] == at)[0])
        for column, values in columns.items():
            assert found[column][bin_of] == pytest.approx(values[name], abs=1e-5)
    assert found["member"].sum() == 2


def test_a_sum_over_the_intersection_shows_nothing_but_itself():
    mine, theirs = names(*range(200)), names(*range(150, 400))
    limits = np.arange(200) % 5
    amounts = np.arange(150, 400) * 3

    def program(session: pc.Session) -> tuple[int, int]:
        own = session.party == 0
        found = session.psi_shares(
            mine if own else theirs, table=0, columns={"amount": "int64" if own else amounts}
        )
        limit = found.align(limits if own else None)
        total = session.open(found.columns["amount"].sum(), label="turnover in common")
        weighted = (found.columns["amount"] * limit).sum()
        return int(total), int(session.open(weighted, label="weighted"))

    both = np.arange(150, 200)
    expected = (int((both * 3).sum()), int((both * 3 * limits[both]).sum()))
    assert pc.simulate(program) == [expected, expected]


def test_duplicates_are_refused_or_the_first_is_kept():
    def program(session: pc.Session) -> Any:
        try:
            return session.psi_shares(["a", "b", "a"], table=0)
        except PetcoreError as error:
            return error

    assert all(isinstance(e, UsageError | PeerAborted) for e in pc.simulate(program))
    found, _ = shared(["a", "b", "a"], ["c", "a", "a"], {"x": [1, 2, 3]}, duplicates="first")
    ids, member = found["ids"], found["member"]
    assert sorted(ids[ids >= 0].tolist()) == [0, 1]
    assert ids[member].tolist() == [0]
    assert found["x"][member].tolist() == [2]


def raised(first: Any, second: Any) -> list[Any]:
    def program(session: pc.Session) -> Any:
        try:
            return (first, second)[session.party](session)
        except PetcoreError as error:
            return error

    return pc.simulate(program)


def test_parties_that_disagree_find_out():
    ask = {
        "table 0": lambda s: s.psi_shares(["a"], table=0),
        "table 1": lambda s: s.psi_shares(["a"], table=1),
        "int64": lambda s: s.psi_shares(["a"], table=0, columns={"x": "int64"}),
        "fixed": lambda s: s.psi_shares(["a"], table=0, columns={"x": "fixed"}),
        "another": lambda s: s.psi_shares(["a"], table=0, columns={"y": "int64"}),
        "column": lambda s: s.psi_shares(["a"], table=0, columns={"x": [5]}),
        "label": lambda s: s.psi_shares(["a"], table=0, label="another"),
    }
    for first, second in (
        ("table 0", "table 1"),
        ("table 0", "column"),
        ("fixed", "column"),
        ("another", "column"),
        ("table 0", "label"),
    ):
        errors = raised(ask[first], ask[second])
        assert all(isinstance(e, StepMismatch | PeerAborted) for e in errors), (first, errors)
        assert any(isinstance(e, StepMismatch) for e in errors)


@pytest.mark.parametrize(
    "columns",
    [
        {"x": [1, 2]},
        {"x": [[1]]},
        {"x": ["a"]},
        {"x": [True]},
        [5],
        {str(i): [1] for i in range(65)},
    ],
)
def test_columns_that_cannot_be_used_are_refused_at_once(columns):
    ours, theirs = raised(
        lambda s: s.psi_shares(["a"], table=0, columns={"x": "int64"}),
        lambda s: s.psi_shares(["a"], table=0, columns=columns),
    )
    assert isinstance(ours, PeerAborted)
    assert isinstance(theirs, UsageError)


def test_columns_of_the_table_are_named_by_dtype():
    ours, _ = raised(
        lambda s: s.psi_shares(["a"], table=0, columns={"x": [5]}),
        lambda s: s.psi_shares(["a"], table=0, columns={"x": [5]}),
    )
    assert isinstance(ours, UsageError)
    assert "name its dtype" in str(ours)


def test_shares_are_fresh_in_every_run():
    tags = []

    def program(session: pc.Session) -> None:
        digests = np.arange(2, dtype=np.uint64).reshape(1, 2)
        column = np.array([7] if session.party else [], np.uint64)
        tags.append(session._core.intersect_shares(digests, 1, 0, 1, column, "x")[0])

    for _ in range(2):
        pc.simulate(program)
    assert len({bytes(t) for t in tags}) == 4
    sums = [tags[i] + tags[i + 1] for i in (0, 2)]
    assert all((s == 0).sum() == 1 for s in sums)


def test_what_is_declared_is_what_it_costs():
    ids = [names(*range(300)), names(*range(100, 700))]
    columns = {"x": np.arange(600), "y": np.arange(600)}

    def program(session: pc.Session) -> Any:
        own = session.party == 0
        dtypes = dict.fromkeys(columns, "int64")
        costs = []
        for _ in range(2):  # base OTs run in the first alone
            with session.measure() as cost:
                session.psi_shares(ids[session.party], table=0, columns=dtypes if own else columns)
            costs.append((cost.rounds, cost.bytes_sent, cost.bytes_received))
        return costs

    first, second = pc.simulate(program)
    for mine, theirs in zip(first, second, strict=True):
        assert mine[1:] == theirs[:0:-1]
    bins = _core.circuit_bins(300)
    cost = _core.circuit_cost(300, 600, 2, True, False)
    assert first[1][1] - first[1][2] - (cost["bytes"] - cost["bytes_received"]) == 0
    assert bins == 300 + 81 + 256


def test_every_id_is_in_one_of_its_bins_and_alone():
    for n in (1, 3, 64, 5000):
        digests = np.frombuffer(os.urandom(16 * n), np.uint64).reshape(n, 2)
        table = _core.cuckoo_table(digests, bytes(16), _core.circuit_bins(n))
        taken = table[table != 2**64 - 1]
        assert sorted(taken.tolist()) == list(range(n))


def test_no_cuckoo_table_is_an_error_and_no_endless_walk():
    digests = np.ones((4, 2), np.uint64)  # four ids with the same three bins
    with pytest.raises(PetcoreError, match="cuckoo"):
        _core.cuckoo_table(digests, bytes(16), 100)
    with pytest.raises(UsageError):
        _core.cuckoo_table(digests[:1], bytes(16), 2)
