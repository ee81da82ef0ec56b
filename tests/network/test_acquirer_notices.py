"""Notifications to merchants: at least once, with growing waits, until acknowledged or given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from petcore.network.acquirer.desk import MERCHANTS
from petcore.network.acquirer.notices import ANSWER_MAX, Notices
from petcore.network.ledger import Database, Outbox, Outgoing

URL = "https://shop.example/hooks"


class Writer:
    """Writes the same for every request; takes "yes" as an acknowledgement."""

    def __init__(self) -> None:
        self.written: list[str] = []

    async def notice(self, request: str, url: str) -> tuple[Mapping[str, str], bytes] | None:
        self.written.append(request)
        return None if request == "nothing to tell" else ({}, b"news")

    def acknowledged(self, body: bytes) -> bool:
        return body == b"yes"


def said(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def play(
    place: Path, answer: Callable[[httpx.Request], httpx.Response], *requests: str, rounds: int = 1
) -> tuple[list[float | None], list[str], Writer]:
    """Put notifications into an outbox, send what is due some times; return waits and the rest."""
    now, writer, waits = [0.0], Writer(), []

    async def main(outbox: Outbox) -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            notices = Notices(outbox, writer, http, waits=(2.0, 10.0), clock=lambda: now[0])
            for _ in range(rounds):
                wait = await notices.send_due()
                waits.append(wait)
                now[0] += wait or 0.0

    with Database.open(place / "edge.db") as database:
        outbox = Outbox(database)
        outbox.put([Outgoing(MERCHANTS, "payment", r, URL.encode()) for r in requests])
        asyncio.run(main(outbox))
        return waits, [letter.request for letter in outbox.pending(MERCHANTS)], writer


def test_what_is_acknowledged_is_not_sent_again(tmp_path):
    waits, left, writer = play(tmp_path, lambda _: said(b"yes"), "a", "b")
    assert (waits, left, writer.written) == ([None], [], ["a", "b"])


def test_what_is_not_acknowledged_is_sent_again_later_and_given_up_in_the_end(tmp_path):
    waits, left, writer = play(tmp_path, lambda _: said(b"no"), "a", rounds=3)
    assert waits == [2.0, 10.0, None]
    assert left == []
    assert writer.written == ["a", "a", "a"]


def test_a_restart_sends_what_is_left_at_once(tmp_path):
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    waits, left, _ = play(tmp_path, gone, "a")
    assert (waits, left) == ([2.0], ["a"])
    waits, left, _ = play(tmp_path, lambda _: said(b"yes"))
    assert (waits, left) == ([None], [])


def test_an_error_a_redirect_and_a_flood_are_no_acknowledgements(tmp_path):
    for number, answer in enumerate(
        (
            said(b"yes", 500),
            said(b"yes", 302, location=URL),
            said(b"x" * (ANSWER_MAX + 1)),
        )
    ):
        place = tmp_path / str(number)
        place.mkdir()
        waits, left, _ = play(place, lambda _, answer=answer: answer, "a")
        assert (waits, left) == ([2.0], ["a"])


def test_what_has_nothing_to_tell_is_dropped(tmp_path):
    waits, left, _ = play(tmp_path, lambda _: said(b"", 500), "nothing to tell")
    assert (waits, left) == ([None], [])


def test_a_merchant_that_is_away_does_not_hold_up_others(tmp_path):
    def answer(request: httpx.Request) -> httpx.Response:
        return said(b"yes" if next(turns) else b"no")

    turns = iter([False, True, True])
    _, left, _ = play(tmp_path, answer, "a", "b", "c")
    assert len(left) == 1
