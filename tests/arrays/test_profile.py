"""A profile says where time, rounds and bytes went; without one nothing is recorded."""

from __future__ import annotations

import json
import timeit
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore.mpc import profile as profile_module
from petcore.mpc.profile import Span
from petcore.mpc.trace import _lanes
from tests.arrays.conftest import outcomes

X = np.linspace(-3, 3, 100)


def score(session: pc.Session, x: Any) -> Any:
    with session.region("score"):
        return pc.functions.sigmoid(x * x)


def profiled(session: pc.Session) -> tuple[pc.Profile, pc.Cost]:
    x = session.input(X if session.party == 0 else None, owner=0)
    with session.measure() as cost, session.profile() as p:
        s = score(session, x)
        session.open((x < s) * x, label="result")
    return p, cost


@pytest.fixture(scope="module")
def both() -> list[tuple[pc.Profile, pc.Cost]]:
    return pc.simulate(profiled)


def test_a_profile_adds_up_to_what_measure_finds(both: Any) -> None:
    for p, cost in both:
        for name in ("rounds", "bytes_sent", "bytes_received", "offline_bytes", "correlations"):
            assert getattr(p.cost, name) == getattr(cost, name), name
        assert 0 < p.cost.seconds <= cost.seconds
        totals = [total.cost for total in p.operations.values()]
        assert sum(total.rounds for total in totals) == cost.rounds
        assert sum(total.bytes_sent for total in totals) == cost.bytes_sent
        assert sum(total.seconds for total in totals) <= p.cost.seconds
        assert sum(call.cost.offline_bytes for call in p.calls) == cost.offline_bytes


def test_a_call_says_its_size_its_region_and_its_time(both: Any) -> None:
    p, _ = both[0]
    last = p.calls[-1]
    assert (last.name, last.sizes, last.elements, last.region) == ("open", (100,), 100, ())
    assert last.cost.bytes_sent == 800
    starts = [call.start for call in p.calls]
    assert starts == sorted(starts)
    assert {call.region for call in p.calls} == {(), ("score",), ("score", "sigmoid")}


def test_functions_open_a_region_of_their_own_name(both: Any) -> None:
    p, _ = both[0]
    outer, inner = p.regions["score",], p.regions["score", "sigmoid"]
    assert (outer.calls, inner.calls) == (1, 1)
    assert inner.cost.rounds == pc.functions.CONTRACTS["sigmoid"].rounds
    assert inner.cost.rounds < outer.cost.rounds < p.cost.rounds
    assert 0 < inner.cost.seconds <= outer.cost.seconds <= p.cost.seconds


def test_the_table_lists_operations_and_regions_from_the_longest_on(both: Any) -> None:
    p, _ = both[0]
    assert str(p) == p.table()
    top, below = p.table().split("\n\n")
    lines = [line.split() for line in top.splitlines()]
    assert lines[0][:4] == ["operation", "calls", "elements", "rounds"]
    assert lines[-1][0] == "total"
    seconds = [p.operations[line[0]].cost.seconds for line in lines[1:] if line[0] in p.operations]
    assert len(seconds) == len(p.operations)
    assert seconds == sorted(seconds, reverse=True)
    assert [line.split()[0] for line in below.splitlines()] == ["region", "score", "sigmoid"]
    assert below.splitlines()[2].startswith("  sigmoid")


def test_traces_of_two_parties_can_be_loaded_together(both: Any, tmp_path: Path) -> None:
    events = []
    for i, (p, _) in enumerate(both):
        p.save_trace(tmp_path / f"{i}.json")
        trace = json.loads((tmp_path / f"{i}.json").read_text())
        assert {event["pid"] for event in trace["traceEvents"]} == {i}
        events += trace["traceEvents"]
    whole = [event for event in events if event["ph"] == "X"]
    assert all(set(e) == {"ph", "name", "cat", "pid", "tid", "ts", "dur", "args"} for e in whole)
    operations = [e for e in whole if e["cat"] == "operation"]
    assert len(operations) == sum(len(p.calls) for p, _ in both)
    assert len({e["tid"] for e in operations}) == 1
    regions = [e for e in whole if e["cat"] == "region"]
    assert len({e["tid"] for e in regions}) == 1
    assert {e["tid"] for e in operations}.isdisjoint(e["tid"] for e in regions)
    function = next(e for e in operations if e["name"] == "function")
    assert function["args"]["rounds"] == 5
    assert function["args"]["region"] == "score/sigmoid"
    names = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    assert names == ["party0", "party1"]
    times = [e["ts"] for e in operations]
    assert max(times) - min(times) < 60e6  # both on the wall clock


def test_regions_that_overlap_get_tracks_of_their_own() -> None:
    spans = [Span((n,), start, end - start) for n, start, end in
             [("a", 0, 10), ("b", 1, 4), ("c", 3, 6), ("d", 5, 9), ("e", 11, 12)]]  # fmt: skip
    lanes = {span.region[0]: lane for lane, span in _lanes(spans)}
    assert lanes == {"a": 0, "b": 0, "c": 1, "d": 0, "e": 0}


def test_a_region_ends_with_an_exception_and_so_does_a_profile() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input([1, 2] if session.party == 0 else None, owner=0)
        try:
            with session.profile() as p, session.region("failing"):
                x * x
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        with session.profile() as later:
            x * x
        return p.regions["failing",].cost.rounds, list(later.regions)

    assert pc.simulate(program) == [(1, [])] * 2


def test_very_many_calls_are_summed_though_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_module, "RECORDS_MAX", 3)

    def program(session: pc.Session) -> Any:
        x = session.input([1, 2] if session.party == 0 else None, owner=0)
        with session.profile() as p:
            for _ in range(5):
                with session.region("square"):
                    x * x
        return len(p.calls), len(p.spans), p.operations["square"].calls, p.cost.rounds

    assert pc.simulate(program) == [(3, 3, 5, 5)] * 2


def test_profiles_do_not_nest_and_regions_need_names() -> None:
    def twice(session: pc.Session) -> None:
        with session.profile(), session.profile():
            pass

    def nameless(session: pc.Session) -> None:
        with session.profile(), session.region(" "):
            pass

    for program, said in ((twice, "name parts of it by region"), (nameless, "a region's name")):
        for error in outcomes(program):
            assert isinstance(error, pc.errors.UsageError)
            assert said in str(error)


def test_without_a_profile_a_region_costs_next_to_nothing() -> None:
    def program(session: pc.Session) -> float:
        core = session._core
        with session.profile():
            pass
        assert session._core is core

        def region() -> None:
            with session.region("name"):
                pass

        return min(timeit.repeat(region, number=1000, repeat=20)) / 1000

    assert min(pc.simulate(program)) < 20e-6
