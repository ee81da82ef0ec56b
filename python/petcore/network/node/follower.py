"""Node B's side of a batch: it verifies everything itself, computes, and waits for A's word.

One batch at a time. A batch is PREPARED when B has verified and opened its rows, COMPUTED when its
results are on the disk; from then on only A's commit or abort ends it, whatever crashed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from petcore.errors import PetcoreError
from petcore.network.errors import BatchRefused, NodesApart, RequestError
from petcore.network.ledger import Acceptance, BatchState, Cancelled, Kind, Request, key
from petcore.network.node.core import Computed, Core, batch_digest
from petcore.network.node.row import KINDS, Row
from petcore.network.published import GRACE_MS


@dataclass(frozen=True)
class Proposal:
    """A batch as A sends it: its number, the name of the session, and per row two messages.

    ``settled``: batches that A committed and B may commit now.
    """

    number: int
    session: str
    window: int
    settled: tuple[int, ...]
    messages: Sequence[bytes] = field(repr=False)


class Follower:
    """Answers node A; every method is one path of the HTTP contract."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = asyncio.Lock()
        self._running: dict[int, asyncio.Task[Computed]] = {}
        self._digest = ""  # of the batch that runs

    async def pair(self, name: str) -> None:
        """Meet A under a new name; returns when the attempt has begun."""
        meeting = self._core.pairing.meet(name)
        meeting.add_done_callback(self._met)

    async def prepare(self, proposal: Proposal) -> dict[str, Any]:
        """Verify and journal a batch, and begin to compute; return what was refused, and the digest.

        Raises
        ------
        NodesApart
            This node has another session, or none.
        BatchRefused
            An earlier batch is open, or the number is not above all earlier ones.
        """
        core = self._core
        async with self._lock:
            if not proposal.session or core.pairing.name != proposal.session:
                raise NodesApart(f"{core.name} has no such session; meet again", party=core.name)
            rows, refused, digest = await core.in_thread(self._journal, proposal)
            if rows:
                task = asyncio.create_task(self._compute(proposal, rows, digest))
                self._running, self._digest = {proposal.number: task}, digest
        return {"refused": refused, "digest": digest}

    async def computed(self, number: int, digest: str) -> dict[str, bytes]:
        """Wait until a batch is computed; return this node's decisions by edge."""
        task = self._running.get(number)
        if task is None:
            raise BatchRefused(f"batch {number} does not run at {self._core.name}; meet again")
        if digest != self._digest:
            raise BatchRefused(f"batch {number} has other rows at {self._core.name}; meet again")
        return (await asyncio.shield(task)).envelopes

    async def commit(self, number: int) -> None:
        """Post a batch."""
        await self._core.in_thread(self._core.journal.commit, number)

    async def abort(self, number: int) -> None:
        """Give a batch up; it may still be running, or be unknown here."""
        task = self._running.pop(number, None)
        if task is not None:
            await self._core.pairing.part()
            await asyncio.gather(task, return_exceptions=True)
        await self._core.in_thread(self._abort, number)

    async def open_batches(self) -> dict[str, Any]:
        """Return the batches that wait for A's word, the last number, and the session's name."""
        return await self._core.in_thread(self._open)

    async def cancel(self, messages: Sequence[bytes], window: int) -> list[str]:
        """Cancel payments here too, in A's window; the nodes do it between batches."""
        async with self._lock:
            return await self._core.in_thread(self._cancel, messages, window)

    async def close(self) -> None:
        """Wait for a batch that runs."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _met(self, meeting: asyncio.Future[None]) -> None:
        outcome = "failed" if meeting.cancelled() or meeting.exception() else "met"
        self._core.meters.meetings.labels(outcome).inc()

    def _journal(self, proposal: Proposal) -> tuple[list[Row], dict[str, str], str]:
        core, number = self._core, proposal.number
        found: dict[int, Row] = {}
        refused: dict[str, str] = {}
        for slot, (asked, told) in enumerate(_pairs(proposal.messages)):
            try:
                found[slot] = self._row(asked, told)
            except PetcoreError as error:
                refused[str(slot)] = error.code
        if len({row.key for row in found.values()}) < len(found):
            raise BatchRefused("a request is in one batch once")
        with core.database.write(durable=False):
            for earlier in proposal.settled:
                core.journal.commit(earlier)
            if core.journal.open_batches() or number <= core.journal.last_batch():
                raise BatchRefused(f"{core.name} has an open batch, or one above {number}")
            refused |= self._accept(found)
            rows = [row for slot, row in found.items() if str(slot) not in refused]
            digest = batch_digest(number, proposal.window, rows, core.model_name)
            if rows:
                core.journal.prepare(
                    number,
                    {row.key: row.check.for_recipient().to_bytes() for row in rows},
                    digest=bytes.fromhex(digest),
                    window=proposal.window,
                )
        return rows, refused, digest

    def _row(self, asked: bytes, told: bytes) -> Row:
        core = self._core
        request, check = core.read(asked), core.read(told)
        row = Row(request, core.open(request), check, core.open(check))
        core.check_row(row)
        return row

    def _accept(self, found: Mapping[int, Row]) -> dict[str, str]:
        """Journal the requests; return by slot what they may not be any more."""
        accepted = self._core.journal.accept([to_request(r, GRACE_MS) for r in found.values()])
        refused = {}
        for slot, (outcome, record) in zip(found, accepted, strict=True):
            again = outcome is Acceptance.STORED and record is not None and record.state.open
            if outcome is not Acceptance.NEW and not again:
                refused[str(slot)] = outcome.value
        return refused

    async def _compute(self, proposal: Proposal, rows: list[Row], digest: str) -> Computed:
        core = self._core

        def work(session: Any) -> Computed:
            computed = core.compute(session, rows, proposal.number, digest)
            core.keep(proposal.number, computed)
            return computed

        try:
            return await core.pairing.run(proposal.session, work)
        except PetcoreError as error:
            core.log.failure("a batch could not be computed", error, batch=proposal.number)
            raise

    def _abort(self, number: int) -> None:
        batch = self._core.journal.batch(number)
        if batch is not None and batch.state is not BatchState.COMMITTED:
            self._core.journal.abort(number)

    def _open(self) -> dict[str, Any]:
        core = self._core
        found = [
            {"batch": b.number, "state": b.state.name.lower(), "digest": b.digest.hex()}
            for b in core.journal.open_batches()
        ]
        return {
            "batches": found,
            "last": core.journal.last_batch(),
            "session": core.pairing.name,
        }

    def _cancel(self, messages: Sequence[bytes], window: int) -> list[str]:
        core = self._core
        payments = []
        for content in messages:
            # A has carried it out already: were it late here, the journals would part for good.
            envelope = core.read(content, late=True)
            if envelope.header.type != "cancel":
                raise RequestError("only a cancel cancels")
            payments.append(key(envelope.header.sender, envelope.header.clear["payment"]))
        outcomes = core.journal.cancel(payments, window=window)
        if Cancelled.OPEN in outcomes:
            raise BatchRefused(f"{core.name} has a batch open with a payment to cancel; meet again")
        return [outcome.value for outcome in outcomes]


def to_request(row: Row, grace: int = 0) -> Request:
    """Return a row's request as the journal takes it."""
    header = row.request.header
    kind = KINDS[header.type]
    return Request(
        row.key,
        kind,
        bytes.fromhex(header.clear["content"]),
        header.expires + grace,
        payment=row.payment if kind is Kind.REFUND else None,
    )


def _pairs(messages: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return (request, check) per row."""
    return list(zip(messages[::2], messages[1::2], strict=True))
