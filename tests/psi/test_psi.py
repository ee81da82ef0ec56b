"""`Session.psi` against Python's sets: kinds of ids, sizes, who learns, buckets, what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import petcore as pc
from petcore.errors import (
    DisclosureRefused,
    LabelMissing,
    PeerAborted,
    PetcoreError,
    StepMismatch,
    UsageError,
)
from petcore.mpc import psi_choice
from petcore.mpc.estimation import Plan
from petcore.mpc.psi_choice import BYTES_PER_ID

METHODS = ["rr22", "ecdh"]


def both(first: Any, second: Any, sinks: Any = None, threads: int = 1, **options: Any) -> list[Any]:
    """Intersect at both parties, by "rr22" where the options do not say otherwise."""
    said = {} if "output" in options else {"method": "rr22"}

    def program(session: pc.Session) -> Any:
        return session.psi((first, second)[session.party], **said | options)

    return pc.simulate(program, sinks=sinks, threads=threads)


def raised(*programs: Callable[[pc.Session], Any]) -> list[Any]:
    """Run one program at each party; give what each returned or raised."""

    def program(session: pc.Session) -> Any:
        try:
            return programs[session.party](session)
        except PetcoreError as error:
            return error

    return pc.simulate(program)


def names(*numbers: int) -> list[str]:
    return [f"customer {n}" for n in numbers]


def chosen(ids: list[Any], found: Any) -> list[Any]:
    return [ids[i] for i in found.indices]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (names(*range(40)), names(*range(20, 70))),
        (names(3), names(3)),
        (names(3), names(4)),
        ([], names(1, 2)),
        (names(1, 2), []),
        ([], []),
        (["", "a"], ["", "b"]),
        (["Zoë", "支付宝", "\0", "🦊"], ["支付宝", "Zoe", "🦊"]),
        ([b"\xff\x00", b"a" * 100_000, "a"], [b"a" * 100_000, b"\xff\x00", b"a"]),
        (names(*range(2000)), names(1999)),
    ],
    ids=[
        "some",
        "one",
        "none",
        "no own",
        "no other",
        "empty",
        "empty id",
        "text",
        "bytes",
        "uneven",
    ],
)
def test_both_parties_learn_the_same_ids_in_the_same_order(method, first, second):
    mine, theirs = both(first, second, method=method)
    raw = [[i.encode() if isinstance(i, str) else i for i in ids] for ids in (first, second)]
    assert chosen(raw[0], mine) == chosen(raw[1], theirs)
    assert set(chosen(raw[0], mine)) == set(raw[0]) & set(raw[1])
    assert mine.size == theirs.size == len(mine.indices)
    assert mine.sizes == theirs.sizes == (len(first), len(second))
    assert (mine.dropped, mine.method) == (0, method)
    assert mine.indices.dtype == np.int64


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.sampled_from(["both", 0, "party1"])
)
def test_whoever_learns_gets_the_intersection_and_the_other_nothing(first, second, to):
    lists = [list(first), list(second)]
    for party, found in enumerate(both(*lists, to=to)):
        if to in ("both", party, f"party{party}"):
            assert sorted(chosen(lists[party], found)) == sorted(first & second)
            assert found.size == len(first & second)
        else:
            assert found.indices is None
            assert found.size is None


@pytest.mark.parametrize("method", METHODS)
def test_who_learns_nothing_has_neither_indices_nor_size(method):
    mine, theirs = both(names(1, 2, 3), names(2, 3, 4), to=1, method=method)
    assert (mine.indices, mine.size, mine.sizes) == (None, None, (3, 3))
    assert theirs.size == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([1, 2, 3], np.int32), np.array([3, 4, 2**40], np.uint64)),
        (np.array(["3", "Zoë"]), [3, "x"]),
        (np.array([b"3", b"y"]), np.array([3, 4], object)),
        (iter(names(1, 2)), (n for n in names(2, 3))),
        ({"3", "z"}, ("3",)),
        (np.array([7, 8, 9])[::-2], [9]),
    ],
    ids=["integers", "text", "bytes", "iterators", "set and tuple", "strided"],
)
def test_ids_come_as_arrays_lists_and_iterables(first, second):
    assert [found.size for found in both(first, second)] == [1, 1]


def test_the_order_of_the_result_does_not_follow_the_order_of_either_list():
    """500 ids in a random order are sorted with probability 1 / 500!."""
    ids = names(*range(500))
    for found in both(ids, ids):
        assert not np.array_equal(found.indices, np.arange(500))
        assert np.array_equal(np.sort(found.indices), np.arange(500))


@pytest.mark.parametrize("method", ["ecdh", "auto"])
@pytest.mark.parametrize("to", ["both", 0])
def test_the_cardinality_alone_comes_without_indices(method, to):
    mine, theirs = both(
        names(*range(30)), names(*range(10, 50)), output="cardinality", method=method, to=to
    )
    assert (mine.size, mine.indices, mine.method) == (20, None, "ecdh")
    assert (theirs.size, theirs.indices) == (20 if to == "both" else None, None)


def test_a_repeated_id_raises_and_names_where_it_stands_again_and_the_peer_is_told():
    outcome = raised(
        lambda s: s.psi(names(5, 6, 7, 6, 5)),
        lambda s: s.psi(names(5)),
    )
    assert isinstance(outcome[0], UsageError)
    assert "index 3 is the same as that with index 1" in str(outcome[0])
    assert isinstance(outcome[1], PeerAborted)


def test_the_first_of_each_is_kept_where_that_is_asked_for():
    mine, theirs = both(names(5, 6, 7, 6, 5), names(6, 5), duplicates="first")
    assert sorted(mine.indices.tolist()) == [0, 1]
    assert (mine.dropped, theirs.dropped, mine.sizes) == (2, 0, (3, 2))


@pytest.mark.parametrize("bad", [1.5, None, True])
def test_an_id_of_another_type_raises_naming_its_index_and_the_peer_is_told(bad):
    outcome = raised(lambda s: s.psi(["a", "b", bad]), lambda s: s.psi(["a"]))
    assert isinstance(outcome[0], UsageError)
    assert "index 2" in str(outcome[0])
    assert isinstance(outcome[1], PeerAborted)


@pytest.mark.parametrize(
    "bad", ["abc", b"abc", 7, np.array([1.0]), np.zeros((2, 2), int), np.array([True]), {"a": 1}]
)
def test_what_is_no_list_of_ids_raises(bad):
    with pytest.raises(UsageError):
        both(bad, bad)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "kkrt"},
        {"output": "everything"},
        {"output": "cardinality", "method": "rr22"},
        {"duplicates": "last"},
        {"memory": 0},
        {"memory": 1.5},
        {"to": 2},
        {"to": "nobody"},
        {"label": "a\nb"},
    ],
    ids=str,
)
def test_options_that_cannot_be_raise_before_anything_is_sent(options):
    def program(session: pc.Session) -> int:
        with pytest.raises(UsageError):
            session.psi(names(1), **options)
        return session.cost.bytes_sent

    assert pc.simulate(program) == [0, 0]


def test_without_a_label_nothing_is_intersected():
    with pytest.raises(LabelMissing):
        both(names(1), names(1), label=" ")


@pytest.mark.parametrize(
    "other",
    [{"to": 0}, {"method": "ecdh"}, {"output": "cardinality"}, {"label": "another"}],
    ids=str,
)
def test_parties_that_want_different_things_both_raise(other):
    outcome = raised(lambda s: s.psi(names(1), method="auto"), lambda s: s.psi(names(1), **other))
    assert all(isinstance(error, (StepMismatch, PeerAborted)) for error in outcome)
    assert any(isinstance(error, StepMismatch) for error in outcome)


def test_sizes_and_the_result_are_recorded_before_they_leave():
    sinks = [pc.MemorySink(), pc.MemorySink()]
    both(names(1, 2, 3), names(2, 9), sinks, to=0, label="fraud ring", purpose="p", agreement="A1")
    for sink in sinks:
        sizes, result = sink
        assert (sizes.label, sizes.recipients) == (
            "fraud ring: number of ids",
            ("party0", "party1"),
        )
        assert (result.label, result.recipients, result.shape, result.dtype, result.kind) == (
            *("fraud ring", ("party0",), (3,), "bool", "reveal"),
        )
        assert (result.purpose, result.agreement) == ("p", "A1")


class Refuses:
    def __init__(self, label: str) -> None:
        self.label = label

    def record(self, d: pc.Disclosure) -> None:
        if d.label == self.label:
            raise DisclosureRefused(f"no {d.label}")


@pytest.mark.parametrize("label", ["x: number of ids", "x"])
def test_a_policy_that_refuses_stops_the_intersection_at_both(label):
    errors: list[Any] = [None, None]

    def program(session: pc.Session) -> None:
        with pytest.raises(PetcoreError) as caught:
            session.psi(names(1), label="x")
        errors[session.party] = caught.value

    pc.simulate(program, sinks=[Refuses(label), None])
    assert isinstance(errors[0], DisclosureRefused)
    assert isinstance(errors[1], PeerAborted)


def folder_is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


@pytest.mark.parametrize("sizes", [(5000, 3000), (5000, 300), (100, 5000)])
def test_sets_beyond_the_memory_bound_are_worked_on_in_buckets(tmp_path, sizes):
    first, second = names(*range(sizes[0])), names(*range(50, 50 + sizes[1]))
    mine, theirs = both(first, second, memory=512 * BYTES_PER_ID, folder=tmp_path)
    assert mine.buckets == theirs.buckets == 16
    assert chosen(first, mine) == chosen(second, theirs)
    assert set(chosen(first, mine)) == set(first) & set(second)
    assert folder_is_empty(tmp_path)


def test_the_smaller_memory_of_the_two_decides_on_the_buckets(tmp_path):
    def program(session: pc.Session) -> Any:
        memory = (512 if session.party else 1 << 20) * BYTES_PER_ID
        return session.psi(names(*range(2000)), memory=memory, folder=tmp_path)

    assert [found.buckets for found in pc.simulate(program)] == [4, 4]


def test_repeated_ids_are_found_across_buckets_too(tmp_path):
    ids = names(*range(3000), 2500, 17)
    with pytest.raises(UsageError, match="index 3000 is the same as that with index 2500"):
        both(ids, ids, memory=512 * BYTES_PER_ID, folder=tmp_path)
    mine, _ = both(ids, ids, memory=512 * BYTES_PER_ID, folder=tmp_path, duplicates="first")
    assert (mine.dropped, mine.size) == (2, 3000)
    assert folder_is_empty(tmp_path)


def test_sets_that_no_number_of_buckets_fits_raise_at_both():
    """At 256 ids, the least, 256 buckets hold 65,536."""
    outcome = raised(lambda s: s.psi(range(70_000), memory=1), lambda s: s.psi(range(10), memory=1))
    assert all(isinstance(error, (UsageError, PeerAborted)) for error in outcome)
    assert any("allow more memory" in str(error) for error in outcome)


def test_a_cardinality_is_not_worked_on_in_buckets_since_each_would_tell_its_own():
    outcome = raised(
        *[lambda s: s.psi(range(1000), memory=1, output="cardinality") for _ in range(2)]
    )
    assert any("buckets" in str(error) for error in outcome)


def test_progress_is_told():
    calls: list[tuple[str, int, int]] = []

    def program(session: pc.Session) -> None:
        tell = (lambda *call: calls.append(call)) if session.party == 0 else None
        session.psi(names(*range(1000)), memory=300 * BYTES_PER_ID, progress=tell)
        session.psi(names(*range(10)), method="ecdh", progress=tell)

    pc.simulate(program)
    assert ("reading ids", 1000, 1000) in calls
    assert ("intersecting buckets", 4, 4) in calls
    assert ("masking ids", 20, 20) in calls


def test_an_iterable_that_fails_is_told_to_the_peer():
    def broken() -> Iterator[str]:
        yield "a"
        raise UsageError("the file ended")

    outcome = raised(lambda s: s.psi(broken()), lambda s: s.psi(["a"]))
    assert isinstance(outcome[0], UsageError)
    assert isinstance(outcome[1], PeerAborted)


def test_the_session_goes_on_and_can_intersect_again():
    def program(session: pc.Session) -> Any:
        sizes = [session.psi(names(*range(n)), method=m).size for n in (1, 300) for m in METHODS]
        x = session.input([2] if session.party == 0 else None, owner=0)
        return sizes, session.open(x * 3, label="x").tolist()

    assert pc.simulate(program) == [([1, 1, 300, 300], [6])] * 2


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_does_not_matter(threads):
    first, second = names(*range(20_000)), names(*range(10_000, 40_000))
    mine, theirs = both(first, second, threads=threads)
    assert chosen(first, mine) == chosen(second, theirs)
    assert mine.size == 10_000


def several(session: pc.Session, n: int, **options: Any) -> None:
    session.psi(names(*range(n)), **options)
    session.psi(names(*range(n)), **options)


@pytest.mark.parametrize("n", [1, 5, 3000])
@pytest.mark.parametrize(
    "options",
    [
        {"method": "rr22"},
        {"method": "rr22", "to": 1},
        {"method": "ecdh"},
        {"method": "ecdh", "to": 0},
    ],
    ids=str,
)
def test_an_estimate_says_what_an_intersection_of_equal_sets_costs(n, options):
    def program(session: pc.Session) -> tuple[Any, Any]:
        told = session.estimate(several, n, **options).cost
        with session.measure() as found:
            several(session, n, **options)
        kinds = ("rounds", "bytes_sent", "bytes_received", "correlations")
        return [getattr(told, k) for k in kinds], [getattr(found, k) for k in kinds]

    for told, found in pc.simulate(program):
        assert told == found


@pytest.mark.parametrize(("n", "method"), [(512, "ecdh"), (513, "rr22")])
def test_small_sets_are_intersected_with_few_bytes_and_others_fast(n, method):
    found = both(range(n), range(3), method="auto")
    assert [f.method for f in found] == [method] * 2
    assert [f.size for f in found] == [3, 3]


def test_a_profile_names_the_intersection():
    def program(session: pc.Session) -> list[str]:
        with session.profile() as profile:
            session.psi(names(1, 2))
        return sorted(profile.operations)

    assert pc.simulate(program) == [["intersect", "tell"]] * 2


def test_a_hundred_thousand_ids_take_at_most_35_bytes_each():
    ids = range(100_000)

    def program(session: pc.Session) -> tuple[int, int]:
        found = session.psi(ids)
        return found.size or 0, session.cost.bytes_sent

    outcome = pc.simulate(program)
    assert [size for size, _ in outcome] == [100_000] * 2
    assert sum(sent for _, sent in outcome) <= 35 * 100_000


@pytest.mark.parametrize(
    ("n", "method"), [(1, "ecdh"), (512, "ecdh"), (513, "rr22"), (3000, "rr22")]
)
def test_explain_says_which_method_is_taken_and_what_it_costs(n, method):
    def program(session: pc.Session) -> tuple[Any, Any]:
        told = session.explain("psi", n)
        found = []
        for alternative in told.alternatives:
            with session.measure() as cost:
                session.psi(names(*range(n)), method=alternative.method)
            found.append((alternative.method, cost.rounds, cost.bytes_sent))
        return told, found, session.psi(names(*range(n))).method

    for told, found, taken in pc.simulate(program):
        assert told.method == taken == method
        assert [(a.method, a.rounds, a.bytes_sent) for a in told.alternatives] == found
        assert str(told).startswith(f"psi of {n:,} ids at each party: {method}, since sets of")
        assert told.why in str(told)


def test_the_cost_of_sets_in_buckets_is_explained_as_it_is_found(tmp_path, monkeypatch):
    memory = 512 * BYTES_PER_ID
    monkeypatch.setattr(psi_choice, "MEMORY_DEFAULT", memory)

    def program(session: pc.Session) -> tuple[Any, Any]:
        told = session.explain("psi", 2000)
        with session.measure() as found:
            session.psi(names(*range(2000)), method="rr22", memory=memory, folder=tmp_path)
        return told.alternatives[1], found

    for told, found in pc.simulate(program):
        assert (told.rounds, told.bytes_sent) == (found.rounds, found.bytes_sent)
        assert told.rounds > 4 * 5


@pytest.mark.parametrize("n", [0, -1, 2**32 + 1])
def test_sets_that_cannot_be_are_not_explained(n):
    with pytest.raises(UsageError, match="sets of 1 to 2\\^32 ids"):
        pc.simulate(lambda session: session.explain("psi", n))


def test_far_apart_both_methods_are_told_to_take_their_rounds():
    near, far = (Plan("semi2k", ("a", "b"), 0, round_trip=trip) for trip in (0.0, 0.15))
    told = []
    for plan in (near, far):
        plan.run(lambda session: told.append(session.explain("psi", 1000)), (), {}, (), None)
    for a, b in zip(*(e.alternatives for e in told), strict=True):
        assert b.seconds - a.seconds == pytest.approx(a.rounds * 0.075)
