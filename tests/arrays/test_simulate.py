"""simulate runs every party, ends whatever happens, and raises the real cause."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import errors


def test_the_example_of_the_first_page_runs_as_it_is() -> None:
    def program(session: pc.Session) -> Any:
        salary = session.input(np.array([5200, 4100]) if session.party == 0 else None, owner=0)
        rent = session.input(np.array([1900, 2300]) if session.party == 1 else None, owner=1)
        return session.open((rent * 3 > salary), label="cannot afford the rent")

    results = pc.simulate(program, parties=2)
    assert [r.tolist() for r in results] == [[True, True], [True, True]]


def test_the_dealer_in_the_process_says_so() -> None:
    said = pc.simulate(lambda s: (s.correlations, s.name, s.names, s.parties, s.party))
    assert said[1] == (
        "in-process dealer (simulation only)",
        "party1",
        ("party0", "party1"),
        2,
        1,
    )


def test_arguments_reach_every_party() -> None:
    assert pc.simulate(lambda s, a, b: (s.party, a, b), args=(1, "x")) == [(0, 1, "x"), (1, 1, "x")]


@pytest.mark.parametrize("culprit", [0, 1])
def test_the_first_real_cause_is_raised_and_the_others_stand_in_its_notes(culprit: int) -> None:
    def program(session: pc.Session) -> None:
        x = session.input([1] if session.party == 0 else None, owner=0)
        if session.party == culprit:
            raise KeyError("mine")
        session.open(x, label="x")

    with pytest.raises(KeyError, match="mine") as raised:
        pc.simulate(program)
    notes = "\n".join(raised.value.__notes__)
    assert f"raised at party{culprit}" in notes
    assert f"party{1 - culprit} then raised PeerAborted" in notes


def test_errors_that_the_programs_handle_are_not_raised_again() -> None:
    def program(session: pc.Session) -> str:
        try:
            session.input([np.nan] if session.party == 0 else None, owner=0)
        except errors.PetcoreError as error:
            return error.code
        return "no error"

    assert pc.simulate(program) == ["usage", "aborted"]


def test_the_process_and_later_sessions_live_on_after_failures() -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            pc.simulate(lambda s: 1 // 0)
    before = threading.active_count()
    assert pc.simulate(lambda s: s.party) == [0, 1]
    assert threading.active_count() <= before


def test_sessions_nest_and_run_side_by_side() -> None:
    def inner(session: pc.Session) -> Any:
        x = session.input([2, 3] if session.party == 0 else None, owner=0)
        return session.open(x * x, label="squares").tolist()

    def outer(session: pc.Session) -> Any:
        return pc.simulate(inner)

    assert pc.simulate(outer) == [[[4, 9], [4, 9]]] * 2


@pytest.mark.parametrize("parties", [0, 1, 3, "2"])
def test_a_number_of_parties_without_a_protocol_is_refused(parties: Any) -> None:
    with pytest.raises(errors.UsageError, match="parties=2"):
        pc.simulate(lambda s: None, parties=parties)
    with pytest.raises(errors.UsageError, match="sinks"):
        pc.simulate(lambda s: None, sinks=[None])


def test_owner_and_recipient_go_by_name_as_well_as_by_index() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input([7] if session.name == "party1" else None, owner="party1")
        return session.reveal(x, to="party0", label="x")

    mine, theirs = pc.simulate(program)
    assert (mine.tolist(), theirs) == ([7], None)


def test_settings_of_a_session_are_checked() -> None:
    def program(session: pc.Session) -> Any:
        for name, value in (("frac_bits", 63), ("frac_bits", 1.5), ("truncation", "local")):
            with pytest.raises(errors.UsageError):
                setattr(session, name, value)
        session.frac_bits = 10
        x = session.input([0.1] if session.party == 0 else None, owner=0)
        return x.frac_bits, session.zeros((), "fixed").frac_bits, session.constant(0.5).frac_bits

    assert pc.simulate(program) == [(10, 10, 10)] * 2


def test_closing_runs_what_was_left_to_it_once() -> None:
    closed: list[int] = []

    def program(session: pc.Session) -> None:
        session._on_close = lambda: closed.append(session.party)
        session.close()
        session.close()

    pc.simulate(program)
    assert sorted(closed) == [0, 1]
