"""A session serves its own process, its own peers and its own handles, and tells nobody else more."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from petcore import _core
from petcore.errors import (
    HandshakeMismatch,
    PeerAborted,
    PetcoreError,
    SessionBroken,
    StepMismatch,
    UsageError,
)

from .conftest import NAMES, SOURCES, Links
from .operations import U64, share

TEN = np.arange(10, dtype=U64)


def attempts(*works: Callable[[], Any]) -> list[Any]:
    """Run all at once; give what each returned or raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]
        return [future.exception(60) or future.result() for future in futures]


def start(links: Links) -> tuple[list[Any], threading.Thread]:
    """Open both parties' sessions with a dealer in a thread."""
    dealer = threading.Thread(target=lambda: _core.serve_dealer(NAMES, links.dealer_ends(), []))
    dealer.start()
    return attempts(lambda: links.session(0), lambda: links.session(1)), dealer


def in_child(work: Callable[[], bool]) -> bool:
    """Run work in a fork of this process; whether it ended well, and within ten seconds."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # ends a child that hangs
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_fork_can_neither_reuse_masks_nor_disturb_its_parent():
    sessions, dealer = start(Links(_core.Limits()))
    shares = attempts(*[lambda s=s: share(s, TEN, 0) for s in sessions])

    def misuse() -> bool:
        for session in sessions:
            for work in (lambda s=session: s.square(TEN), lambda s=session: s.open(TEN, "x")):
                try:
                    work()
                except SessionBroken as error:
                    if "fork" not in str(error):
                        return False
                else:
                    return False
            session.fail("aborted", "from the child")
            session.close()
        sessions.clear()  # destroys them
        return True

    assert in_child(misuse)
    x, y = attempts(
        *[lambda s=s, x=x: s.open(x, "x") for s, x in zip(sessions, shares, strict=True)]
    )
    assert (x == TEN).all()
    assert (y == TEN).all()
    for session in sessions:
        session.close()
    dealer.join(10)
    assert not dealer.is_alive()


def test_a_masked_matrix_never_fits_a_later_session():
    kept = []
    for _ in range(5):
        sessions, dealer = start(Links(_core.Limits()))
        for masked in kept:  # made by a session that is gone, perhaps at the same address
            with pytest.raises(UsageError, match="another session"):
                sessions[0].masked_matmul(masked, TEN[:5], 1, 0, 2, False)
        kept += attempts(*[lambda s=s: s.mask(TEN, 2, 5) for s in sessions])
        for session in sessions:
            session.close()
        dealer.join(10)


@pytest.mark.parametrize("correlations", SOURCES)
def test_sizes_whose_product_wraps_around_are_refused(parties):
    many = 2**63 + 1  # times two is two

    def program(session):
        two, one = TEN[:2], TEN[:1]
        masked = session.mask(two, 1, 2)
        for work in (
            lambda: session.matmul(two, two, many, 2, 1),
            lambda: session.matmul(two, two, 1, 2, many),
            lambda: session.mask(two, many, 2),
            lambda: session.masked_matmul(masked, two, many, 0, 1, False),
            lambda: session.matmul(one, two, 1, 1, 2**28),
        ):
            with pytest.raises(UsageError):
                work()
        return session.declared("matmul", 1, 2, 1)["rounds"]

    assert parties(program).values() == [1, 1]


@pytest.mark.parametrize(
    ("op", "dims"),
    [
        ("msb", (2**63,)),
        ("truncate_exact", (1, 2**32 + 1)),
        ("truncate", (1, 0)),
        ("masked_matmul", (4, 4, 3, 2, 0, 1)),
        ("masked_matmul", (4, 4, 0, 5, 0, 1)),
    ],
)
def test_a_cost_is_declared_for_possible_sizes_only(parties, op, dims):
    def program(session):
        with pytest.raises(UsageError):
            session.declared(op, *dims)

    parties(program).values()


def test_an_array_that_is_not_aligned_is_refused(parties):
    shifted = np.frombuffer(b"\0" * 81, dtype=np.uint8)[1:].view(U64)

    def program(session):
        with pytest.raises(ValueError, match=r"copy\(\)"):
            session.square(shifted)

    parties(program).values()


def test_two_parties_cannot_play_the_same_one():
    links = Links(_core.Limits(deadline_s=1.0))
    with pytest.raises(UsageError, match="another party"):  # the wallet, told that it is party 0
        _core.Session("semi2k", 0, NAMES, {1: links.peer[1]}, links.dealer[1][1], [])
    with pytest.raises(UsageError, match="another party"):
        _core.serve_dealer(NAMES, links.dealer_ends()[::-1], [])
    with pytest.raises(UsageError, match="same name"):
        _core.Session("semi2k", 0, ["a", "a"], {1: links.peer[0]}, links.dealer[0][1], [])
    for peers in ({}, {0: links.peer[0]}, {1: None}):
        with pytest.raises(UsageError):
            _core.Session("semi2k", 0, NAMES, peers, links.dealer[0][1], [])


def test_a_dealer_refuses_two_halves_of_different_sessions():
    first, second = Links(_core.Limits()), Links(_core.Limits())
    mixed = [first.dealer_ends()[0], second.dealer_ends()[1]]
    rest = [second.dealer_ends()[0], first.dealer_ends()[1]]

    def use(links: Links, party: int) -> None:
        session = links.session(party)
        while True:
            session.square(TEN)

    outcome = attempts(
        lambda: _core.serve_dealer(NAMES, mixed, []),
        lambda: _core.serve_dealer(NAMES, rest, []),
        *[lambda ends=links, p=p: use(ends, p) for links in (first, second) for p in (0, 1)],
    )
    assert any(isinstance(error, HandshakeMismatch) for error in outcome[:2])
    for error in outcome:
        assert isinstance(error, PetcoreError)


@pytest.mark.parametrize("correlations", ["dealer"])
def test_the_dealer_learns_no_label_and_no_cause_of_a_failure(parties, quick_limits):
    heard: list[str] = []

    def dealer(ends):
        try:
            _core.serve_dealer(NAMES, ends, [])
        except PetcoreError as error:
            heard.append(str(error))

    def program(session):
        session.open(share(session, TEN, 0), f"salary of customer {session.party}")

    outcome = parties(program, limits=quick_limits, dealer=dealer)
    for error in outcome.errors[:2]:
        assert isinstance(error, (StepMismatch, PeerAborted))
    assert heard
    assert "step 2" in heard[0]
    assert "salary" not in heard[0]


def test_closing_from_many_threads_ends_a_session_once():
    for _ in range(20):
        sessions, dealer = start(Links(_core.Limits()))
        attempts(*[s.close for s in sessions] * 3, lambda s=sessions[0]: s.fail("aborted", "x"))
        with pytest.raises(SessionBroken):
            sessions[0].square(TEN)
        dealer.join(10)
        assert not dealer.is_alive()


@pytest.mark.parametrize("correlations", SOURCES)
def test_costs_can_be_read_while_another_thread_computes(parties):
    def program(session):
        x, done, seen = share(session, TEN, 0), threading.Event(), []

        def read():
            while not done.is_set():
                seen.append(session.cost()["correlations"].get("square", 0))

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(200):
            session.square(x)
        done.set()
        reader.join()
        assert seen == sorted(seen)
        return session.cost()["correlations"]["square"]

    assert parties(program).values() == [2000, 2000]


def test_a_session_interrupted_in_its_handshake_tells_its_peer():
    links = Links(_core.Limits())  # its deadline is far off, and no dealer answers

    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with ThreadPoolExecutor(1) as pool:
            peer = pool.submit(links.session, 1)
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Interrupted):
                links.session(0)
            assert isinstance(peer.exception(5), PeerAborted)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_destroying_a_session_lets_other_threads_run():
    links = Links(_core.Limits())
    sessions, dealer = start(links)
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.005):
            ticks.append(1)

    def occupy():  # keeps the link busy, so that saying goodbye has to wait for it
        with pytest.raises(PetcoreError):
            links.peer[0].recv(7, "elsewhere", 8)

    threads = [threading.Thread(target=work) for work in (tick, occupy)]
    for thread in threads:
        thread.start()
    while not ticks:
        done.wait(0.001)
    before = len(ticks)
    sessions.pop(0)
    during = len(ticks) - before
    sessions.pop().close()
    done.set()
    for thread in (*threads, dealer):
        thread.join(10)
    assert during >= 5
