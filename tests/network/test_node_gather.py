"""Gathering single requests into lists, and how replies travel."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from petcore.errors import BadFrame, PeerLate, QuotaExceeded
from petcore.network.node.gather import Gatherer
from petcore.network.node.replies import Reply, read_replies, refused, write_replies


def test_what_arrives_together_goes_together():
    lists = []

    async def handle(items):
        lists.append(items)
        return [item * 2 for item in items]

    async def whole():
        gatherer = Gatherer(handle, seconds=0.001, most=100)
        answers = await asyncio.gather(*(gatherer.add(i) for i in range(10)))
        await gatherer.close()
        return answers

    assert asyncio.run(whole()) == [i * 2 for i in range(10)]
    assert lists == [list(range(10))]


def test_a_list_is_no_longer_than_agreed_and_order_is_kept():
    lists = []

    async def handle(items):
        lists.append(items)
        return items

    async def whole():
        gatherer = Gatherer(handle, seconds=0.001, most=4, at_once=1)
        await asyncio.gather(*(gatherer.add(i) for i in range(10)))
        await gatherer.close()

    asyncio.run(whole())
    assert lists == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_while_lists_are_on_their_way_the_next_one_grows():
    lists = []

    async def whole():
        gate = asyncio.Event()

        async def handle(items):
            lists.append(items)
            await gate.wait()
            return items

        gatherer = Gatherer(handle, seconds=0.0, most=100, at_once=1)
        first = gatherer.add(0)
        while not lists:
            await asyncio.sleep(0)
        rest = [gatherer.add(i) for i in range(1, 30)]
        gate.set()
        await asyncio.gather(first, *rest)
        await gatherer.close()

    asyncio.run(whole())
    assert lists == [[0], list(range(1, 30))]


def test_an_error_reaches_the_item_that_it_is_about_or_all_of_a_list():
    async def handle(items):
        if "bad list" in items:
            raise PeerLate("too late")
        return [QuotaExceeded("no") if item == "bad" else item for item in items]

    async def whole():
        gatherer = Gatherer(handle, seconds=0.0, most=2, at_once=1)
        first = await asyncio.gather(
            gatherer.add("good"), gatherer.add("bad"), return_exceptions=True
        )
        second = await asyncio.gather(
            gatherer.add("good"), gatherer.add("bad list"), return_exceptions=True
        )
        await gatherer.close()
        return first, second

    (good, bad), second = asyncio.run(whole())
    assert good == "good"
    assert isinstance(bad, QuotaExceeded)
    assert all(isinstance(error, PeerLate) for error in second)


def test_what_is_too_much_to_answer_is_refused_at_once():
    async def handle(items):
        return items

    async def whole():
        gatherer = Gatherer(handle, seconds=60.0, most=10**6)
        for i in range(4096):
            gatherer.add(i)
        with pytest.raises(PeerLate, match="try again later"):
            gatherer.add(4096)
        await gatherer.close()

    asyncio.run(whole())


REPLIES = [
    Reply(
        "decided", "shop-bank", "order 1", "pay", "posted", (b"decision a", b"decision b", b"c1")
    ),
    Reply(
        "decided", "shop-bank", "order 2", "pay", "posted", (b"decision a", b"decision b", b"c2")
    ),
    refused("shop-bank", "order 3", QuotaExceeded("come again"), "consult"),
    Reply("pending", "shop-bank", "order 4", number=7),
]


def test_replies_come_out_as_they_went_in_and_share_envelopes():
    items = write_replies(REPLIES)
    assert len(items) == 1 + 4
    assert read_replies(items, 4) == REPLIES
    assert REPLIES[2].retryable
    assert REPLIES[2].code == "quota"


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b"{}",
        b'{"replies": 5}',
        b'{"replies": [5]}',
        b'{"replies": [{}]}',
        b'{"replies": [{"status": "approved"}]}',
        b'{"replies": [{"status": "decided", "sender": 5}]}',
        b'{"replies": [{"status": "decided", "id": "' + b"x" * 501 + b'"}]}',
        b'{"replies": [{"status": "decided", "envelopes": [0, 9]}]}',
        b'{"replies": [{"status": "decided", "envelopes": [-1]}]}',
        b'{"replies": [{"status": "decided", "envelopes": ["0"]}]}',
        b'{"replies": [{"status": "decided", "envelopes": [0,0,0,0,0,0,0,0,0]}]}',
        b'{"replies": [{"status": "decided", "number": -1}]}',
        b'{"replies": [{"status": "decided", "number": "1"}]}',
        b'{"replies": ' + b"[" * 100_000,
        b" " * (1 << 20) + b'{"replies": []}',
    ],
)
def test_replies_of_another_form_are_refused(index):
    with pytest.raises(BadFrame):
        read_replies([index, b"an envelope"])


def test_another_number_of_replies_than_expected_is_refused():
    with pytest.raises(BadFrame, match="4 replies came where 3 were due"):
        read_replies(write_replies(REPLIES), 3)
    with pytest.raises(BadFrame):
        read_replies([])
    many = json.dumps({"replies": [{"status": "pending"}] * 1025}).encode()
    with pytest.raises(BadFrame):
        read_replies([many])


def test_a_reply_does_not_show_its_envelopes():
    assert "decision" not in repr(replace(REPLIES[0], status="pending"))


def test_a_wait_may_depend_on_what_is_under_way():
    lists, waits = [], iter([0.0, 0.2])

    async def handle(items):
        lists.append(items)
        return items

    async def whole():
        gatherer = Gatherer(handle, seconds=lambda: next(waits), most=3, at_once=1)
        await gatherer.add(0)
        later = [gatherer.add(1)]
        await asyncio.sleep(0)
        later += [gatherer.add(2), gatherer.add(3)]
        await asyncio.gather(*later)
        await gatherer.close()

    asyncio.run(whole())
    assert lists == [[0], [1, 2, 3]]
