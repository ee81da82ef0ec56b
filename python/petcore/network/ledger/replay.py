"""Replay marks that outlive the process: which counters of which sender were used, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from petcore.network.ledger.database import Database
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import replay

_USED = Statement(
    lambda among: select(replay.c.sender, replay.c.counter, replay.c.id).where(
        among(replay.c.sender, "senders"), among(replay.c.counter, "counters")
    )
)
_MARK = Statement(insert(replay))
_PRUNE = Statement(delete(replay).where(replay.c.expires < bindparam("before")))


class Mark(NamedTuple):
    """A message: its sender, the sender's counter, its request id, until when it is valid (ms)."""

    sender: str
    counter: int
    id: str
    expires: int


class Seen(StrEnum):
    """What is known of a counter; SAME: the same message again; OTHER: used for another id."""

    FRESH = "fresh"
    SAME = "same"
    OTHER = "other"


class ReplayMarks:
    """The counters that were used; those of expired messages may be forgotten."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def see(self, marks: Sequence[Mark]) -> list[Seen]:
        """Say what is known of messages, and mark those that are fresh."""
        if not marks:
            return []
        with self.database.write() as connection:
            asked = {
                "senders": list({mark.sender for mark in marks}),
                "counters": list({mark.counter for mark in marks}),
            }
            used = {(row[0], row[1]): row[2] for row in _USED.all(connection, asked)}
            answers, fresh = [], []
            for mark in marks:
                earlier = used.get(mark[:2])
                if earlier is None:
                    used[mark[:2]] = mark.id
                    fresh.append(mark._asdict())
                    answers.append(Seen.FRESH)
                else:
                    answers.append(Seen.SAME if earlier == mark.id else Seen.OTHER)
            _MARK.run(connection, fresh)
        return answers

    def prune(self, before: int) -> int:
        """Forget marks of messages that expired before a time; return how many."""
        with self.database.write(durable=False) as connection:
            return _PRUNE.count(connection, {"before": before})
