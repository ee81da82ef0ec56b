"""What became of payments at a node after they were posted: what remains, and cancellations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, select, text, update

from petcore.network.ledger.accounts import Transfer, TransferKind, write_transfers
from petcore.network.ledger.journal import Journal
from petcore.network.ledger.postings import REVERSAL, words_of
from petcore.network.ledger.records import Cancelled, Kind, Record, State, Words
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import batches, requests, transfers
from petcore.network.ledger.words import to_column, total

REFUNDABLE = (State.POSTED, State.PARTIALLY_REFUNDED)
_LEFT = ("state", "seen", "debit", "fee", "changed")
POST = Statement(
    update(requests)
    .where(requests.c.request == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in _LEFT})
)
REFUNDS_RUNNING = Statement(
    lambda among: select(requests.c.payment).where(
        among(requests.c.payment, "keys"), requests.c.batch.is_not(None), text("state < 2")
    )
)
_REFUNDS = Statement(
    lambda among: select(requests.c.request, requests.c.payment).where(
        among(requests.c.payment, "keys")
    )
)
_TOTALS = Statement(
    lambda among: select(batches.c.batch, batches.c.totals).where(among(batches.c.batch, "numbers"))
)
_POSTED = Statement(lambda among: select(transfers).where(among(transfers.c.request, "keys")))


class PostedJournal(Journal):
    """The journal of a node, as far as it concerns what was posted."""

    def remaining(self, payments: Sequence[str]) -> Words:
        """Return this node's shares of what can be refunded: uint64 (n, 3) of seen, debit, fee.

        Of a payment that was never posted, or was cancelled, they are 0.
        """
        known = self.find(payments, parts=False)
        left = np.zeros((len(payments), 3), np.uint64)
        for index, key in enumerate(payments):
            record = known.get(key)
            if record is not None:
                columns = np.array([record.seen, record.debit, record.fee], np.int64)
                left[index] = columns.view(np.uint64)
        return left

    def paid(self, payments: Sequence[str]) -> Words:
        """Return this node's shares of what was paid, before refunds: uint64 (n, 3), as `remaining`.

        `remaining` taken from it is what was refunded so far.
        """
        known = self.find(payments, parts=False)
        paid = np.zeros((len(payments), 3), np.uint64)
        with self.database.read() as connection:
            numbers = {record.batch for record in known.values() if record.batch is not None}
            rows = _TOTALS.among(connection, "numbers", list(numbers))
            totals = {row.batch: words_of(row.totals) for row in rows}
        for index, key in enumerate(payments):
            record = known.get(key)
            if record is not None and record.state in REFUNDABLE:
                words = totals[record.batch]
                if words is not None and record.slot is not None:
                    paid[index] = words.reshape(-1, 3)[record.slot]
        return paid

    def cancel(self, payments: Sequence[str], *, window: int = 0) -> list[Cancelled]:
        """Cancel payments in whatever state they are; an unknown id is refused from now on.

        A posted one is reversed: what remains of each of its transfers goes back. Where a batch
        with it or with a refund of it runs, nothing is done.
        """
        with self.database.write() as connection:
            now = self.database.clock()
            unknown = dict(zip(payments, self.tombstone(payments), strict=True))
            known = self.find(payments, parts=False)
            running = {
                row.payment for row in REFUNDS_RUNNING.among(connection, "keys", list(known))
            }
            outcomes: list[Cancelled] = []
            done: set[str] = set()
            reversing: list[str] = []
            rows: list[dict[str, Any]] = []
            for key in payments:
                outcome = Cancelled.ALREADY
                if key not in done:
                    outcome = _may_cancel(known[key], unknown[key], key in running)
                    done.add(key)
                outcomes.append(outcome)
                if outcome is Cancelled.REVERSED:
                    reversing.append(key)
                if outcome in (Cancelled.VOIDED, Cancelled.REVERSED):
                    rows.append(posting_row(key, State.VOIDED, (0, 0, 0), now))
            _reverse(connection, reversing, window, now)
            POST.run(connection, rows)
        return outcomes

    def expire(self, keys: Sequence[str]) -> list[bool]:
        """End requests that waited too long; False where a batch with it runs, or it has ended."""
        with self.database.write() as connection:
            now = self.database.clock()
            known = self.find(keys, parts=False)
            outcomes = [
                key in known and known[key].state.open and known[key].batch is None for key in keys
            ]
            rows = [
                posting_row(key, State.EXPIRED, (0, 0, 0), now)
                for key in {key for key, ended in zip(keys, outcomes, strict=True) if ended}
            ]
            POST.run(connection, rows)
        return outcomes


def posting_row(key: str, state: State, left: Sequence[int], now: int) -> dict[str, Any]:
    """Return the parameters of `POST`: state and words of a request."""
    seen, debit, fee = (to_column(word) for word in left)
    return {
        "key": key,
        "new_state": int(state),
        "new_seen": seen,
        "new_debit": debit,
        "new_fee": fee,
        "new_changed": now,
    }


def _may_cancel(record: Record, unknown: bool, refund_runs: bool) -> Cancelled:
    if unknown:
        return Cancelled.TOMBSTONED
    if record.kind is not Kind.PAY:
        return Cancelled.REFUSED
    if record.state.open:
        return Cancelled.VOIDED if record.batch is None else Cancelled.OPEN
    if record.state not in REFUNDABLE:
        return Cancelled.ALREADY
    return Cancelled.OPEN if refund_runs else Cancelled.REVERSED


def _reverse(connection: Connection, keys: Sequence[str], window: int, now: int) -> None:
    """Give back what remains of the transfers of payments: those of their refunds went back."""
    if not keys:
        return
    refunds = _REFUNDS.among(connection, "keys", keys)
    of = {row.request: row.payment for row in refunds} | {key: key for key in keys}
    moved: dict[tuple[str, int, int, int], list[int]] = {}
    for row in _POSTED.among(connection, "keys", list(of)):
        # A refund's transfer goes the other way under the same leg: it counts against.
        own = row.request in keys
        ends = (row.debit, row.credit) if own else (row.credit, row.debit)
        moved.setdefault((of[row.request], row.leg, *ends), []).append(
            row.amount if own else -row.amount
        )
    items = [
        Transfer(key, leg + REVERSAL, credit, debit, total(amounts))
        for (key, leg, debit, credit), amounts in moved.items()
    ]
    write_transfers(connection, items, TransferKind.DIRECT, window=window, now=now)
