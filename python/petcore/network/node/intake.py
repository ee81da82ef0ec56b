"""Node A's intake: messages of edges are verified, journalled, and taken to their decision.

Journal first: nothing is asked of a wallet before the request is on the disk. What arrives together
is verified in one thread hop and journalled in one transaction; what goes to one wallet goes
together. A request that was accepted goes on whether or not its caller still waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from petcore.errors import PetcoreError
from petcore.network.envelope import Envelope
from petcore.network.errors import (
    Draining,
    EnvelopeExpired,
    EnvelopeMalformed,
    EpochUnknown,
    RequestError,
    RequestInconsistent,
    RequestTombstoned,
    RequestUnknown,
)
from petcore.network.keyring import now_ms
from petcore.network.ledger import Acceptance, Accepted, Kind, Record, Request, key
from petcore.network.node.answers import Answers
from petcore.network.node.cancels import Cancels
from petcore.network.node.consults import ConsultBudget
from petcore.network.node.core import Core
from petcore.network.node.gather import Gatherer
from petcore.network.node.lane import Lane
from petcore.network.node.notices import Notices
from petcore.network.node.pending import Pending
from petcore.network.node.replies import Reply, refused
from petcore.network.node.row import CHECKS, KINDS, Row, payment_key
from petcore.network.node.wallets import Wallets

_ACCEPT_MOST = 256
_BY_ROLE = {"acqp": ("pay", "consult", "refund", "cancel"), "mpp": ("check", "refund_check")}


@dataclass(eq=False)
class Arrival:
    """A verified message, and this node's shares of it where it has some."""

    envelope: Envelope
    shares: dict[str, Any] = field(repr=False)


class Intake:
    """Takes messages, and knows what becomes of those that are not decided.

    Parameters
    ----------
    core, lane, wallets, cancels, answers, notices
        Of the same node.
    budget : ConsultBudget
    answer_seconds : float
        After which a caller is told "pending".
    """

    def __init__(
        self,
        core: Core,
        lane: Lane,
        wallets: Wallets,
        cancels: Cancels,
        answers: Answers,
        notices: Notices,
        budget: ConsultBudget,
        answer_seconds: float,
    ) -> None:
        self._core, self._lane, self._wallets = core, lane, wallets
        self._cancels, self._answers = cancels, answers
        self._notices, self._budget = notices, budget
        self._answer_seconds = answer_seconds
        self._pending: dict[str, Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._recovered = asyncio.Event()
        self._accepting: Gatherer[Arrival, Accepted] = Gatherer(
            self._accept, seconds=0.0, most=_ACCEPT_MOST, at_once=1
        )

    async def messages(self, caller: str, contents: Sequence[bytes]) -> list[Reply]:
        """Take an edge's messages; return what became of each, in the same order.

        Raises
        ------
        Draining
            This process is about to end.
        LedgerError
            The journal cannot be written: nothing was taken.
        """
        if self._draining:
            raise Draining(f"{self._core.name} is about to end; send it again in a moment")
        await self._recovered.wait()  # or a repeated request would be driven twice
        arrivals = await self._core.in_thread(self._read, caller, contents)
        replies = await asyncio.gather(
            *(a if isinstance(a, asyncio.Future) else self._take(a) for a in map(_known, arrivals)),
            return_exceptions=True,
        )
        found: list[Reply] = []
        for reply in replies:
            if isinstance(reply, BaseException):
                raise reply
            found.append(reply)
            self._count(reply)
        return found

    async def inquire(self, caller: str, sender: str, request_id: str) -> Reply:
        """Return what is known of a request, to its sender and its wallet."""
        record_key = key(sender, request_id)
        known = (await self._core.in_thread(self._core.journal.find, [record_key])).get(record_key)
        if known is None or not await self._may_ask(caller, sender, known):
            return Reply("unknown", sender, request_id)
        pending = self._pending.get(record_key)
        if pending is not None and pending.awaiting is not None and known.state.open:
            return pending.awaiting
        return (await self._core.in_thread(self._answers.of, [known], caller))[0]

    async def recover(self) -> int:
        """Go on with what an earlier process left open; return how much there was."""
        waiting = await self._core.in_thread(self._core.journal.waiting)
        for record in waiting:
            if record.body is None:
                continue
            envelope = Envelope.from_bytes(record.body)
            if record.kind is Kind.CANCEL:
                self._cancels.resume(envelope)
                continue
            try:
                shares = await self._core.in_thread(self._core.open, envelope)
            except EpochUnknown as error:  # its key was erased: nobody can read it any more
                self._core.log.failure("a request cannot be opened", error, request=record.request)
                Pending(envelope, {}, self._ended).refuse(error)
            else:
                self._begin(envelope, shares)
        self._recovered.set()
        return len(waiting)

    async def resolve_found(self, ended: Sequence[Pending]) -> None:
        """Answer requests that, as the journal says, had ended."""
        for pending in ended:
            record = (await self._core.in_thread(self._core.journal.find, [pending.key]))[
                pending.key
            ]
            sender = pending.request.header.sender
            pending.resolve((await self._core.in_thread(self._answers.of, [record], sender))[0])

    def drain(self) -> None:
        """Take nothing new from now on."""
        self._draining = True

    def let_go(self) -> None:
        """Answer who waits for what no batch of this process will decide."""
        for pending in self._pending.values():
            pending.let_go()

    async def close(self) -> None:
        """Stop what is under way; the journal knows how to go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._accepting.close()

    @property
    def waiting(self) -> int:
        """How many requests are not decided."""
        return len(self._pending)

    def pending(self, record_key: str) -> Pending | None:
        """Return a request that is not decided."""
        return self._pending.get(record_key)

    def _read(self, caller: str, contents: Sequence[bytes]) -> list[Arrival | Reply]:
        return [self._read_one(caller, content) for content in contents]

    def _read_one(self, caller: str, content: bytes) -> Arrival | Reply:
        """Verify and open one message; what is wrong with it becomes its reply."""
        core = self._core
        try:
            envelope = Envelope.from_bytes(content)
        except PetcoreError as error:
            return refused(caller, "", error)
        header = envelope.header
        try:
            core.verify(envelope, sender=caller)
            if header.type not in _BY_ROLE.get(core.directory.member(caller).role, ()):
                raise RequestError(f"{caller} sends no {header.type}", party=caller)
            if header.type == "cancel":
                return Arrival(envelope, {})
            if header.type in KINDS and not envelope.has_part(core.other.name):
                raise EnvelopeMalformed(f"the part for {core.other.name} is missing")
            return Arrival(envelope, core.open(envelope))
        except EnvelopeExpired as error:
            return self._expired(caller, envelope) or refused(
                caller, header.request_id, error, header.type
            )
        except PetcoreError as error:
            return refused(caller, header.request_id, error, header.type)

    def _expired(self, caller: str, envelope: Envelope) -> Reply | None:
        """Answer a late repetition from the journal: its caller lost the answer, not the request."""
        header = envelope.header
        if header.sender != caller or header.type not in KINDS:
            return None
        record_key = key(header.sender, header.request_id)
        record = self._core.journal.find([record_key]).get(record_key)
        if record is None or record.tag.hex() != header.clear["content"]:
            return None
        return self._answers.of([record], caller)[0]

    async def _take(self, arrival: Arrival) -> Reply:
        header = arrival.envelope.header
        try:
            if header.type == "cancel":
                return await self._cancels.take(arrival.envelope, self._accepting.add(arrival))
            if header.type in CHECKS.values():
                return await self._checked(arrival)
            if header.type == "consult":
                self._budget.spend(header.sender, header.clear["token_tag"])
            accepted = await self._accepting.add(arrival)
            return await self._follow(arrival, accepted)
        except RequestError as error:
            return refused(header.sender, header.request_id, error, header.type)
        except PetcoreError as error:
            if error.code in ("quota", "replayed"):
                return refused(header.sender, header.request_id, error, header.type)
            raise

    async def _follow(self, arrival: Arrival, accepted: Accepted) -> Reply:
        """Wait for the decision of a request that was accepted, now or earlier."""
        header = arrival.envelope.header
        outcome, record = accepted
        if outcome is Acceptance.INCONSISTENT:
            raise RequestInconsistent("this id was used for another request; take a new one")
        if outcome is Acceptance.TOMBSTONED:
            raise RequestTombstoned("this id was cancelled before the request came")
        if outcome is Acceptance.EXPIRED:
            return refused(
                header.sender,
                header.request_id,
                EnvelopeExpired("the request expired"),
                header.type,
            )
        record_key = key(header.sender, header.request_id)
        pending = self._pending.get(record_key)
        if pending is None:
            if record is not None and not record.state.open:
                return (await self._core.in_thread(self._answers.of, [record], header.sender))[0]
            pending = self._begin(arrival.envelope, arrival.shares)
        reply = await pending.wait(self._answer_seconds)
        return reply or Reply("pending", *_about(header), state="reserved")

    def _begin(self, envelope: Envelope, shares: dict[str, Any]) -> Pending:
        pending = Pending(envelope, shares, self._ended)
        self._pending[pending.key] = pending
        self._core.meters.waiting.set(len(self._pending))
        self._spawn(self._drive(pending))
        return pending

    async def _drive(self, pending: Pending) -> None:
        """Ask the wallet until it answers, then hand the request to the lane."""
        try:
            check, told = await self._wallets.check(pending)
            if check.header.type != "awaiting":
                await self._to_lane(pending, check, told)
                return
        except PetcoreError as error:
            pending.refuse(error)
            return
        header = pending.request.header
        envelope = check.for_recipient(header.sender).to_bytes()
        pending.await_person(Reply("awaiting", *_about(header), "reserved", (envelope,)))
        await asyncio.sleep(max(0, pending.expires - now_ms()) / 1000)
        if not pending.ready:
            pending.expire()

    async def _checked(self, arrival: Arrival) -> Reply:
        """Take a check that a wallet brings later: its user agreed only now."""
        header = arrival.envelope.header
        pending = self._pending.get(key(header.clear["acqp"], header.request_id))
        if pending is None:
            raise RequestUnknown("there is no open request that this check is about")
        await self._to_lane(pending, arrival.envelope, arrival.shares)
        return Reply("accepted", *_about(header))

    async def _to_lane(self, pending: Pending, check: Envelope, told: dict[str, Any]) -> None:
        """Take the wallet's word; TermsRefused where it does not fit."""
        if pending.done or pending.ready:
            return
        row = Row(pending.request, pending.asked, check, told)
        if row.payment is None:
            self._core.check_row(row)
        else:
            await self._core.in_thread(self._core.check_row, row)
        if pending.take(row):
            self._lane.add(pending)

    async def _accept(self, arrivals: list[Arrival]) -> Sequence[Accepted | PetcoreError]:
        return await self._core.in_thread(self._journal, arrivals)

    def _journal(self, arrivals: Sequence[Arrival]) -> list[Accepted | PetcoreError]:
        core = self._core
        with core.database.write():
            standings = core.guard.admit([arrival.envelope for arrival in arrivals])
            good = [
                arrival
                for arrival, standing in zip(arrivals, standings, strict=True)
                if isinstance(standing, str)
            ]
            accepted = iter(
                core.journal.accept([_to_request(arrival.envelope) for arrival in good])
            )
            return [
                next(accepted) if isinstance(standing, str) else standing for standing in standings
            ]

    async def _may_ask(self, caller: str, sender: str, record: Record) -> bool:
        if caller == sender:
            return True
        if record.body is None:
            return False
        return Envelope.from_bytes(record.body).header.to.get("mpp") == caller

    def _ended(self, pending: Pending, reply: Reply) -> None:
        self._pending.pop(pending.key, None)
        self._core.meters.waiting.set(len(self._pending))
        if reply.status == "decided":
            self._core.meters.answer.observe(time.perf_counter() - pending.begun)
        if reply.status == "refused":
            self._spawn(self._give_up(pending))

    async def _give_up(self, pending: Pending) -> None:
        """Journal the end of a request that will not be decided."""
        try:
            await self._core.in_thread(self._notices.give_up, pending)
        except PetcoreError as error:
            self._core.log.failure("the end of a request could not be kept", error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count(self, reply: Reply) -> None:
        self._core.meters.messages.labels(reply.kind or "none", reply.status).inc()
        if reply.code:
            self._core.meters.refused.labels(reply.code).inc()


def _to_request(envelope: Envelope) -> Request:
    header = envelope.header
    return Request(
        key(header.sender, header.request_id),
        KINDS.get(header.type, Kind.CANCEL),
        bytes.fromhex(header.clear["content"]),
        header.expires,
        envelope.to_bytes(),
        payment_key(envelope),
    )


def _about(header: Any) -> tuple[str, str, str]:
    return header.sender, header.request_id, header.type


def _known(arrival: Arrival | Reply) -> Any:
    """Make an answer that is known already wait like the others."""
    if isinstance(arrival, Arrival):
        return arrival
    future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    future.set_result(arrival)
    return future
