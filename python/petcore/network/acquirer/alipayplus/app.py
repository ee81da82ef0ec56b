"""The HTTP face of the dialect: verify a request, let the edge do it, sign the answer.

Every answer has status 200 and a result, as clients of the dialect expect; only what is no call of
the dialect at all gets another status.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from petcore.errors import BadFrame, PeerClosed, PetcoreError
from petcore.network.acquirer.alipayplus import answers
from petcore.network.acquirer.alipayplus.reading import BODY_MAX, Fields, parse_time, read_body
from petcore.network.acquirer.alipayplus.requests import (
    check_declaration,
    check_declaration_inquiry,
    pay_order,
    payment_ref,
    refund_order,
)
from petcore.network.acquirer.alipayplus.results import Refused, result
from petcore.network.acquirer.alipayplus.signing import SigningKey, VerifyingKey, parse_header
from petcore.network.acquirer.orders import Answer, PaymentRef, PayOrder, RefundOrder
from petcore.network.http import read_body as read_request
from petcore.network.logs import Log

PREFIX = "/aps/api/v1"
_LOG = Log("alipayplus")
_PRINTABLE = re.compile(r"[!-~]{1,128}")
_ORIGIN = re.compile(r"https?://[^/]*", re.IGNORECASE)

Handler = Callable[[Fields, str], Awaitable[answers.Values]]


class Edge(Protocol):
    """What the dialect needs of the edge behind it."""

    async def pay(self, order: PayOrder) -> Answer:
        """Make a payment, or evaluate one."""

    async def inquire(self, ref: PaymentRef) -> Answer:
        """Say what became of a payment."""

    async def cancel(self, ref: PaymentRef) -> Answer:
        """Cancel a payment, whatever became of it."""

    async def refund(self, order: RefundOrder) -> Answer:
        """Give back a payment or a part of it."""


@dataclass(frozen=True)
class Client:
    """A client of the dialect: its id, its keys by version, and where it may be notified."""

    id: str
    keys: Mapping[str, VerifyingKey]
    notify: tuple[str, ...] = ()

    def may_notify(self, url: str) -> bool:
        """Say whether a notify URL is one of the client's own, or there is none."""
        return not url or any(
            url == own or url.startswith(own if own.endswith("/") else f"{own}/")
            for own in self.notify
        )


class AlipayPlus:
    """The ASGI application.

    Parameters
    ----------
    edge
        Does what is asked.
    acquirer
        The edge's name in the network, the ``acquirerId`` of its answers.
    clients
        Who may call.
    key
        Signs the answers.
    skew
        Seconds that a request's time may be off.
    now
        The clock.
    """

    def __init__(
        self,
        edge: Edge,
        acquirer: str,
        clients: tuple[Client, ...],
        key: SigningKey,
        *,
        skew: float = 300.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._edge, self._acquirer, self._key = edge, acquirer, key
        self._clients = {client.id: client for client in clients}
        self._skew, self._now = skew, now
        self._handlers: dict[str, Handler] = {
            "/payments/pay": self._pay,
            "/payments/inquiryPayment": self._inquire,
            "/payments/cancelPayment": self._cancel,
            "/payments/refund": self._refund,
            "/customs/declare": self._declare,
            "/customs/inquireDeclarationRequests": self._inquire_declarations,
            "/disputes/responseRetrieval": self._unsupported,
            "/disputes/responseEscalation": self._unsupported,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError("the dialect is spoken over HTTP only")
        request = Request(scope, receive)
        # Some clients send the whole URL in the request line (RFC 9112, section 3.2.2).
        path = _ORIGIN.sub("", scope["path"], count=1)
        handler = self._handlers.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
        if handler is None:
            response: Response = PlainTextResponse("no such method", 404)
        elif request.method != "POST":
            response = PlainTextResponse("use POST", 405, {"allow": "POST"})
        else:
            response = await self._signed(request, path, handler)
        await response(scope, receive, send)

    async def _signed(self, request: Request, path: str, handler: Handler) -> Response:
        client = request.headers.get("client-id", "")
        client = client if _PRINTABLE.fullmatch(client) else ""
        try:
            values = await self._answer(request, path, client, handler)
        except Refused as refused:
            values = answers.refusal(refused.result)
        except BadFrame:
            message = f"The body is longer than {BODY_MAX} bytes."
            values = answers.refusal(result("PARAM_ILLEGAL", message))
        except PeerClosed:
            raise
        except PetcoreError as error:
            _LOG.failure("a client is told that the result is unknown", error)
            message = f"The edge cannot answer now ({error.code}); send the same request again."
            values = answers.refusal(result("UNKNOWN_EXCEPTION", message))
        except Exception as error:  # a defect: what became of the request is unknown all the same
            _LOG.failure("a client is told that the result is unknown", error)
            values = answers.refusal(result("UNKNOWN_EXCEPTION"))
        time = self._now().isoformat(timespec="seconds")
        body = answers.render(values)
        headers = {
            "client-id": client,
            "response-time": time,
            "signature": self._key.header(path, client, time, body),
            "content-type": "application/json; charset=UTF-8",
        }
        return Response(body, headers=headers)

    async def _answer(
        self, request: Request, path: str, client: str, handler: Handler
    ) -> answers.Values:
        body = await read_request(request, BODY_MAX)
        self._verify(request, path, client, body)
        return await handler(read_body(body), client)

    def _verify(self, request: Request, path: str, client: str, body: bytes) -> None:
        """Refuse what the client did not sign, and what it signed too long ago."""
        headers = request.headers
        if any(len(headers.getlist(k)) != 1 for k in ("client-id", "request-time", "signature")):
            raise Refused(
                "INVALID_SIGNATURE", "client-id, request-time and signature must stand once each."
            )
        time = headers["request-time"]
        signature = parse_header(headers["signature"])
        known = self._clients.get(client)
        key = known.keys.get(signature.key_version) if known and signature else None
        if (
            signature is None
            or key is None
            or not _PRINTABLE.fullmatch(time)
            or not key.verifies(signature.signature, path, client, time, body)
        ):
            raise Refused("INVALID_SIGNATURE")
        moment = parse_time(time)
        if moment is None or abs((self._now() - moment).total_seconds()) > self._skew:
            raise Refused(
                "PARAM_ILLEGAL", "request-time is not now; set the clock and send the time of UTC."
            )

    async def _pay(self, fields: Fields, client: str) -> answers.Values:
        order = pay_order(fields, client, self._now())
        if not self._clients[client].may_notify(order.notify_url):
            fields.refuse("paymentNotifyUrl", "is none of the URLs registered for the client")
        return answers.pay_answer(await self._edge.pay(order), self._acquirer)

    async def _inquire(self, fields: Fields, client: str) -> answers.Values:
        reply = await self._edge.inquire(payment_ref(fields, client))
        return answers.inquiry_answer(reply, self._acquirer)

    async def _cancel(self, fields: Fields, client: str) -> answers.Values:
        reply = await self._edge.cancel(payment_ref(fields, client))
        return answers.cancel_answer(reply, self._acquirer)

    async def _refund(self, fields: Fields, client: str) -> answers.Values:
        reply = await self._edge.refund(refund_order(fields, client))
        return answers.refund_answer(reply, self._acquirer)

    async def _declare(self, fields: Fields, client: str) -> answers.Values:
        check_declaration(fields)
        return answers.not_supported()

    async def _inquire_declarations(self, fields: Fields, client: str) -> answers.Values:
        return answers.not_supported(check_declaration_inquiry(fields))

    async def _unsupported(self, fields: Fields, client: str) -> answers.Values:
        return answers.not_supported()
