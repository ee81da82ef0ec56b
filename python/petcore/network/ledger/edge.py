"""The journal of an edge, where amounts are clear: how requests end, refunds, cancellations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update

from petcore.errors import UsageError
from petcore.network.ledger.journal import Journal
from petcore.network.ledger.records import Cancelled, Kind, Record, State
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import requests

_KEY = requests.c.request == bindparam("key")
_LEFT = ("seen", "debit", "fee")
_CHANGE = Statement(
    update(requests)
    .where(_KEY)
    .values({name: bindparam(f"new_{name}") for name in ("state", *_LEFT, "changed")})
)
_REFUNDABLE = (State.POSTED, State.PARTIALLY_REFUNDED)


class Finish(NamedTuple):
    """How a request ends, with what its caller is told from then on.

    ``seen``, ``debit``, ``fee`` are minor units: of a posted payment what can be refunded of it, of a
    posted refund what it takes of that.
    """

    request: str
    state: State
    answer: bytes
    seen: int = 0
    debit: int = 0
    fee: int = 0


class EdgeJournal(Journal):
    """Requests at an acquirer's or a wallet's edge; every call takes a list, in one transaction."""

    def finish(self, finishes: Sequence[Finish]) -> list[bool]:
        """End requests; False where one had ended before: then its record counts, not this.

        Raises
        ------
        UsageError
            A request was never accepted, or a refund takes more than its payment has left: then
            nothing was written.
        """
        with self.database.write() as connection:
            now = self.database.clock()
            known = self.find([finish.request for finish in finishes], parts=False)
            paid = [record.payment for record in known.values() if record.payment]
            known |= self.find(paid, parts=False)
            ended: dict[str, bytes] = {}
            done: list[bool] = []
            changed: dict[str, Record] = {}
            for finish in finishes:
                record = known.get(finish.request)
                if record is None:
                    raise UsageError("only what was accepted can end; call accept() first")
                done.append(record.state.open)
                if not done[-1]:
                    continue
                after = _ended(record, finish)
                known[record.request] = changed[record.request] = after
                ended[record.request] = finish.answer
                if record.kind is Kind.REFUND and finish.state is State.POSTED:
                    left = _less(known.get(record.payment or ""), finish)
                    known[left.request] = changed[left.request] = left
            if ended:
                _CHANGE.run(connection, [_row(record, now) for record in changed.values()])
                self.answer(ended)
        return done

    def cancel(self, payments: Sequence[str]) -> list[Cancelled]:
        """Cancel payments in whatever state they are; an unknown id is refused from now on.

        This is the record only: who keeps accounts voids the hold, or reverses the transfer.
        """
        with self.database.write() as connection:
            now = self.database.clock()
            unknown = dict(zip(payments, self.tombstone(payments), strict=True))
            known = self.find(payments, parts=False)
            outcomes: list[Cancelled] = []
            rows: list[dict[str, Any]] = []
            for key in payments:
                record = known[key]
                outcomes.append(_may_cancel(record, unknown.pop(key, False)))
                if outcomes[-1] in (Cancelled.VOIDED, Cancelled.REVERSED):
                    known[key] = after = _changed(record, State.VOIDED, (0, 0, 0))
                    rows.append(_row(after, now))
            _CHANGE.run(connection, rows)
        return outcomes


def _may_cancel(record: Record, unknown: bool) -> Cancelled:
    if unknown:
        return Cancelled.TOMBSTONED
    if record.kind is not Kind.PAY:
        return Cancelled.REFUSED
    if record.state.open:
        return Cancelled.VOIDED
    return Cancelled.REVERSED if record.state in _REFUNDABLE else Cancelled.ALREADY


def _ended(record: Record, finish: Finish) -> Record:
    left = (0, 0, 0) if record.kind is Kind.CONSULT else finish[3:]
    if finish.state.open or min(finish[3:]) < 0:
        raise UsageError("a request ends in a final state, with amounts that are not negative")
    return _changed(record, finish.state, left)


def _less(paid: Record | None, refund: Finish) -> Record:
    if paid is None or paid.state not in _REFUNDABLE:
        raise UsageError("a refund was posted of a payment that was not; refuse it instead")
    left = [getattr(paid, name) - getattr(refund, name) for name in _LEFT]
    if min(left) < 0:
        raise UsageError("a refund takes more than its payment has left; refuse it instead")
    return _changed(paid, State.PARTIALLY_REFUNDED if left[0] else State.REFUNDED, left)


def _changed(record: Record, state: State, left: Iterable[int]) -> Record:
    seen, debit, fee = left
    return dataclasses.replace(record, state=state, seen=seen, debit=debit, fee=fee)


def _row(record: Record, now: int) -> dict[str, Any]:
    return {
        "key": record.request,
        "new_state": int(record.state),
        "new_changed": now,
        **{f"new_{name}": getattr(record, name) for name in _LEFT},
    }
