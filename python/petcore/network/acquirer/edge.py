"""The acquirer's edge: pays, inquires, cancels and refunds for its clients, exactly once.

Journal first: a request is durable here before anything of it leaves, and its end is written before
anybody is told. What is not decided in time is answered as unknown and looked after until it ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

from petcore.errors import UsageError
from petcore.network.acquirer.desk import Desk, Wish
from petcore.network.acquirer.facts import (
    Asked,
    asked_of,
    client_of,
    ended_of,
    entry_of,
    name_of,
    payment_of,
)
from petcore.network.acquirer.flow import Flow, Times, milliseconds
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
from petcore.network.deadlines import cancel_until
from petcore.network.directory import Directory
from petcore.network.errors import FieldRefused
from petcore.network.ledger import Kind, Record, State, split_key

LIFETIME = timedelta(minutes=10)


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
    gather
        Seconds that a request waits for others to go with it, unless nothing is under way.

    Attributes
    ----------
    flow
        How requests are carried through the network.
    """

    def __init__(
        self,
        directory: Directory,
        desk: Desk,
        relay: Relay,
        routing: Routing,
        *,
        times: Times | None = None,
        gather: float = 0.0,
    ) -> None:
        self.name = desk.name
        self.flow = Flow(desk, relay, directory.node_a.name, times or Times(), gather)
        self._directory, self._desk, self._routing = directory, desk, routing
        self._refunding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def pay(self, order: PayOrder) -> Answer:
        """Make a payment, or evaluate one; the same request again gets the same answer."""
        kind = Kind.CONSULT if order.consult else Kind.PAY
        try:
            asked = self._asked(order)
            self._desk.letters.check(name_of(kind), asked, bytes(32))
        except (UsageError, FieldRefused) as error:
            return Answer("illegal", message=f"{error.message}.")
        expires = order.expires or self.flow.now() + LIFETIME
        wish = Wish(kind, asked, self.flow.tag(order.key), milliseconds(expires))
        record = await self.flow.run(wish)
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
            if not (await self.flow.in_thread(self._desk.forbid, [ref.request]))[0]:
                return await self.cancel(ref)  # it was journalled in the meantime
            return await self._forbid(ref)
        if record.state is State.TOMBSTONED:
            return await self._forbid(ref)
        ended = ended_of(record)
        if record.kind is Kind.CONSULT or (ended and ended.code not in ("done", "cancelled")):
            return Answer("done", payment_of(record))  # nothing was taken
        if milliseconds(self.flow.now()) > cancel_until(
            record.created, self._directory.cancel_until
        ):
            return Answer("too_late", payment_of(record))
        request = split_key(record.request)[1]
        return await self._take_back(ref.client, request, (ended or asked_of(record)).mpp)

    async def refund(self, order: RefundOrder) -> Answer:
        """Give back a payment or a part of it; several refunds of a payment go one by one."""
        paid = await self._find(order.of)
        if paid is None or paid.kind is not Kind.PAY:
            return Answer("absent")
        async with self._refunding.setdefault(paid.request, asyncio.Lock()):
            return await self._refund(order, paid.request)

    async def told(self, key: str) -> tuple[str, Payment] | None:
        """Return a payment that has ended, by its key, with whose it is; None for anything else."""
        record = (await self.flow.in_thread(self._desk.find, [key])).get(key)
        if record is None or (ended := ended_of(record)) is None:
            return None
        return ended.client, payment_of(record, await self._entries(record))

    async def _take_back(self, client: str, request: str, mpp: str) -> Answer:
        """Cancel through the network; done only after the wallet has acknowledged it."""
        outcome = await self.flow.take_back(client, request, mpp)
        if isinstance(outcome, Answer):
            return Answer("unclear")
        payment = await self._find(PaymentRef(client, request))
        told = payment_of(payment) if payment and payment.state is not State.TOMBSTONED else None
        ended = ended_of(outcome)
        if ended is None:
            return Answer("unclear", told)
        return Answer(ended.code, told, entry_of(outcome, told.amount if told else 0))

    async def _refund(self, order: RefundOrder, payment: str) -> Answer:
        found = await self.flow.in_thread(
            self._desk.find, [payment, self._desk.key_of(order.request)]
        )
        paid, known = found[payment], found.get(self._desk.key_of(order.request))
        told = payment_of(paid)
        if known is None:
            if told.code != "done":
                code: Code = told.code if told.code in (*OPEN, "cancelled") else "absent"
                return Answer(code, told, message="" if code != "absent" else "It was not paid.")
            refunds = await self.flow.in_thread(self._desk.refunds, payment)
            if any(refund.state.open for refund in refunds):
                return Answer("unclear", told, message="Another refund of it is in process.")
            if order.currency != told.currency:
                return Answer("illegal", told, message="refundAmount is in another currency.")
            if order.amount > paid.seen:
                return Answer("exceeds", told)
        asked = self._asked_back(order, paid)
        record = await self.flow.run(
            Wish(
                Kind.REFUND,
                asked,
                self.flow.tag(order.key),
                milliseconds(self.flow.now() + LIFETIME),
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
        if agreement.refund_fee:  # on the sum of all refunds, so that parts make up the whole
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
        return await self._take_back(ref.client, ref.request, wallet)

    async def _find(self, ref: PaymentRef) -> Record | None:
        """Return a payment of this client; None where there is none."""
        request = ref.request or await self.flow.in_thread(self._desk.by_payment_id, ref.payment)
        if not request:
            return None
        key = self._desk.key_of(request)
        record = (await self.flow.in_thread(self._desk.find, [key])).get(key)
        if record is None or record.kind not in (Kind.PAY, Kind.CONSULT):
            return None
        return record if client_of(record) in (ref.client, "") else None

    async def _belongs_to_another(self, ref: PaymentRef) -> bool:
        key = self._desk.key_of(ref.request)
        return key in await self.flow.in_thread(self._desk.find, [key])

    async def _entries(self, record: Record) -> tuple[Entry, ...]:
        if record.kind is not Kind.PAY:
            return ()
        payment = payment_of(record)
        cancel_key = self._desk.key_of(self._desk.letters.cancel_id(payment.request))
        refunds, found = await asyncio.gather(
            self.flow.in_thread(self._desk.refunds, record.request),
            self.flow.in_thread(self._desk.find, [cancel_key]),
        )
        entries = tuple(map(entry_of, refunds))
        cancel = found.get(cancel_key)
        return entries if cancel is None else (*entries, entry_of(cancel, payment.amount))


def _told(record: Record) -> Answer:
    payment = payment_of(record)
    return Answer(payment.code, payment)
