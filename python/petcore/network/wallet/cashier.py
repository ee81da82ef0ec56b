"""The wallet's own page, where a user sees what is to be paid and agrees by PIN.

Users reach it by the URL that the merchant was given. A page shows an order to whoever has its
unguessable id; paying needs the user's name and PIN, and ends after `TRIES` wrong ones.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from petcore.errors import PetcoreError
from petcore.network.envelope import Envelope, open_part
from petcore.network.keyring import KeyRing
from petcore.network.wallet.book import Book, Order, User, pin_fits
from petcore.network.wallet.payments import Payments
from petcore.network.wallet.service import WalletService
from petcore.payments.money import format_amount

TRIES = 5
FORM_BYTES_MAX = 1024
_NOBODY = User("", "", 0, 0)
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
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
    """The page over a wallet's book; ``send`` brings a check to node A."""

    book: Book
    payments: Payments
    service: WalletService
    ring: KeyRing
    send: Callable[[bytes], Awaitable[None]]

    def app(self) -> Starlette:
        """Return the application to serve to users, over TLS."""
        routes = [
            Route("/cashier/{id}", self._show, methods=["GET"]),
            Route("/cashier/{id}", self._pay, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def _show(self, request: Request) -> HTMLResponse:
        return await run_in_threadpool(self._shown, str(request.path_params["id"]))

    def _shown(self, number: str) -> HTMLResponse:
        order = self.book.orders.get([number]).get(number)
        if order is None:
            return _page("No such order", "The link is wrong, or the order is gone.", 404)
        state = self.book.payments.get([order.request])[order.request].state
        if state != "awaiting":
            return _page("Done", _outcome(state))
        fields = open_part(message_of(order), self.ring)
        return _page("Confirm the payment", _form(fields))

    async def _pay(self, request: Request) -> HTMLResponse:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > FORM_BYTES_MAX:
            return _page("Refused", "The form is too long.", 413)
        number = str(request.path_params["id"])
        form = _form_fields(await request.body())
        answer = await run_in_threadpool(self._agreed, number, form)
        if isinstance(answer, HTMLResponse):
            return answer
        await self.send(answer)
        return _page("Thank you", "Your wallet is asked; the merchant will know in a moment.")

    def _agreed(self, number: str, form: dict[str, str]) -> HTMLResponse | bytes:
        """Check the PIN, hold the money, and return the check for the nodes."""
        with self.book.database.write():
            order = self.book.orders.get([number]).get(number)
            if order is None:
                return _page("No such order", "The link is wrong, or the order is gone.", 404)
            name = form.get("user", "")
            user = self.book.users.get([name]).get(name)
            if order.tries >= TRIES:
                return _page(
                    "Refused", "Too many wrong PINs; ask the merchant for a new order.", 403
                )
            if not pin_fits(user or _NOBODY, form.get("pin", "")) or user is None:
                self.book.orders.put({number: replace(order, tries=order.tries + 1)})
                return _page("Refused", "User and PIN do not fit; go back and try again.", 403)
            agreed = self.payments.agree(order.request, user)
        if isinstance(agreed, PetcoreError):
            return _page("Too late", "The order has expired, or was cancelled.", 410)
        return self.service.check_of(message_of(order), agreed)


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


def _outcome(state: str) -> str:
    return {
        "held": "The payment is being made.",
        "posted": "The payment was made.",
        "reversed": "The payment was taken back.",
    }.get(state, "The payment was not made.")


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), status, headers=_HEADERS)
