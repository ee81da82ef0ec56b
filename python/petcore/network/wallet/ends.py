"""How a wallet's payments and refunds end: by a decision, a cancellation, or without either."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from petcore.network.deadlines import cancel_until
from petcore.network.errors import DecisionUnclear, RequestInconsistent
from petcore.network.ledger import EdgeJournal, Finish, Kind, Record, State, Transfer
from petcore.network.published import GRACE_MS
from petcore.network.wallet.book import Payment
from petcore.network.wallet.sheet import Sheet

REVERSAL_LEG = 1


def decide(sheet: Sheet, request: str, decision: int) -> str:
    """Post (1) or void (0) what is held for a request; return its state, also when repeated.

    Raises
    ------
    DecisionUnclear
        The decision is neither, or contradicts what this wallet did.
    """
    if decision not in (0, 1):
        raise DecisionUnclear(
            f"the nodes' shares for {request} add up to no decision; they must be asked again",
            retryable=True,
        )
    payment = sheet.payments.get(request)
    if payment is None or payment.state in ("cancelled", "reversed"):
        return payment.state if payment is not None else ""  # the nodes took it back as well
    if payment.state == "held":
        if decision == 1:
            return _post(sheet, request, payment)
        _uncount(sheet, payment)
        sheet.end_hold(request, post=False)
    elif (decision == 1) != (payment.state == "posted"):
        raise DecisionUnclear(
            f"the nodes' decision about {request} contradicts this journal, where it is "
            f"{payment.state}; the journals must be compared"
        )
    elif decision == 1:
        return "posted"
    _free(sheet, request, payment)
    sheet.change(request, payment, "voided")
    sheet.finish(Finish(request, State.VOIDED, b""))
    return "voided"


def cancel(sheet: Sheet, journal: EdgeJournal, record: Record, now: int, cut_off: time) -> str:
    """Take a payment back that was accepted; return what was done of it.

    Raises
    ------
    RequestInconsistent
        The id is a refund's.
    """
    request = record.request
    if record.kind is Kind.REFUND:
        raise RequestInconsistent(f"{request} is a refund; only a payment is cancelled")
    payment = sheet.payments.get(request)
    if record.state is State.TOMBSTONED:
        return "tombstoned"
    if payment is None or payment.state in ("voided", "cancelled", "awaiting", "held"):
        _give_up(sheet, request, payment, "cancelled")
        return "voided"
    if payment.state == "reversed":
        return "reversed"
    if now > cancel_until(payment.time, cut_off) + GRACE_MS:
        return "too_late"
    _reverse(sheet, request, payment)
    journal.cancel([request])
    return "reversed"


def release(sheet: Sheet, request: str) -> None:
    """End a request that the nodes gave up; one that was decided or cancelled stays as it is."""
    payment = sheet.payments.get(request)
    if payment is None or payment.state in ("held", "awaiting", "voided"):
        _give_up(sheet, request, payment, "voided")


def _post(sheet: Sheet, request: str, payment: Payment) -> str:
    seen, debit = payment.numbers.seen, payment.numbers.debit
    if payment.refunds:
        debit = _count_refund(sheet, payment)
    sheet.end_hold(request, post=True)
    sheet.change(request, payment, "posted")
    sheet.finish(Finish(request, State.POSTED, b"", seen, debit))
    return "posted"


def _count_refund(sheet: Sheet, refund: Payment) -> int:
    """Return what a refund takes of its payment's debit, which today's rate may exceed."""
    paid = sheet.payments.get(refund.refunds)
    if paid is None:
        raise DecisionUnclear(f"{refund.refunds}, which is refunded, is unknown here")
    left = max(0, paid.numbers.debit - paid.refunded_debit)
    after = replace(
        paid,
        refunded_seen=paid.refunded_seen + refund.numbers.seen,
        refunded_debit=paid.refunded_debit + refund.numbers.debit,
        refunding="",
    )
    sheet.payments.put(refund.refunds, after)
    return min(left, refund.numbers.debit)


def _give_up(sheet: Sheet, request: str, payment: Payment | None, state: str) -> None:
    """End without money moving: release the hold, give back the counters."""
    if payment is not None:
        if payment.state == "held":
            sheet.end_hold(request, post=False)
            _uncount(sheet, payment)
        _free(sheet, request, payment)
        sheet.change(request, payment, state)
    sheet.finish(Finish(request, State.VOIDED, b""))


def _uncount(sheet: Sheet, payment: Payment) -> None:
    if not payment.refunds:
        sheet.count(payment.user, payment.day, payments=-1, amount=-payment.numbers.debit)


def _free(sheet: Sheet, request: str, refund: Payment) -> None:
    """Let the payment of a refund that ended have another."""
    paid = sheet.payments.get(refund.refunds) if refund.refunds else None
    if paid is not None and paid.refunding == request:
        sheet.payments.put(refund.refunds, replace(paid, refunding=""))


def _reverse(sheet: Sheet, request: str, payment: Payment) -> None:
    """Give back what was not refunded, and take back a refund that is under way.

    The nodes cancel between batches. A refund that they decided before is part of what is given back
    here, one that they had not decided never will be approved: either way its money goes once.
    """
    if payment.refunding:
        refund = sheet.payments.get(payment.refunding)
        if refund is not None and refund.state == "held":
            _give_up(sheet, payment.refunding, refund, "cancelled")
            payment = replace(payment, refunding="")
    (user,) = sheet.users.load([payment.user])
    back = max(0, payment.numbers.debit - payment.refunded_debit)
    account, network = sheet.book.balance(user), sheet.book.network(user.currency)
    sheet.move(Transfer(request, REVERSAL_LEG, network, account, back))
    sheet.count(user.id, payment.day, payments=-1, amount=-payment.numbers.debit)
    sheet.change(request, payment, "reversed")
