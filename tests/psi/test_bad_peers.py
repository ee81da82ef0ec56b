"""A peer that lies, dies or is late during an intersection ends in a typed error, never in a result."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import _core
from petcore.errors import (
    BadFrame,
    PeerAborted,
    PeerClosed,
    PeerLate,
    PetcoreError,
    SessionBroken,
    StepMismatch,
    UsageError,
)
from tests.protocol.conftest import run_parties

U64 = np.uint64


def digests(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (n, 2), U64)


def intersect(session: Any, n: int, theirs: int, **options: Any) -> Any:
    said = {"to": None, "method": "rr22", "label": "x"} | options
    return session.intersect(digests(n), theirs, **said)


def run(*programs: Any, quick: bool = True) -> Any:
    limits = _core.Limits(deadline_s=0.5, silence_s=1.5, heartbeat_s=0.1) if quick else None
    return run_parties(*programs, limits=limits)


@pytest.mark.parametrize("method", ["rr22", "ecdh"])
def test_parties_that_name_other_sizes_than_they_told_never_see_a_result(method):
    outcome = run(
        lambda s: intersect(s, 10, 20, method=method), lambda s: intersect(s, 21, 10, method=method)
    )
    assert outcome.results[:2] == [None, None]
    assert all(isinstance(e, (StepMismatch, PeerAborted)) for e in outcome.errors[:2])


@pytest.mark.parametrize("method", ["rr22", "ecdh"])
@pytest.mark.parametrize("n", [3, 3000])
def test_a_peer_that_leaves_is_named(method, n):
    outcome = run(lambda s: intersect(s, n, n, method=method), lambda s: s.close())
    assert isinstance(outcome.errors[0], (PeerClosed, PeerAborted, StepMismatch))
    assert "wallet" in str(outcome.errors[0])


@pytest.mark.parametrize("method", ["rr22", "ecdh"])
def test_a_peer_that_is_late_is_named(method):
    over = threading.Event()

    def waits(session: Any) -> None:
        over.wait(20)

    def works(session: Any) -> Any:
        try:
            return intersect(session, 30, 30, method=method)
        finally:
            over.set()

    outcome = run(works, waits)
    assert isinstance(outcome.errors[0], PeerLate)
    assert "wallet" in str(outcome.errors[0])


def test_a_failed_intersection_poisons_the_session():
    def program(session: Any) -> None:
        with pytest.raises(PetcoreError):
            intersect(session, 10 + session.party, 10)
        with pytest.raises(SessionBroken):
            intersect(session, 10, 10)

    assert run(program).errors[0] is None


@pytest.mark.parametrize(
    "options",
    [
        {"method": "kkrt"},
        {"to": 2},
        {"to": -1},
        {"runs": 0},
        {"cardinality": True},
        {"label": "x" * 2000},
    ],
    ids=lambda options: next(iter(options)),
)
def test_wrong_use_raises_before_anything_is_sent(options):
    def program(session: Any) -> None:
        before = session.cost()["bytes"]
        with pytest.raises(UsageError):
            intersect(session, 10, 10, **options)
        assert session.cost()["bytes"] == before

    run(program).values()


@pytest.mark.parametrize(("own", "theirs"), [(0, 10), (10, 0), (10, 2**26 + 1)])
def test_sizes_out_of_bounds_raise(own, theirs):
    def program(session: Any) -> None:
        with pytest.raises(UsageError, match="ids"):
            intersect(session, own, theirs)

    run(program).values()


def test_equal_digests_raise_instead_of_giving_a_wrong_table():
    def program(session: Any) -> Any:
        x = digests(50)
        x[7] = x[30]
        return session.intersect(x, 50, None, "rr22", "x")

    outcome = run(program)
    assert outcome.results[:2] == [None, None]
    assert "distinct" in str(outcome.errors[0])
    assert isinstance(outcome.errors[1], PeerAborted)


@pytest.mark.parametrize("told", [(2**33, 2**20), (5, 1), (5, 2**40)])
def test_numbers_of_ids_that_cannot_be_are_refused(told):
    def program(session: pc.Session) -> None:
        if session.party == 0:
            with pytest.raises(BadFrame, match="party1"):
                session.psi(["a"])
        else:
            wish = "sizes for 'intersection of ids': indices to both by auto"
            session._core.tell(wish, np.array(told, U64))
            with pytest.raises(PetcoreError):
                session._core.tell("more", np.array(told, U64))

    pc.simulate(program)


def test_more_numbers_than_fit_one_message_raise():
    def program(session: Any) -> None:
        with pytest.raises(UsageError):
            session.tell("x", np.zeros(17, U64))

    run(program).values()


def test_numbers_are_told_both_ways():
    def program(session: Any) -> list[int]:
        return session.tell("x", np.array([session.party, 7], U64)).tolist()

    assert run(program).values() == [[1, 7], [0, 7]]
