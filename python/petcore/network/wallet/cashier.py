"""The wallet's own page, where a user sees what is to be paid and agrees, and gets payment codes.

Users reach it by the URL that the merchant was given. A page shows an order to whoever has its
unguessable id; paying needs the user's name and PIN, and ends after `TRIES` tries. ``POST /codes``
with user and PIN gives codes to show to merchants, as the wallet's app on a phone asks for them.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from petcore.errors import PetcoreError
from petcore.network.envelope import Envelope, open_part
from petcore.network.errors import PinLocked, PinRefused
from petcore.network.keyring import KeyRing
from petcore.network.wallet.book import Book, Order
from petcore.network.wallet.payments import Payments
from petcore.network.wallet.pins import user_of
from petcore.network.wallet.service import WalletService
from petcore.payments.money import format_amount

TRIES = 5
CODES_MAX = 100
FORM_BYTES_MAX = 1024
WAITING_MAX = 64
_DIGITS = 9
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px sans-serif;max-width:24em;margin:3em auto}}dt{{color:#555}}dd{{margin:0 0 1em}}
</style><h1>{title}</h1>{body}</html>"""
_FORM = """<dl><dt>To</dt><dd>{merchant}</dd><dt>For</dt><dd>{order}</dd><dt>Amount</dt><dd>{amount}</dd>
</dl><form method="post"><p><label>User <input name="user" maxlength="64" required></label></p>
<p><label>PIN <input name="pin" type="password" maxlength="64" required></label></p>
<p><button>Pay {amount}</button></p></form>"""


@dataclass(frozen=True)
class Cashier:
    """The page over a wallet's book; ``send`` brings a check to node A.

    ``code_seconds``: how long a payment code can be used.
    """

    book: Book
    payments: Payments
    service: WalletService
    ring: KeyRing
    send: Callable[[bytes], Awaitable[None]]
    code_seconds: float = 60.0
    _one: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _waiting: set[Request] = field(default_factory=set)

    def app(self) -> Starlette:
        """Return the application to serve to users, over TLS."""
        routes = [
            Route("/cashier/{id}", self._show, methods=["GET"]),
            Route("/cashier/{id}", self._pay, methods=["POST"]),
            Route("/codes", self._codes, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def _show(self, request: Request) -> HTMLResponse:
        return await run_in_threadpool(self._shown, str(request.path_params["id"]))

    def _shown(self, number: str) -> HTMLResponse:
        order = self.book.orders.get([number]).get(number)
        if order is None:
            return _UNKNOWN
        return self._ended(order) or _page(
            "Confirm the payment", _form(open_part(message_of(order), self.ring))
        )

    async def _pay(self, request: Request) -> Response:
        number = str(request.path_params["id"])
        answer = await self._with_form(request, lambda form: self._agreed(number, form))
        if isinstance(answer, Response):
            return answer
        await self.send(answer)
        return _page("Thank you", "Your wallet is asked; the merchant will know in a moment.")

    async def _codes(self, request: Request) -> Response:
        answer = await self._with_form(request, self._new_codes)
        return answer if isinstance(answer, Response) else Response(status_code=500)

    async def _with_form(
        self, request: Request, work: Callable[[dict[str, str]], Response | bytes]
    ) -> Response | bytes:
        """Do what a form asks for, one form at a time: looking at a PIN is made to be dear."""
        length = request.headers.get("content-length", "")
        if not _is_whole(length) or int(length) > FORM_BYTES_MAX:
            return _page("Refused", "The form is too long.", 413)
        if len(self._waiting) >= WAITING_MAX:
            return _page("Busy", "Many people pay at the moment; try again.", 503)
        self._waiting.add(request)
        try:
            form = _form_fields(await request.body())
            async with self._one:
                return await run_in_threadpool(work, form)
        finally:
            self._waiting.discard(request)

    def _agreed(self, number: str, form: dict[str, str]) -> Response | bytes:
        """Check the PIN, hold the money, and return the check for the nodes."""
        with self.book.database.write():
            order = self.book.orders.get([number]).get(number)
            if order is None:
                return _UNKNOWN
            ended = self._ended(order)
            if ended is not None:
                return ended
            if order.tries >= TRIES:
                return _page("Refused", "Too many tries; ask the merchant for a new order.", 403)
            self.book.orders.put({number: replace(order, tries=order.tries + 1)})
        try:
            user = user_of(self.book, form.get("user", ""), form.get("pin", ""))
        except PinLocked:
            return _page("Refused", "Too many wrong PINs; your wallet helps you.", 403)
        except PinRefused:
            return _page("Refused", "User and PIN do not fit; go back and try again.", 403)
        agreed = self.payments.agree(order.request, user)
        if isinstance(agreed, PetcoreError):
            return _TOO_LATE
        return self.service.check_of(message_of(order), agreed)

    def _ended(self, order: Order) -> HTMLResponse | None:
        """Return what is shown of an order that nobody has to agree to any more."""
        state = self.book.payments.get([order.request])[order.request].state
        if state != "awaiting":
            return _page("Done", _outcome(state))
        record = self.payments.journal.find([order.request])[order.request]
        return _TOO_LATE if record.expires <= self.book.database.clock() else None

    def _new_codes(self, form: dict[str, str]) -> Response:
        count = form.get("count", "1")
        if not _is_whole(count) or not 1 <= int(count) <= CODES_MAX:
            return _refusal("usage", f"count is from 1 to {CODES_MAX}", 400)
        try:
            user = user_of(self.book, form.get("user", ""), form.get("pin", ""))
        except PinRefused as error:
            return _refusal(error.code, error.message, 403)
        codes = self.book.new_codes(user.id, seconds=self.code_seconds, count=int(count))
        return JSONResponse({"codes": codes, "seconds": self.code_seconds}, headers=_HEADERS)


def message_of(order: Order) -> Envelope:
    """Return the acquirer's message that an order came with."""
    return Envelope.from_bytes(bytes.fromhex(order.message))


def _form(fields: dict[str, object]) -> str:
    amount = format_amount(int(str(fields["amount"])), str(fields["currency"]))
    shown = {
        "merchant": fields.get("merchant_name", "a merchant"),
        "order": fields.get("order_description", ""),
        "amount": amount,
    }
    return _FORM.format(**{name: html.escape(str(text)) for name, text in shown.items()})


def _form_fields(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=8))
    except ValueError:
        return {}


def _is_whole(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS


def _outcome(state: str) -> str:
    return {
        "held": "The payment is being made.",
        "posted": "The payment was made.",
        "reversed": "The payment was taken back.",
    }.get(state, "The payment was not made.")


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), status, headers=_HEADERS)


def _refusal(code: str, message: str, status: int) -> Response:
    return JSONResponse({"code": code, "message": message}, status, headers=_HEADERS)


_UNKNOWN = _page("No such order", "The link is wrong, or the order is gone.", 404)
_TOO_LATE = _page("Too late", "The order has expired, or was cancelled.", 410)
