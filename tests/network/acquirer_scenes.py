"""Orders, and scenes in which an acquirer's edge meets a network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from petcore.network.acquirer.edge import Acquirer
from petcore.network.acquirer.orders import PaymentRef, PayOrder, RefundOrder
from petcore.network.acquirer.watching import Watch

from .acquirer_network import Network, make_network, open_edge, shut

CLIENT = "SHOP_0001"


def order(request: str = "pay-1", amount: int = 1000, **more: Any) -> PayOrder:
    currency = more.pop("currency", "SGD")
    values = {
        "client": CLIENT,
        "request": request,
        "currency": currency,
        "amount": amount,
        "token": "2810001",
        "details": {"order_id": "order-1", "merchant_name": "Kopi"},
        "key": f"{request} {amount} {currency}",
    }
    return PayOrder(**{**values, **more})


def refund(request: str, amount: int, of: str = "pay-1", **more: Any) -> RefundOrder:
    values = {"currency": "SGD", "key": f"{request} {of} {amount}", **more}
    return RefundOrder(CLIENT, request, PaymentRef(CLIENT, of), amount=amount, **values)


def ref(request: str = "pay-1") -> PaymentRef:
    return PaymentRef(CLIENT, request)


@contextlib.asynccontextmanager
async def watching(edge: Acquirer) -> AsyncIterator[Watch]:
    watch = Watch(edge.flow)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0)


def play(place: Path, scene: Callable[[Acquirer, Network], Awaitable[Any]], **more: Any) -> Any:
    """Run a scene with an edge and a network, and close the edge."""
    network = make_network(place)

    async def main() -> Any:
        edge = open_edge(network, place, **more)
        try:
            return await scene(edge, network)
        finally:
            await shut(edge)

    return asyncio.run(main())


async def ended(edge: Acquirer, request: str = "pay-1") -> bool:
    """Whether a payment has a final result."""
    reply = await edge.inquire(ref(request))
    return reply.payment is not None and reply.payment.code not in ("pending", "unclear")
