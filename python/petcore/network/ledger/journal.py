"""The journal of requests: each id is accepted once, answered once, and never forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from petcore.errors import UsageError
from petcore.network.ledger.database import Database
from petcore.network.ledger.records import (
    ID_LENGTH,
    TAG_LENGTH,
    Acceptance,
    Accepted,
    Kind,
    Part,
    Record,
    Request,
    State,
)
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import parts, requests

_FIND = Statement(lambda among: select(requests).where(among(requests.c.request, "keys")))
_OPEN = Statement(select(requests).where(text("state < 2")))
_REFUNDS = Statement(select(requests).where(requests.c.payment == bindparam("key")))
_INSERT = Statement(insert(requests))
_RESERVE = Statement(
    update(requests)
    .where(requests.c.request == bindparam("key"))
    .values(state=bindparam("new_state"))
)
_PARTS = Statement(lambda among: select(parts).where(among(parts.c.request, "keys")))
_ADD_PARTS = Statement(insert(parts))
_DROP_PART = Statement(
    delete(parts).where(parts.c.request == bindparam("key"), parts.c.part == bindparam("which"))
)
_ENDED = select(requests.c.request).where(
    text("state >= 2"), requests.c.changed < bindparam("before")
)
_FORGET = Statement(
    delete(parts).where(parts.c.part != int(Part.ANSWER), parts.c.request.in_(_ENDED))
)

_COLUMNS = tuple(column.name for column in requests.c)


class Journal:
    """Requests of one process; every call takes a list and is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def accept(self, arriving: Sequence[Request]) -> list[Accepted]:
        """Journal requests before anything else is done with them.

        An id that is known is judged by its tag; the first of several with one id counts. Only
        for `Acceptance.NEW` may work begin; a stored one goes on from its record's state.
        """
        for request in arriving:
            _check(request)
        with self.database.write() as connection:
            now = self.database.clock()
            known = self.find([request.request for request in arriving])
            answers: list[Accepted] = []
            fresh: list[dict[str, Any]] = []
            bodies: dict[str, bytes] = {}
            for request in arriving:
                record = known.get(request.request)
                answers.append(_judge(request, record, now))
                if answers[-1].outcome is Acceptance.NEW:
                    known[request.request] = new = _record(request, now)
                    fresh.append(_row(new))
                    bodies[request.request] = request.body
            _INSERT.run(connection, fresh)
            add_parts(connection, bodies, Part.BODY)
        return answers

    def find(self, keys: Iterable[str], *, parts: bool = True) -> dict[str, Record]:
        """Return the records of those requests that are known, in the order asked for.

        Without `parts`, their bodies, checks and answers are not read.
        """
        wanted = list(dict.fromkeys(keys))
        with self.database.read() as connection:
            rows = _FIND.among(connection, "keys", wanted)
            found = _records(connection, rows, parts=parts)
        return {key: found[key] for key in wanted if key in found}

    def waiting(self) -> list[Record]:
        """Return what has not ended, oldest first: the work to go on with after a start."""
        with self.database.read() as connection:
            return _oldest_first(connection, _OPEN.all(connection))

    def refunds(self, payment: str) -> list[Record]:
        """Return the refunds of a payment, oldest first."""
        with self.database.read() as connection:
            return _oldest_first(connection, _REFUNDS.all(connection, {"key": payment}))

    def keep(self, checks: Mapping[str, bytes], state: State = State.RESERVED) -> None:
        """Keep what was learned about open requests, by key; they are in `state` from now on."""
        with self.database.write() as connection:
            self.open_ones(checks)
            add_parts(connection, checks, Part.CHECK, replace=True)
            rows = [{"key": key, "new_state": int(state)} for key in checks]
            _RESERVE.run(connection, rows)

    def answer(self, answers: Mapping[str, bytes]) -> None:
        """Keep the answers to requests, by key.

        Raises
        ------
        UsageError
            A request was answered otherwise before: then nothing was written.
        """
        with self.database.write() as connection:
            known = self.find(answers)
            if len(known) < len(answers):
                raise UsageError("only what was accepted is answered; call accept() first")
            fresh = {key: answers[key] for key in known if known[key].answer is None}
            if any(known[key].answer != answers[key] for key in answers if key not in fresh):
                raise UsageError("a request has one answer for ever; send the one in its record")
            add_parts(connection, fresh, Part.ANSWER)

    def tombstone(self, keys: Sequence[str]) -> list[bool]:
        """Refuse ids that are unknown for ever; False where one is known: it was not touched."""
        with self.database.write() as connection:
            now = self.database.clock()
            known = self.find(keys, parts=False)
            fresh = [key for key in dict.fromkeys(keys) if key not in known]
            rows = [_row(_tombstone(key, now)) for key in fresh]
            _INSERT.run(connection, rows)
        return [key not in known for key in keys]

    def forget_bodies(self, before: int) -> int:
        """Erase what was kept of requests that ended before a time; ids, states and answers stay."""
        with self.database.write() as connection:
            return _FORGET.count(connection, {"before": before})

    def open_ones(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return the records of requests that must be open.

        Raises
        ------
        UsageError
            One is unknown, or has ended.
        """
        wanted = list(keys)
        known = self.find(wanted, parts=False)
        for key in wanted:
            if key not in known or not known[key].state.open:
                raise UsageError("only a request that was accepted and has not ended can go on")
        return known


def add_parts(
    connection: Connection, contents: Mapping[str, bytes], part: Part, *, replace: bool = False
) -> None:
    """Keep bytes that belong to requests, by key; empty ones are not kept."""
    rows = [
        {"request": key, "part": int(part), "content": content}
        for key, content in contents.items()
        if content
    ]
    if replace:
        dropped = [{"key": row["request"], "which": row["part"]} for row in rows]
        _DROP_PART.run(connection, dropped)
    _ADD_PARTS.run(connection, rows)


def _records(connection: Connection, rows: Sequence[Any], *, parts: bool) -> dict[str, Record]:
    contents: dict[str, list[bytes | None]] = {row[0]: [None, None, None] for row in rows}
    if parts:
        for request, part, content in _PARTS.among(connection, "keys", list(contents)):
            contents[request][part] = content
    found: dict[str, Record] = {}
    for row in rows:
        values = [*row, *contents[row[0]]]
        values[1], values[3] = Kind(row[1]), State(row[3])
        found[row[0]] = Record(*values)
    return found


def _oldest_first(connection: Connection, rows: Sequence[Any]) -> list[Record]:
    records = _records(connection, rows, parts=True).values()
    return sorted(records, key=lambda record: (record.created, record.request))


def _check(request: Request) -> None:
    if len(request.request) > 64 + ID_LENGTH or "/" not in request.request:
        raise UsageError("make the key of a request with key(sender, id)")
    if not 0 < len(request.tag) <= TAG_LENGTH:
        raise UsageError(f"a request's tag has 1 to {TAG_LENGTH} bytes")
    if (request.kind is Kind.REFUND) != (request.payment is not None):
        raise UsageError("a refund, and nothing else, names the payment that it refunds")


def _judge(request: Request, record: Record | None, now: int) -> Accepted:
    if record is None:
        outcome = Acceptance.EXPIRED if request.expires <= now else Acceptance.NEW
        return Accepted(outcome, None)
    if record.state is State.TOMBSTONED:
        return Accepted(Acceptance.TOMBSTONED, record)
    same = (record.tag, record.kind, record.payment) == (request.tag, request.kind, request.payment)
    return Accepted(Acceptance.STORED if same else Acceptance.INCONSISTENT, record)


def _record(request: Request, now: int) -> Record:
    fixed = (request.request, request.kind, request.tag, State.NEW, request.payment)
    times = (now, request.expires, now)
    return Record(*fixed, *times, None, None, 0, 0, 0, request.body or None, None, None)


def _tombstone(key: str, now: int) -> Record:
    return dataclasses.replace(
        _record(Request(key, Kind.PAY, b"", now), now), state=State.TOMBSTONED
    )


def _row(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _COLUMNS}
