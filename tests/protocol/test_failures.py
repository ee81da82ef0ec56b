"""A mistake or a failure at one party ends in a typed error at every party, and never hangs."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from petcore import _core
from petcore.errors import (
    HandshakeMismatch,
    PeerAborted,
    PeerLate,
    PetcoreError,
    SessionBroken,
    SessionBusy,
    StepMismatch,
    UsageError,
)

from .conftest import SOURCES
from .operations import U64, share

TEN = np.arange(10, dtype=U64)


def test_parties_at_different_operations_both_learn_the_step_of_the_other(parties, quick_limits):
    def adds(session):
        x = share(session, TEN, 0)
        return session.mul(x, x)

    def opens(session):
        x = share(session, TEN, 0)
        return session.open(x, "x")

    outcome = parties(adds, opens, limits=quick_limits)
    for error in outcome.errors[:2]:
        assert isinstance(error, (StepMismatch, PeerAborted))
        assert "step 2" in str(error)


def test_parties_that_disagree_on_the_size_never_see_a_result(parties, quick_limits):
    def program(session):
        x = share(session, TEN, 0)
        return session.open(x[: 10 - session.party], "x")

    outcome = parties(program, limits=quick_limits)
    assert outcome.results[:2] == [None, None]
    for error in outcome.errors[:2]:
        assert isinstance(error, (StepMismatch, PeerAborted))


def test_parties_that_truncate_a_product_differently_never_see_it(parties, quick_limits):
    def program(session):
        x = share(session, TEN, 0)
        return session.mul(x, x, 18 + session.party)

    outcome = parties(program, limits=quick_limits)
    assert outcome.results[:2] == [None, None]
    assert any(isinstance(error, StepMismatch) for error in outcome.errors[:2])


def test_parties_that_disagree_on_a_label_never_see_a_result(parties, quick_limits):
    def program(session):
        return session.open(share(session, TEN, 0), f"label {session.party}")

    outcome = parties(program, limits=quick_limits)
    assert outcome.results[:2] == [None, None]
    assert any(isinstance(error, StepMismatch) for error in outcome.errors[:2])


def test_a_failed_operation_poisons_the_session_with_its_first_cause(parties, quick_limits):
    def program(session):
        x = share(session, TEN, 0)
        with pytest.raises(PetcoreError) as first:
            session.open(x, f"label {session.party}")
        with pytest.raises(SessionBroken) as later:
            session.open(x, "again")
        assert first.value.args[0].split()[0] in str(later.value)
        return str(later.value)

    outcome = parties(program, limits=quick_limits)
    assert all("open a new session" in text for text in outcome.results[:2])


def test_wrong_use_known_to_all_parties_raises_and_leaves_the_session_usable(parties):
    def program(session):
        x = share(session, TEN, 0)
        with pytest.raises(UsageError, match="different numbers of elements"):
            session.mul(x, x[:5])
        with pytest.raises(TypeError, match="astype"):
            session.mul(x, x.astype(np.float64))
        with pytest.raises(ValueError, match="ascontiguousarray"):
            session.mul(x[::2], x[:5])
        with pytest.raises(UsageError, match="1 to 61"):
            session.truncate(x, 62, "exact")
        return session.open(x, "x")

    for opened in parties(program).values():
        np.testing.assert_array_equal(opened, TEN)


def test_a_party_that_gives_up_tells_the_others_why(parties, quick_limits, correlations):
    def gives_up(session):
        session.fail("usage", "a value of the input is not a number")

    def waits(session):
        return session.input(0, None, b"")

    outcome = parties(gives_up, waits, limits=quick_limits)
    assert isinstance(outcome.errors[1], PeerAborted)
    assert "a value of the input is not a number" in str(outcome.errors[1])
    assert "gateway" in str(outcome.errors[1])
    if correlations == "dealer":
        assert isinstance(outcome.errors[2], PetcoreError)


def test_a_party_that_ends_early_does_not_leave_the_other_waiting(parties, quick_limits):
    outcome = parties(lambda s: None, lambda s: s.input(0, None, b""), limits=quick_limits)
    assert isinstance(outcome.errors[1], StepMismatch)


@pytest.mark.parametrize("correlations", SOURCES)
def test_a_party_that_lives_but_is_late_ends_in_a_typed_error_within_the_deadline(
    parties, quick_limits
):
    done = threading.Event()

    def late(session):
        done.wait(20)

    def waits(session):
        started = time.monotonic()
        try:
            session.input(0, None, b"")
        finally:
            elapsed = time.monotonic() - started
            done.set()
            assert elapsed < 2

    outcome = parties(late, waits, limits=quick_limits)
    assert isinstance(outcome.errors[1], PeerLate)
    assert "gateway" in str(outcome.errors[1])


@pytest.mark.parametrize("correlations", SOURCES)
def test_a_session_refuses_a_second_thread(parties):
    refused = threading.Event()

    def gateway(session):
        x = share(session, TEN, 0)
        opened = []
        thread = threading.Thread(target=lambda: opened.append(session.open(x, "x")))
        thread.start()
        while session.step < 2:  # until the thread is inside its opening, waiting for the wallet
            thread.join(0.001)
        with pytest.raises(SessionBusy, match="its own"):
            session.checkpoint("from a second thread")
        refused.set()
        thread.join()
        return opened[0]

    def wallet(session):
        x = share(session, TEN, 0)
        refused.wait(10)
        return session.open(x, "x")

    for opened in parties(gateway, wallet).values():
        np.testing.assert_array_equal(opened, TEN)


@pytest.mark.parametrize("owner", [-1, 2])
def test_an_owner_outside_the_session_is_refused(parties, owner):
    def program(session):
        with pytest.raises(UsageError, match="owner"):
            session.input(owner, None, b"")

    parties(program).values()


def test_an_input_whose_owner_forgot_the_values_is_refused(parties, quick_limits):
    def program(session):
        session.input(0, None, b"")

    outcome = parties(program, limits=quick_limits)
    assert isinstance(outcome.errors[0], UsageError)
    assert isinstance(outcome.errors[1], PeerAborted)


@pytest.mark.parametrize("correlations", ["dealer"])
def test_a_dealer_that_refuses_a_request_ends_the_session_everywhere(parties, quick_limits):
    def refuses(ends):
        # The dealer's link to the wallet dies in the middle of its work.
        threading.Timer(0.2, lambda: [end.close() for end in ends]).start()
        with pytest.raises(PetcoreError):
            _core.serve_dealer(["gateway", "wallet"], ends, [])

    def program(session):
        x = share(session, TEN, 0)
        for _ in range(10**6):
            session.mul(x, x)

    outcome = parties(program, limits=quick_limits, dealer=refuses)
    for error in outcome.errors[:2]:
        assert isinstance(error, PetcoreError)


def test_parties_with_other_terms_name_the_first_difference():
    from .conftest import Links

    links = Links(_core.Limits(deadline_s=1.0))
    errors = [None, None]

    def party(index):
        try:
            links.session(index, [("program", f"version {index}")])
        except PetcoreError as error:
            errors[index] = error

    threads = [threading.Thread(target=party, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    for error in errors:
        assert isinstance(error, HandshakeMismatch)
        assert "program" in str(error)
        assert "version 0" in str(error)
        assert "version 1" in str(error)
