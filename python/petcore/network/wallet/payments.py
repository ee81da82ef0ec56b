"""A wallet's part in payments and refunds: numbers for the nodes, holds, and what is decided.

Every call takes a list, is one transaction, and may be repeated: what happened before is answered
again. Nothing leaves before what it says is durable.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from petcore.errors import PetcoreError
from petcore.network.directory import Directory, Rate
from petcore.network.envelope import Envelope
from petcore.network.errors import (
    DecisionUnclear,
    FieldRefused,
    RefundBusy,
    RequestCancelled,
    RequestInconsistent,
    RequestLate,
)
from petcore.network.ledger import (
    Acceptance,
    Accepted,
    EdgeJournal,
    Kind,
    Request,
    Transfer,
    key,
)
from petcore.network.wallet import ends
from petcore.network.wallet.book import Book, Order, Payment, User, code_name, day_of
from petcore.network.wallet.numbers import (
    Numbers,
    declined_numbers,
    declined_refund,
    payment_numbers,
    refund_numbers,
)
from petcore.network.wallet.sheet import Sheet

_UNKNOWN = User("", "", 0, 0)


class Asked(NamedTuple):
    """A verified request and its opened part."""

    envelope: Envelope
    fields: Mapping[str, Any]

    @property
    def key(self) -> str:
        """How the request is known everywhere."""
        return key(self.envelope.header.sender, self.envelope.header.request_id)

    @property
    def paid(self) -> str:
        """Of a refund, the key of its payment; else empty."""
        header = self.envelope.header
        return key(header.sender, header.clear["payment"]) if header.type == "refund" else ""

    @property
    def code(self) -> str:
        """The name of the payment code that came with it; empty where there is none."""
        token = self.fields.get("payment_token", "")
        return code_name(token) if token else ""


@dataclass(frozen=True)
class Awaiting:
    """A payment without a code, by the wallet's id: its payer has to agree at the page first."""

    id: str


Answer = Payment | Awaiting | PetcoreError


class Payments:
    """The state machine of one wallet.

    Parameters
    ----------
    book
        Users, balances, payments.
    directory
        Rates and members.
    features
        How many features the risk model takes from this wallet.
    """

    def __init__(self, book: Book, directory: Directory, *, features: int = 0) -> None:
        self.book, self.directory, self.features = book, directory, features
        self.journal = EdgeJournal(book.database)

    def check(self, asked: Sequence[Asked], *, consults: int = 3) -> list[Answer]:
        """Journal requests, hold what they need, and return what is to be shared for each.

        A consult holds nothing and is not journalled, but counted: at most ``consults`` per code,
        since its answers would add up to a balance.
        """
        with self._sheet() as sheet:
            accepted = self.journal.accept([_request(one) for one in asked if _journalled(one)])
            self._load(sheet, asked)
            outcomes = iter(accepted)
            return [
                self._answer(sheet, one, next(outcomes) if _journalled(one) else None, consults)
                for one in asked
            ]

    def agree(self, request: str, user: User) -> Payment | PetcoreError:
        """Let a user agree to a payment that waits at the wallet's page; hold it, durably."""
        with self._sheet() as sheet:
            payment = sheet.payments.get(request)
            record = self.journal.find([request]).get(request)
            if payment is None or record is None or not record.state.open:
                return RequestLate(f"the payment {request} does not wait for anybody")
            if record.expires <= self.book.database.clock():
                return RequestLate(f"the payment {request} has expired")
            if payment.state != "awaiting":
                return payment
            try:
                rate = self.directory.rate(payment.merchant_currency, user.currency)
            except PetcoreError as error:
                return error
            return self._hold(sheet, request, user, payment.numbers.seen, rate, payment.id)

    def decide(self, decisions: Mapping[str, int]) -> dict[str, str | DecisionUnclear]:
        """Post what the circuit approved (1) and void what it declined (0); return the states.

        Parameters
        ----------
        decisions
            By the request's key, the sum of both nodes' shares mod 2^64.

        Returns
        -------
        dict
            By the request's key, its state; or DecisionUnclear where the sum is neither 0 nor 1, or
            contradicts what this wallet did: that request stays as it is, the others go on.
        """
        with self._sheet() as sheet:
            payments = sheet.payments.load_named(decisions)
            sheet.payments.load(p.refunds for p in payments.values() if p.refunds)
            return {
                request: self._decide(sheet, request, decision)
                for request, decision in decisions.items()
                if request in payments
            }

    @staticmethod
    def _decide(sheet: Sheet, request: str, decision: int) -> str | DecisionUnclear:
        try:
            return ends.decide(sheet, request, decision)
        except DecisionUnclear as error:
            return error

    def cancel(self, sender: str, request_id: str, *, asked: int | None = None) -> str:
        """Take a payment back, or forbid it beforehand; return what was done of it.

        "tombstoned": it was unknown and never will be accepted; "voided": nothing was posted;
        "reversed": its money is back; "too_late": the window is over, use a refund.

        Parameters
        ----------
        asked
            When the cancel was made, in ms: the window is judged by that, since the nodes have
            carried it out by then; now, if left out.
        """
        request = key(sender, request_id)
        with self._sheet() as sheet:
            if self.journal.tombstone([request])[0]:
                return "tombstoned"
            record = self.journal.find([request])[request]
            now = self.book.database.clock() if asked is None else asked
            return ends.cancel(sheet, self.journal, record, now, self.directory.cancel_until)

    def release(self, request: str) -> None:
        """Give up a request that the nodes ended without a decision."""
        with self._sheet() as sheet:
            ends.release(sheet, request)

    def tidy(self) -> int:
        """Erase codes, and orders at the page, that expired a day ago; return how many."""
        now = self.book.database.clock()
        return self.book.codes.forget(now) + self.book.orders.forget(now)

    @contextmanager
    def _sheet(self) -> Iterator[Sheet]:
        with self.book.database.write():
            sheet = Sheet(self.book, self.journal)
            yield sheet
            sheet.write()

    def _load(self, sheet: Sheet, asked: Sequence[Asked]) -> None:
        names = [name for one in asked for name in (one.key, one.paid) if name]
        payments = sheet.payments.load(names)
        codes = sheet.codes.load(one.code for one in asked if one.code)
        users = [code.user for code in codes] + [payment.user for payment in payments]
        sheet.load_users(users, day_of(self.book.database.clock()))

    def _answer(
        self, sheet: Sheet, asked: Asked, accepted: Accepted | None, consults: int
    ) -> Answer:
        """Judge one request; what is wrong with it is its own answer only."""
        request = asked.key
        clear, fields = asked.envelope.header.clear, asked.fields
        try:
            if fields["currency"] != clear["merchant_currency"]:
                return FieldRefused(f"{request}: its currency is not the one in the header")
            if accepted is None:
                return self._consult(sheet, asked, consults)
            if accepted.outcome is Acceptance.INCONSISTENT:
                return RequestInconsistent(f"{request} was used for another content before")
            if accepted.outcome is Acceptance.TOMBSTONED:
                return RequestCancelled(f"{request} was cancelled")
            if accepted.outcome is Acceptance.EXPIRED:
                return RequestLate(f"{request} has expired")
            payment = sheet.payments.get(request)
            if payment is not None:
                return Awaiting(payment.id) if payment.state == "awaiting" else payment
            return (self._refund if asked.paid else self._pay)(sheet, asked)
        except PetcoreError as error:
            return error

    def _pay(self, sheet: Sheet, asked: Asked) -> Answer:
        request, fields = asked.key, asked.fields
        amount, currency = int(fields["amount"]), fields["currency"]
        if not asked.code:
            rate = Rate("", currency, currency, 1, 1)
            numbers = Numbers(amount, amount)
            waiting = self._enter(sheet, request, _UNKNOWN, rate, numbers, "awaiting")
            order = Order(request, asked.envelope.to_bytes().hex(), asked.envelope.header.expires)
            sheet.orders.put(waiting.id, order)
            return Awaiting(waiting.id)
        code = sheet.codes.get(asked.code)
        if code is None or code.used or code.expires <= self.book.database.clock():
            return self._enter(sheet, request, _UNKNOWN, *self._nobody(amount, currency), "voided")
        (user,) = sheet.users.load([code.user])
        rate = self.directory.rate(currency, user.currency)
        sheet.codes.put(asked.code, replace(code, used=request))
        return self._hold(sheet, request, user, amount, rate)

    def _hold(
        self, sheet: Sheet, request: str, user: User, amount: int, rate: Rate, number: str = ""
    ) -> Payment:
        """Hold a payment for a user, or write down why not."""
        numbers = self._numbers(sheet, user, amount, rate)
        if numbers.reason != "accepted":
            return self._enter(sheet, request, user, rate, numbers, "voided", number=number)
        account, network = self.book.balance(user), self.book.network(user.currency)
        sheet.hold(Transfer(request, 0, account, network, numbers.debit))
        payment = self._enter(sheet, request, user, rate, numbers, "held", number=number)
        sheet.count(user.id, payment.day, payments=1, amount=numbers.debit)
        return payment

    def _refund(self, sheet: Sheet, asked: Asked) -> Answer:
        request, name = asked.key, asked.paid
        amount, original = int(asked.fields["amount"]), asked.envelope.header.clear["fx_mode"]
        paid = sheet.payments.get(name)
        if paid is None or paid.refunds or paid.state == "awaiting":
            return FieldRefused(f"there is no payment {name} to refund")
        if paid.merchant_currency != asked.fields["currency"]:
            return FieldRefused(f"{name} was not paid in {asked.fields['currency']}")
        # Node A sees these refusals: they must not depend on what this wallet said of either.
        record = self.journal.find([name]).get(name)
        if record is not None and record.state.open:
            return RefundBusy(f"what the nodes decided of {name} has not come yet", retryable=True)
        if paid.refunding:
            return RefundBusy(f"another refund of {name} is under way", retryable=True)
        rate = (
            _rate_of(paid)
            if original == "original"
            else self.directory.rate(paid.merchant_currency, paid.payer_currency)
        )
        numbers = (
            refund_numbers(amount, rate, paid.paid, original=original == "original")
            if paid.state == "posted"
            else declined_refund("state")
        )
        # Also of a code that was nobody's: a refusal would tell the nodes that it was declined.
        (user,) = sheet.users.load([paid.user]) if paid.user else [_UNKNOWN]
        state = "held" if numbers.reason == "accepted" else "voided"
        if state == "held":
            account, network = self.book.balance(user), self.book.network(user.currency)
            sheet.hold(Transfer(request, 0, network, account, numbers.debit))
        sheet.payments.put(name, replace(paid, refunding=request))
        return self._enter(sheet, request, user, rate, numbers, state, refunds=name)

    def _consult(self, sheet: Sheet, asked: Asked, consults: int) -> Answer:
        amount, currency = int(asked.fields["amount"]), asked.fields["currency"]
        code = sheet.codes.get(asked.code) if asked.code else None
        now = self.book.database.clock()
        if code is None or code.used or code.expires <= now or code.consults >= consults:
            return self._payment(_UNKNOWN, *self._nobody(amount, currency), "voided")
        (user,) = sheet.users.load([code.user])
        rate = self.directory.rate(currency, user.currency)
        sheet.codes.put(asked.code, replace(code, consults=code.consults + 1))
        return self._payment(user, rate, self._numbers(sheet, user, amount, rate), "voided")

    def _numbers(self, sheet: Sheet, user: User, amount: int, rate: Rate) -> Numbers:
        standing = sheet.standing(user, day_of(self.book.database.clock()))
        numbers = payment_numbers(amount, rate, standing)
        return replace(numbers, features=_padded(numbers.features, self.features))

    def _nobody(self, amount: int, currency: str) -> tuple[Rate, Numbers]:
        """Return the rate and the numbers for a code that is nobody's, or not any more."""
        targets = [p.currency for p in self.directory.prefunding if p.mpp == self.book.name]
        known = {r.target for r in self.directory.rates_from(currency)} | {currency}
        usual = next((code for code in targets if code in known), currency)
        rate = self.directory.rate(currency, usual)
        return rate, declined_numbers(amount, rate, self.features, "token")

    def _enter(
        self,
        sheet: Sheet,
        request: str,
        user: User,
        rate: Rate,
        numbers: Numbers,
        state: str,
        *,
        refunds: str = "",
        number: str = "",
    ) -> Payment:
        """Write a payment or refund down as it stands after its check."""
        payment = self._payment(user, rate, numbers, state, refunds=refunds, number=number)
        sheet.payments.put(request, payment)
        return payment

    def _payment(
        self,
        user: User,
        rate: Rate,
        numbers: Numbers,
        state: str,
        *,
        refunds: str = "",
        number: str = "",
    ) -> Payment:
        now = self.book.database.clock()
        return Payment(
            id=number or secrets.token_hex(16),
            user=user.id,
            merchant_currency=rate.source,
            payer_currency=rate.target,
            rate=rate.id,
            num=rate.num,
            den=rate.den,
            time=now,
            day=day_of(now),
            numbers=numbers,
            state=state,
            refunds=refunds,
        )


def _journalled(asked: Asked) -> bool:
    return asked.envelope.header.type != "consult"


def _request(asked: Asked) -> Request:
    header = asked.envelope.header
    return Request(
        asked.key,
        Kind.REFUND if asked.paid else Kind.PAY,
        bytes.fromhex(header.clear["content"]),
        header.expires,
        payment=asked.paid or None,
    )


def _rate_of(payment: Payment) -> Rate:
    return Rate(
        payment.rate, payment.merchant_currency, payment.payer_currency, payment.num, payment.den
    )


def _padded(features: tuple[int, ...], count: int) -> tuple[int, ...]:
    return (*features, *(0,) * count)[:count]
