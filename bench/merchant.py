"""A merchant's system under load: signed requests made beforehand, sent at their times over TLS.

The client is a thin one, since it runs on the machine that is measured: one request is a write and a
read on a connection that is kept.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from petcore.network.acquirer.alipayplus.signing import SigningKey

PAY = "/aps/api/v1/payments/pay"
_HEADER_MAX = 1 << 14


@dataclass(frozen=True)
class Answer:
    """What became of a request: seconds from when it was due, and the result's code."""

    seconds: float
    code: str


@dataclass
class Merchant:
    """Connections to an acquirer's edge, and the key that signs."""

    host: str
    port: int
    client: str
    key: SigningKey
    tls: ssl.SSLContext
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    def signed(self, path: str, body: dict[str, object]) -> bytes:
        """Return a whole HTTP request."""
        content = json.dumps(body, separators=(",", ":")).encode()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: application/json\r\n"
            f"client-id: {self.client}\r\nrequest-time: {now}\r\n"
            f"signature: {self.key.header(path, self.client, now, content)}\r\n"
            f"content-length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    async def send(self, request: bytes) -> dict[str, object]:
        """Send a request that was signed; return the answer's body."""
        reader, writer = await self._connection()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        body: dict[str, object] = json.loads(await reader.readexactly(length))
        self._idle.append((reader, writer))
        return body

    async def open_loop(self, requests: Sequence[bytes], rate: float) -> list[Answer]:
        """Send requests at their times, `rate` a second, however slow the answers are."""
        began = time.perf_counter()
        tasks = []
        for i, request in enumerate(requests):
            due = began + i / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self._answer(request, due)))
        return await asyncio.gather(*tasks)

    async def closed_loop(self, requests: Sequence[bytes], callers: int) -> list[Answer]:
        """Let so many callers send one request after the other."""
        left, answers = iter(requests), []

        async def caller() -> None:
            for request in left:
                answers.append(await self._answer(request, time.perf_counter()))

        await asyncio.gather(*(caller() for _ in range(callers)))
        return answers

    async def close(self) -> None:
        """Close all connections."""
        for _, writer in self._idle:
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def _answer(self, request: bytes, due: float) -> Answer:
        try:
            body = await self.send(request)
            result = body["result"]
            code = str(result["resultCode"]) if isinstance(result, dict) else "no result"
        except (OSError, EOFError, ValueError, KeyError, asyncio.LimitOverrunError) as error:
            code = type(error).__name__
        return Answer(time.perf_counter() - due, code)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._idle:
            return self._idle.pop()
        return await asyncio.open_connection(
            self.host, self.port, ssl=self.tls, limit=_HEADER_MAX, server_hostname=""
        )


def pay_body(number: str, code: str, amount: int, currency: str) -> dict[str, object]:
    """Return the body of a payment by a code that a user showed."""
    money = {"currency": currency, "value": str(amount)}
    return {
        "paymentRequestId": number,
        "paymentAmount": money,
        "order": {
            "referenceOrderId": number,
            "orderDescription": "groceries",
            "orderAmount": money,
            "merchant": {
                "referenceMerchantId": "M1",
                "merchantName": "Corner Shop",
                "merchantMCC": "5411",
                "merchantAddress": {"region": "SG"},
            },
        },
        "paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": code},
        "paymentFactor": {"isInStorePayment": True, "inStorePaymentScenario": "PaymentCode"},
        "settlementStrategy": {"settlementCurrency": currency},
    }
