"""Replay protection: of each sender every counter counts once, inside the message's lifetime.

A message that comes again unchanged is no attack but a retry: the guard says so, and the answer is
the stored one. Another message with a used counter is refused. Marks are kept until no clock within
`published.GRACE_MS` would accept the message any more.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from petcore.network.envelope import Envelope
from petcore.network.errors import EnvelopeReplayed
from petcore.network.keyring import Clock, now_ms
from petcore.network.published import GRACE_MS

Standing = Literal["new", "again"]


class Mark(NamedTuple):
    """What is remembered of a message: sender, counter, digest (hex), and until when (ms)."""

    sender: str
    counter: int
    digest: str
    until: int


class Marks(Protocol):
    """Where marks are kept: a table of the ledger, or `MemoryMarks`."""

    def seen(self, marks: Sequence[Mark]) -> list[str]:
        """Keep the marks that are new; return per mark the digest that was kept before, or ""."""
        ...

    def forget(self, before: int) -> None:
        """Drop the marks whose time ended before a time in ms."""
        ...


class MemoryMarks:
    """Marks that live as long as the process: for tests and tools."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Mark] = {}

    def seen(self, marks: Sequence[Mark]) -> list[str]:
        """Keep the marks that are new; return per mark the digest that was kept before, or ""."""
        found = []
        for mark in marks:
            kept = self._kept.setdefault((mark.sender, mark.counter), mark)
            found.append("" if kept is mark else kept.digest)
        return found

    def forget(self, before: int) -> None:
        """Drop the marks whose time ended before a time in ms."""
        self._kept = {key: mark for key, mark in self._kept.items() if mark.until >= before}

    def __len__(self) -> int:
        """Return how many marks are kept."""
        return len(self._kept)


class ReplayGuard:
    """Says of verified messages whether they are new, come again, or are replays.

    Parameters
    ----------
    marks
        Where marks are kept; durable ones must be written in the transaction that accepts the
        message, or before it.
    """

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def admit(self, envelopes: Sequence[Envelope]) -> list[Standing | EnvelopeReplayed]:
        """Return the standing of each message; a replay is returned as its error, not raised."""
        marks = [mark(envelope) for envelope in envelopes]
        return [
            self._standing(m, digest)
            for m, digest in zip(marks, self._marks.seen(marks), strict=True)
        ]

    def tidy(self, now: int) -> None:
        """Drop what no clock would accept any more."""
        self._marks.forget(now)

    @staticmethod
    def _standing(m: Mark, before: str) -> Standing | EnvelopeReplayed:
        if not before:
            return "new"
        if before == m.digest:
            return "again"
        return EnvelopeReplayed(
            f"{m.sender} used counter {m.counter} for another message before: if it lost its "
            "state, its clock must be right before it sends again",
            party=m.sender,
        )


class Counter:
    """The counter of a sender: the time in microseconds, or one more than the last.

    It needs no file: after a restart it goes on above all that were given out, as long as the
    system's clock was not put back.
    """

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock, self._last, self._lock = clock, 0, threading.Lock()

    def next(self) -> int:
        """Return a number greater than all before."""
        with self._lock:
            self._last = max(self._last + 1, self._clock() * 1000)
            return self._last


def mark(envelope: Envelope) -> Mark:
    """Return what is remembered of a message."""
    header = envelope.header
    return Mark(header.sender, header.counter, envelope.digest, header.expires + 2 * GRACE_MS)
