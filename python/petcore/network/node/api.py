"""What nodes A and B answer over HTTP: the contract that edges and the other node build on.

All paths need mutual TLS with a certificate of the directory. Bodies marked *packed* are lists of
byte strings (`petcore.network.envelope.pack`). A call fails as a whole with an error of
`petcore.errors` as JSON ``{"code", "retryable", "message"}`` and a status that is not 200
(`petcore.network.http`); what concerns one message of many stands in that message's reply.

Replies
-------
`Replies` is what carries answers to messages: packed, first a JSON text, then envelopes.

    [ {"replies": [reply, ...]}, envelope 0, envelope 1, ... ]

    reply = {"status": ..., "sender": ..., "id": ..., "kind": ..., "state": ...,
             "envelopes": [indices], "code": ..., "message": ..., "retryable": ..., "number": ...}

One decision envelope answers for many rows, so replies point to envelopes by index. ``status`` is

==============  =================================================================================
``decided``     envelopes: decision of A, decision of B, the wallet's ``check`` or ``refund_check``
                (header and the part for whoever asks). The two shares of the row (senders[i],
                ids[i]) add up to 1, approved, or 0, declined; anything else is an error
``pending``     journalled and not decided: ask by inquiry
``awaiting``    a person has to agree at the wallet first; envelopes: ``awaiting``. Decided later
``cancelled``   envelopes: the wallet's ``cancelled``
``accepted``    a message that has no answer of its own (a check that a wallet brings) was journalled
``refused``     ``code``, ``message``, ``retryable`` say why; nothing happened. Codes: ``inconsistent``
                (the id has another content), ``tombstoned``, ``expired``, ``unknown``, ``window``
                (too late to cancel), ``quota`` (consults of a token), those of envelopes
``unknown``     of an inquiry: no such request
==============  =================================================================================

``state`` is the node's: new, reserved, posted, partially_refunded, refunded, voided, expired,
tombstoned. It never tells approved from declined. ``number`` counts notifications to a recipient.

Node A, for edges
-----------------
``POST /v1/messages``
    Body: packed, 1 to 64 envelopes ``for_recipient`` of nobody, that is with all parts: pay, consult,
    refund, cancel (of an acquirer), check, refund_check (of a wallet whose user agreed). Answer:
    Replies in the same order, at the latest after ``answer_seconds`` (8): a caller waits 12.
``GET /v1/requests/{sender}/{id}``
    The id percent-encoded. Answer: Replies with one reply. The sender of the request and its wallet
    may ask.
``POST /v1/nets``
    Body: packed net_request envelopes of the caller, to A and to B. Answer: packed, in the same order,
    the net envelopes of either, or UTF-8 JSON errors ``{"code", "message", "retryable"}``.
``GET /v1/windows``
    JSON ``{"current"}``: the settlement window that is open.
``GET /v1/windows/{n}/items/{currency}?after=...``
    JSON ``{"items", "more"}``: the requests that the caller's own net at a window covers, in pages.
``POST /v1/windows/cut``
    Ends the open window, at both nodes; for the operator, who calls with A's own certificate.
    JSON ``{"window"}``: which one ended.
``GET /v1/receipts/{n}``
    At both nodes, for every member: what the node received of a batch, by form, signed
    (`petcore.network.node.receipts`).
``GET /metrics``, ``GET /health``
    For every member; on ``health_listen`` without TLS, loopback only.

Node A calls edges
------------------
``POST /v1/checks``, ``POST /v1/decisions``, ``POST /v1/cancels`` at a wallet
    Packed envelopes, answered in the same order by packed envelopes (or JSON errors); decisions have an
    empty answer: 200 means that they are durable. Repeated until then.
``POST /v1/notifications`` at an acquirer
    Body: Replies, whose envelopes begin with a ``notify`` of each node that has one. 200 means durable;
    repeated until then, in the order of ``number``; what has a known number is ignored.

Node B, for node A
------------------
``POST /v1/pair``                   JSON ``{"session", "directory", "model"}``; both then connect
``POST /v1/batches``                packed: JSON ``{"batch", "session", "window"}``, then of each
                                    row its request and check, with B's parts -> JSON ``{"refused"}``
``POST /v1/batches/{n}/computed``   JSON ``{"digest"}`` -> packed: B's decision envelopes
``POST /v1/batches/{n}/commit``     -> 200 when durable
``POST /v1/batches/{n}/abort``      -> 200 when durable
``GET  /v1/batches/open``           JSON ``{"batches": [{"batch", "state", "digest"}]}``
``POST /v1/cancels``                packed: JSON ``{"window"}``, cancel envelopes ->
                                    JSON ``{"outcomes"}``
``POST /v1/nets``                   packed: JSON ``{"caller"}``, net_request envelopes -> as at A
``POST /v1/windows/{n}/cut``        ends window n -> JSON ``{"current"}``
"""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from petcore.errors import BadFrame, PetcoreError
from petcore.network.envelope import pack, unpack
from petcore.network.errors import BatchRefused, RequestUnknown
from petcore.network.http import caller, on_error, read_body
from petcore.network.node.core import Core
from petcore.network.node.follower import Follower, Proposal
from petcore.network.node.intake import Intake
from petcore.network.node.replies import write_replies

MESSAGES_MAX = 64
_SMALL = 4096
_CANCELS_MAX = 64
_BATCH_MAX = 1 << 53
_PACKED = "application/octet-stream"


def node_a_app(core: Core, intake: Intake, *more: Route) -> Starlette:
    """Return what node A answers."""

    async def messages(request: Request) -> Response:
        name = caller(request, core.directory, "acqp", "mpp")
        contents = unpack(await read_body(request), MESSAGES_MAX)
        return _packed(write_replies(await intake.messages(name, contents)))

    async def inquiry(request: Request) -> Response:
        name = caller(request, core.directory, "acqp", "mpp")
        sender, request_id = request.path_params["sender"], request.path_params["id"]
        return _packed(write_replies([await intake.inquire(name, sender, request_id)]))

    return _app(
        core,
        Route("/v1/messages", messages, methods=["POST"]),
        Route("/v1/requests/{sender}/{id:path}", inquiry),
        *more,
    )


def node_b_app(core: Core, follower: Follower, *more: Route) -> Starlette:
    """Return what node B answers."""

    async def pair(request: Request) -> Response:
        said = await _from_a(request)
        if said.get("directory") != core.directory.digest:
            raise BatchRefused(
                "the nodes have different directories; give both the same network.toml"
            )
        await follower.pair(str(said.get("session"))[:64])
        return Response()

    async def prepare(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        return JSONResponse(await follower.prepare(_proposal(unpack(await read_body(request)))))

    async def computed(request: Request) -> Response:
        said = await _from_a(request)
        sealed = await follower.computed(_number(request), str(said.get("digest")))
        return _packed(list(sealed.values()))

    async def commit(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        await follower.commit(_number(request))
        return Response()

    async def abort(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        await follower.abort(_number(request))
        return Response()

    async def open_batches(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        return JSONResponse(await follower.open_batches())

    async def cancels(request: Request) -> Response:
        caller(request, core.directory, "node_a")
        head, *contents = unpack(await read_body(request), _CANCELS_MAX) or [b""]
        window = _whole(_object(head).get("window"))
        return JSONResponse({"outcomes": await follower.cancel(contents, window)})

    async def _from_a(request: Request) -> dict[str, Any]:
        caller(request, core.directory, "node_a")
        return _object(await read_body(request, _SMALL))

    return _app(
        core,
        Route("/v1/pair", pair, methods=["POST"]),
        Route("/v1/batches", prepare, methods=["POST"]),
        Route("/v1/batches/open", open_batches),
        Route("/v1/batches/{n:int}/computed", computed, methods=["POST"]),
        Route("/v1/batches/{n:int}/commit", commit, methods=["POST"]),
        Route("/v1/batches/{n:int}/abort", abort, methods=["POST"]),
        Route("/v1/cancels", cancels, methods=["POST"]),
        *more,
    )


def _app(core: Core, *routes: Route) -> Starlette:
    async def receipt(request: Request) -> Response:
        caller(request, core.directory)
        name = str(_number(request))
        found = (await core.in_thread(core.receipts.get, [name])).get(name)
        if found is None:
            raise RequestUnknown(f"{core.name} has no receipt of batch {name}")
        return Response(found, media_type="application/json")

    return Starlette(
        routes=[*routes, Route("/v1/receipts/{n:int}", receipt), *core.metrics.routes()],
        exception_handlers={PetcoreError: on_error, Exception: on_error},
    )


def _packed(items: list[bytes]) -> Response:
    return Response(pack(items), media_type=_PACKED)


def _number(request: Request) -> int:
    return int(request.path_params["n"])


def _proposal(items: list[bytes]) -> Proposal:
    if len(items) < 3 or len(items) % 2 == 0:
        raise BadFrame("a proposal is a head, and two messages for each row")
    head = _object(items[0])
    settled = head.get("settled")
    if not isinstance(settled, list) or len(settled) > _SMALL:
        raise BadFrame("the head of a proposal lacks the batches to settle")
    number, window, *earlier = map(_whole, (head.get("batch"), head.get("window"), *settled))
    return Proposal(number, str(head.get("session"))[:64], window, tuple(earlier), items[1:])


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _BATCH_MAX:
        raise BadFrame("the head of a proposal lacks a number")
    return value


def _object(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise BadFrame("a JSON object was expected")
    return said
