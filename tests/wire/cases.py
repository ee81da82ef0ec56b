"""What is recorded: every operation over every source, intersections, transfers, pseudonyms."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import petcore as pc
from petcore import _core, oprf
from tests.protocol.operations import OPERATIONS, Operation

from . import entropy
from .tap import Taps

SOURCES = ("dealer", "ot")
ELEMENTS = 5
Said = dict[str, list[Any]]
STEP = (7, "step 7: test")


def tapped(name: str, work: Callable[[Taps], None]) -> Said:
    """Run a case with its own streams of randomness and its own links."""
    entropy.label_threads(name)
    entropy.label(name)
    taps = Taps()
    original, _core.memory_channels = _core.memory_channels, taps.memory_channels
    try:
        work(taps)
    finally:
        _core.memory_channels = original
    return taps.said()


def simulated(program: Callable[[Any], Any], source: str = "dealer") -> Callable[[Taps], None]:
    return lambda taps: pc.simulate(program, correlations=source) and None


def operation(op: Operation, source: str) -> Callable[[Taps], None]:
    inputs = op.inputs(np.random.default_rng(17), ELEMENTS)
    return simulated(lambda session: op.call(session._core, *inputs) is None, source)


def both(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Taps], None]:
    """Two ends of one bare link."""

    def work(taps: Taps) -> None:
        failed: list[BaseException] = []

        def guarded(side: Callable[[Any], Any], end: Any) -> None:
            try:
                side(end)
            except BaseException as error:
                failed.append(error)
            finally:
                end.close()

        ends = taps.memory_channels("gateway", "wallet", _core.Limits())
        threads = [
            threading.Thread(target=guarded, args=(side, end), name=name)
            for side, end, name in zip((first, second), ends, ("gateway", "wallet"), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    return work


def transfers(k: int) -> Callable[[Taps], None]:
    choices = np.array([0x5A5A5A5A5A5A5A5A] * 4, np.uint64)
    return both(
        lambda end: _core.SoftSpokenSender(end, k).extend(*STEP, 256),
        lambda end: _core.SoftSpokenReceiver(end, k).extend(*STEP, choices, 256),
    )


def shared_intersection(session: Any) -> None:
    ids = range(10 * session.party, 10 * session.party + 20)
    session.psi_shares(ids, table=0, columns={"x": np.arange(20) if session.party else "int64"})


def disclosing(session: Any) -> None:
    x = session.input([1, 2, 3] if session.party == 0 else None, owner=0)
    y = session.input([0.5, -2.0] if session.party == 1 else None, owner=1)
    b = session.input([True, False] if session.party == 0 else None, owner=0)
    session.open(x, label="x")
    session.open(b, label="b")
    session.reveal(y, to=0, label="y")


def intersecting(method: Any) -> Callable[[Any], Any]:
    """Half of the ids of either party are common."""

    def program(session: Any) -> None:
        first = 150 * session.party
        session.psi(range(first, first + 300), method=method)
        session.psi(range(first, first + 30), method=method, to=1)

    return program


def matrices(session: Any) -> None:
    x = session.input(np.arange(6).reshape(2, 3) if session.party == 0 else None, owner=0)
    y = session.input(np.arange(12).reshape(3, 4) if session.party == 1 else None, owner=1)
    x @ y
    session.mask(x) @ y


def pseudonyms(mode: oprf.Mode) -> Said:
    """What client and server send, without a link."""
    entropy.label(f"oprf {mode}")
    key = oprf.PrivateKey.generate(mode)
    request = oprf.blind([b"anna", b"bert"], mode=mode)
    answer = key.evaluate(request.elements, b"scope" if mode == "poprf" else b"").to_bytes()
    return {
        way: [len(said), hashlib.sha256(said).hexdigest()]
        for way, said in (("client -> server", request.elements), ("server -> client", answer))
    }


def all_cases() -> dict[str, Callable[[], Said]]:
    """Give every case by its name."""
    works: dict[str, Callable[[Taps], None]] = {}
    for source in SOURCES:
        for op in OPERATIONS:
            if source != "dealer" and op.name.endswith("by keys"):
                continue  # keys come from a dealer
            works[f"{op.name}, {source}"] = operation(op, source)
        works[f"matrices, {source}"] = simulated(matrices, source)
    works["intersection as shares"] = simulated(shared_intersection)
    works["inputs and disclosures"] = simulated(disclosing)
    for k in (2, 4, 8):
        works[f"correlated transfers, k = {k}"] = transfers(k)
    for method in ("rr22", "ecdh"):
        works[f"intersection by {method}"] = simulated(intersecting(method))
    works["bare intersection by ecdh"] = both(
        lambda end: _core.intersect_ecdh(end, [b"anna", b"bert"]),
        lambda end: _core.intersect_ecdh(end, [b"bert", b"carl", b"dora"]),
    )
    cases: dict[str, Callable[[], Said]] = {
        name: (lambda name=name, work=work: tapped(name, work)) for name, work in works.items()
    }
    for mode in ("oprf", "voprf", "poprf"):
        cases[f"pseudonyms by {mode}"] = lambda mode=mode: pseudonyms(mode)
    return cases
