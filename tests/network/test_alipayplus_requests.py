"""What the dialect accepts, what it refuses and with which code."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petcore.network.acquirer.alipayplus.reading import BODY_MAX
from petcore.network.acquirer.alipayplus.signing import SigningKey, parse_header
from petcore.network.acquirer.orders import PaymentRef, PayOrder, RefundOrder
from petcore.payments.money import MAX_AMOUNT

from .alipayplus import (
    CANCEL,
    CLIENT,
    INQUIRY,
    NOW,
    PAY,
    REFUND,
    Script,
    dialect,
    headers,
    pay_body,
)


def send(path: str, content: bytes, head: dict[str, str] | None = None) -> dict[str, Any]:
    return asyncio.run(dialect().send(path, content, head))


def ask(path: str, values: Any, edge: Script | None = None) -> dict[str, Any]:
    return asyncio.run(dialect(edge, notify=("https://shop.example/hooks",)).call(path, values))


def code(answer: dict[str, Any]) -> str:
    return answer["result"]["resultCode"]


def test_a_payment_reaches_the_edge_with_everything_that_was_asked():
    edge = Script()
    values = pay_body(paymentNotifyUrl="https://shop.example/hooks/1")
    values["order"]["goods"] = [{"referenceGoodsId": "g1", "goodsName": "flat white"}]
    assert code(ask(PAY, values, edge)) == "SUCCESS"
    (order,) = edge.asked
    assert isinstance(order, PayOrder)
    assert (order.client, order.request, order.currency, order.amount) == (
        CLIENT,
        "pay-1",
        "SGD",
        1000,
    )
    assert order.token == "2810001"  # noqa: S105
    assert order.notify_url == "https://shop.example/hooks/1"
    assert order.details["merchant_name"] == "Kopi"
    assert order.details["order_id"] == "order-1"
    assert order.details["goods"] == [{"id": "g1", "name": "flat white"}]
    assert order.expires == NOW + timedelta(minutes=10)


def test_a_payment_without_a_code_is_a_cashier_payment():
    edge = Script()
    values = pay_body(
        paymentMethod={"paymentMethodType": "CONNECT_WALLET"},
        paymentFactor={"isCashierPayment": "true", "presentmentMode": "UNIFIED"},
    )
    ask(PAY, values, edge)
    assert edge.asked[0].token == ""


def test_a_payment_with_the_evaluation_flag_is_a_consultation():
    edge = Script()
    ask(PAY, pay_body(paymentFactor={"isPaymentEvaluation": True}), edge)
    assert edge.asked[0].consult


@pytest.mark.parametrize("value", [1000, "1000", "001000"])
def test_an_amount_may_be_a_number_or_a_string(value):
    edge = Script()
    ask(PAY, pay_body(value=value), edge)
    assert edge.asked[0].amount == 1000


@pytest.mark.parametrize(
    "value",
    [
        0,
        "0",
        -1,
        "-5",
        1.5,
        "1.50",
        "1e3",
        "",
        "abc",
        None,
        True,
        [],
        "٣",
        MAX_AMOUNT + 1,
        "9" * 40,
    ],
)
def test_an_illegal_amount_is_refused(value):
    edge = Script()
    answer = ask(PAY, pay_body(value=value), edge)
    assert code(answer) == "PARAM_ILLEGAL"
    assert answer["result"]["resultStatus"] == "F"
    assert not edge.asked


@pytest.mark.parametrize("currency", ["XXX", "sgd", "", None, 702, "SGDD"])
def test_an_unknown_currency_is_refused(currency):
    values = pay_body()
    values["paymentAmount"]["currency"] = currency
    assert code(ask(PAY, values)) == "PARAM_ILLEGAL"


@pytest.mark.parametrize("request_id", ["", None, "x" * 65, "two words", "naïve", 5.5, {}, "a\nb"])
def test_an_illegal_request_id_is_refused(request_id):
    edge = Script()
    answer = ask(PAY, pay_body(request_id), edge)
    if request_id == 5.5:  # a number is the text that was sent
        assert edge.asked[0].request == "5.5"
    else:
        assert code(answer) == "PARAM_ILLEGAL"
        assert "paymentRequestId" in answer["result"]["resultMessage"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order", None),
        ("order", []),
        ("paymentMethod", None),
        ("paymentExpiryTime", "2026-11-22T11:00:00+00:00"),
        ("paymentExpiryTime", "2026-11-22T13:00:00"),
        ("paymentExpiryTime", "soon"),
        ("paymentNotifyUrl", "ftp://shop.example/hooks"),
        ("paymentNotifyUrl", "https://shop.example.evil/hooks"),
        ("paymentNotifyUrl", "https://user@shop.example/hooks"),
        ("paymentNotifyUrl", "https://[broken"),
        ("paymentFactor", {"isPaymentEvaluation": "maybe"}),
        ("paymentFactor", "CODE"),
        ("settlementStrategy", {"settlementCurrency": "USD"}),
        ("paymentMethod", {"paymentMethodType": "CONNECT_WALLET"}),  # in store: the code is missing
    ],
)
def test_other_illegal_parameters_of_a_payment_are_refused(field, value):
    edge = Script()
    assert code(ask(PAY, pay_body(**{field: value}), edge)) == "PARAM_ILLEGAL"
    assert not edge.asked


def test_a_refusal_does_not_repeat_what_was_sent():
    answer = ask(PAY, pay_body(paymentNotifyUrl="https://elsewhere.example/?card=4111111111111111"))
    assert "4111" not in json.dumps(answer)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"a": NaN}',
        b"\xff\xfe",
        b'{"paymentRequestId": "a", "paymentRequestId": "b"}',
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b"[" * 30000,
        b'{"a": ' + b"9" * 60000 + b"}",
        b" " * (BODY_MAX + 1),
    ],
)
def test_a_body_that_is_no_call_is_refused(content):
    assert code(send(PAY, content)) == "PARAM_ILLEGAL"


@given(st.binary(max_size=200))
def test_no_body_breaks_the_face(content):
    assert code(send(INQUIRY, content)) in {"PARAM_ILLEGAL", "SUCCESS"}


def tampered(head: dict[str, str], **changed: str) -> dict[str, str]:
    return {**head, **{key.replace("_", "-"): value for key, value in changed.items()}}


BODY = json.dumps(pay_body()).encode()
GOOD = headers(PAY, BODY)


@pytest.mark.parametrize(
    "head",
    [
        headers(PAY, BODY + b" "),
        headers(REFUND, BODY),
        headers(PAY, BODY, key=SigningKey.make("1")),
        headers(PAY, BODY, client="STRANGER"),
        tampered(GOOD, client_id="STRANGER"),
        tampered(GOOD, request_time="2026-11-22T12:00:01+00:00"),
        tampered(GOOD, signature=GOOD["signature"].replace("keyVersion=1", "keyVersion=2")),
        tampered(GOOD, signature=GOOD["signature"].replace("RSA256", "RSA1")),
        tampered(GOOD, signature="algorithm=RSA256,keyVersion=1,signature="),
        tampered(GOOD, signature="algorithm=RSA256,keyVersion=1,signature=%%%"),
        tampered(GOOD, signature=GOOD["signature"] + "," + GOOD["signature"]),
        tampered(GOOD, signature="x" * 5000),
        {k: v for k, v in GOOD.items() if k != "signature"},
        {k: v for k, v in GOOD.items() if k != "client-id"},
        {k: v for k, v in GOOD.items() if k != "request-time"},
    ],
)
def test_what_the_client_did_not_sign_is_refused(head):
    answer = send(PAY, BODY, head)
    assert code(answer) == "INVALID_SIGNATURE"
    assert "paymentId" not in answer


@pytest.mark.parametrize(
    "time",
    ["2026-11-22T11:54:59+00:00", "2026-11-22T12:05:01Z", "2026-11-22T12:00:00", "1795348800000"],
)
def test_a_request_of_another_time_is_refused(time):
    assert code(send(PAY, BODY, headers(PAY, BODY, time=time))) == "PARAM_ILLEGAL"


@pytest.mark.parametrize("time", ["2026-11-22T20:04:59+08:00", "2026-11-22T11:55:01Z"])
def test_a_clock_may_be_five_minutes_off_and_in_another_zone(time):
    assert code(send(PAY, BODY, headers(PAY, BODY, time=time))) == "SUCCESS"


def test_two_signatures_are_none():
    pairs = [*GOOD.items(), ("signature", GOOD["signature"])]
    answer = asyncio.run(dialect().raw(PAY, BODY, pairs))
    assert json.loads(answer.content)["result"]["resultCode"] == "INVALID_SIGNATURE"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", PAY, 405), ("POST", "/", 404)])
def test_what_is_no_call_of_the_dialect_gets_no_result(method, path, status):
    answer = asyncio.run(dialect().raw(path, b"", {}, method))
    assert answer.status_code == status
    assert "signature" not in answer.headers


def test_a_whole_url_in_the_request_line_is_the_same_call():
    content = json.dumps({"paymentRequestId": "pay-1"}).encode()
    caller = dialect()
    seen = {}

    async def app(scope, receive, send_):
        seen["path"] = scope["path"]
        await caller.app({**scope, "path": f"https://127.0.0.5{scope['path']}"}, receive, send_)

    answer = asyncio.run(type(caller)(app).send(INQUIRY, content))
    assert seen["path"] == INQUIRY
    assert code(answer) == "SUCCESS"


def test_a_payment_is_found_by_either_id_and_by_none_is_refused():
    edge = Script()
    ask(INQUIRY, {"paymentRequestId": "pay-1"}, edge)
    ask(CANCEL, {"paymentId": "W1"}, edge)
    assert edge.asked == [PaymentRef(CLIENT, "pay-1"), PaymentRef(CLIENT, "", "W1")]
    assert code(ask(INQUIRY, {})) == "PARAM_ILLEGAL"


def refund_body(**more: Any) -> dict[str, Any]:
    return {
        "paymentRequestId": "pay-1",
        "refundRequestId": "back-1",
        "refundAmount": {"currency": "SGD", "value": 300},
        **more,
    }


def test_a_refund_reaches_the_edge_with_its_rate():
    edge = Script()
    ask(REFUND, refund_body(refundReason="cold"), edge)
    ask(REFUND, refund_body(refundFxMode="CURRENT"), edge)
    first, second = edge.asked
    assert isinstance(first, RefundOrder)
    assert (first.request, first.amount, first.reason, first.fx) == (
        "back-1",
        300,
        "cold",
        "original",
    )
    assert second.fx == "current"
    assert first.key != second.key


@pytest.mark.parametrize(
    "more",
    [
        {"refundRequestId": ""},
        {"refundRequestId": "r" * 65},
        {"paymentRequestId": None},
        {"refundAmount": None},
        {"refundAmount": {"currency": "SGD", "value": "0"}},
        {"refundAmount": {"currency": "SGD"}},
        {"refundFxMode": "BEST"},
        {"refundReason": "x" * 257},
    ],
)
def test_an_illegal_refund_is_refused(more):
    edge = Script()
    assert code(ask(REFUND, refund_body(**more), edge)) == "PARAM_ILLEGAL"
    assert not edge.asked


def test_a_retry_with_another_buyer_is_the_same_request_and_with_another_amount_is_not():
    edge = Script()
    other_buyer = pay_body()
    other_buyer["order"]["buyer"]["referenceBuyerId"] = "b-2"
    for values in (pay_body(), other_buyer, pay_body(value="1001")):
        ask(PAY, values, edge)
    same, again, other = (order.key for order in edge.asked)
    assert same == again != other


CUSTOMS = "/aps/api/v1/customs/declare"
DECLARED = "/aps/api/v1/customs/inquireDeclarationRequests"


def test_customs_say_that_they_are_not_supported():
    values = {
        "paymentRequestId": "pay-1",
        "customsDeclarationRequestId": "d-1",
        "declarationAmount": {"currency": "CNY", "value": "10"},
    }
    answer = ask(CUSTOMS, values)
    assert (code(answer), answer["result"]["resultStatus"]) == ("METHOD_NOT_SUPPORTED", "F")
    answer = ask(DECLARED, {"declarationRequestIds": ["d-1"]})
    assert code(answer) == "METHOD_NOT_SUPPORTED"
    assert answer["declarationRequestsNotFound"] == ["d-1"]


@pytest.mark.parametrize(
    ("path", "values"),
    [(CUSTOMS, {}), (DECLARED, {}), (DECLARED, {"declarationRequestIds": ["x"] * 11})],
)
def test_an_illegal_declaration_is_illegal_before_it_is_not_supported(path, values):
    assert code(ask(path, values)) == "PARAM_ILLEGAL"


@given(st.text(max_size=100))
def test_no_header_breaks_the_reader_of_signatures(text):
    parse_header(text)
