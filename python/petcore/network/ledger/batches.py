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
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from petcore.errors import UsageError
from petcore.network.ledger.accounts import TransferKind, write_transfers
from petcore.network.ledger.journal import add_parts
from petcore.network.ledger.posted import (
    POST,
    REFUNDABLE,
    REFUNDS_RUNNING,
    PostedJournal,
    posting_row,
)
from petcore.network.ledger.postings import POSTING, Postings, to_transfers, words_of
from petcore.network.ledger.records import (
    Batch,
    BatchState,
    Kind,
    Part,
    Record,
    Row,
    State,
    Words,
)
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import batches, requests
from petcore.network.ledger.tables import decisions as sealed

_KEY = requests.c.request == bindparam("key")
_ENTER = Statement(
    update(requests)
    .where(_KEY)
    .values(state=int(State.RESERVED), batch=bindparam("number"), slot=bindparam("new_slot"))
)
_LEAVE = Statement(update(requests).where(_KEY).values(batch=None, slot=None))
_FIND = Statement(select(batches).where(batches.c.batch == bindparam("number")))
_OPEN = Statement(select(batches).where(text("state < 2")).order_by(batches.c.batch))
_LAST = Statement(select(func.max(batches.c.batch)))
_RESULTS = ("decisions", "totals", "postings")
_CHANGE = (
    update(batches)
    .where(batches.c.batch == bindparam("number"))
    .values(state=bindparam("new_state"), changed=bindparam("now"))
)
_ADVANCE = Statement(_CHANGE)
_COMPUTED = Statement(_CHANGE.values({name: bindparam(f"new_{name}") for name in _RESULTS}))
_INSERT = Statement(insert(batches))
_SEAL = Statement(insert(sealed))
_UNSEAL = Statement(delete(sealed).where(sealed.c.batch == bindparam("number")))
_ENVELOPES = Statement(lambda among: select(sealed).where(among(sealed.c.batch, "numbers")))


class NodeJournal(PostedJournal):
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
            lines = "\n".join(_line(known[key]) for key in rows)
            new = {"rows": lines, "created": now, "changed": now}
            _INSERT.run(connection, [row | new | dict.fromkeys(_RESULTS)])
            entering = [
                {"key": key, "number": number, "new_slot": slot} for slot, key in enumerate(rows)
            ]
            _ENTER.run(connection, entering)
            checks = {key: check for key, check in rows.items() if check is not None}
            again = any(known[key].state is State.RESERVED for key in checks)
            add_parts(connection, checks, Part.CHECK, replace=again)

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
            _COMPUTED.run(connection, [new])
            _seal(connection, number, node, envelopes)

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
            _ADVANCE.run(connection, [state])
            _seal(connection, number, node, envelopes or {})
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
            nothing = {f"new_{name}": None for name in _RESULTS}
            state = {"number": number, "new_state": int(BatchState.ABORTED)}
            _COMPUTED.run(connection, [state | nothing | {"now": self.database.clock()}])
            _LEAVE.run(connection, [{"key": key} for key in batch.requests])
            _UNSEAL.run(connection, [{"number": number}])
        return True

    def batch(self, number: int) -> Batch | None:
        """Return a batch; None where this node never saw it."""
        with self.database.read() as connection:
            rows = _FIND.all(connection, {"number": number})
            return _batch(rows[0]) if rows else None

    def open_batches(self) -> list[Batch]:
        """Return the batches that are neither committed nor aborted, by number."""
        with self.database.read() as connection:
            return [_batch(row) for row in _OPEN.all(connection)]

    def last_batch(self) -> int:
        """Return the largest number that a batch had; 0 before the first."""
        with self.database.read() as connection:
            return int(_LAST.value(connection) or 0)

    def envelopes(self, numbers: Sequence[int]) -> dict[int, dict[tuple[str, str], bytes]]:
        """Return the sealed decisions of batches: by number, then by (node, edge)."""
        found: dict[int, dict[tuple[str, str], bytes]] = {number: {} for number in numbers}
        with self.database.read() as connection:
            for row in _ENVELOPES.among(connection, "numbers", list(found)):
                found[row.batch][row.node, row.edge] = row.body
        return found

    def _batch(self, number: int, state: BatchState) -> Batch:
        batch = self.batch(number)
        if batch is None or batch.state is not state:
            found = "unknown" if batch is None else batch.state.name
            raise UsageError(f"batch {number} is {found}, not {state.name}")
        return batch

    def _stored(self, number: int) -> tuple[Batch, Postings]:
        with self.database.read() as connection:
            rows = _FIND.all(connection, {"number": number})
            if not rows:
                raise UsageError(f"batch {number} is unknown here")
            postings = np.frombuffer(rows[0].postings or b"", POSTING)
            return _batch(rows[0]), postings

    def _check_refunds(self, connection: Connection, known: Mapping[str, Record]) -> None:
        payments = [record.payment for record in known.values() if record.payment is not None]
        if not payments:
            return
        running = {row.payment for row in REFUNDS_RUNNING.among(connection, "keys", payments)}
        if len(set(payments)) < len(payments) or running.intersection(payments):
            raise UsageError("two refunds of one payment do not run at once; keep one for later")

    def _post(self, connection: Connection, batch: Batch, totals: Words, now: int) -> None:
        refunded = [row.payment for row in batch.rows if row.payment is not None]
        paid = self.find(refunded, parts=False) if refunded else {}
        rows = []
        for row, words in zip(batch.rows, totals.tolist(), strict=True):
            kept = (0, 0, 0) if row.kind is Kind.CONSULT else words
            rows.append(posting_row(row.request, State.POSTED, kept, now))
            payment = paid.get(row.payment or "")
            if payment is not None and payment.state in REFUNDABLE:
                before = (payment.seen, payment.debit, payment.fee)
                left = [old - taken for old, taken in zip(before, words, strict=True)]
                # Obliviously: a refund that was declined takes a share of zero.
                rows.append(posting_row(payment.request, State.PARTIALLY_REFUNDED, left, now))
        POST.run(connection, rows)


def _seal(connection: Connection, number: int, node: str, envelopes: Mapping[str, bytes]) -> None:
    rows = [
        {"batch": number, "node": node, "edge": edge, "body": body}
        for edge, body in envelopes.items()
    ]
    _SEAL.run(connection, rows)


def _batch(row: Any) -> Batch:
    totals = words_of(row.totals)
    return Batch(
        number=row.batch,
        state=BatchState(row.state),
        window=row.window,
        digest=row.digest,
        rows=tuple(_row(line) for line in row.rows.split("\n") if line),
        decisions=words_of(row.decisions),
        totals=None if totals is None else totals.reshape(-1, 3),
    )


def _line(record: Record) -> str:
    """Write a row of a batch; keys are printable, so tabs and line ends are free."""
    return f"{int(record.kind)}\t{record.request}\t{record.payment or ''}"


def _row(line: str) -> Row:
    kind, request, payment = line.split("\t")
    return Row(request, Kind(int(kind)), payment or None)
