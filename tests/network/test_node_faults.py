"""Nodes that are killed, peers that lie or are late: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator

import pytest

from petcore.errors import BadFrame, PeerUntrusted, PetcoreError
from petcore.network.envelope import pack
from petcore.network.http import Peers
from petcore.network.keyring import KeyRing
from tests.network.nodes import NODES, WALLET, Acquirer, Network, Wallet, scenario, until

pytestmark = pytest.mark.processes


@pytest.fixture
def network(tmp_path) -> Iterator[Network]:
    made = Network(tmp_path)
    yield made
    made.end()


def rows(network: Network, node: str, statement: str) -> list[tuple]:
    with sqlite3.connect(network.folder / f"{node}.db") as db:
        found = db.execute(statement).fetchall()
    db.close()
    return found


async def both_settled(network: Network) -> None:
    """Wait until neither node has an open batch; then their committed batches must be the same."""
    await until(
        lambda: not any(rows(network, n, "SELECT 1 FROM batches WHERE state < 2") for n in NODES)
    )
    mine, theirs = (
        rows(network, n, "SELECT batch, digest FROM batches WHERE state = 2 ORDER BY batch")
        for n in NODES
    )
    assert mine == theirs


def wallet_position(network: Network) -> int:
    total = sum(
        rows(
            network,
            node,
            f"SELECT posted FROM accounts WHERE owner = '{WALLET}' AND currency = 'EUR'",  # noqa: S608
        )[0][0]
        for node in NODES
    )
    return (total + 2**63) % 2**64 - 2**63


def sums_to_zero(network: Network) -> bool:
    found = [rows(network, n, "SELECT currency, posted FROM accounts") for n in NODES]
    total: dict[str, int] = {}
    for currency, posted in [row for node in found for row in node]:
        total[currency] = (total.get(currency, 0) + posted) % 2**64
    return not any(total.values())


class Load:
    """Payments one after another, each sent until it is decided, while something breaks."""

    def __init__(self, acquirer: Acquirer, wallet: Wallet, count: int) -> None:
        self.acquirer, self.wallet, self.count = acquirer, wallet, count
        self.decided = 0

    async def run(self) -> None:
        await asyncio.gather(*(self._stream(first) for first in range(8)))

    async def _stream(self, first: int) -> None:
        for index in range(first, self.count, 8):
            amount = 300 if index % 3 else 60_000  # every third is more than the balance
            envelope = self.acquirer.pay(f"load-{index}", amount)
            while True:
                (reply,) = await self.acquirer.send_until(envelope)
                if reply.status == "decided":
                    break
                assert reply.status == "pending", reply
                await asyncio.sleep(0.05)
            assert self.acquirer.result(reply) == (1 if index % 3 else 0)
            self.decided += 1

    async def check(self, network: Network) -> None:
        """Every payment took effect once, at both nodes and at the wallet."""
        approved = [i for i in range(self.count) if i % 3]
        await both_settled(network)
        assert wallet_position(network) == -200 * len(approved)
        assert sums_to_zero(network)
        heard = [self.wallet.heard(f"load-{i}") for i in range(self.count)]
        if None in heard:
            await until(
                lambda: None not in [self.wallet.heard(f"load-{i}") for i in range(self.count)]
            )
        for index in range(self.count):
            assert self.wallet.heard(f"load-{index}") == (1 if index % 3 else 0)


@pytest.mark.parametrize("victim", ["node-a", "node-b", "dealer"])
def test_a_process_that_is_killed_under_load_loses_and_doubles_nothing(network, victim):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        load = Load(acquirer, wallet, 48)
        running = asyncio.create_task(load.run())
        for share in (0.3, 0.7):
            await until(lambda share=share: load.decided >= share * load.count, 60)
            network.kill(victim)
            network.start(victim)
        await running
        await load.check(network)

    scenario(network, act)


def test_both_nodes_killed_at_once_go_on_where_their_journals_are(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        load = Load(acquirer, wallet, 40)
        running = asyncio.create_task(load.run())
        for share in (0.3, 0.6):
            await until(lambda share=share: load.decided >= share * load.count, 60)
            for node in NODES:
                network.kill(node)
            network.start(*reversed(NODES))
        await running
        await load.check(network)

    scenario(network, act)


def test_a_node_that_is_told_to_end_finishes_its_batch_and_ends_well(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        load = Load(acquirer, wallet, 40)
        running = asyncio.create_task(load.run())
        for share, node in ((0.3, "node-a"), (0.6, "node-b")):
            await until(lambda share=share: load.decided >= share * load.count, 60)
            assert await asyncio.to_thread(network.kill, node, signal.SIGTERM) == 0
            network.start(node)
        await running
        await load.check(network)

    scenario(network, act)


async def orphan(network: Network, acquirer: Acquirer, wallet: Wallet) -> None:
    """Kill node A while it waits for the wallet's check of the payment "orphan"."""
    (reply,) = await acquirer.send_until(acquirer.pay("warm"))
    assert acquirer.result(reply) == 1
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    wallet.answers = wait
    sending = asyncio.create_task(acquirer.send(acquirer.pay("orphan")))
    await until(lambda: len(rows(network, "node-a", "SELECT 1 FROM requests")) == 2)
    network.kill("node-a")
    with pytest.raises(PetcoreError):
        await sending
    gate.set()


def test_a_request_that_was_journalled_before_a_crash_is_decided_after_it(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await orphan(network, acquirer, wallet)
        network.start("node-a")
        assert acquirer.result(await acquirer.decided("orphan")) == 1
        await until(lambda: any(notice.id == "orphan" for notice in acquirer.notices))

    scenario(network, act)


def test_a_request_whose_key_was_erased_while_the_node_was_down_ends_and_others_go_on(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await orphan(network, acquirer, wallet)
        ring = KeyRing.load(network.folder / "keys", "node-a")
        old = ring.epoch
        ring.rotate()
        ring.erase(old)
        network.start("node-a")
        for again in range(20):  # the acquirer looks for new keys once a second
            (reply,) = await acquirer.send_until(acquirer.pay(f"next-{again}"))
            if reply.code != "epoch":
                break
            await asyncio.sleep(0.2)
        assert acquirer.result(await acquirer.decided(reply.id)) == 1
        reply = await acquirer.inquire("orphan")
        assert (reply.status, reply.code) == ("refused", "expired")
        assert "a request cannot be opened" in network.log("node-a")

    scenario(network, act)


def test_what_a_wallet_did_not_acknowledge_is_told_again_after_a_restart(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        acquirer_only = wallet.decisions

        class Deaf(dict):
            def setdefault(self, *_: object) -> list[int]:
                raise PetcoreError("the disk is full", code="full", retryable=True)

        wallet.decisions = Deaf()
        (reply,) = await acquirer.send_until(acquirer.pay("unheard"))
        assert acquirer.result(reply) == 1
        network.kill("node-a")
        wallet.decisions = acquirer_only
        network.start("node-a")
        await until(lambda: wallet.heard("unheard") == 1)

    scenario(network, act)


@contextlib.asynccontextmanager
async def as_node_a(network: Network) -> AsyncIterator[Peers]:
    """Call node B as node A does, once B serves."""
    members = network.members
    peers = Peers(members.identities["node-a"], members.directory, timeout=10.0)
    try:
        await until_served(peers)
        yield peers
    finally:
        await peers.close()


def proposal(**changes: object) -> bytes:
    head = {"batch": 1, "session": "none", "window": 1, "settled": [], **changes}
    return pack([json.dumps(head).encode(), b"request", b"check"])


def test_node_b_refuses_a_node_a_that_says_what_it_cannot(network):
    """Node A is played by the test: other directory, other session, other digest, rubbish."""

    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async with as_node_a(network) as peers:

            async def refused(path: str, body: bytes) -> str:
                with pytest.raises(PetcoreError) as met:
                    await peers.post("node-b", path, body)
                return met.value.code

            assert await refused("/v1/pair", b'{"session": "x", "directory": "another"}') == "unfit"
            assert await refused("/v1/pair", b"[]") == "frame"
            assert await refused("/v1/pair", b"x" * 5000) == "frame"
            assert await refused("/v1/batches", proposal()) == "apart"
            assert await refused("/v1/batches", proposal(batch=-1)) == "frame"
            assert await refused("/v1/batches", proposal(settled=[1, "2"])) == "frame"
            assert await refused("/v1/batches", pack([b"{}"])) == "frame"
            assert await refused("/v1/batches", b"\xff" * 64) == "malformed"
            assert await refused("/v1/batches/7/computed", b'{"digest": "00"}') == "unfit"
            assert await refused("/v1/batches/7/commit", b"") == "usage"
            assert await refused("/v1/cancels", pack([b"rubbish"])) == "frame"
            assert await refused("/v1/cancels", pack([b'{"window": 1}', b"x"])) == "malformed"
            with pytest.raises(BadFrame):
                await peers.post("node-b", "/v1/batches", bytes((16 << 20) + 1))

    scenario(network, act, "dealer", "node-b")


async def until_served(peers: Peers) -> None:
    while True:
        try:
            await peers.get("node-b", "/v1/batches/open")
            return
        except PetcoreError:
            await asyncio.sleep(0.05)


def test_edges_may_not_call_what_is_for_the_other_node(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async with as_node_a(network):
            pass
        for path in ("/v1/pair", "/v1/batches", "/v1/batches/1/commit", "/v1/cancels"):
            with pytest.raises(PeerUntrusted):
                await acquirer.peers.post("node-b", path, b"{}")

    scenario(network, act, "dealer", "node-b")


def test_messages_that_are_wrong_are_refused_each_for_itself(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        good = acquirer.pay("good-1")
        content = acquirer.pay("bent-1").to_bytes()
        bent = content[:-1] + bytes([content[-1] ^ 1])
        early = acquirer.pay("early-1", now=2_000_000_000_000)
        replies = await acquirer.send_until(good)
        counter = acquirer.counter.next()
        first = acquirer.pay("counter-1", counter=counter)
        second = acquirer.pay("counter-2", counter=counter)
        replies = await acquirer.send(
            b"rubbish",
            bent,
            early,
            acquirer.pay("partial-1").for_recipient("node-a", WALLET),
            wallet.check(good),
            good,
        )
        assert [(reply.status, reply.code) for reply in replies] == [
            ("refused", "malformed"),
            ("refused", "malformed"),
            ("refused", "skew"),
            ("refused", "malformed"),
            ("refused", "recipient"),
            ("decided", ""),
        ]
        assert (await acquirer.send(first))[0].status == "decided"
        (replayed,) = await acquirer.send(second)
        assert (replayed.status, replayed.code) == ("refused", "replayed")

    scenario(network, act)
