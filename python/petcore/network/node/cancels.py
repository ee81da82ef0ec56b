"""Cancels: a payment is taken back at both nodes and at its wallet, or forbidden beforehand.

Idempotent, and carried to its end once it was journalled: a tombstone or reversal at A, at B
between two batches, at the wallet, and only then the acquirer hears of success.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from petcore.errors import LinkError, PetcoreError
from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, pack
from petcore.network.errors import (
    BatchRefused,
    EnvelopeExpired,
    RequestInconsistent,
    RequestTombstoned,
    WindowExceeded,
)
from petcore.network.keyring import now_ms
from petcore.network.ledger import (
    Acceptance,
    Accepted,
    Cancelled,
    EdgeJournal,
    Finish,
    Record,
    State,
    Windows,
    key,
)
from petcore.network.node.core import Core
from petcore.network.node.lane import Lane
from petcore.network.node.pending import Pending
from petcore.network.node.replies import Reply, refused
from petcore.network.node.wallets import Wallets


class Cancels:
    """Carries cancels to their end.

    Parameters
    ----------
    core, lane, wallets
        Of node A.
    find : callable
        Returns the request under a key if it is not decided.
    answer_seconds : float
        After which a caller is told "pending".
    """

    def __init__(
        self,
        core: Core,
        lane: Lane,
        wallets: Wallets,
        find: Callable[[str], Pending | None],
        answer_seconds: float,
    ) -> None:
        self._core, self._lane, self._wallets = core, lane, wallets
        self._find, self._answer_seconds = find, answer_seconds
        self._ends = EdgeJournal(core.database)
        self._windows = Windows(core.database)
        self._running: dict[str, asyncio.Task[Reply]] = {}

    async def take(self, envelope: Envelope, accepting: asyncio.Future[Accepted]) -> Reply:
        """Carry out a cancel that is being journalled; return what came of it so far."""
        header = envelope.header
        outcome, record = await accepting
        if outcome is Acceptance.INCONSISTENT:
            raise RequestInconsistent("this id was used for another request; take a new one")
        if outcome is Acceptance.TOMBSTONED:
            raise RequestTombstoned("this id was cancelled; take a new one")
        if outcome is Acceptance.EXPIRED:
            error = EnvelopeExpired("the cancel expired; send it anew")
            return refused(header.sender, header.request_id, error, "cancel")
        if record is not None and not record.state.open:
            return _stored(envelope, record)
        task = self.resume(envelope)
        done, _ = await asyncio.wait({task}, timeout=self._answer_seconds)
        if not done:
            return Reply("pending", header.sender, header.request_id, "cancel", "reserved")
        return task.result()

    def resume(self, envelope: Envelope) -> asyncio.Task[Reply]:
        """Go on with a cancel that was journalled; once, however often it is asked for."""
        name = key(envelope.header.sender, envelope.header.request_id)
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = asyncio.create_task(self._carry(envelope))
            task.add_done_callback(lambda _: self._running.pop(name, None))
        return task

    async def close(self) -> None:
        """Stop; the journal knows how to go on."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _carry(self, envelope: Envelope) -> Reply:
        core, header = self._core, envelope.header
        payment = key(header.sender, header.clear["payment"])
        about = (header.sender, header.request_id, "cancel")
        record = (await core.in_thread(core.journal.find, [payment])).get(payment)
        if record is not None and _too_late(record, core.directory):
            error = WindowExceeded("the payment is too old to cancel; refund it instead")
            await self._end(envelope, State.EXPIRED, b"")
            return refused(*about[:2], error, "cancel")
        try:
            await self._at_nodes(envelope, payment)
            cancelled = await self._wallets.cancel(envelope)
        except PetcoreError as error:
            core.log.failure("a cancel was refused", error, peer=header.to["mpp"])
            return refused(*about[:2], error, "cancel")
        answer = cancelled.for_recipient(header.sender).to_bytes()
        await self._end(envelope, State.POSTED, answer)
        return Reply("cancelled", *about, "posted", (answer,))

    async def _at_nodes(self, envelope: Envelope, payment: str) -> None:
        """Cancel at A and B between two batches."""
        core = self._core
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        message = envelope.for_recipient(core.other.name).to_bytes()

        async def errand() -> None:
            window = await core.in_thread(self._windows.current)
            outcome = await core.in_thread(self._cancel_here, payment, window)
            pending = self._find(payment)
            if pending is not None and outcome is not Cancelled.REFUSED:
                header = pending.request.header
                about = (header.sender, header.request_id, header.type)
                pending.resolve(Reply("cancelled", *about, "voided"))
            try:
                head = json.dumps({"window": window}).encode()
                await self._lane.call("/v1/cancels", pack([head, message]))
            except PetcoreError as error:
                if error.retryable or isinstance(error, LinkError):
                    raise
                done.set_exception(error)  # for good: to repeat it would hold up everything else
            if not done.done():
                done.set_result(None)

        self._lane.between(errand)
        await done

    def _cancel_here(self, payment: str, window: int) -> Cancelled:
        (outcome,) = self._core.journal.cancel([payment], window=window)
        if outcome is Cancelled.OPEN:
            raise BatchRefused("a batch with the payment to cancel is open; the nodes meet again")
        return outcome

    async def _end(self, envelope: Envelope, state: State, answer: bytes) -> None:
        name = key(envelope.header.sender, envelope.header.request_id)
        await self._core.in_thread(self._ends.finish, [Finish(name, state, answer)])


def _stored(envelope: Envelope, record: Record) -> Reply:
    header = envelope.header
    about = (header.sender, header.request_id, "cancel")
    if record.state is State.POSTED and record.answer is not None:
        return Reply("cancelled", *about, "posted", (record.answer,))
    return refused(*about[:2], WindowExceeded("the payment was too old to cancel"), "cancel")


def _too_late(record: Record, directory: Directory) -> bool:
    """Say whether the window is over: some time in the night after the day of the payment."""
    if record.state not in (State.POSTED, State.PARTIALLY_REFUNDED):
        return False  # nothing to reverse, or reversed here already: then the others follow
    limit = directory.cancel_until
    made = datetime.fromtimestamp(record.created / 1000, UTC).astimezone(limit.tzinfo)
    end = datetime.combine(made.date() + timedelta(days=1), limit)
    return datetime.fromtimestamp(now_ms() / 1000, UTC) > end
