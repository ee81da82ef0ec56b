"""HTTP between members: who may call whom, what is bounded, how errors travel."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from petcore.errors import (
    BadFrame,
    ConfigError,
    PeerClosed,
    PeerLate,
    PeerUnreachable,
    PeerUntrusted,
    PetcoreError,
    QuotaExceeded,
    UsageError,
)
from petcore.network.http import Peers, Server, caller, on_error, read_body
from petcore.trust.identity import make_identity
from tests.network.members import Members, make_members


@pytest.fixture
def members(tmp_path):
    return make_members(tmp_path)


def application(members: Members) -> Starlette:
    async def who(request: Request) -> Response:
        return PlainTextResponse(caller(request, members.directory))

    async def edges_only(request: Request) -> Response:
        return PlainTextResponse(caller(request, members.directory, "mpp", "acqp"))

    async def echo(request: Request) -> Response:
        return Response(await read_body(request, 1000))

    async def full(_: Request) -> Response:
        raise QuotaExceeded("come again tomorrow")

    async def defect(_: Request) -> Response:
        raise RuntimeError("canary 4711")

    async def slow(_: Request) -> Response:
        await asyncio.sleep(1.0)
        return Response()

    return Starlette(
        routes=[
            Route("/who", who),
            Route("/edges", edges_only),
            Route("/echo", echo, methods=["POST"]),
            Route("/full", full),
            Route("/defect", defect),
            Route("/slow", slow),
        ],
        exception_handlers={PetcoreError: on_error, Exception: on_error},
    )


def served(
    members: Members, test: Callable[[Peers], Awaitable[Any]], caller_name: str = "purse"
) -> Any:
    """Run ``test`` with a client of one member, while node A serves."""

    async def whole() -> Any:
        stop = asyncio.Event()
        server = Server(
            application(members),
            members.listen["node-a"],
            members.identities["node-a"],
            members.directory,
        )
        running = asyncio.create_task(server.run(stop))
        peers = Peers(members.identities[caller_name], members.directory, timeout=5.0)
        try:
            return await test(peers)
        finally:
            await peers.close()
            stop.set()
            await running

    return asyncio.run(whole())


def test_a_server_knows_which_member_calls(members):
    assert served(members, lambda peers: peers.get("node-a", "/who")) == b"purse"


def test_a_member_of_another_role_is_refused(members):
    assert served(members, lambda p: p.get("node-a", "/edges"), "shop-bank") == b"shop-bank"
    with pytest.raises(PeerUntrusted, match="node-b may not call /edges"):
        served(members, lambda p: p.get("node-a", "/edges"), "node-b")


def test_a_stranger_with_a_certificate_of_its_own_is_refused(members):
    members.identities["purse"] = make_identity("purse")
    with pytest.raises((PeerUntrusted, PeerClosed)):  # which one depends on when the alert is read
        served(members, lambda peers: peers.get("node-a", "/who"))


def test_a_server_with_another_key_than_the_pinned_one_is_refused(members):
    directory = members.directory
    swapped = {"node-a": "node-b", "node-b": "node-a"}
    others = tuple(
        replace(p, url=directory.member(swapped.get(p.name, p.name)).url)
        for p in directory.participants
    )
    lying = replace(members, directory=replace(directory, participants=others))

    async def whole() -> None:
        stop = asyncio.Event()
        server = Server(
            application(members),
            members.listen["node-a"],
            members.identities["node-a"],
            members.directory,
        )
        running = asyncio.create_task(server.run(stop))
        peers = Peers(lying.identities["purse"], lying.directory)
        try:
            with pytest.raises(PeerUntrusted, match="not the pinned one"):
                await peers.get("node-b", "/who")  # finds node A there, a member, but not node B
        finally:
            await peers.close()
            stop.set()
            await running

    asyncio.run(whole())


def test_a_client_without_a_certificate_is_refused(members):
    async def bare(_: Peers) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        async with httpx.AsyncClient(verify=context) as http:
            with pytest.raises(httpx.TransportError):
                await http.get(members.directory.node_a.url + "/who")

    served(members, bare)


def test_a_client_calls_nobody_but_members(members):
    for name in ("stranger", "purse", "https://127.0.0.1:1"):
        with pytest.raises(UsageError, match="no other member"):
            served(members, lambda peers, name=name: peers.get(name, "/who"))


def test_a_path_cannot_smuggle_lines_into_a_request(members):
    for path in ("/who\r\nx: y", "/who x", "who", "/wh\u00f6"):
        with pytest.raises(UsageError, match="printable ASCII"):
            served(members, lambda peers, path=path: peers.get("node-a", path))


def test_a_body_that_is_too_large_is_refused_before_it_is_read(members):
    async def send(peers: Peers) -> bytes:
        assert await peers.post("node-a", "/echo", b"x" * 1000) == b"x" * 1000
        return await peers.post("node-a", "/echo", b"x" * 1001)

    with pytest.raises(BadFrame, match="more than 1000 bytes"):
        served(members, send)


def test_an_answer_that_is_too_large_is_not_read(members):
    async def send(peers: Peers) -> bytes:
        return await peers.post("node-a", "/echo", b"x" * 900, answer_bytes_max=899)

    with pytest.raises(BadFrame, match="node-a answered more than 899 bytes"):
        served(members, send)


def test_an_error_comes_out_as_its_class_at_the_caller(members):
    with pytest.raises(QuotaExceeded, match="come again tomorrow") as met:
        served(members, lambda peers: peers.get("node-a", "/full"))
    assert met.value.retryable
    assert met.value.party == "node-a"


def test_a_defect_tells_the_caller_nothing_of_what_it_was(members):
    with pytest.raises(PetcoreError) as met:
        served(members, lambda peers: peers.get("node-a", "/defect"))
    assert met.value.code == "internal"
    assert "4711" not in str(met.value)


def test_a_path_that_is_not_served_is_a_closed_door(members):
    with pytest.raises(PeerClosed, match="status 404") as met:
        served(members, lambda peers: peers.get("node-a", "/nothing"))
    assert not met.value.retryable


def test_a_member_that_does_not_answer_is_late_and_one_that_is_away_unreachable(members):
    with pytest.raises(PeerLate, match="node-a did not answer"):
        served(members, lambda peers: peers.get("node-a", "/slow", timeout=0.2))
    with pytest.raises(PeerUnreachable, match="node-b cannot be reached"):
        served(members, lambda peers: peers.get("node-b", "/who"))


def test_plain_http_stays_on_the_loopback_address(members):
    with pytest.raises(ConfigError, match="loopback"):
        Server(application(members), "0.0.0.0:9", None)


def test_an_address_in_use_is_named(members):
    first = Server(application(members), members.listen["purse"])
    with pytest.raises(ConfigError, match="cannot be listened on"):
        Server(application(members), members.listen["purse"])
    first._socket.close()


def test_a_certificate_file_that_is_not_the_pinned_one_is_named(members):
    path = members.directory.member("node-b").certificate
    path.write_bytes(make_identity("node-b").certificate_pem)
    with pytest.raises(ConfigError, match=r"node-b\.cert\.pem: is not the certificate"):
        Peers(members.identities["purse"], members.directory)
