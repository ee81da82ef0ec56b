"""A client of the Alipay+ dialect for tests, and an edge that answers what a test says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from petcore.network.acquirer.alipayplus.app import AlipayPlus, Client
from petcore.network.acquirer.alipayplus.signing import SigningKey, VerifyingKey
from petcore.network.acquirer.orders import Answer, Payment, PaymentRef, PayOrder, RefundOrder

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CLIENT = "SHOP_0001"
MERCHANT_KEY = SigningKey.make("1")
EDGE_KEY = SigningKey.make("3")
PAY = "/aps/api/v1/payments/pay"
INQUIRY = "/aps/api/v1/payments/inquiryPayment"
CANCEL = "/aps/api/v1/payments/cancelPayment"
REFUND = "/aps/api/v1/payments/refund"


def public(key: SigningKey, version: str | None = None) -> VerifyingKey:
    return VerifyingKey.parse(key.public_pem(), key.version if version is None else version)


def a_client(**more: Any) -> Client:
    return Client(CLIENT, {"1": public(MERCHANT_KEY)}, **more)


def pay_body(request: str = "pay-1", value: Any = "1000", **more: Any) -> dict[str, Any]:
    amount = {"currency": "SGD", "value": value}
    return {
        "paymentRequestId": request,
        "paymentAmount": amount,
        "order": {
            "referenceOrderId": "order-1",
            "orderDescription": "two coffees",
            "orderAmount": amount,
            "merchant": {
                "referenceMerchantId": "M1",
                "merchantName": "Kopi Pte Ltd",
                "merchantDisplayName": "Kopi",
                "merchantMCC": "5814",
            },
            "buyer": {"referenceBuyerId": "b-1"},
            "env": {"terminalType": "WAP", "osType": "IOS"},
        },
        "paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": "2810001"},
        "paymentFactor": {"inStorePaymentScenario": "PaymentCode"},
        **more,
    }


def headers(
    path: str,
    body: bytes,
    *,
    key: SigningKey = MERCHANT_KEY,
    client: str = CLIENT,
    time: str | None = None,
) -> dict[str, str]:
    time = NOW.isoformat() if time is None else time
    return {
        "client-id": client,
        "request-time": time,
        "signature": key.header(path, client, time, body),
        "content-type": "application/json; charset=UTF-8",
    }


class Script:
    """An edge that keeps what it was asked and answers what it was told to."""

    def __init__(self, reply: Answer | None = None) -> None:
        self.reply = reply or Answer("done", Payment("pay-1", "purse", "SGD", 1000, "done", "W1"))
        self.asked: list[PayOrder | PaymentRef | RefundOrder] = []

    async def pay(self, order: PayOrder) -> Answer:
        return self._answer(order)

    async def inquire(self, ref: PaymentRef) -> Answer:
        return self._answer(ref)

    async def cancel(self, ref: PaymentRef) -> Answer:
        return self._answer(ref)

    async def refund(self, order: RefundOrder) -> Answer:
        return self._answer(order)

    def _answer(self, asked: PayOrder | PaymentRef | RefundOrder) -> Answer:
        self.asked.append(asked)
        return self.reply


class Caller:
    """Calls a dialect application in this process and checks the signature of every answer."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def send(
        self, path: str, content: bytes, head: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = await self.raw(path, content, headers(path, content) if head is None else head)
        assert answer.status_code == 200
        check_answer(path, answer)
        return json.loads(answer.content)

    async def call(self, path: str, values: Any) -> dict[str, Any]:
        return await self.send(path, json.dumps(values, indent=3).encode())

    async def raw(
        self, path: str, content: bytes, head: Any, method: str = "POST"
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://edge") as http:
            return await http.request(method, path, content=content, headers=head)


def check_answer(path: str, answer: httpx.Response, key: SigningKey = EDGE_KEY) -> None:
    from petcore.network.acquirer.alipayplus.signing import parse_header

    signature = parse_header(answer.headers["signature"])
    assert signature is not None
    assert signature.key_version == key.version
    assert public(key).verifies(
        signature.signature,
        path,
        answer.headers["client-id"],
        answer.headers["response-time"],
        answer.content,
    )


def dialect(edge: Script | None = None, **more: Any) -> Caller:
    clients = (a_client(**more),)
    return Caller(AlipayPlus(edge or Script(), "shop-bank", clients, EDGE_KEY, now=lambda: NOW))
