"""The journal of requests: each id is accepted once, answered once, and never forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, text, update

from petcore.errors import UsageError
from petcore.network.ledger.database import Database
from petcore.network.ledger.records import (
    ID_LENGTH,
    TAG_LENGTH,
    Acceptance,
    Accepted,
    Kind,
    Record,
    Request,
    State,
)
from petcore.network.ledger.tables import requests

_FIND = select(requests).where(requests.c.request.in_(bindparam("keys", expanding=True)))
_OPEN = select(requests).where(text("state < 2"))
_REFUNDS = select(requests).where(requests.c.payment == bindparam("key"))
_INSERT = insert(requests)
_KEY = requests.c.request == bindparam("key")
_CHECK = (
    update(requests).where(_KEY).values(check=bindparam("new_check"), state=bindparam("new_state"))
)
_ANSWER = update(requests).where(_KEY).values(answer=bindparam("new_answer"))
_FORGET = (
    update(requests)
    .where(text("state >= 2"), requests.c.changed < bindparam("before"))
    .values(body=None, check=None)
)

_LOOKUP_ROWS = 500  # parameters of one statement; far below what either database allows


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
            for request in arriving:
                record = known.get(request.request)
                answers.append(_judge(request, record, now))
                if answers[-1].outcome is Acceptance.NEW:
                    known[request.request] = new = _record(request, now)
                    fresh.append(_row(new))
            if fresh:
                connection.execute(_INSERT, fresh)
        return answers

    def find(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return the records of those requests that are known, in the order asked for."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Record] = {}
        with self.database.read() as connection:
            for begin in range(0, len(wanted), _LOOKUP_ROWS):
                some = wanted[begin : begin + _LOOKUP_ROWS]
                for row in connection.execute(_FIND, {"keys": some}):
                    found[row[0]] = to_record(row)
        return {key: found[key] for key in wanted if key in found}

    def waiting(self) -> list[Record]:
        """Return what has not ended, oldest first: the work to go on with after a start."""
        with self.database.read() as connection:
            records = [to_record(row) for row in connection.execute(_OPEN)]
        return sorted(records, key=lambda record: (record.created, record.request))

    def refunds(self, payment: str) -> list[Record]:
        """Return the refunds of a payment, oldest first."""
        with self.database.read() as connection:
            records = [to_record(row) for row in connection.execute(_REFUNDS, {"key": payment})]
        return sorted(records, key=lambda record: (record.created, record.request))

    def keep(self, checks: Mapping[str, bytes], state: State = State.RESERVED) -> None:
        """Keep what was learned about open requests, by key; they are in `state` from now on."""
        with self.database.write() as connection:
            self.open_ones(checks)
            rows = [
                {"key": key, "new_check": check, "new_state": int(state)}
                for key, check in checks.items()
            ]
            if rows:
                connection.execute(_CHECK, rows)

    def answer(self, answers: Mapping[str, bytes]) -> None:
        """Keep the answers to requests, by key; one that was given stays, and others are refused."""
        with self.database.write() as connection:
            rows = [{"key": key, "new_answer": answer} for key, answer in answers.items()]
            if rows:
                connection.execute(_ANSWER, rows)

    def tombstone(self, keys: Sequence[str]) -> list[bool]:
        """Refuse ids that are unknown for ever; False where one is known: it was not touched."""
        with self.database.write() as connection:
            now = self.database.clock()
            known = self.find(keys)
            fresh = [key for key in dict.fromkeys(keys) if key not in known]
            rows = [_row(_tombstone(key, now)) for key in fresh]
            if rows:
                connection.execute(_INSERT, rows)
        return [key not in known for key in keys]

    def forget_bodies(self, before: int) -> int:
        """Erase what was kept of requests that ended before a time; ids, states and answers stay."""
        with self.database.write() as connection:
            return int(connection.execute(_FORGET, {"before": before}).rowcount)

    def open_ones(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return the records of requests that must be open.

        Raises
        ------
        UsageError
            One is unknown, or has ended.
        """
        wanted = list(keys)
        known = self.find(wanted)
        for key in wanted:
            if key not in known or not known[key].state.open:
                raise UsageError("only a request that was accepted and has not ended can go on")
        return known


def to_record(row: Row[Any]) -> Record:
    """Return a row of `requests` as a record."""
    values = list(row)
    values[1], values[3] = Kind(values[1]), State(values[3])
    return Record(*values)


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
    return Record(
        request=request.request,
        kind=request.kind,
        tag=request.tag,
        state=State.NEW,
        payment=request.payment,
        created=now,
        expires=request.expires,
        changed=now,
        batch=None,
        slot=None,
        seen=0,
        debit=0,
        fee=0,
        body=request.body,
        check=None,
        answer=None,
    )


def _tombstone(key: str, now: int) -> Record:
    asked = Request(key, Kind.PAY, b"", now)
    record = _record(asked, now)
    return Record(**{**_row(record), "state": State.TOMBSTONED, "kind": Kind.PAY})


def _row(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Record.__slots__}
