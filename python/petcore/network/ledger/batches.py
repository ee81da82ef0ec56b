"""The journal of a node: batches that count on both nodes or on neither, and what they post.

A batch is PREPARED (its rows are known), COMPUTED (this node's shares of the decisions and of the
amounts to post are on disk), then COMMITTED or ABORTED. It counts if and only if it is COMPUTED on
both nodes; so PREPARED and COMMITTED need not be durable before anybody is told: a node that lost
them asks the other one, and the rule gives the same answer again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import (
    Connection,
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from petcore.errors import UsageError
from petcore.network.ledger.accounts import (
    Transfer,
    TransferKind,
    write_transfers,
)
from petcore.network.ledger.journal import Journal
from petcore.network.ledger.postings import POSTING, REVERSAL, Postings, to_transfers, words_of
from petcore.network.ledger.records import (
    Batch,
    BatchState,
    Cancelled,
    Kind,
    Record,
    State,
    Words,
)
from petcore.network.ledger.tables import batches, requests, transfers
from petcore.network.ledger.tables import decisions as sealed
from petcore.network.ledger.words import to_column, total

_REFUNDABLE = (State.POSTED, State.PARTIALLY_REFUNDED)
_KEY = requests.c.request == bindparam("key")
_ENTER = (
    update(requests)
    .where(_KEY)
    .values(
        state=int(State.RESERVED),
        batch=bindparam("number"),
        slot=bindparam("new_slot"),
        check=func.coalesce(bindparam("new_check", type_=LargeBinary), requests.c.check),
    )
)
_LEAVE = (
    update(requests).where(requests.c.batch == bindparam("number")).values(batch=None, slot=None)
)
_POST = (
    update(requests)
    .where(_KEY)
    .values(
        {name: bindparam(f"new_{name}") for name in ("state", "seen", "debit", "fee", "changed")}
    )
)
_BATCH = batches.c.batch == bindparam("number")
_FIND = select(batches).where(batches.c.batch.in_(bindparam("numbers", expanding=True)))
_OPEN = select(batches).where(text("state < 2")).order_by(batches.c.batch)
_LAST = select(func.max(batches.c.batch))
_ROWS = (
    select(requests.c.request, requests.c.batch)
    .where(requests.c.batch.in_(bindparam("numbers", expanding=True)))
    .order_by(requests.c.batch, requests.c.slot)
)
_REFUNDS_RUNNING = select(requests.c.payment).where(
    requests.c.payment.in_(bindparam("keys", expanding=True)),
    requests.c.batch.is_not(None),
    text("state < 2"),
)
_ADVANCE = (
    update(batches).where(_BATCH).values(state=bindparam("new_state"), changed=bindparam("now"))
)
_COMPUTED = _ADVANCE.values(
    {name: bindparam(f"new_{name}") for name in ("decisions", "totals", "postings")}
)
_ENVELOPES = select(sealed).where(sealed.c.batch.in_(bindparam("numbers", expanding=True)))
_POSTED = select(transfers).where(transfers.c.request.in_(bindparam("keys", expanding=True)))


class NodeJournal(Journal):
    """Requests and batches of node A or B; every call takes lists and is one transaction."""

    def prepare(
        self,
        number: int,
        rows: Mapping[str, bytes | None],
        *,
        digest: bytes,
        window: int = 0,
        durable: bool = False,
    ) -> None:
        """Begin a batch: `rows` are keys of open requests in the order of their slots.

        Parameters
        ----------
        number
            Larger than that of every earlier batch, aborted ones too: `last_batch`.
        rows
            Key to what the wallet said about it (None: what is kept already).
        digest
            Of the batch as both nodes have it.

        Raises
        ------
        UsageError
            A request is unknown, has ended, is in a batch that runs, or two refunds of one payment
            would run at once: then nothing was written.
        """
        with self.database.write(durable=durable) as connection:
            now = self.database.clock()
            if number <= self.last_batch():
                raise UsageError("a batch has a number above all earlier ones; see last_batch()")
            known = self.open_ones(rows)
            if any(record.batch is not None for record in known.values()):
                raise UsageError("a request is in one batch at a time; commit or abort that one")
            self._check_refunds(connection, known)
            state = BatchState.PREPARED
            row = {"batch": number, "state": int(state), "window": window, "digest": digest}
            connection.execute(insert(batches), row | {"created": now, "changed": now})
            entering = [
                {"key": key, "number": number, "new_slot": slot, "new_check": check}
                for slot, (key, check) in enumerate(rows.items())
            ]
            if entering:
                connection.execute(_ENTER, entering)

    def computed(
        self,
        number: int,
        *,
        decisions: Words,
        totals: Words,
        postings: Postings,
        node: str,
        envelopes: Mapping[str, bytes],
    ) -> None:
        """Keep what the circuit gave this node; from now on the batch may count. Durable.

        Parameters
        ----------
        decisions
            uint64 (n,): this node's shares of the decisions.
        totals
            uint64 (n, 3): its shares of seen, debit and fee, times the decision. Of a payment they
            are what can be refunded, of a refund what it takes of that.
        postings
            What `commit` is to post: `make_postings`.
        node, envelopes
            This node's name, and its sealed decisions by edge.
        """
        with self.database.write() as connection:
            batch = self._batch(number, BatchState.PREPARED)
            size = len(batch.requests)
            if decisions.shape != (size,) or totals.shape != (size, 3):
                raise UsageError(
                    f"batch {number} has {size} rows; give shapes ({size},), ({size}, 3)"
                )
            if postings.dtype != POSTING:
                raise UsageError("make the postings with make_postings()")
            to_transfers(postings, batch.requests)
            new = {
                "number": number,
                "new_state": int(BatchState.COMPUTED),
                "new_decisions": decisions.astype("<u8").tobytes(),
                "new_totals": totals.astype("<u8").tobytes(),
                "new_postings": postings.tobytes(),
                "now": self.database.clock(),
            }
            connection.execute(_COMPUTED, new)
            _keep_envelopes(connection, number, node, envelopes)

    def commit(
        self,
        number: int,
        *,
        node: str = "",
        envelopes: Mapping[str, bytes] | None = None,
        durable: bool = False,
    ) -> bool:
        """Post a computed batch; False if it was posted before.

        Parameters
        ----------
        node, envelopes
            The other node's name and its sealed decisions by edge, where this node answers edges.

        Raises
        ------
        UsageError
            The batch was not computed here, or was aborted.
        """
        with self.database.write(durable=durable) as connection:
            batch, postings = self._stored(number)
            if envelopes:
                _keep_envelopes(connection, number, node, envelopes)
            if batch.state is BatchState.COMMITTED:
                return False
            if batch.state is not BatchState.COMPUTED or batch.totals is None:
                raise UsageError(
                    f"batch {number} is {batch.state.name}; only a computed one counts"
                )
            now = self.database.clock()
            items = to_transfers(postings, batch.requests)
            kind = TransferKind.DIRECT
            write_transfers(connection, items, kind, window=batch.window, now=now, batch=number)
            self._post(connection, batch, batch.totals, now)
            state = {"number": number, "new_state": int(BatchState.COMMITTED), "now": now}
            connection.execute(_ADVANCE, state)
        return True

    def abort(self, number: int, *, durable: bool = False) -> bool:
        """Give a batch up; its requests are open again. False if it was given up before.

        Raises
        ------
        UsageError
            The batch is unknown, or was committed.
        """
        with self.database.write(durable=durable) as connection:
            batch, _ = self._stored(number)
            if batch.state is BatchState.ABORTED:
                return False
            if batch.state is BatchState.COMMITTED:
                raise UsageError(f"batch {number} was committed; it cannot be given up")
            nothing = {f"new_{name}": None for name in ("decisions", "totals", "postings")}
            state = {"number": number, "new_state": int(BatchState.ABORTED)}
            connection.execute(_COMPUTED, state | nothing | {"now": self.database.clock()})
            connection.execute(_LEAVE, {"number": number})
            connection.execute(delete(sealed).where(sealed.c.batch == number))
        return True

    def batch(self, number: int) -> Batch | None:
        """Return a batch; None where this node never saw it."""
        with self.database.read() as connection:
            rows = connection.execute(_FIND, {"numbers": [number]}).all()
            return _batches(connection, rows)[0] if rows else None

    def open_batches(self) -> list[Batch]:
        """Return the batches that are neither committed nor aborted, by number."""
        with self.database.read() as connection:
            return _batches(connection, connection.execute(_OPEN).all())

    def last_batch(self) -> int:
        """Return the largest number that a batch had; 0 before the first."""
        with self.database.read() as connection:
            return int(connection.execute(_LAST).scalar() or 0)

    def envelopes(self, numbers: Sequence[int]) -> dict[int, dict[tuple[str, str], bytes]]:
        """Return the sealed decisions of batches: by number, then by (node, edge)."""
        found: dict[int, dict[tuple[str, str], bytes]] = {number: {} for number in numbers}
        with self.database.read() as connection:
            for row in connection.execute(_ENVELOPES, {"numbers": list(found)}):
                found[row.batch][row.node, row.edge] = row.body
        return found

    def remaining(self, payments: Sequence[str]) -> Words:
        """Return this node's shares of what can be refunded: uint64 (n, 3) of seen, debit, fee.

        Of a payment that was never posted, or was cancelled, they are 0.
        """
        known = self.find(payments)
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
        known = self.find(payments)
        paid = np.zeros((len(payments), 3), np.uint64)
        with self.database.read() as connection:
            numbers = {record.batch for record in known.values()}
            rows = connection.execute(_FIND, {"numbers": list(numbers)})
            totals = {row.batch: words_of(row.totals) for row in rows}
        for index, key in enumerate(payments):
            record = known.get(key)
            if record is not None and record.state in _REFUNDABLE:
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
            known = self.find(payments)
            running = set(connection.execute(_REFUNDS_RUNNING, {"keys": list(known)}).scalars())
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
                    rows.append(_posting_row(key, State.VOIDED, (0, 0, 0), now))
            _reverse(connection, reversing, window, now)
            if rows:
                connection.execute(_POST, rows)
        return outcomes

    def expire(self, keys: Sequence[str]) -> list[bool]:
        """End requests that waited too long; False where a batch with it runs, or it has ended."""
        with self.database.write() as connection:
            now = self.database.clock()
            known = self.find(keys)
            outcomes = [
                key in known and known[key].state.open and known[key].batch is None for key in keys
            ]
            rows = [
                _posting_row(key, State.EXPIRED, (0, 0, 0), now)
                for key in {key for key, ended in zip(keys, outcomes, strict=True) if ended}
            ]
            if rows:
                connection.execute(_POST, rows)
        return outcomes

    def _batch(self, number: int, state: BatchState) -> Batch:
        batch = self.batch(number)
        if batch is None or batch.state is not state:
            found = "unknown" if batch is None else batch.state.name
            raise UsageError(f"batch {number} is {found}, not {state.name}")
        return batch

    def _stored(self, number: int) -> tuple[Batch, Postings]:
        with self.database.read() as connection:
            rows = connection.execute(_FIND, {"numbers": [number]}).all()
            if not rows:
                raise UsageError(f"batch {number} is unknown here")
            postings = np.frombuffer(rows[0].postings or b"", POSTING)
            return _batches(connection, rows)[0], postings

    def _check_refunds(self, connection: Connection, known: Mapping[str, Record]) -> None:
        payments = [record.payment for record in known.values() if record.payment is not None]
        if not payments:
            return
        running = set(connection.execute(_REFUNDS_RUNNING, {"keys": payments}).scalars())
        if len(set(payments)) < len(payments) or running.intersection(payments):
            raise UsageError("two refunds of one payment do not run at once; keep one for later")

    def _post(self, connection: Connection, batch: Batch, totals: Words, now: int) -> None:
        known = self.find(batch.requests)
        refunded = {record.payment for record in known.values() if record.payment}
        paid = self.find(refunded) if refunded else {}
        rows = []
        for key, words in zip(batch.requests, totals.tolist(), strict=True):
            record = known[key]
            kept = (0, 0, 0) if record.kind is Kind.CONSULT else words
            rows.append(_posting_row(key, State.POSTED, kept, now))
            payment = paid.get(record.payment or "")
            if payment is not None and payment.state in _REFUNDABLE:
                before = (payment.seen, payment.debit, payment.fee)
                left = [old - taken for old, taken in zip(before, words, strict=True)]
                # Obliviously: a refund that was declined takes a share of zero.
                rows.append(_posting_row(payment.request, State.PARTIALLY_REFUNDED, left, now))
        if rows:
            connection.execute(_POST, rows)


def _posting_row(key: str, state: State, left: Sequence[int], now: int) -> dict[str, Any]:
    seen, debit, fee = (to_column(word) for word in left)
    return {
        "key": key,
        "new_state": int(state),
        "new_seen": seen,
        "new_debit": debit,
        "new_fee": fee,
        "new_changed": now,
    }


def _keep_envelopes(
    connection: Connection, number: int, node: str, envelopes: Mapping[str, bytes]
) -> None:
    found = connection.execute(_ENVELOPES, {"numbers": [number]})
    known = {(row.node, row.edge) for row in found}
    rows = [
        {"batch": number, "node": node, "edge": edge, "body": body}
        for edge, body in envelopes.items()
        if (node, edge) not in known
    ]
    if rows:
        connection.execute(insert(sealed), rows)


def _batches(connection: Connection, rows: Sequence[Any]) -> list[Batch]:
    keys: dict[int, list[str]] = {row.batch: [] for row in rows}
    if keys:
        for request, number in connection.execute(_ROWS, {"numbers": list(keys)}):
            keys[number].append(request)
    made = []
    for row in rows:
        totals = words_of(row.totals)
        made.append(
            Batch(
                number=row.batch,
                state=BatchState(row.state),
                window=row.window,
                digest=row.digest,
                requests=tuple(keys[row.batch]),
                decisions=words_of(row.decisions),
                totals=None if totals is None else totals.reshape(-1, 3),
            )
        )
    return made


def _may_cancel(record: Record, unknown: bool, refund_runs: bool) -> Cancelled:
    if unknown:
        return Cancelled.TOMBSTONED
    if record.kind is not Kind.PAY:
        return Cancelled.REFUSED
    if record.state.open:
        return Cancelled.VOIDED if record.batch is None else Cancelled.OPEN
    if record.state not in _REFUNDABLE:
        return Cancelled.ALREADY
    return Cancelled.OPEN if refund_runs else Cancelled.REVERSED


def _reverse(connection: Connection, keys: Sequence[str], window: int, now: int) -> None:
    """Give back what remains of the transfers of payments: those of their refunds went back."""
    if not keys:
        return
    refunds = connection.execute(
        select(requests.c.request, requests.c.payment).where(requests.c.payment.in_(keys))
    )
    of = {row.request: row.payment for row in refunds} | {key: key for key in keys}
    moved: dict[tuple[str, int, int, int], list[int]] = {}
    for row in connection.execute(_POSTED, {"keys": list(of)}):
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
