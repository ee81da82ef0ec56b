"""A wallet's part in payments and refunds: numbers for the nodes, holds, and what is decided.

Every call takes a list, is one transaction, and may be repeated: what happened before is answered
again. Nothing leaves before what it says is durable.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from petcore.errors import PetcoreError
from petcore.network.deadlines import cancel_until
from petcore.network.directory import Directory, Rate
from petcore.network.envelope import Envelope
from petcore.network.errors import (
    DecisionUnclear,
    RefundBusy,
    RequestCancelled,
    RequestInconsistent,
    RequestLate,
)
from petcore.network.ledger import (
    Acceptance,
    Accepted,
    EdgeJournal,
    Finish,
    Held,
    Kind,
    Request,
    State,
    Transfer,
    key,
)
from petcore.network.wallet.book import (
    Book,
    Code,
    Order,
    Payment,
    User,
    code_name,
    day_of,
)
from petcore.network.wallet.numbers import (
    Numbers,
    declined_numbers,
    payment_numbers,
    refund_numbers,
)

REVERSAL_LEG = 1
_UNKNOWN = User("", "", 0, 0)
# A hold is released by a decision, a cancellation, or what node A says of an expired request; were it
# released by time alone, an approval that comes late would find nothing.
_NEVER = 1 << 53


class Asked(NamedTuple):
    """A verified request and its opened part."""

    envelope: Envelope
    fields: Mapping[str, Any]

    @property
    def key(self) -> str:
        """How the request is known everywhere."""
        return key(self.envelope.header.sender, self.envelope.header.request_id)


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
        with self.book.database.write():
            accepted = self.journal.accept([_request(one) for one in asked if _journalled(one)])
            outcomes = iter(accepted)
            return [
                self._judge(one, next(outcomes))
                if _journalled(one)
                else self._consult(one, consults)
                for one in asked
            ]

    def agree(self, request: str, user: User) -> Payment | PetcoreError:
        """Let a user agree to a payment that waits at the wallet's page; hold it, durably."""
        with self.book.database.write():
            payment = self.book.payments.get([request]).get(request)
            record = self.journal.find([request]).get(request)
            if payment is None or record is None or not record.state.open:
                return RequestLate(f"the payment {request} does not wait for anybody")
            if record.expires <= self.book.database.clock():
                return RequestLate(f"the payment {request} has expired")
            if payment.state != "awaiting":
                return payment
            rate = self.directory.rate(payment.merchant_currency, user.currency)
            return self._hold(request, user, payment.numbers.seen, rate, record.expires)

    def decide(self, decisions: Mapping[str, int]) -> dict[str, str]:
        """Post what the circuit approved (1) and void what it declined (0); return the states.

        Parameters
        ----------
        decisions
            By the request's key, the sum of both nodes' shares mod 2^64.

        Raises
        ------
        DecisionUnclear
            A sum is neither 0 nor 1, or approves what this wallet could not hold. Nothing of
            this call happened.
        """
        with self.book.database.write():
            payments = self.book.payments.get(decisions)
            states = {}
            for request, decision in decisions.items():
                if decision not in (0, 1):
                    raise DecisionUnclear(
                        f"the nodes' shares for {request} add up to no decision; they must be asked "
                        "again",
                        retryable=True,
                    )
                payment = payments.get(request)
                if payment is not None:
                    states[request] = self._decide(request, payment, approved=decision == 1)
            return states

    def cancel(self, sender: str, request_id: str) -> str:
        """Take a payment back, or forbid it beforehand; return what was done of it.

        "tombstoned": it was unknown and never will be accepted; "voided": nothing was posted;
        "reversed": its money is back; "too_late": the window is over, use a refund.
        """
        request = key(sender, request_id)
        with self.book.database.write():
            if self.journal.tombstone([request])[0]:
                return "tombstoned"
            record = self.journal.find([request])[request]
            payment = self.book.payments.get([request]).get(request)
            if record.state is State.TOMBSTONED:
                return "tombstoned"
            if payment is None or payment.state in ("voided", "awaiting"):
                self._end(request, payment)
                return "voided"
            if payment.state == "reversed":
                return "reversed"
            if payment.state == "held":
                self._end(request, payment)
                return "voided"
            if self.book.database.clock() > self.cancel_until(payment.time):
                return "too_late"
            return self._reverse(request, payment)

    def release(self, request: str) -> None:
        """Give up a request that the nodes ended without a decision."""
        with self.book.database.write():
            payment = self.book.payments.get([request]).get(request)
            if payment is None or payment.state in ("held", "awaiting"):
                self._end(request, payment)

    def cancel_until(self, paid: int) -> int:
        """Return until when a payment of this time may be cancelled, ms."""
        return cancel_until(paid, self.directory.cancel_until)

    def _judge(self, asked: Asked, accepted: Accepted) -> Answer:
        request = asked.key
        if accepted.outcome is Acceptance.INCONSISTENT:
            return RequestInconsistent(f"{request} was used for another content before")
        if accepted.outcome is Acceptance.TOMBSTONED:
            return RequestCancelled(f"{request} was cancelled")
        if accepted.outcome is Acceptance.EXPIRED:
            return RequestLate(f"{request} has expired")
        payment = self.book.payments.get([request]).get(request)
        if payment is not None:
            return Awaiting(payment.id) if payment.state == "awaiting" else payment
        if asked.envelope.header.type == "refund":
            return self._refund(asked, request)
        return self._pay(asked, request)

    def _pay(self, asked: Asked, request: str) -> Answer:
        fields = asked.fields
        amount, currency = int(fields["amount"]), fields["currency"]
        expires = asked.envelope.header.expires
        if not fields["payment_token"]:
            rate = Rate("", currency, currency, 1, 1)
            numbers = Numbers(amount, amount)
            waiting = self._enter(request, _UNKNOWN, rate, numbers, "awaiting")
            order = Order(request, asked.envelope.to_bytes().hex())
            self.book.orders.put({waiting.id: order})
            return Awaiting(waiting.id)
        user = self._use_code(fields["payment_token"], request)
        if user is None:
            currency_of = self._usual_currency(currency)
            rate = self.directory.rate(currency, currency_of)
            numbers = declined_numbers(amount, rate, self.features, "token")
            return self._enter(request, _UNKNOWN, rate, numbers, "voided")
        return self._hold(
            request, user, amount, self.directory.rate(currency, user.currency), expires
        )

    def _hold(self, request: str, user: User, amount: int, rate: Rate, expires: int) -> Payment:
        day = day_of(self.book.database.clock())
        standing = self.book.standings({user.id: user}, day)[user.id]
        numbers = payment_numbers(amount, rate, standing)
        numbers = replace(numbers, features=_padded(numbers.features, self.features))
        if numbers.reason != "accepted":
            return self._enter(request, user, rate, numbers, "voided")
        account, network = self.book.balance(user), self.book.network(user.currency)
        transfer = Transfer(request, 0, account, network, numbers.debit)
        (held,) = self.book.accounts.hold([transfer], expires=_NEVER)
        if held is Held.INSUFFICIENT:
            return self._enter(request, user, rate, replace(numbers, reason="balance"), "voided")
        self.book.count(user.id, day, payments=1, amount=numbers.debit)
        return self._enter(request, user, rate, numbers, "held")

    def _refund(self, asked: Asked, request: str) -> Answer:
        clear, fields = asked.envelope.header.clear, asked.fields
        amount = int(fields["amount"])
        name = key(asked.envelope.header.sender, clear["payment"])
        paid = self.book.payments.get([name]).get(name)
        if paid is None or paid.state != "posted" or paid.merchant_currency != fields["currency"]:
            currency = clear["merchant_currency"]
            rate = Rate("", currency, currency, 1, 1)
            numbers = declined_numbers(amount, rate, 0, "state")
            return self._enter(request, _UNKNOWN, rate, numbers, "voided")
        if paid.refunding:
            return RefundBusy(f"another refund of {name} is under way", retryable=True)
        original = clear["fx_mode"] == "original"
        rate = (
            _rate_of(paid)
            if original
            else self.directory.rate(paid.merchant_currency, paid.payer_currency)
        )
        numbers = refund_numbers(amount, rate, paid.paid, original=original)
        user = self.book.users.get([paid.user])[paid.user]
        if numbers.reason != "accepted":
            return self._enter(request, user, rate, numbers, "voided")
        account, network = self.book.balance(user), self.book.network(user.currency)
        self.book.accounts.hold(
            [Transfer(request, 0, network, account, numbers.debit)], expires=_NEVER
        )
        self.book.payments.put({name: replace(paid, refunding=request)})
        return self._enter(request, user, rate, numbers, "held", refunds=name)

    def _consult(self, asked: Asked, consults: int) -> Answer:
        fields = asked.fields
        amount, currency = int(fields["amount"]), fields["currency"]
        name = code_name(fields["payment_token"])
        code = self.book.codes.get([name]).get(name)
        now = self.book.database.clock()
        if code is None or code.expires <= now or code.consults >= consults:
            rate = self.directory.rate(currency, self._usual_currency(currency))
            return self._payment(
                _UNKNOWN, rate, declined_numbers(amount, rate, self.features, "token"), "voided"
            )
        self.book.codes.put({name: replace(code, consults=code.consults + 1)})
        user = self.book.users.get([code.user])[code.user]
        rate = self.directory.rate(currency, user.currency)
        standing = self.book.standings({user.id: user}, day_of(now))[user.id]
        numbers = payment_numbers(amount, rate, standing)
        numbers = replace(numbers, features=_padded(numbers.features, self.features))
        return self._payment(user, rate, numbers, "voided")

    def _use_code(self, code: str, request: str) -> User | None:
        """Return the user who showed a code, and use it up; None if it cannot be used."""
        name = code_name(code)
        found = self.book.codes.get([name]).get(name)
        if found is None or found.used or found.expires <= self.book.database.clock():
            return None
        self.book.codes.put({name: Code(found.user, found.expires, request, found.consults)})
        return self.book.users.get([found.user]).get(found.user)

    def _enter(
        self,
        request: str,
        user: User,
        rate: Rate,
        numbers: Numbers,
        state: str,
        *,
        refunds: str = "",
    ) -> Payment:
        """Write a payment or refund down as it stands after its check."""
        payment = replace(self._payment(user, rate, numbers, state), refunds=refunds)
        self.book.payments.put({request: payment})
        return payment

    def _payment(self, user: User, rate: Rate, numbers: Numbers, state: str) -> Payment:
        now = self.book.database.clock()
        return Payment(
            id=secrets.token_hex(16),
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
        )

    def _decide(self, request: str, payment: Payment, *, approved: bool) -> str:
        if payment.state != "held":
            if approved and payment.state != "posted" and payment.state != "reversed":
                raise DecisionUnclear(
                    f"the nodes approved {request}, for which nothing is held here; their journals "
                    "and this one must be compared"
                )
            return payment.state
        if not approved:
            self._end(request, payment)
            return "voided"
        self.book.accounts.post([(request, 0)])
        debit = self._refunded(payment) if payment.refunds else payment.numbers.debit
        self.book.payments.put({request: replace(payment, state="posted")})
        self.journal.finish([Finish(request, State.POSTED, b"", payment.numbers.seen, debit)])
        return "posted"

    def _refunded(self, refund: Payment) -> int:
        """Count a refund; return what it takes of the payment's debit, which today's rate may exceed."""
        paid = self.book.payments.get([refund.refunds])[refund.refunds]
        left = max(0, paid.numbers.debit - paid.refunded_debit)
        after = replace(
            paid,
            refunded_seen=paid.refunded_seen + refund.numbers.seen,
            refunded_debit=paid.refunded_debit + refund.numbers.debit,
            refunding="",
        )
        self.book.payments.put({refund.refunds: after})
        return min(left, refund.numbers.debit)

    def _end(self, request: str, payment: Payment | None) -> None:
        """End without money moving: release the hold, give back the counters."""
        if payment is not None:
            if payment.state == "held":
                self.book.accounts.void([(request, 0)])
                self._uncount(request, payment)
            self.book.payments.put({request: replace(payment, state="voided")})
        self.journal.finish([Finish(request, State.VOIDED, b"")])

    def _uncount(self, request: str, payment: Payment) -> None:
        if not payment.refunds:
            self.book.count(payment.user, payment.day, payments=-1, amount=-payment.numbers.debit)
            return
        paid = self.book.payments.get([payment.refunds])[payment.refunds]
        if paid.refunding == request:
            self.book.payments.put({payment.refunds: replace(paid, refunding="")})

    def _reverse(self, request: str, payment: Payment) -> str:
        user = self.book.users.get([payment.user])[payment.user]
        back = max(0, payment.numbers.debit - payment.refunded_debit)
        account, network = self.book.balance(user), self.book.network(user.currency)
        self.book.accounts.transfer([Transfer(request, REVERSAL_LEG, network, account, back)])
        self.book.count(user.id, payment.day, payments=-1, amount=-payment.numbers.debit)
        self.book.payments.put({request: replace(payment, state="reversed")})
        self.journal.cancel([request])
        return "reversed"

    def _usual_currency(self, currency: str) -> str:
        """Return a currency this wallet pays in, for answers about nobody."""
        targets = [p.currency for p in self.directory.prefunding if p.mpp == self.book.name]
        known = {r.target for r in self.directory.rates if r.source == currency} | {currency}
        return next((code for code in targets if code in known), currency)


def _journalled(asked: Asked) -> bool:
    return asked.envelope.header.type != "consult"


def _request(asked: Asked) -> Request:
    header = asked.envelope.header
    refund = header.type == "refund"
    return Request(
        asked.key,
        Kind.REFUND if refund else Kind.PAY,
        bytes.fromhex(header.clear["content"]),
        header.expires,
        payment=key(header.sender, header.clear["payment"]) if refund else None,
    )


def _rate_of(payment: Payment) -> Rate:
    return Rate(
        payment.rate, payment.merchant_currency, payment.payer_currency, payment.num, payment.den
    )


def _padded(features: tuple[int, ...], count: int) -> tuple[int, ...]:
    return (*features, *(0,) * count)[:count]
