"""Cost: what a session, or a stretch of it, used at this party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Cost:
    """Rounds, bytes and correlations used at this party; costs add and subtract.

    Attributes
    ----------
    rounds : int
        Times that the parties waited for each other's messages.
    bytes_sent, bytes_received : int
        Payload exchanged with the other parties.
    offline_bytes : int
        Payload received in the offline phase: from the dealer, or from the other party, where it is
        what operations declare; a session's base transfers (some 15 kB) and what is made ahead of
        small operations or of silent transfers come on top.
    correlations : dict of str to int
        Elements of each kind of correlation used up.
    seconds : float
        Wall-clock time.
    """

    rounds: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    offline_bytes: int = 0
    correlations: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def from_core(cls, counters: Mapping[str, Any], seconds: float) -> Cost:
        """Read the counters of the compiled session."""
        return cls(
            rounds=int(counters["rounds"]),
            bytes_sent=int(counters["bytes"]),
            bytes_received=int(counters["bytes_received"]),
            offline_bytes=int(counters["offline_bytes"]),
            correlations={str(k): int(n) for k, n in counters["correlations"].items()},
            seconds=seconds,
        )

    @classmethod
    def between(cls, before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> Cost:
        """Give what two readings of the counters differ by."""
        first, used = before["correlations"], after["correlations"]
        return cls(
            rounds=after["rounds"] - before["rounds"],
            bytes_sent=after["bytes"] - before["bytes"],
            bytes_received=after["bytes_received"] - before["bytes_received"],
            offline_bytes=after["offline_bytes"] - before["offline_bytes"],
            correlations={k: n - first.get(k, 0) for k, n in used.items() if n != first.get(k, 0)},
            seconds=seconds,
        )

    def __add__(self, other: Cost) -> Cost:
        """Add two costs, kind by kind."""
        return self._combine(other, 1)

    def __sub__(self, other: Cost) -> Cost:
        """Take the cost of an earlier point from that of a later one."""
        return self._combine(other, -1)

    def _combine(self, other: Cost, sign: int) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        kinds = [*self.correlations, *(k for k in other.correlations if k not in self.correlations)]
        used = {
            kind: self.correlations.get(kind, 0) + sign * other.correlations.get(kind, 0)
            for kind in kinds
        }
        return Cost(
            self.rounds + sign * other.rounds,
            self.bytes_sent + sign * other.bytes_sent,
            self.bytes_received + sign * other.bytes_received,
            self.offline_bytes + sign * other.offline_bytes,
            {kind: n for kind, n in used.items() if n != 0},
            self.seconds + sign * other.seconds,
        )

    def _accumulate(self, other: Cost) -> None:
        """Add another cost in place, but for its time: of things within others it counts once."""
        self.rounds += other.rounds
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        self.offline_bytes += other.offline_bytes
        for kind, n in other.correlations.items():
            self.correlations[kind] = self.correlations.get(kind, 0) + n

    def _assign(self, other: Cost) -> None:
        self.__dict__.update(other.__dict__)

    def __repr__(self) -> str:
        """Give one readable line."""
        used = ", ".join(f"{n:,} {kind}" for kind, n in self.correlations.items()) or "none"
        return (
            f"Cost({self.rounds:,} rounds, {readable_bytes(self.bytes_sent)} sent, "
            f"{readable_bytes(self.bytes_received)} received, "
            f"{readable_bytes(self.offline_bytes)} offline, "
            f"correlations: {used}, {self.seconds:.3g} s)"
        )


def readable_bytes(n: int) -> str:
    """Write a number of bytes with a unit of powers of ten."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if abs(n) >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n} B"
