"""The way to node A: messages go in gathers, answers come back in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from petcore.network.envelope import pack, unpack
from petcore.network.node.gather import Gatherer
from petcore.network.node.replies import Reply, read_replies

GATHER_MAX = 64
ANSWER_SECONDS = 12.0  # node A answers within 8


class Carrier(Protocol):
    """Calls to members by their names: `petcore.network.http.Peers`, or a double in tests."""

    async def post(
        self, name: str, path: str, body: bytes, *, timeout: float | None = None
    ) -> bytes:
        """Send a body, return the answer."""
        ...

    async def get(self, name: str, path: str, *, timeout: float | None = None) -> bytes:
        """Ask."""
        ...


class Relay:
    """Sends an edge's messages to node A and asks it about them.

    Parameters
    ----------
    carrier
        Reaches the members.
    node
        The name of node A.
    sender
        The own name.
    """

    def __init__(self, carrier: Carrier, node: str, sender: str) -> None:
        self._carrier, self._node, self._sender = carrier, node, sender
        # What was journalled together goes together; nothing waits here for more.
        self._gather: Gatherer[bytes, Reply] = Gatherer(
            self._post, seconds=0.0, most=GATHER_MAX, at_once=64
        )

    async def send(self, letter: bytes) -> Reply:
        """Send a message; return what became of it.

        Raises
        ------
        LinkError
            Node A cannot be reached, or said nothing in time: what became of it is unknown.
        """
        return await self._gather.add(letter)

    async def ask(self, request_id: str) -> Reply:
        """Ask what became of a request; errors as `send`."""
        path = f"/v1/requests/{quote(self._sender, safe='')}/{quote(request_id, safe='')}"
        answer = await self._carrier.get(self._node, path, timeout=ANSWER_SECONDS)
        return read_replies(unpack(answer), 1)[0]

    async def close(self) -> None:
        """Wait for what is on its way."""
        await self._gather.close()

    async def _post(self, letters: list[bytes]) -> Sequence[Reply]:
        answer = await self._carrier.post(
            self._node, "/v1/messages", pack(letters), timeout=ANSWER_SECONDS
        )
        return read_replies(unpack(answer), len(letters))
