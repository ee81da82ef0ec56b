"""Messages that must arrive: numbered, kept until acknowledged, sent at least once; and counters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from petcore.errors import UsageError
from petcore.network.ledger.database import Database
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import counters, inbox, outbox

_COUNTER = Statement(select(counters.c.value).where(counters.c.name == bindparam("counter")))
_COUNT = Statement(
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=bindparam("new_value"))
)
_UNSENT = Statement(
    select(outbox)
    .where(outbox.c.recipient == bindparam("to"), outbox.c.number > bindparam("above"))
    .order_by(outbox.c.number)
    .limit(bindparam("limit"))
)
_ACKNOWLEDGED = Statement(
    delete(outbox).where(
        outbox.c.recipient == bindparam("to"), outbox.c.number == bindparam("which")
    )
)
_RECIPIENTS = Statement(select(outbox.c.recipient).distinct().order_by(outbox.c.recipient))
_ADD_COUNTER = Statement(insert(counters))
_PUT = Statement(insert(outbox))
_HAVE = Statement(select(inbox.c.number).where(inbox.c.sender == bindparam("who")))
_ARRIVED = Statement(insert(inbox))
_BELOW = Statement(
    delete(inbox).where(inbox.c.sender == bindparam("who"), inbox.c.number <= bindparam("low"))
)


INBOX_AHEAD = 1 << 16
"""How far above the last number without a gap a message may be."""


class Letter(NamedTuple):
    """A message in the outbox; `number` counts from 1 per recipient."""

    recipient: str
    number: int
    kind: str
    request: str
    body: bytes


class Outgoing(NamedTuple):
    """A message to put into the outbox."""

    recipient: str
    kind: str
    request: str
    body: bytes


class Counters:
    """Numbers that only grow, whatever crashes."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def reserve(self, name: str, count: int = 1) -> range:
        """Return `count` numbers, from 1 upwards, that nobody got before under this name.

        Durable: reserve blocks, and lose what is left of one in a crash.
        """
        if count < 1:
            raise UsageError("reserve at least one number")
        with self.database.write() as connection:
            return advance(connection, name, count)


def advance(connection: Connection, name: str, count: int) -> range:
    """Return the next `count` numbers under a name, inside a transaction."""
    value = _COUNTER.value(connection, {"counter": name})
    if value is None:
        _ADD_COUNTER.run(connection, [{"name": name, "value": count}])
        return range(1, count + 1)
    _COUNT.run(connection, [{"counter": name, "new_value": value + count}])
    return range(value + 1, value + count + 1)


class Outbox:
    """Messages for peers that may be away."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, messages: Sequence[Outgoing]) -> list[Letter]:
        """Keep messages; with `Database.write` around, together with what they tell of."""
        by_recipient: defaultdict[str, list[Outgoing]] = defaultdict(list)
        for message in messages:
            by_recipient[message.recipient].append(message)
        letters: list[Letter] = []
        with self.database.write() as connection:
            now = self.database.clock()
            for recipient, some in by_recipient.items():
                numbers = advance(connection, f"outbox/{recipient}", len(some))
                letters += [
                    Letter(recipient, number, *message[1:])
                    for number, message in zip(numbers, some, strict=True)
                ]
            _PUT.run(connection, [letter._asdict() | {"created": now} for letter in letters])
        return letters

    def pending(self, recipient: str, *, above: int = 0, limit: int = 256) -> list[Letter]:
        """Return messages that were not acknowledged, by number, at most `limit`."""
        asked = {"to": recipient, "above": above, "limit": limit}
        with self.database.read() as connection:
            return [Letter(*row[:5]) for row in _UNSENT.all(connection, asked)]

    def recipients(self) -> list[str]:
        """Return for whom there are messages."""
        with self.database.read() as connection:
            return [row.recipient for row in _RECIPIENTS.all(connection)]

    def acknowledge(self, recipient: str, numbers: Iterable[int]) -> None:
        """Forget messages that arrived; if that is lost in a crash they are sent once more."""
        rows = [{"to": recipient, "which": number} for number in numbers]
        if rows:
            with self.database.write(durable=False) as connection:
                _ACKNOWLEDGED.run(connection, rows)


class Inbox:
    """Which numbered messages of peers were taken."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def take(self, sender: str, numbers: Sequence[int]) -> list[bool]:
        """Return for each number whether it is new, and take it as had.

        With `Database.write` around, together with what the messages do.

        Raises
        ------
        UsageError
            A number is below 1, or too far above what arrived without a gap.
        """
        with self.database.write() as connection:
            name = f"inbox/{sender}"
            low = int(_COUNTER.value(connection, {"counter": name}) or 0)
            have = {row.number for row in _HAVE.all(connection, {"who": sender})}
            fresh, added = [], set()
            for number in numbers:
                if not 1 <= number <= low + INBOX_AHEAD:
                    raise UsageError(f"a message of {sender} has a number that cannot be next")
                fresh.append(number > low and number not in have and number not in added)
                added.update([number] if fresh[-1] else [])
            everything, high = have | added, low
            while high + 1 in everything:
                high += 1
            if high > low:
                advance(connection, name, high - low)
                _BELOW.run(connection, [{"who": sender, "low": high}])
            ahead = [{"sender": sender, "number": number} for number in added if number > high]
            _ARRIVED.run(connection, ahead)
        return fresh
