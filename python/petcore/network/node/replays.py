"""Replay marks in the node's database, as the guard asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from petcore.network.ledger import Database, ReplayMarks, Seen
from petcore.network.ledger import Mark as Row
from petcore.network.replay import Mark

_OTHER = "another message"


class LedgerMarks:
    """Marks that outlive the process; `petcore.network.replay.Marks` over the ledger."""

    def __init__(self, database: Database) -> None:
        self._marks = ReplayMarks(database)

    def seen(self, marks: Sequence[Mark]) -> list[str]:
        """Keep the marks that are new; return per mark the digest that was kept before, or ""."""
        known = self._marks.see([Row(m.sender, m.counter, m.digest, m.until) for m in marks])
        said = {Seen.FRESH: "", Seen.OTHER: _OTHER}
        return [said.get(seen, m.digest) for m, seen in zip(marks, known, strict=True)]

    def forget(self, before: int) -> None:
        """Drop the marks whose time ended before a time in ms."""
        self._marks.prune(before)
