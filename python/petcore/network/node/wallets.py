"""Node A and the wallets: it asks them for checks and cancels, many at once, until they answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from petcore.errors import LinkError, PetcoreError, error_class
from petcore.network.envelope import Envelope, pack, unpack
from petcore.network.errors import EnvelopeExpired, EnvelopeMalformed, TermsRefused
from petcore.network.http import Peers
from petcore.network.keyring import now_ms
from petcore.network.node.core import Core
from petcore.network.node.gather import Gatherer
from petcore.network.node.pending import Pending
from petcore.network.node.row import CHECKS

Checked = tuple[Envelope, dict[str, Any]]

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between attempts
_MOST = 32  # so that checks are verified here while the wallet makes the next ones
_AT_ONCE = 2
_CALL_SECONDS = 5.0


class Wallets:
    """Calls the wallets' edges.

    Parameters
    ----------
    core : Core
    peers : Peers
    gather : float
        Seconds that a call waits for more messages to the same wallet.
    """

    def __init__(self, core: Core, peers: Peers, *, gather: float) -> None:
        self._core, self._peers = core, peers
        self._checking = {
            wallet.name: self._gatherer(wallet.name, "/v1/checks", gather)
            for wallet in core.directory.of_role("mpp")
        }
        self._cancelling = {
            wallet.name: self._gatherer(wallet.name, "/v1/cancels", gather)
            for wallet in core.directory.of_role("mpp")
        }

    async def check(self, pending: Pending) -> Checked:
        """Return the wallet's check of a request, opened, or its ``awaiting``.

        Repeated while the wallet is away or says so, until the request expires.

        Raises
        ------
        EnvelopeExpired
            The wallet did not answer in time.
        PetcoreError
            What the wallet refused with for good.
        """
        request = pending.request
        gatherer = self._checking[request.header.to["mpp"]]
        check, told = await self._until(gatherer, request, pending.expires)
        expected = (CHECKS[request.header.type], "awaiting")
        if (
            check.header.type not in expected
            or check.header.request_id != request.header.request_id
        ):
            raise TermsRefused(
                "the wallet answered with something else than a check of the request"
            )
        return check, told

    async def cancel(self, request: Envelope) -> Envelope:
        """Return the wallet's ``cancelled``; repeated for as long as it takes."""
        gatherer = self._cancelling[request.header.to["mpp"]]
        answer, _ = await self._until(gatherer, request, None)
        if (
            answer.header.type != "cancelled"
            or answer.header.request_id != request.header.request_id
        ):
            raise TermsRefused("the wallet answered with something else than a cancellation")
        return answer

    async def close(self) -> None:
        """End the calls."""
        for gatherer in (*self._checking.values(), *self._cancelling.values()):
            await gatherer.close()

    async def _until(
        self, gatherer: Gatherer[Envelope, Checked], request: Envelope, expires: int | None
    ) -> Checked:
        attempt = 0
        while expires is None or now_ms() < expires:
            try:
                return await gatherer.add(request)
            except PetcoreError as error:
                if not (error.retryable or isinstance(error, LinkError)):
                    raise
                wallet = request.header.to["mpp"]
                self._core.log.failure("a wallet does not answer", error, peer=wallet)
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1
        raise EnvelopeExpired("the wallet did not answer before the request expired")

    def _gatherer(self, wallet: str, path: str, gather: float) -> Gatherer[Envelope, Checked]:
        async def ask(requests: list[Envelope]) -> Sequence[Checked | PetcoreError]:
            body = pack([request.for_recipient(wallet).to_bytes() for request in requests])
            answer = await self._peers.post(wallet, path, body, timeout=_CALL_SECONDS)
            items = unpack(answer, _MOST)
            if len(items) != len(requests):
                raise EnvelopeMalformed(f"{wallet} gave {len(items)} answers to {len(requests)}")
            return await self._core.in_thread(self._read, wallet, items)

        return Gatherer(ask, seconds=gather, most=_MOST, at_once=_AT_ONCE)

    def _read(self, wallet: str, items: Sequence[bytes]) -> list[Checked | PetcoreError]:
        found: list[Checked | PetcoreError] = []
        for item in items:
            try:
                found.append(self._read_one(wallet, item))
            except PetcoreError as error:
                found.append(error)
        return found

    def _read_one(self, wallet: str, item: bytes) -> Checked:
        if item.startswith(b"{"):
            raise _refusal(wallet, item)
        core = self._core
        envelope = Envelope.from_bytes(item)
        if envelope.header.type == "awaiting":
            core.verify_for_edge(envelope, wallet)
            return envelope, {}
        core.verify(envelope, sender=wallet)
        shares = core.open(envelope) if envelope.has_part(core.name) else {}
        return envelope, shares


def _refusal(wallet: str, item: bytes) -> PetcoreError:
    try:
        said = json.loads(item)
        code, message = str(said["code"])[:40], str(said["message"])[:200]
        retryable = said.get("retryable") is True
    except (ValueError, KeyError, RecursionError):
        raise EnvelopeMalformed(f"{wallet} answered with what is no message") from None
    kind = error_class(code)
    return kind(f"{wallet} refused: {message}", code=code, retryable=retryable, party=wallet)
