"""What `petcore doctor` finds out: whether this machine computes rightly, and as fast as it should.

Nothing is sent to other machines: the session that is tried runs over this machine's own loopback.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from petcore.config import DEALER, Config, Peer
from petcore.connecting import connect, run_dealer
from petcore.mpc import facts, kernel_speed, known_answers
from petcore.mpc.session import Session
from petcore.threads import thread_count
from petcore.trust.identity import make_identity

Section = Literal["machine", "self-test", "speed"]
Verdict = Literal["", "ok", "slow", "failed"]

_WAIT = 10.0  # seconds for a session on loopback


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``hint`` says what to do where the verdict is not "ok"."""

    section: Section
    name: str
    detail: str
    verdict: Verdict = ""
    hint: str = ""


def examine(speed_seconds: float = 8.0) -> Iterator[Finding]:
    """Look at machine, answers and speed, finding by finding; 0 seconds leave the speed out."""
    yield from _machine()
    yield from _answers()
    yield _entropy()
    yield _session()
    if speed_seconds > 0:
        yield from _speed(speed_seconds)


def _machine() -> Iterator[Finding]:
    about = facts.facts()
    features = [name for name, present in about.features.items() if present]
    yield Finding("machine", "processor", about.processor)
    yield Finding("machine", "features", ", ".join(features) or "none that petcore uses")
    for kernel, target in about.chosen.items():
        others = ", ".join(name for name in about.usable[kernel] if name != target)
        detail = f"{target} (also runs {others})" if others else target
        yield Finding("machine", f"target of {kernel}", detail)
    if about.forced:
        yield Finding("machine", "PETCORE_TARGET", f"{about.forced} bounds every kernel")
    threads = thread_count(None)
    all_of = os.cpu_count() or threads
    yield Finding("machine", "threads", f"{threads} of {all_of} processors may be used")
    yield Finding("machine", "OpenSSL of the links", about.openssl)
    yield Finding("machine", "OpenSSL of cryptography", about.cryptography_openssl)


def _answers() -> Iterator[Finding]:
    for answer in known_answers.known_answers():
        name = f"{answer.kernel}, target {answer.target}"
        if answer.wrong:
            hint = (
                "this build or this machine computes wrongly: do not use it for data. Reinstall "
                "petcore; if it stays, report it with the output of 'petcore doctor --json'"
            )
            yield Finding("self-test", name, answer.wrong, "failed", hint)
        else:
            yield Finding("self-test", name, f"{answer.checked} known answers", "ok")


def _entropy() -> Finding:
    wrong = known_answers.entropy()
    if wrong:
        hint = "the system's random numbers cannot be trusted: look at getrandom(2) and the kernel"
        return Finding("self-test", "entropy source", wrong, "failed", hint)
    return Finding("self-test", "entropy source", "fresh and balanced", "ok")


def _session() -> Finding:
    name = "session over TLS on loopback"
    try:
        transport = try_session()
    except Exception as error:
        hint = "nothing may block connections to 127.0.0.1; the temporary folder must be writable"
        return Finding("self-test", name, f"{type(error).__name__}: {error}", "failed", hint)
    return Finding("self-test", name, transport, "ok")


def try_session() -> str:
    """Run two parties and a dealer as threads of this process; raise where anything is wrong."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(3) as pool:
        configs = _configs(Path(folder))
        stop = threading.Event()
        service = pool.submit(run_dealer, configs[2], once=True, stop=stop)
        try:
            parties = [pool.submit(_take_part, config) for config in configs[:2]]
            for party in parties:
                party.result(2 * _WAIT)
        finally:
            stop.set()
        service.result(_WAIT)
    return "TLS 1.3 with pinned keys, a product and a comparison opened right"


def _take_part(config: Config) -> None:
    with connect(config, program="doctor", connect_wait=_WAIT) as session:
        _compute(session)


def _compute(session: Session) -> None:
    left, right = np.array([3, -5, 1 << 40]), np.array([7, 11, -2])
    x = session.input(left if session.party == 0 else None, owner=0)
    y = session.input(right if session.party == 1 else None, owner=1)
    product = session.open(x * y, label="doctor: product")
    below = session.open(x < y, label="doctor: comparison")
    if not np.array_equal(product, left * right) or not np.array_equal(below, left < right):
        raise ArithmeticError("a session opened a wrong product or comparison")


def _configs(folder: Path) -> list[Config]:
    names = ("gateway", "wallet", DEALER)
    made: dict[str, Any] = {}
    peers = []
    for name in names:
        identity = make_identity(name)
        made[name] = identity.save(folder)
        peers.append(Peer(name, f"127.0.0.1:{_free_port()}", identity.fingerprint))
    return [
        Config(
            name=name,
            certificate=made[name][0],
            key=made[name][1],
            parties=(peers[0], peers[1]),
            dealer=peers[2],
            session="doctor",
            log=folder / f"{name}.jsonl",
        )
        for name in names
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _speed(seconds: float) -> Iterator[Finding]:
    for speed in kernel_speed.speeds(seconds):
        detail = (
            f"{speed.rate:.2f} G{speed.unit}/s with {speed.target}, {speed.times:.2f} x "
            f"{speed.reference} (expected from {speed.expected:g} x)"
        )
        verdict: Verdict = "ok" if speed.ok else "slow"
        yield Finding("speed", speed.kernel, detail, verdict, _speed_hint(speed))


def _speed_hint(speed: kernel_speed.Speed) -> str:
    about = facts.facts()
    hints = []
    if about.forced:
        hints.append(f"PETCORE_TARGET={about.forced} forces a slower row; unset it")
    elif speed.kernel == "PRG" and speed.target == "aesni":
        hints.append("AES without VAES: as fast as OpenSSL is all that this processor gives")
    elif speed.target == "portable":
        hints.append("no instructions that petcore uses: it works, and is slow")
    if not speed.ok:
        load = os.getloadavg()[0]
        if load > 0.5 * thread_count(None):
            hints.append(f"another load on this machine (load average {load:.1f}); try again")
        else:
            hints.append("another load on this machine or its host, or a low clock; try again")
    return "; ".join(hints)
