"""A dealer that is killed and started again, in the middle of a session, costs the session nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from petcore.config import Config, Limits
from petcore.config_text import to_toml
from petcore.errors import LinkError, PeerClosed, PetcoreError
from petcore.mpc import Session

from .conftest import LONG, QUICK, Town, outcomes
from .test_service import PAIRS, product

pytestmark = pytest.mark.processes
PATIENT = Limits(deadline=20.0, silence=1.0, heartbeat=0.2)


class DealerProcess:
    """``petcore dealer`` as a process that can be killed and started again."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._path, self._log = folder / "dealer.toml", folder / "dealer.log"
        self._path.write_text(to_toml(config, folder))
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "petcore", "dealer", "--config", str(self._path)]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log)
        end = time.monotonic() + LONG
        while "listening" not in self._log.read_text():
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < end
            time.sleep(0.02)

    def kill(self, how: int = signal.SIGKILL) -> int:
        self.process.send_signal(how)
        return self.process.wait(LONG)


@pytest.fixture
def dealer(town: Town, tmp_path: Path) -> Iterator[DealerProcess]:
    running = DealerProcess(town.dealer(*PAIRS), tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def chain(session: Session, rounds: int, done: list[int] | None = None) -> list[int]:
    """Products, comparisons and matrix products whose results depend on all before."""
    n = 3000
    x = session.input(np.arange(n) % 7 if session.party == 0 else None, owner=0)
    y = session.input(np.arange(n) % 5 if session.party == 1 else None, owner=1)
    for _ in range(rounds):
        x = x * y + (x < y) - x.reshape(60, 50).dot(y[:50].reshape(50, 1)).sum() * 0
        x = x - 3 * (x > 9) * x
        if done is not None:
            done.append(session.party)
    return [int(v) for v in session.open(x, label="end")]


def expected(rounds: int) -> list[int]:
    n = 3000
    x, y = np.arange(n) % 7, np.arange(n) % 5
    for _ in range(rounds):
        x = x * y + (x < y)
        x = x - 3 * (x > 9) * x
    return [int(v) for v in x]


def test_a_dealer_killed_again_and_again_in_a_session_changes_no_result(town: Town, dealer):
    rounds, kills = 60, 0
    done: list[int] = []
    pair = town.pair(*PAIRS[0], limits=PATIENT)
    running = town.start(pair, lambda s: chain(s, rounds, done))
    while not all(future.done() for future in running):
        before = len(done)
        while len(done) < before + 11 and not all(future.done() for future in running):
            time.sleep(0.0007 * kills)  # at another point of an operation each time
        if kills < 4:
            dealer.kill()
            dealer.start()
            kills += 1
    assert outcomes(running) == [expected(rounds)] * 2
    assert kills == 4


def test_several_sessions_survive_the_same_kill(town: Town, dealer):
    rounds, started = 30, threading.Barrier(7)

    def program(session: Session) -> list[int]:
        product(session)
        started.wait(LONG)
        return chain(session, rounds)

    running = [f for pair in PAIRS for f in town.start(town.pair(*pair, limits=PATIENT), program)]
    started.wait(LONG)
    dealer.kill()
    dealer.start()
    assert outcomes(running) == [expected(rounds)] * 6


def test_a_large_matrix_product_is_resumed_where_it_was_cut(town: Town, dealer):
    """The dealer is killed while it sends the product of two matrices: 8 MB on a slow line."""
    n = 1000
    left, right = np.arange(n * n).reshape(n, n) % 11, np.arange(n * n).reshape(n, n) % 13
    asked = threading.Barrier(3)

    def program(session: Session) -> bool:
        x = session.input(left if session.party == 0 else None, owner=0)
        y = session.input(right if session.party == 1 else None, owner=1)
        asked.wait(LONG)
        return bool((session.open(x @ y, label="product") == left @ right).all())

    running = town.start(town.pair(*PAIRS[0], limits=PATIENT), program)
    asked.wait(LONG)
    for _ in range(2):
        time.sleep(0.4)
        dealer.kill()
        dealer.start()
    assert outcomes(running) == [True, True]


def test_a_party_that_computes_alone_meanwhile_notices_nothing(town: Town, dealer):
    stopped, again = threading.Barrier(3), threading.Event()

    def program(session: Session) -> list[int]:
        first = product(session)
        stopped.wait(LONG)
        assert again.wait(LONG)
        return first + product(session)

    running = town.start(town.pair(*PAIRS[0], limits=PATIENT), program)
    stopped.wait(LONG)
    dealer.kill()
    dealer.start()
    again.set()
    assert outcomes(running) == [[10, 40, 10, 40]] * 2


def test_a_dealer_that_ends_on_sigterm_may_be_replaced_too(town: Town, dealer):
    rounds, started = 30, threading.Barrier(3)

    def program(session: Session) -> list[int]:
        product(session)
        started.wait(LONG)
        return chain(session, rounds)

    running = town.start(town.pair(*PAIRS[0], limits=PATIENT), program)
    started.wait(LONG)
    assert dealer.kill(signal.SIGTERM) == 0
    dealer.start()
    assert outcomes(running) == [expected(rounds)] * 2


def test_a_dealer_that_never_comes_back_is_named_within_the_patience(town: Town, dealer):
    limits = replace(QUICK, dealer_restart=1.0)
    started = threading.Barrier(3)

    def program(session: Session) -> None:
        product(session)
        started.wait(LONG)
        while True:
            product(session)

    running = town.start(town.pair(*PAIRS[0], limits=limits), program)
    started.wait(LONG)
    dealer.kill()
    killed = time.monotonic()
    errors = outcomes(running)
    assert time.monotonic() - killed < 4
    assert any(isinstance(e, PeerClosed) and e.retryable for e in errors)
    for error in errors:
        assert isinstance(error, PetcoreError)
        assert "dealer" in str(error)


def test_without_patience_a_lost_dealer_ends_the_session_at_once(town: Town, dealer):
    limits = replace(QUICK, dealer_restart=0.0)
    started = threading.Barrier(3)

    def program(session: Session) -> None:
        product(session)
        started.wait(LONG)
        while True:
            product(session)

    running = town.start(town.pair(*PAIRS[0], limits=limits), program)
    started.wait(LONG)
    dealer.kill()
    killed = time.monotonic()
    errors = outcomes(running)
    assert time.monotonic() - killed < 2
    assert any(isinstance(error, LinkError) and error.party == "dealer" for error in errors)
