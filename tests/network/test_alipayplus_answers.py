"""What the dialect answers: every field of every call, every code, and when the edge fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from petcore.errors import LedgerFull
from petcore.network.acquirer.alipayplus.answers import payment_news
from petcore.network.acquirer.alipayplus.notifying import Notifier
from petcore.network.acquirer.alipayplus.results import CODES, result
from petcore.network.acquirer.alipayplus.signing import parse_header
from petcore.network.acquirer.orders import Answer, Code, Entry, Payment

from .alipayplus import (
    CANCEL,
    CLIENT,
    EDGE_KEY,
    INQUIRY,
    NOW,
    PAY,
    REFUND,
    Script,
    dialect,
    pay_body,
    public,
)

SECONDS = NOW.timestamp()
PAID = Payment("pay-1", "purse", "SGD", 1000, "done", "W1", SECONDS)
TIME = "2026-11-22T12:00:00+00:00"
SGD_1000 = {"currency": "SGD", "value": "1000"}
QUOTE = {
    "quoteId": "W1",
    "quoteCurrencyPair": "SGD/SGD",
    "quotePrice": "1",
    "baseCurrency": "SGD",
    "quoteUnit": "1",
}
REFUND_BODY = {
    "paymentRequestId": "pay-1",
    "refundRequestId": "back-1",
    "refundAmount": {"currency": "SGD", "value": "300"},
}


def ask(path: str, values: Any, reply: Answer) -> dict[str, Any]:
    return asyncio.run(dialect(Script(reply)).call(path, values))


def test_a_payment_that_succeeded():
    assert ask(PAY, pay_body(), Answer("done", PAID)) == {
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "Success."},
        "acquirerId": "shop-bank",
        "pspId": "purse",
        "paymentId": "W1",
        "paymentAmount": SGD_1000,
        "paymentTime": TIME,
        "settlementAmount": SGD_1000,
        "settlementQuote": QUOTE,
    }


def test_a_payment_whose_payer_has_to_agree():
    page = "https://purse.example/cashier/1"
    waiting = Payment("pay-1", "purse", "SGD", 1000, "pending", "W1", normal_url=page)
    answer = ask(PAY, pay_body(), Answer("pending", waiting))
    assert answer["result"]["resultCode"] == "PAYMENT_IN_PROCESS"
    assert answer["result"]["resultStatus"] == "U"
    assert answer["normalUrl"] == page
    assert "settlementAmount" not in answer


def test_an_inconsistent_request_learns_nothing_of_the_other():
    assert set(ask(PAY, pay_body(), Answer("inconsistent", PAID))) == {"result"}


def test_an_inquiry_has_two_results():
    entries = (
        Entry("refund", "back-1", 300, "done", "R1", SECONDS),
        Entry("refund", "back-2", 800, "exceeds"),
        Entry("refund", "back-3", 100, "pending"),
    )
    paid = Payment("pay-1", "purse", "SGD", 1000, "done", "W1", SECONDS, entries=entries)
    answer = ask(INQUIRY, {"paymentRequestId": "pay-1"}, Answer("done", paid))
    assert answer["result"]["resultStatus"] == "S"
    assert answer["paymentResult"]["resultCode"] == "SUCCESS"
    assert answer["paymentRequestId"] == "pay-1"
    assert (answer["paymentTime"], answer["paymentAmount"]) == (TIME, SGD_1000)
    assert (answer["settlementAmount"], answer["settlementQuote"]) == (SGD_1000, QUOTE)
    first, second, third = answer["transactions"]
    assert first == {
        "transactionResult": result("SUCCESS").render(),
        "transactionType": "REFUND",
        "transactionStatus": "SUCCESS",
        "transactionAmount": {"currency": "SGD", "value": "300"},
        "transactionRequestId": "back-1",
        "transactionId": "R1",
        "transactionTime": TIME,
    }
    assert second["transactionStatus"] == "FAIL"
    assert second["transactionResult"]["resultCode"] == "REFUND_AMOUNT_EXCEED"
    assert third["transactionStatus"] == "PROCESSING"


@pytest.mark.parametrize("code", ["pending", "cancelled", "balance", "rejected"])
def test_an_inquiry_about_a_payment_that_did_not_succeed_succeeds(code):
    payment = Payment("pay-1", "purse", "SGD", 1000, code, "W1")
    answer = ask(INQUIRY, {"paymentRequestId": "pay-1"}, Answer("done", payment))
    assert answer["result"]["resultStatus"] == "S"
    assert answer["paymentResult"]["resultStatus"] == ("U" if code == "pending" else "F")
    assert "settlementAmount" not in answer


def test_an_inquiry_about_nothing_has_one_result():
    answer = ask(INQUIRY, {"paymentRequestId": "pay-1"}, Answer("absent"))
    assert answer == {"result": result("ORDER_NOT_EXIST").render()}


def test_a_refund():
    entry = Entry("refund", "back-1", 300, "done", "R1", SECONDS)
    amount = {"currency": "SGD", "value": "300"}
    assert ask(REFUND, REFUND_BODY, Answer("done", PAID, entry)) == {
        "result": result("SUCCESS").render(),
        "acquirerId": "shop-bank",
        "pspId": "purse",
        "refundAmount": amount,
        "refundId": "R1",
        "refundTime": TIME,
        "settlementAmount": amount,
        "settlementQuote": QUOTE,
    }


def test_a_cancellation():
    answer = ask(CANCEL, {"paymentRequestId": "pay-1"}, Answer("done", PAID))
    assert answer == {
        "result": result("SUCCESS").render(),
        "acquirerId": "shop-bank",
        "pspId": "purse",
        "paymentId": "W1",
    }


@pytest.mark.parametrize(
    ("code", "called", "status"),
    [
        ("done", "SUCCESS", "S"),
        ("pending", "PAYMENT_IN_PROCESS", "U"),
        ("unclear", "UNKNOWN_EXCEPTION", "U"),
        ("inconsistent", "REPEAT_REQ_INCONSISTENT", "F"),
        ("illegal", "PARAM_ILLEGAL", "F"),
        ("absent", "ORDER_NOT_EXIST", "F"),
        ("cancelled", "ORDER_IS_CANCELED", "F"),
        ("balance", "USER_BALANCE_NOT_ENOUGH", "F"),
        ("rejected", "RISK_REJECT", "F"),
        ("exceeds", "REFUND_AMOUNT_EXCEED", "F"),
        ("too_late", "CANCEL_WINDOW_EXCEED", "F"),
    ],
)
def test_every_outcome_has_its_code(code: Code, called, status):
    answer = ask(CANCEL, {"paymentRequestId": "pay-1"}, Answer(code))
    assert answer["result"]["resultCode"] == called
    assert answer["result"]["resultStatus"] == status
    assert called in CODES


class Broken(Script):
    """An edge that cannot do what it is asked."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def _answer(self, asked: Any) -> Answer:
        raise self.error


@pytest.mark.parametrize("error", [LedgerFull("the disk is full: /secret"), KeyError("/secret")])
def test_when_the_edge_fails_the_result_is_unknown(error):
    answer = asyncio.run(dialect(Broken(error)).call(PAY, pay_body()))
    assert answer["result"]["resultCode"] == "UNKNOWN_EXCEPTION"
    assert answer["result"]["resultStatus"] == "U"
    assert "secret" not in str(answer)


def notifier(found: tuple[str, Payment] | None) -> Notifier:
    async def told(request: str) -> tuple[str, Payment] | None:
        return found

    return Notifier(told, "shop-bank", EDGE_KEY, now=lambda: NOW)


def test_a_notification_is_signed_for_the_path_of_its_url():
    written = asyncio.run(notifier((CLIENT, PAID)).notice("k", "https://shop.example/a/b?c=1"))
    assert written is not None
    headers, body = written
    signature = parse_header(headers["signature"])
    assert signature is not None
    assert public(EDGE_KEY).verifies(signature.signature, "/a/b", CLIENT, TIME, body)
    assert headers["request-time"] == TIME


@pytest.mark.parametrize("code", ["pending", "unclear"])
def test_only_final_results_are_notified(code):
    payment = Payment("pay-1", "purse", "SGD", 1000, code)
    assert asyncio.run(notifier((CLIENT, payment)).notice("k", "https://shop.example/")) is None
    assert asyncio.run(notifier(None).notice("k", "https://shop.example/")) is None
    assert payment_news(payment, "shop-bank")["paymentResult"]["resultStatus"] == "U"


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (b'{"result": {"resultCode": "SUCCESS", "resultStatus": "S"}}', True),
        (b'{"result": {"resultStatus": "U"}}', False),
        (b'{"result": "S"}', False),
        (b"[]", False),
        (b"", False),
        (b"\xff", False),
        (b"[" * 10000, False),
    ],
)
def test_only_a_result_of_status_s_acknowledges(body, taken):
    assert notifier(None).acknowledged(body) is taken
