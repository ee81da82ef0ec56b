"""One payment through a network that is up, from the phone's code to what the merchant is told."""

from __future__ import annotations

import secrets
import time
from typing import Any

from petcore.errors import PeerLate
from petcore.network.demo.merchant import Merchant
from petcore.network.demo.phone import new_codes
from petcore.network.demo.place import Place

POLL_SECONDS = 1.0
GIVE_UP_SECONDS = 60.0


def pay_once(place: Place, amount: int, currency: str, user: str) -> dict[str, Any]:
    """Make one payment by a user; return the acquirer's answer, once it is final.

    Raises
    ------
    PinRefused
        There is no such user.
    PeerUnreachable, PeerLate
        The network is not up, or the result stays unknown.
    """
    (code,) = new_codes(place, user)
    request = f"demo-{secrets.token_hex(8)}"
    with Merchant(place) as merchant:
        answer = merchant.pay(request, amount, currency, code)
        end = time.monotonic() + GIVE_UP_SECONDS
        while answer["result"]["resultStatus"] == "U":
            if time.monotonic() > end:
                raise PeerLate(f"the result of payment {request} stays unknown; inquire later")
            time.sleep(POLL_SECONDS)
            known = merchant.inquire(request)
            if "paymentResult" in known:
                answer = known | {"result": known["paymentResult"]}
        return {"paymentRequestId": request, **answer}
