"""Cancels that meet their end late: after a node was away, or after the night that ends them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from petcore.network.envelope import Envelope, unpack
from petcore.network.keyring import now_ms
from petcore.network.ledger import (
    Accounts,
    Database,
    Kind,
    NodeJournal,
    Opening,
    Request,
    State,
    make_postings,
)
from petcore.network.node.cancels import Cancels
from petcore.network.node.core import Core
from petcore.network.node.follower import Follower
from tests.network.wallets import DAY, Around

PAYMENT = "shop-bank/p1"


class Node:
    """A node's journal with one posted payment, and what the cancels look at."""

    def __init__(self, folder: Path, name: str, around: Around) -> None:
        self.clock_at = now_ms() - 2 * DAY
        self.database = Database.open(folder / f"{name}.db", clock=lambda: self.clock_at)
        self.core = object.__new__(Core)
        self.core.name, self.core.first = name, name == "node-a"
        self.core.directory, self.core.keys = around.members.directory, around.keys
        self.core.database, self.core.journal = self.database, NodeJournal(self.database)
        self.core.log = SimpleNamespace(failure=lambda *_, **__: None)
        self.core.in_thread = self._at_once
        self._post()

    async def _at_once(self, work, *arguments):
        return work(*arguments)

    def _post(self) -> None:
        journal = self.core.journal
        one, two = Accounts(self.database).open(
            [Opening("a", "p", "EUR"), Opening("b", "p", "EUR")]
        )
        journal.accept([Request(PAYMENT, Kind.PAY, b"tag", now_ms() + DAY)])
        journal.prepare(1, {PAYMENT: b"check"}, digest=b"digest")
        slots, words = np.arange(1), np.ones((1, 3), np.uint64)
        journal.computed(
            1,
            decisions=words[:, 0],
            totals=words,
            postings=make_postings(slots, 0, np.array([one]), np.array([two]), words[:, 0]),
            node=self.core.name,
            envelopes={},
        )
        journal.commit(1)

    @property
    def state(self) -> State:
        return self.core.journal.find([PAYMENT])[PAYMENT].state


class Lane:
    """Node A's lane to node B."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self.running: set[asyncio.Task] = set()

    async def call(self, _: str, body: bytes) -> bytes:
        head, *messages = unpack(body)
        await self._follower.cancel(messages, json.loads(head)["window"])
        return b"{}"

    def between(self, errand) -> None:
        self.running.add(asyncio.ensure_future(errand()))


class Wallet:
    """A wallet that has to be told."""

    told = 0

    async def cancel(self, envelope: Envelope):
        self.told += 1
        return SimpleNamespace(for_recipient=lambda _: SimpleNamespace(to_bytes=lambda: b"done"))


@pytest.fixture
def around(tmp_path):
    return Around(tmp_path)


@pytest.fixture
def nodes(tmp_path, around):
    made = [Node(tmp_path, name, around) for name in ("node-a", "node-b")]
    yield made
    for node in made:
        node.database.close()


def cancel_of(around: Around, made: int) -> Envelope:
    return Envelope.from_bytes(around.cancel(now=made))


def carry(nodes: list[Node], envelope: Envelope):
    """Carry a cancel out at A, as after a start; return the reply and the wallet."""

    async def act():
        wallet = Wallet()
        cancels = Cancels(nodes[0].core, Lane(Follower(nodes[1].core)), wallet, lambda _: None, 5.0)
        return await cancels.resume(envelope), wallet

    return asyncio.run(act())


def journalled(nodes: list[Node], envelope: Envelope) -> None:
    header = envelope.header
    request = f"{header.sender}/{header.request_id}"
    nodes[0].core.journal.accept([Request(request, Kind.CANCEL, b"tag", now_ms() + DAY)])


def test_a_cancel_that_reached_one_node_reaches_the_other_however_long_that_was_away(nodes, around):
    envelope = cancel_of(around, now_ms() - DAY)  # its time is long over
    for node in nodes:
        node.clock_at = now_ms()
    journalled(nodes, envelope)
    nodes[0].core.journal.cancel([PAYMENT], window=1)
    reply, wallet = carry(nodes, envelope)
    assert reply.status == "cancelled"
    assert [node.state for node in nodes] == [State.VOIDED] * 2
    assert wallet.told == 1


def test_a_cancel_that_began_in_its_window_ends_after_it(nodes, around):
    envelope = cancel_of(around, now_ms() - 1000)
    journalled(nodes, envelope)
    nodes[0].core.journal.cancel([PAYMENT], window=1)  # and then node A died, until the next day
    reply, wallet = carry(nodes, envelope)
    assert (reply.status, wallet.told) == ("cancelled", 1)
    assert nodes[1].state is State.VOIDED


def test_a_cancel_that_begins_after_its_window_does_nothing(nodes, around):
    envelope = cancel_of(around, now_ms() - 1000)
    journalled(nodes, envelope)
    reply, wallet = carry(nodes, envelope)
    assert (reply.status, reply.code, wallet.told) == ("refused", "window", 0)
    assert [node.state for node in nodes] == [State.POSTED] * 2
