"""What a party does in its own process: share, run, time, compare with the same in clear."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Any

import numpy as np

import petcore as pc
from petcore.config import Config

from . import data, exchange, intersections, operations, transfers

Measured = dict[str, Any]


class Party:
    """Commands of one party, called by name; between them it keeps the shares of one job."""

    def __init__(self, session: pc.Session, config: Config) -> None:
        self.session, self.config = session, config
        self.clear: data.Arrays = ()
        self.shares: list[pc.SharedArray] = []

    def ready(self) -> None:
        """Answer once the session is up."""

    def load(self, group: str, name: str, n: int) -> None:
        """Share the operands."""
        self.operation = operations.find(group, name)
        self.shares, self.clear = [], ()
        self.clear = self.operation.make(n)
        owner = self.session.party == 0
        self.shares = [self.session.input(v if owner else None, owner=0) for v in self.clear]

    def warm(self) -> float:
        """Run once, which touches memory and caches; give its seconds."""
        return float(self.run(1)["seconds"][0])

    def run(self, runs: int) -> Measured:
        """Time runs; the dealer's work and the arrival of its correlations are inside the clock."""
        seconds = []
        for _ in range(runs):
            self.meet()
            with self.session.measure() as cost:
                self.operation.run(*self.shares)
            seconds.append(cost.seconds)
        return {
            "seconds": seconds,
            "rounds": cost.rounds,
            "bytes_sent": cost.bytes_sent,
            "offline_bytes": cost.offline_bytes,
        }

    def verify(self) -> float:
        """Open the result; give its largest error against the same in clear."""
        result = self.operation.run(*self.shares)
        opened = np.asarray(self.session.open(result, label="check of a measurement"), np.float64)
        expected = np.asarray(self.operation.clear(*self.clear), np.float64)
        error = np.abs(opened - expected)
        if self.operation.error == "relative":
            error /= np.abs(expected)
        return float(error.max())

    def time_clear(self) -> list[float]:
        """Time the same in clear."""
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            self.operation.clear(*self.clear)
            seconds.append(time.perf_counter() - began)
        return seconds

    def peak(self) -> int | None:
        """Bytes held at most during the first run, beyond inputs and outputs; None if unknown.

        What a session keeps for later runs counts, so this wants a process that has run nothing.
        """
        self.meet()
        give_back_freed()
        if not reset_peak():
            return None
        before = status("VmRSS")
        result = self.operation.run(*self.shares)
        highest = status("VmHWM")
        return highest - before - result._share.nbytes

    def drop(self) -> None:
        """Free the job's memory."""
        self.shares, self.clear = [], ()

    def intersect(self, method: Any, n: int, runs: int) -> Measured:
        """Time intersections of n ids."""
        return intersections.intersect(self.session, intersections.Sets(method, n), runs)

    def open_lines(self, ports: list[int]) -> None:
        """Connect to the other party once more, by each kind of line."""
        self.lines = exchange.lines(self.config, ports)

    def swap(self, kind: str, n: int, runs: int, inner: int) -> list[float]:
        """Send n bytes and take as many, at both parties at once; give the seconds of each run."""
        seconds = []
        for _ in range(runs + 1):
            self.meet()
            began = time.perf_counter()
            for _ in range(inner):
                self.lines[kind](n)
            seconds.append((time.perf_counter() - began) / inner)
        return seconds[1:]

    def open_transfers(self, port: int) -> None:
        """Connect to the other party once more, for extensions of oblivious transfer."""
        other = self.config.parties[1 - self.config.party]
        first = self.config.party == 0
        self.link = transfers.opened(exchange.channel(self.config, other, port, first))

    def extend(self, place: int, runs: int) -> dict[str, Any]:
        """Be the sender (the gateway) or the receiver of one extension."""
        return transfers.extend(self.link, self.config.party == 0, place, runs)

    def meet(self) -> None:
        """Let both parties start the clock together."""
        self.session.open(self.session.constant(0), label="start of a measurement")


def give_back_freed() -> None:
    """Return what the C library keeps of freed memory, where it can (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def reset_peak() -> bool:
    """Set VmHWM back to the present (proc(5), clear_refs); False where the system refuses."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def status(key: str) -> int:
    """Bytes from /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)
