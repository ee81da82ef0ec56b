"""The acquirer's edge: pays, inquires, cancels and refunds for its clients, exactly once.

Journal first: a request is durable here before anything of it leaves, and its end before anybody is
told. What is not decided in time is answered as unknown and looked after (`Watch`) until it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from petcore.errors import LedgerError, PetcoreError, UsageError
from petcore.network.acquirer.desk import Begun, Closing, Desk, Wish
from petcore.network.acquirer.facts import (
    Asked,
    asked_of,
    client_of,
    ended_of,
    entry_of,
    name_of,
    payment_of,
)
from petcore.network.acquirer.orders import (
    OPEN,
    Answer,
    Code,
    Entry,
    Payment,
    PaymentRef,
    PayOrder,
    RefundOrder,
)
from petcore.network.acquirer.relay import Relay
from petcore.network.acquirer.routing import Routing
from petcore.network.acquirer.verdicts import Verdict, without_notices
from petcore.network.directory import Directory
from petcore.network.errors import FieldRefused
from petcore.network.ledger import Acceptance, Kind, Record, State, split_key
from petcore.network.logs import Log
from petcore.network.node.gather import Gatherer
from petcore.network.node.replies import Reply

LIFETIME = timedelta(minutes=10)
_LOG = Log("acquirer")
_THREAD_MAX = 64


@dataclass(frozen=True)
class Times:
    """How long the edge waits, in seconds.

    ``answer``: a caller until it is told that the result is unknown; ``poll``: between two inquiries
    about a payment that is not decided; ``give_up``: until it is cancelled; ``awaiting``: between
    inquiries while a payer has to agree (a notification says it earlier).
    """

    answer: float = 10.0
    poll: float = 3.0
    give_up: float = 60.0
    awaiting: float = 30.0


class Acquirer:
    """The flows of an acquirer's edge.

    Parameters
    ----------
    directory
        Of the network.
    desk
        The journal.
    relay
        The way to node A.
    routing
        Which wallet a payment goes to.
    """

    def __init__(
        self,
        directory: Directory,
        desk: Desk,
        relay: Relay,
        routing: Routing,
        *,
        times: Times | None = None,
    ) -> None:
        self.name, self.times = desk.name, times or Times()
        self._directory, self._desk, self._relay, self._routing = directory, desk, relay, routing
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._begin: Gatherer[Wish, Begun] = self._gatherer(desk.begin)
        self._conclude: Gatherer[Closing, Record] = self._gatherer(desk.conclude)
        self._waiting: dict[str, asyncio.Future[Record]] = {}
        self._refunding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_open: Callable[[str], None] = _ignore
        self.on_notice: Callable[[], None] = _nothing

    async def pay(self, order: PayOrder) -> Answer:
        """Make a payment, or evaluate one; the same request again gets the same answer."""
        kind = Kind.CONSULT if order.consult else Kind.PAY
        try:
            asked = self._asked(order)
            self._desk.letters.check(name_of(kind), asked, bytes(32))
        except (UsageError, FieldRefused) as error:
            return Answer("illegal", message=f"{error.message}.")
        expires = order.expires or self._now() + LIFETIME
        wish = Wish(kind, asked, self._tag(order.key), int(expires.timestamp() * 1000))
        record = await self._run(wish)
        return record if isinstance(record, Answer) else _told(record)

    async def inquire(self, ref: PaymentRef) -> Answer:
        """Say what became of a payment, from the journal alone."""
        record = await self._find(ref)
        if record is None:
            return Answer("absent")
        if record.state is State.TOMBSTONED:
            return Answer("cancelled")
        return Answer("done", payment_of(record, await self._entries(record)))

    async def cancel(self, ref: PaymentRef) -> Answer:
        """Cancel a payment in whatever state it is; an id that is unknown is refused from now on."""
        record = await self._find(ref)
        if record is None and (not ref.request or await self._belongs_to_another(ref)):
            return Answer("absent")
        if record is None:
            if not (await self._in_thread(self._desk.forbid, [ref.request]))[0]:
                return await self.cancel(ref)  # it was journalled in the meantime
            return await self._forbid(ref)
        if record.state is State.TOMBSTONED:
            return await self._forbid(ref)
        ended = ended_of(record)
        if record.kind is Kind.CONSULT or (ended and ended.code not in ("done", "cancelled")):
            return Answer("done", payment_of(record))  # nothing was taken
        if self._now() > self._cancel_until(record):
            return Answer("too_late", payment_of(record))
        source = ended or asked_of(record)
        asked = Asked(source.client, source.request, source.mpp, payment=source.request)
        return await self._take_back(asked)

    async def refund(self, order: RefundOrder) -> Answer:
        """Give back a payment or a part of it; several refunds of a payment go one by one."""
        paid = await self._find(order.of)
        if paid is None or paid.kind is not Kind.PAY:
            return Answer("absent")
        async with self._refunding.setdefault(paid.request, asyncio.Lock()):
            return await self._refund(order, paid.request)

    async def learn(self, replies: Sequence[Reply]) -> int:
        """Take what node A says of its own accord; durable when this returns.

        What comes twice changes nothing the second time. Returns how many came for the first time.
        """
        for reply in replies:
            key = self._desk.key_of(reply.id)
            if key in await self._in_thread(self._desk.find, [key]):
                await self._close(key, without_notices(reply))
        node, numbers = self._directory.node_a.name, [reply.number for reply in replies]
        return sum(await self._in_thread(self._desk.take, node, numbers))

    async def told(self, key: str) -> tuple[str, Payment] | None:
        """Return a payment that has ended, by its key, with whose it is; None for anything else."""
        record = (await self._in_thread(self._desk.find, [key])).get(key)
        if record is None or (ended := ended_of(record)) is None:
            return None
        return ended.client, payment_of(record, await self._entries(record))

    async def recover(self) -> list[str]:
        """Return the keys of what has not ended: to be looked after when the process starts."""
        return [record.request for record in await self._in_thread(self._desk.open)]

    async def look_after(self, key: str) -> float:
        """Go on with a request that has not ended; return after how many seconds to do so again.

        0 where it has ended. Asks node A, sends what node A never got, and cancels a payment that
        took too long: it counts as failed only once the cancellation succeeded.
        """
        record = (await self._in_thread(self._desk.find, [key])).get(key)
        if record is None or not record.state.open:
            return 0.0
        try:
            after = await self._go_on(record)
        except PetcoreError as error:
            _LOG.failure("cannot go on with a request yet", error, request=key)
            return self.times.poll
        if after is not None and not after.state.open:
            return 0.0
        return self.times.awaiting if record.check else self.times.poll

    async def close(self) -> None:
        """Wait for what is on its way, then for the journal."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._relay.close()
        await self._begin.close()
        await self._conclude.close()
        self._thread.shutdown()

    async def _run(self, wish: Wish) -> Record | Answer:
        """Journal a wish, send it if it is new, and wait until it ends, a while."""
        begun = await self._begin.add(wish)
        if begun.outcome is Acceptance.INCONSISTENT:
            return Answer("inconsistent")
        if begun.outcome is Acceptance.TOMBSTONED:
            return Answer("cancelled")
        if begun.outcome is Acceptance.EXPIRED:
            return Answer("illegal", message="The request has expired.")
        if begun.record is not None and not begun.record.state.open:
            return begun.record
        future = self._waiting.get(begun.key)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            self._waiting[begun.key] = future
        if begun.outcome is Acceptance.NEW:
            self._start(self._carry(begun))
        elif begun.record is not None and begun.record.check:
            return begun.record  # a payer has to agree: waiting here would not help
        done, _ = await asyncio.wait({future}, timeout=self.times.answer)
        if done:
            return future.result()
        return await self._record(begun.key)

    async def _carry(self, begun: Begun) -> None:
        try:
            reply = await self._relay.send(begun.letter)
            record = await self._close(begun.key, reply)
        except PetcoreError as error:
            _LOG.failure("no answer of the network yet", error, request=begun.key)
            record = None
        if record is None or record.state.open:
            self.on_open(begun.key)

    async def _go_on(self, record: Record) -> Record | None:
        if record.kind is Kind.CANCEL:
            return await self._again(record)
        reply = await self._relay.ask(split_key(record.request)[1])
        late = self._now() > self._patience(record)
        if reply.status == "unknown" and not late:
            return await self._again(record)
        after = await self._close(record.request, reply)
        if not late or record.kind is Kind.REFUND or (after and not after.state.open):
            return after
        asked = asked_of(record)
        await self._take_back(Asked(asked.client, asked.request, asked.mpp, payment=asked.request))
        return await self._record(record.request)

    async def _again(self, record: Record) -> Record | None:
        letter = await self._in_thread(self._desk.again, record.request)
        return await self._close(record.request, await self._relay.send(letter))

    def _patience(self, record: Record) -> datetime:
        """Return until when a decision is waited for; with a payer who has to agree, to the end."""
        end = datetime.fromtimestamp(record.expires / 1000, UTC)
        asked = datetime.fromtimestamp(record.created / 1000, UTC)
        return end if record.check else min(end, asked + timedelta(seconds=self.times.give_up))

    async def _close(self, key: str, reply: Reply) -> Record | None:
        """Take a reply; wake up who waits for its end, or for the page where a payer agrees."""
        try:
            record = await self._conclude.add(Closing(key, Verdict(reply)))
        except LedgerError:
            raise
        except PetcoreError as error:
            _LOG.failure("an answer of the network was not taken", error, request=key)
            return None
        if not record.state.open or record.check:
            self._wake(key, record)
        if record.kind is Kind.CANCEL and not record.state.open:
            await self._wake_payment(record)
        elif not record.state.open and asked_of(record).notify_url:
            self.on_notice()
        return record

    async def _wake_payment(self, cancel: Record) -> None:
        ended = ended_of(cancel)
        if ended is None or (key := self._desk.key_of(ended.request)) not in self._waiting:
            return
        record = (await self._in_thread(self._desk.find, [key])).get(key)
        if record is not None and not record.state.open:
            self._wake(key, record)
            self.on_notice()

    def _wake(self, key: str, record: Record) -> None:
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(record)

    async def _take_back(self, asked: Asked) -> Answer:
        """Send a cancellation; done only after the wallet has acknowledged it."""
        expires = self._now() + timedelta(hours=12)
        tag = self._tag(f"cancel {asked.payment}")
        wish = Wish(Kind.CANCEL, asked, tag, int(expires.timestamp() * 1000))
        outcome = await self._run(wish)
        if isinstance(outcome, Answer):
            return Answer("unclear")
        payment = await self._find(PaymentRef(asked.client, asked.payment))
        told = payment_of(payment) if payment and payment.state is not State.TOMBSTONED else None
        ended = ended_of(outcome)
        if ended is None:
            return Answer("unclear", told)
        return Answer(ended.code, told, entry_of(outcome, told.amount if told else 0))

    async def _refund(self, order: RefundOrder, payment: str) -> Answer:
        found = await self._in_thread(self._desk.find, [payment, self._desk.key_of(order.request)])
        paid, known = found[payment], found.get(self._desk.key_of(order.request))
        told = payment_of(paid)
        if known is None:
            if told.code != "done":
                code: Code = told.code if told.code in (*OPEN, "cancelled") else "absent"
                return Answer(code, told, message="" if code != "absent" else "It was not paid.")
            refunds = await self._in_thread(self._desk.refunds, payment)
            if any(refund.state.open for refund in refunds):
                return Answer("unclear", told, message="Another refund of it is in process.")
            if order.currency != told.currency:
                return Answer("illegal", told, message="refundAmount is in another currency.")
            if order.amount > paid.seen:
                return Answer("exceeds", told)
        asked = self._asked_back(order, paid)
        record = await self._run(
            Wish(
                Kind.REFUND,
                asked,
                self._tag(order.key),
                int((self._now() + LIFETIME).timestamp() * 1000),
            )
        )
        if isinstance(record, Answer):
            return replace(record, payment=told)
        entry = entry_of(record)
        return Answer(entry.code, told, entry)

    def _asked_back(self, order: RefundOrder, paid: Record) -> Asked:
        ended = ended_of(paid)
        source = ended or asked_of(paid)
        agreement = self._directory.agreement_by_id(source.agreement)
        fee = 0
        if agreement.refund_fee and order.fx == "current":
            fee = agreement.fee(order.amount)
        elif agreement.refund_fee:  # on the sum of all refunds, so that parts make up the whole
            before = source.amount - paid.seen
            fee = agreement.fee(before + order.amount) - (source.fee - paid.fee)
        return Asked(
            client=order.client,
            request=order.request,
            mpp=source.mpp,
            agreement=source.agreement,
            currency=order.currency,
            amount=order.amount,
            fee=fee,
            payment=source.request,
            fx=order.fx,
            values={"refund_reason": order.reason} if order.reason else {},
        )

    def _asked(self, order: PayOrder) -> Asked:
        agreement = self._routing.route(order.token, order.currency)
        return Asked(
            client=order.client,
            request=order.request,
            mpp=agreement.mpp,
            agreement=agreement.id,
            currency=order.currency,
            amount=order.amount,
            fee=agreement.fee(order.amount),
            token=order.token,
            values=dict(order.details),
            notify_url=order.notify_url,
        )

    async def _forbid(self, ref: PaymentRef) -> Answer:
        """Make the network refuse an id too, which it never got from here: belt and braces."""
        try:
            wallet = self._routing.usual
        except UsageError:
            return Answer("done")
        return await self._take_back(Asked(ref.client, ref.request, wallet, payment=ref.request))

    async def _record(self, key: str) -> Record:
        found: dict[str, Record] = await self._in_thread(self._desk.find, [key])
        return found[key]

    async def _find(self, ref: PaymentRef) -> Record | None:
        """Return a payment of this client; None where there is none."""
        request = ref.request or await self._in_thread(self._desk.by_payment_id, ref.payment)
        if not request:
            return None
        key = self._desk.key_of(request)
        record = (await self._in_thread(self._desk.find, [key])).get(key)
        if record is None or record.kind not in (Kind.PAY, Kind.CONSULT):
            return None
        return record if client_of(record) in (ref.client, "") else None

    async def _belongs_to_another(self, ref: PaymentRef) -> bool:
        key = self._desk.key_of(ref.request)
        return key in await self._in_thread(self._desk.find, [key])

    async def _entries(self, record: Record) -> tuple[Entry, ...]:
        if record.kind is not Kind.PAY:
            return ()
        payment = payment_of(record)
        cancel_key = self._desk.key_of(self._desk.letters.cancel_id(payment.request))
        refunds, found = await asyncio.gather(
            self._in_thread(self._desk.refunds, record.request),
            self._in_thread(self._desk.find, [cancel_key]),
        )
        entries = tuple(map(entry_of, refunds))
        cancel = found.get(cancel_key)
        return entries if cancel is None else (*entries, entry_of(cancel, payment.amount))

    def _cancel_until(self, record: Record) -> datetime:
        """Return the end of the cancellation window: a time of the day after the payment."""
        until = self._directory.cancel_until
        paid = datetime.fromtimestamp(record.created / 1000, until.tzinfo)
        return datetime.combine(paid.date() + timedelta(days=1), until)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._desk.database.clock() / 1000, UTC)

    def _tag(self, content: str) -> bytes:
        return self._desk.letters.tag("content", content)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gatherer(self, work: Any) -> Gatherer[Any, Any]:
        async def handle(items: list[Any]) -> Any:
            return await self._in_thread(work, items)

        return Gatherer(handle, seconds=0.0, most=_THREAD_MAX, at_once=1)

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _told(record: Record) -> Answer:
    payment = payment_of(record)
    return Answer(payment.code, payment)


def _ignore(_: str) -> None:
    """Look after nothing: what is open then stays so until it is asked for again."""


def _nothing() -> None:
    """Notify nobody now: what is in the outbox stays there."""
