"""Calls to members that answer as no member should."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from petcore.config import split_address
from petcore.errors import BadFrame, PeerClosed, PeerLate
from petcore.network.calling import Peers
from petcore.network.tls import load_pins, server_context
from tests.network.members import make_members

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


@pytest.fixture
def members(tmp_path):
    return make_members(tmp_path)


def scripted(members: Any, answers: list[bytes], test: Callable[[Peers], Awaitable[Any]]) -> Any:
    """Run ``test`` with a client of the purse, while "node A" gives these answers, one a question.

    An empty one closes the connection. Returns what the test does, and how many connections came.
    """
    left, connections, asked = iter(answers), [], []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        try:
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                answer = next(left, b"")
                writer.write(answer)
                if not answer or b"connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()

    async def whole() -> tuple[Any, int, list[bytes]]:
        host, port = split_address(members.listen["node-a"], "listen")
        context = server_context(members.identities["node-a"], load_pins(members.directory))
        server = await asyncio.start_server(serve, host, port, ssl=context)
        peers = Peers(members.identities["purse"], members.directory, timeout=2.0)
        try:
            return await test(peers), len(connections), asked
        finally:
            await peers.close()
            server.close()

    return asyncio.run(whole())


async def twice(peers: Peers) -> list[bytes]:
    return [await peers.get("node-a", "/x"), await peers.get("node-a", "/x")]


def once(peers: Peers) -> Awaitable[bytes]:
    return peers.get("node-a", "/x", answer_bytes_max=100)


def test_one_connection_serves_calls_one_after_the_other(members):
    answers, connections, asked = scripted(members, [OK, OK], twice)
    assert answers == [b"hi", b"hi"]
    assert connections == 1
    assert asked[0].startswith(b"GET /x HTTP/1.1\r\nhost: 127.0.0.1:")


def test_calls_at_the_same_time_have_a_connection_each(members):
    async def both(peers: Peers) -> list[bytes]:
        return await asyncio.gather(*(peers.get("node-a", "/x") for _ in range(2)))

    assert scripted(members, [OK, OK], both)[:2] == ([b"hi", b"hi"], 2)


def test_a_connection_that_its_server_closes_is_not_used_again(members):
    closing = OK.replace(b"OK\r\n", b"OK\r\nconnection: close\r\n")
    assert scripted(members, [closing, OK], twice)[:2] == ([b"hi", b"hi"], 2)


def test_an_answer_in_chunks_is_put_together(members):
    chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"
    assert scripted(members, [chunks, OK], twice)[0] == [b"hi", b"hi"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\ntoo little",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nwithout a length",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nhi",
    ],
    ids=["nothing", "noise", "cut", "unbounded", "upgrade", "endless head", "two lengths"],
)
def test_an_answer_that_is_none_is_a_member_that_went_away(members, answer):
    with pytest.raises(PeerClosed, match="node-a"):
        scripted(members, [answer], once)


def test_more_than_may_come_is_not_kept_whatever_its_status(members):
    for head in (
        b"200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"500 X\r\ncontent-length: 9999\r\n\r\n",
    ):
        with pytest.raises(BadFrame, match="answered more than"):
            scripted(members, [b"HTTP/1.1 " + head + b"fff\r\n" + b"z" * 6000], once)


def test_what_comes_without_a_question_answers_none(members):
    async def after_a_while(peers: Peers) -> bytes:
        assert await once(peers) == b"hi"
        return await peers.get("node-a", "/x")

    more = OK.replace(b"hi", b"no")
    for unasked in (more, more[:-2]):
        answers = [OK + unasked, OK.replace(b"hi", b"yo")]
        assert scripted(members, answers, after_a_while)[:2] == (b"yo", 2)


def test_an_answer_that_comes_too_late_is_not_the_next_one(members):
    async def impatient(peers: Peers) -> bytes:
        with pytest.raises(PeerLate):
            await peers.get("node-a", "/x", timeout=0.2)
        return await peers.get("node-a", "/x")

    half = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh"
    assert scripted(members, [half, OK], impatient)[:2] == (b"hi", 2)
