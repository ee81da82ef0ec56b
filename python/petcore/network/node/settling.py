"""Cut-offs and nets at the nodes: A ends windows at both, both answer for their shares."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from petcore.errors import BadFrame, PetcoreError, UsageError
from petcore.network.envelope import Envelope, pack, unpack
from petcore.network.http import caller, read_body
from petcore.network.ledger import Windows
from petcore.network.node.core import Core, require_sender
from petcore.network.node.lane import Lane
from petcore.network.settlement import Settler
from petcore.network.settlement.settler import ITEMS_MAX

NETS_MAX = 64
_PACKED = "application/octet-stream"


class Settling:
    """What one node does for settlement.

    Parameters
    ----------
    core
    lane
        Of node A; B is told what A does.
    """

    def __init__(self, core: Core, lane: Lane | None = None) -> None:
        self._core, self._lane = core, lane
        self._windows = Windows(core.database)
        self._settler = Settler(
            core.directory,
            core.name,
            ring=core.ring,
            keys=core.keys,
            database=core.database,
            counter=core.counter,
            sink=core.sink,
        )

    def start(self) -> None:
        """Tell B of a cut-off again: the last process may have ended in between."""
        if self._lane is not None:
            self._lane.between(self._tell)

    async def cut(self) -> int:
        """End the open window at both nodes, between two batches; return its number."""
        if self._lane is None:
            raise UsageError(f"{self._core.name} follows: cut the window at node A")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        ending = await self._core.in_thread(self._windows.current)

        async def errand() -> None:
            if await self._core.in_thread(self._windows.current) == ending:
                await self._core.in_thread(self._windows.cut, ending)
            await self._tell()
            if not done.done():
                done.set_result(ending)

        self._lane.between(errand)
        return await done

    async def follow(self, number: int) -> int:
        """End a window here, as A did; return the one that is open."""
        return await self._core.in_thread(self._windows.cut, number)

    async def current(self) -> int:
        """Return the open window."""
        return await self._core.in_thread(self._windows.current)

    async def nets(self, name: str, contents: Sequence[bytes]) -> list[bytes]:
        """Answer a member's requests for its own nets; those for the other node are passed on."""
        found: list[bytes | None] = [None] * len(contents)
        passed: list[int] = []
        for place, content in enumerate(contents):
            try:
                envelope = Envelope.from_bytes(content)
                require_sender(envelope, name)
                if self._lane is not None and self._core.other.name in envelope.header.to.values():
                    passed.append(place)
                else:
                    found[place] = await self._core.in_thread(self._settler.answer, content)
            except PetcoreError as error:
                found[place] = _error(error)
        if passed and self._lane is not None:
            head = json.dumps({"caller": name}).encode()
            body = pack([head, *(contents[place] for place in passed)])
            answers = unpack(await self._lane.call("/v1/nets", body), NETS_MAX)
            if len(answers) != len(passed):
                raise BadFrame(f"{self._core.other.name} gave another number of answers")
            for place, answer in zip(passed, answers, strict=True):
                found[place] = answer
        return [answer or b"" for answer in found]

    async def items(self, name: str, window: int, currency: str, after: str) -> dict[str, object]:
        """Return the next requests that a member's own net covers."""
        items = await self._core.in_thread(self._page, name, window, currency, after)
        return {"items": items, "more": len(items) == ITEMS_MAX}

    def _page(self, name: str, window: int, currency: str, after: str) -> list[str]:
        return self._settler.items(name, window, currency, after=after)

    async def _tell(self) -> None:
        number = await self.current() - 1
        if number and self._lane is not None:
            await self._lane.call(f"/v1/windows/{number}/cut", b"")


def routes_a(core: Core, settling: Settling) -> list[Route]:
    """Return what node A answers about settlement."""

    async def nets(request: Request) -> Response:
        name = caller(request, core.directory, "acqp", "mpp", "node_a")
        contents = unpack(await read_body(request), NETS_MAX - 1)
        return Response(pack(await settling.nets(name, contents)), media_type=_PACKED)

    async def current(request: Request) -> Response:
        caller(request, core.directory)
        return JSONResponse({"current": await settling.current()})

    async def items(request: Request) -> Response:
        name = caller(request, core.directory, "acqp", "mpp", "node_a")
        window, currency = request.path_params["n"], request.path_params["currency"]
        after = request.query_params.get("after", "")
        return JSONResponse(await settling.items(name, window, currency, after))

    async def cut(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        return JSONResponse({"window": await settling.cut()})

    return [
        Route("/v1/nets", nets, methods=["POST"]),
        Route("/v1/windows", current),
        Route("/v1/windows/cut", cut, methods=["POST"]),
        Route("/v1/windows/{n:int}/items/{currency}", items),
    ]


def routes_b(core: Core, settling: Settling) -> list[Route]:
    """Return what node B answers about settlement, to A."""

    async def nets(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        items = unpack(await read_body(request), NETS_MAX)
        try:
            name = str(json.loads(items[0])["caller"])
        except (IndexError, KeyError, TypeError, ValueError):
            raise BadFrame("the head of requests for nets lacks the caller") from None
        return Response(pack(await settling.nets(name, items[1:])), media_type=_PACKED)

    async def cut(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        return JSONResponse({"current": await settling.follow(request.path_params["n"])})

    return [
        Route("/v1/nets", nets, methods=["POST"]),
        Route("/v1/windows/{n:int}/cut", cut, methods=["POST"]),
    ]


def _error(error: PetcoreError) -> bytes:
    told = {"code": error.code, "message": error.message[:500], "retryable": error.retryable}
    return json.dumps(told).encode()
