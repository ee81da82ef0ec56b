"""Answers and notifications of the dialect, from what the edge knows of a payment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from petcore.network.acquirer.alipayplus.results import Result, result
from petcore.network.acquirer.orders import Answer, Code, Entry, Payment

_CODES: dict[Code, str] = {
    "done": "SUCCESS",
    "pending": "PAYMENT_IN_PROCESS",
    "unclear": "UNKNOWN_EXCEPTION",
    "inconsistent": "REPEAT_REQ_INCONSISTENT",
    "illegal": "PARAM_ILLEGAL",
    "absent": "ORDER_NOT_EXIST",
    "cancelled": "ORDER_IS_CANCELED",
    "balance": "USER_BALANCE_NOT_ENOUGH",
    "rejected": "RISK_REJECT",
    "exceeds": "REFUND_AMOUNT_EXCEED",
    "too_late": "CANCEL_WINDOW_EXCEED",
}
_STATUS = {"S": "SUCCESS", "F": "FAIL", "U": "PROCESSING"}
_KINDS = {"refund": "REFUND", "cancel": "CANCEL"}

Values = dict[str, Any]


def render(values: Mapping[str, Any]) -> bytes:
    """Return the body of an answer."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def refusal(what: Result) -> Values:
    """Answer with nothing but a result."""
    return {"result": what.render()}


def pay_answer(reply: Answer, acquirer: str) -> Values:
    """Answer ``/payments/pay``."""
    values = refusal(_result(reply))
    if reply.payment is not None and reply.code != "inconsistent":
        values |= _members(reply.payment, acquirer)
        values["paymentAmount"] = _amount(reply.payment.currency, reply.payment.amount)
        if reply.payment.time:
            values["paymentTime"] = _time(reply.payment.time)
        if reply.payment.normal_url and reply.code == "pending":
            values["normalUrl"] = reply.payment.normal_url
        if reply.code == "done" and not reply.payment.consult:
            values |= _settlement(reply.payment)
    return values


def inquiry_answer(reply: Answer, acquirer: str) -> Values:
    """Answer ``/payments/inquiryPayment``: the result of the call, and that of the payment."""
    if reply.payment is None:
        return refusal(_result(reply))
    return {"result": result("SUCCESS").render(), **payment_news(reply.payment, acquirer)}


def cancel_answer(reply: Answer, acquirer: str) -> Values:
    """Answer ``/payments/cancelPayment``."""
    values = refusal(_result(reply))
    if reply.payment is not None:
        values |= _members(reply.payment, acquirer)
    return values


def refund_answer(reply: Answer, acquirer: str) -> Values:
    """Answer ``/payments/refund``."""
    values = refusal(_result(reply))
    if reply.payment is not None and reply.entry is not None and reply.code != "inconsistent":
        values |= {"acquirerId": acquirer, "pspId": reply.payment.mpp}
        values["refundAmount"] = _amount(reply.payment.currency, reply.entry.amount)
        if reply.entry.id:
            values["refundId"] = reply.entry.id
        if reply.code == "done":
            values["refundTime"] = _time(reply.entry.time)
            values["settlementAmount"] = values["refundAmount"]
            values["settlementQuote"] = _quote(reply.payment)
    return values


def payment_news(payment: Payment, acquirer: str) -> Values:
    """What an inquiry and a notification say of a payment; its result may be unknown yet."""
    values: Values = {
        "paymentResult": result(_CODES[payment.code]).render(),
        "paymentRequestId": payment.request,
        **_members(payment, acquirer),
        "paymentAmount": _amount(payment.currency, payment.amount),
    }
    if payment.time:
        values["paymentTime"] = _time(payment.time)
    if payment.code == "done":
        values |= _settlement(payment)
    if payment.entries:
        values["transactions"] = [_transaction(payment, entry) for entry in payment.entries]
    return values


def not_supported(missing: list[str] | None = None) -> Values:
    """Answer customs and disputes; an inquiry also lists what was not found, which is all of it."""
    values = refusal(result("METHOD_NOT_SUPPORTED"))
    if missing is not None:
        values |= {"declarationRequestsNotFound": missing, "declarationRecords": []}
    return values


def _result(reply: Answer) -> Result:
    return result(_CODES[reply.code], reply.message)


def _members(payment: Payment, acquirer: str) -> Values:
    values = {"acquirerId": acquirer, "pspId": payment.mpp}
    return values | ({"paymentId": payment.id} if payment.id else {})


def _settlement(payment: Payment) -> Values:
    """Settled is what was paid, in its currency; fees are settled by themselves."""
    return {
        "settlementAmount": _amount(payment.currency, payment.amount),
        "settlementQuote": _quote(payment),
    }


def _quote(payment: Payment) -> Values:
    return {
        "quoteId": payment.id or payment.request,
        "quoteCurrencyPair": f"{payment.currency}/{payment.currency}",
        "quotePrice": "1",
        "baseCurrency": payment.currency,
        "quoteUnit": "1",
    }


def _transaction(payment: Payment, entry: Entry) -> Values:
    what = result(_CODES[entry.code])
    values: Values = {
        "transactionResult": what.render(),
        "transactionType": _KINDS[entry.kind],
        "transactionStatus": _STATUS[what.status],
        "transactionAmount": _amount(payment.currency, entry.amount),
        "transactionRequestId": entry.request,
    }
    if entry.id:
        values["transactionId"] = entry.id
    if entry.time:
        values["transactionTime"] = _time(entry.time)
    return values


def _amount(currency: str, minor: int) -> Values:
    return {"currency": currency, "value": str(minor)}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
