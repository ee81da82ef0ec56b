"""A dealer that deals wrongly is found out, in every kind, with the probability that is stated."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import _core
from petcore.errors import DealerCheated, PetcoreError, UsageError
from tests.protocol.conftest import NAMES

U64 = np.uint64
HEADER = struct.Struct("<IB3xQQ")
DATA = 1


class Tamperer:
    """Passes frames between the dealer and a party on, and flips one bit of chosen data frames."""

    def __init__(self, name: str, chosen: Callable[[int], bool]) -> None:
        limits, binding = _core.Limits(), "one connection"
        self.party, self._party_raw = _core.memory_channel_with_raw_peer("dealer", limits, binding)
        self.dealer, self._dealer_raw = _core.memory_channel_with_raw_peer(name, limits, binding)
        self._chosen, self._seen = chosen, 0
        self._buffer = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                up, down = self._party_raw.read(1 << 16), self._dealer_raw.read(1 << 16)
                self._pass(self._dealer_raw, up)
                self._buffer += down
                self._pass(self._party_raw, self._frames())
                if not up and not down:
                    time.sleep(0.0005)
        except PetcoreError:
            pass  # one of the two ended
        finally:
            self._party_raw.close()
            self._dealer_raw.close()

    @staticmethod
    def _pass(to: Any, data: bytes) -> None:
        while data:
            data = data[to.write(data) :]

    def _frames(self) -> bytes:
        out = b""
        while len(self._buffer) >= HEADER.size:
            length, kind, _, _ = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < HEADER.size + length:
                break
            frame = bytearray(self._buffer[: HEADER.size + length])
            self._buffer = self._buffer[HEADER.size + length :]
            if kind == DATA:
                if self._chosen(self._seen):
                    frame[HEADER.size] ^= 1
                self._seen += 1
            out += bytes(frame)
        return out


def run(program: Callable[[Any], Any], verify: float, chosen: Callable[[int], bool]) -> list[Any]:
    """Run a program at both parties over a dealer that falsifies the chosen data frames."""
    peer = _core.memory_channels("gateway", "wallet", _core.Limits())
    honest = _core.memory_channels("dealer", "gateway", _core.Limits())
    tamperer = Tamperer("wallet", chosen)
    dealt = [honest[1], tamperer.party]
    results: list[Any] = [None, None]

    def party(i: int) -> None:
        try:
            core = _core.Session("semi2k", i, NAMES, {1 - i: peer[i]}, dealt[i], [], verify=verify)
            with pc.Session(core) as session:
                results[i] = program(session)
        except PetcoreError as error:
            results[i] = error

    def deal() -> None:
        with contextlib.suppress(PetcoreError):
            _core.serve_dealer(NAMES, [honest[0], tamperer.dealer], [])

    threads = [threading.Thread(target=party, args=(i,)) for i in (0, 1)]
    threads.append(threading.Thread(target=deal))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    tamperer.end()
    assert not any(thread.is_alive() for thread in threads), "someone hangs"
    return results


def pair(session: Any, n: int = 40, dtype: str = "int64") -> tuple[Any, Any]:
    x = session.input(np.arange(n) - 9 if session.party == 0 else None, owner=0, dtype=dtype)
    y = session.input(np.arange(n) % 7 if session.party == 1 else None, owner=1, dtype=dtype)
    return x, y


def masked(session: Any) -> Any:
    x, y = pair(session, 40)
    return session.mask(x.reshape(8, 5)) @ y[:10].reshape(5, 2)


def transposed(session: Any) -> Any:
    x, y = pair(session, 40)
    return session.mask(x.reshape(8, 5)).T @ y[:16].reshape(8, 2)


def by_keys(session: Any) -> Any:
    x, _ = pair(session)
    sign = session._core.fss_sign(x._share.ravel())
    return session.from_shares(sign.reshape(1, -1), "bool")


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "multiplication": lambda s: pair(s)[0] * pair(s)[1],
    "square": lambda s: pair(s)[0] ** 2,
    "comparison": lambda s: pair(s)[0] < pair(s)[1],
    "equality": lambda s: pair(s)[0] == pair(s)[1],
    "and": lambda s: (pair(s)[0] > 0) & (pair(s)[1] > 0),
    "choice": lambda s: s.where(pair(s)[0] > 0, pair(s)[0], pair(s)[1]),
    "comparison by keys": by_keys,
    "matrix": lambda s: pair(s)[0].reshape(8, 5) @ pair(s)[1].reshape(5, 8),
    "masked matrix": masked,
    "masked matrix, transposed": transposed,
    "fixed point": lambda s: pair(s, dtype="fixed")[0] * pair(s, dtype="fixed")[1],
    "sigmoid": lambda s: pc.functions.sigmoid(pair(s, dtype="fixed")[0]),
    "exp": lambda s: pc.functions.exp(pair(s, dtype="fixed")[0] / 64),
    "log": lambda s: pc.functions.log(pair(s, dtype="fixed")[0] + 10),
    "square root": lambda s: pc.functions.sqrt(pair(s, dtype="fixed")[0] + 10),
    "division": lambda s: pair(s, dtype="fixed")[0] / (pair(s, dtype="fixed")[1] + 1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_an_honest_dealer_sent_passes_and_results_are_right(name):
    plain = pc.simulate(lambda s: s.open(OPERATIONS[name](s), label="x"))[0]
    checked = pc.simulate(lambda s: s.open(OPERATIONS[name](s), label="x"), verify_dealer=0.6)[0]
    np.testing.assert_allclose(checked, plain, atol=1e-3)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_dealer_that_flips_one_bit_of_every_answer_is_found_out_in_every_kind(name):
    def program(session: Any) -> None:
        for _ in range(30):  # undetected with probability 10^-30 at most
            session.open(OPERATIONS[name](session), label="x")

    results = run(program, 0.9, lambda frame: True)
    at_wallet, at_gateway = results[1], results[0]
    assert isinstance(at_wallet, DealerCheated)
    assert at_wallet.party == "dealer"
    assert not at_wallet.retryable
    assert isinstance(at_gateway, PetcoreError)
    assert "dealer" in str(at_gateway)


def test_one_falsified_operation_is_detected_with_the_stated_probability():
    """One bit of one of 200 independent sessions each: a binomial, 1/2, beyond 5.6 sigma: 1e-8."""

    def program(session: Any) -> None:
        x, y = pair(session, 4)
        x * y

    trials = 200
    caught = 0
    for _ in range(trials):
        results = run(program, 0.5, lambda frame: frame == 0)
        caught += any(isinstance(result, DealerCheated) for result in results)
    assert abs(caught - trials / 2) < 40


def test_a_wrong_word_that_is_used_falsifies_the_result_and_nothing_else_happens():
    """What is not covered by a check is not covered: without verification nobody notices."""

    def program(session: Any) -> Any:
        x, y = pair(session, 4)
        return session.open(x * y, label="x").tolist()

    results = run(program, 0.0, lambda frame: frame == 0)
    assert results[0] == results[1]
    assert results[0] != ((np.arange(4) - 9) * (np.arange(4) % 7)).tolist()


def test_costs_count_what_is_used_and_checks_are_counted_apart():
    def program(session: Any) -> Any:
        x, y = pair(session, 100)
        with session.measure() as cost:
            for _ in range(40):
                x * y
        return cost.offline_bytes, cost.correlations, session.dealer_counters

    plain = pc.simulate(program)
    checked = pc.simulate(program, verify_dealer=0.5)
    assert [row[:2] for row in plain] == [row[:2] for row in checked]
    counters = checked[1][2]
    assert counters["checked"] == checked[0][2]["checked"] > 5
    assert counters["checked_bytes"] == counters["checked"] * 800


@pytest.mark.parametrize("share", [-0.1, 1.0, 7.0])
def test_a_share_that_is_no_probability_below_one_is_refused(share):
    with pytest.raises((UsageError, ValueError)):
        pc.simulate(lambda session: None, verify_dealer=share)
