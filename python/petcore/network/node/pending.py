"""Pending: a request that node A has journalled and not yet answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from petcore.errors import PetcoreError
from petcore.network.envelope import Envelope
from petcore.network.errors import EnvelopeExpired
from petcore.network.ledger import key
from petcore.network.node.replies import Reply, refused
from petcore.network.node.row import Row, payment_key


class Pending:
    """One request on its way through node A.

    Attributes
    ----------
    request, asked
        The request and this node's shares of it.
    row
        With the wallet's check; set when that came.
    waiters
        How many callers wait for the answer now.
    awaiting
        What callers are told while a person has to agree at the wallet.
    begun
        When it came, on the clock that measures.
    """

    def __init__(
        self, request: Envelope, asked: dict[str, Any], ended: Callable[[Pending, Reply], None]
    ) -> None:
        self.request, self.asked = request, asked
        self.begun = time.perf_counter()
        self.waiters = 0
        self.awaiting: Reply | None = None
        self._row: Row | None = None
        self._ended = ended
        loop = asyncio.get_running_loop()
        self._reply: asyncio.Future[Reply] = loop.create_future()
        self._word: asyncio.Future[Reply | None] = loop.create_future()

    @property
    def key(self) -> str:
        """How the journal knows it."""
        return key(self.request.header.sender, self.request.header.request_id)

    @property
    def payment(self) -> str | None:
        """Of a refund, the key of its payment."""
        return payment_key(self.request)

    @property
    def expires(self) -> int:
        """When it may not be decided any more: ms since 1970."""
        return self.request.header.expires

    @property
    def done(self) -> bool:
        """Whether there is a reply."""
        return self._reply.done()

    @property
    def row(self) -> Row:
        """The row for a batch."""
        if self._row is None:
            raise ValueError("the wallet's check has not come")
        return self._row

    @property
    def ready(self) -> bool:
        """Whether the wallet's check has come."""
        return self._row is not None

    def take(self, row: Row) -> bool:
        """Take the row with the wallet's check; False where there was one, or it has ended."""
        if self._row is not None or self.done:
            return False
        self._row = row
        return True

    def resolve(self, reply: Reply) -> None:
        """End it with a reply; the first one counts."""
        if not self._reply.done():
            self._reply.set_result(reply)
            if not self._word.done():
                self._word.set_result(reply)
            self._ended(self, reply)

    def await_person(self, reply: Reply) -> None:
        """Tell who waits that a person has to agree first; the decision comes later."""
        self.awaiting = reply
        if not self._word.done():
            self._word.set_result(reply)

    def let_go(self) -> None:
        """Tell who waits that there is no reply yet: this process ends, the next one goes on."""
        if not self._word.done():
            self._word.set_result(None)

    def refuse(self, error: PetcoreError) -> None:
        """End it with an error."""
        header = self.request.header
        self.resolve(refused(header.sender, header.request_id, error, header.type))

    def expire(self) -> None:
        """End it, as its time is over."""
        self.refuse(EnvelopeExpired("the request expired before it could be decided"))

    async def wait(self, seconds: float) -> Reply | None:
        """Wait for the reply, or for the word that a person is waited for; None if it takes longer."""
        self.waiters += 1
        try:
            return await asyncio.wait_for(asyncio.shield(self._word), seconds)
        except TimeoutError:
            return None
        finally:
            self.waiters -= 1
