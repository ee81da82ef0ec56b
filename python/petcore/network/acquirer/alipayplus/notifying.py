"""``notifyPayment``: the final result of a payment, signed, in the dialect of the merchant."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from petcore.network.acquirer.alipayplus import answers
from petcore.network.acquirer.alipayplus.signing import SigningKey
from petcore.network.acquirer.orders import OPEN, Payment

Told = Callable[[str], Awaitable[tuple[str, Payment] | None]]


class Notifier:
    """Writes notifications for `petcore.network.acquirer.notices`.

    Parameters
    ----------
    told
        Finds a payment that has ended, and its client, by the key of its request.
    acquirer
        The edge's name.
    key
        Signs, as for answers.
    """

    def __init__(
        self,
        told: Told,
        acquirer: str,
        key: SigningKey,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._told, self._acquirer, self._key, self._now = told, acquirer, key, now

    async def notice(self, request: str, url: str) -> tuple[Mapping[str, str], bytes] | None:
        """Return headers and body; None where the payment has no final result to tell."""
        found = await self._told(request)
        if found is None or found[1].code in OPEN:
            return None
        client, payment = found
        body = answers.render(answers.payment_news(payment, self._acquirer))
        time = self._now().isoformat(timespec="seconds")
        headers = {
            "client-id": client,
            "request-time": time,
            "signature": self._key.header(urlsplit(url).path or "/", client, time, body),
            "content-type": "application/json; charset=UTF-8",
        }
        return headers, body

    def acknowledged(self, body: bytes) -> bool:
        """Say whether an answer has a result of status S."""
        try:
            values = json.loads(body)
        except (ValueError, RecursionError):
            return False
        result = values.get("result") if isinstance(values, dict) else None
        return isinstance(result, dict) and result.get("resultStatus") == "S"
