"""Telling merchants how their payments ended: at least once, signed, until they acknowledge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import httpx

from petcore.errors import PetcoreError
from petcore.network.acquirer.desk import MERCHANTS
from petcore.network.ledger import Letter, Outbox
from petcore.network.logs import Log

WAITS: tuple[float, ...] = (2.0, 10.0, 60.0, 600.0, 600.0, 3600.0, 7200.0, 21600.0, 54000.0)
"""Seconds from one try to the next; after the last the merchant has to inquire."""

ANSWER_MAX = 1 << 14
AT_ONCE = 16
_LOOK = 256
_LOG = Log("acquirer")


class Writer(Protocol):
    """Writes the notification about a payment, in the merchant's dialect."""

    async def notice(self, request: str, url: str) -> tuple[Mapping[str, str], bytes] | None:
        """Return headers and body for a request by its key; None where nothing is left to tell."""
        ...

    def acknowledged(self, body: bytes) -> bool:
        """Say whether an answer acknowledges a notification."""
        ...


class Notices:
    """Sends what the outbox has for merchants.

    Parameters
    ----------
    outbox
        Where notifications stand until they are acknowledged.
    writer
        Writes them.
    http
        Reaches merchants; follows no redirects.
    waits
        Seconds between tries.
    """

    def __init__(
        self,
        outbox: Outbox,
        writer: Writer,
        http: httpx.AsyncClient,
        *,
        waits: Sequence[float] = WAITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox, self._writer, self._http = outbox, writer, http
        self._waits, self._clock = tuple(waits), clock
        self._tries: dict[int, int] = {}
        self._next: dict[int, float] = {}
        self._more = asyncio.Event()

    def wake(self) -> None:
        """Say that something was put into the outbox."""
        self._more.set()

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            self._more.clear()
            try:
                wait = await self.send_due()
            except PetcoreError as error:
                _LOG.failure("notifications wait", error)
                wait = self._waits[0]
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._more.wait()

    async def send_due(self) -> float | None:
        """Try once what is due; return in how many seconds the next is, None for never."""
        letters = await asyncio.to_thread(self._pending)
        now = self._clock()
        due = [letter for letter in letters if self._next.get(letter.number, 0.0) <= now]
        slots = asyncio.Semaphore(AT_ONCE)
        ended = await asyncio.gather(*(self._try(letter, slots) for letter in due))
        numbers = [letter.number for letter, end in zip(due, ended, strict=True) if end]
        if numbers:
            await asyncio.to_thread(self._outbox.acknowledge, MERCHANTS, numbers)
        for number in numbers:
            self._tries.pop(number, None)
            self._next.pop(number, None)
        if len(letters) == _LOOK and numbers:
            return 0.0
        waiting = [at for number, at in self._next.items()]
        return max(0.0, min(waiting) - self._clock()) if waiting else None

    def _pending(self) -> list[Letter]:
        """Return what is not acknowledged; more than one look where the first ones wait."""
        letters: list[Letter] = []
        while len(some := self._outbox.pending(MERCHANTS, above=_last(letters), limit=_LOOK)):
            letters += some
            if len(some) < _LOOK or len(letters) >= 16 * _LOOK:
                break
        return letters

    async def _try(self, letter: Letter, slots: asyncio.Semaphore) -> bool:
        """Send one notification; say whether it is done with."""
        async with slots:
            if await self._deliver(letter):
                return True
        tries = self._tries.get(letter.number, 0)
        if tries >= len(self._waits):
            _LOG.warning("a merchant acknowledged no notification", request=letter.request)
            return True
        self._tries[letter.number] = tries + 1
        self._next[letter.number] = self._clock() + self._waits[tries]
        return False

    async def _deliver(self, letter: Letter) -> bool:
        url = letter.body.decode()
        written = await self._writer.notice(letter.request, url)
        if written is None:
            return True
        headers, body = {"accept-encoding": "identity"} | dict(written[0]), written[1]
        try:
            async with self._http.stream("POST", url, content=body, headers=headers) as answer:
                content = b""
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > ANSWER_MAX:
                        return False
                return answer.status_code == 200 and self._writer.acknowledged(content)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            _LOG.failure("a merchant cannot be notified now", error, request=letter.request)
            return False


def _last(letters: Sequence[Letter]) -> int:
    return letters[-1].number if letters else 0
