"""One of the two nodes runs inside the test, so that it can lie, be slow, or lose its disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from petcore.errors import LedgerFull
from petcore.network.ledger import Database
from petcore.network.node import follower
from petcore.network.node.process import run_node
from tests.network.nodes import NODES, Acquirer, Network, Wallet, scenario, until
from tests.network.test_node_faults import both_settled, rows, sums_to_zero, wallet_position

pytestmark = pytest.mark.processes


@pytest.fixture
def network(tmp_path) -> Iterator[Network]:
    made = Network(tmp_path, limits="answer_seconds = 1")
    yield made
    made.end()


@contextlib.asynccontextmanager
async def inside(network: Network, name: str) -> AsyncIterator[None]:
    """Run a node in this process."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_node(network.folder / f"{name}.toml", stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def once_paid(acquirer: Acquirer, request_id: str) -> int:
    await acquirer.send_until(acquirer.pay(request_id))
    return acquirer.result(await acquirer.decided(request_id))


def committed(network: Network) -> int:
    return len(rows(network, "node-a", "SELECT 1 FROM batches WHERE state = 2"))


def test_a_node_b_that_lies_about_the_digest_of_a_batch_gets_nothing_committed(
    network, monkeypatch
):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async with inside(network, "node-b"):
            assert await once_paid(acquirer, "honest") == 1
            before = committed(network)
            honest = follower.batch_digest
            monkeypatch.setattr(follower, "batch_digest", lambda *_: "00" * 32)
            (reply,) = await acquirer.send(acquirer.pay("lied"))
            assert reply.status == "pending"
            assert committed(network) == before
            monkeypatch.setattr(follower, "batch_digest", honest)
            assert acquirer.result(await acquirer.decided("lied")) == 1
            await both_settled(network)
            assert wallet_position(network) == -800
        assert "unfit" in network.log("node-a")

    scenario(network, act, "dealer", "node-a")


def test_a_node_b_that_computes_other_rows_is_found_out_in_the_first_round(network, monkeypatch):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async with inside(network, "node-b"):
            assert await once_paid(acquirer, "honest") == 1
            honest = follower.Core.compute

            def other(self, session, batch, number, digest):
                return honest(self, session, [*batch, *batch], number, digest)

            monkeypatch.setattr(follower.Core, "compute", other)
            (reply,) = await acquirer.send(acquirer.pay("doubled"))
            assert reply.status == "pending"
            monkeypatch.setattr(follower.Core, "compute", honest)
            assert acquirer.result(await acquirer.decided("doubled")) == 1
            await both_settled(network)
            assert wallet_position(network) == -800

    scenario(network, act, "dealer", "node-a")


@pytest.mark.parametrize("name", NODES)
def test_a_disk_that_is_full_posts_nothing_by_halves_and_is_lived_through(
    network, monkeypatch, name
):
    """The disk takes reads; every transaction fails when it is to be kept."""

    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async with inside(network, name):
            assert await once_paid(acquirer, "before") == 1
            await both_settled(network)
            healthy = Database.write

            @contextlib.contextmanager
            def full(self, *, durable=True):
                with healthy(self, durable=durable) as connection:
                    yield connection
                    if name in self.name:
                        raise LedgerFull("the disk is full; make room, then try again")

            monkeypatch.setattr(Database, "write", full)
            if name == "node-a":
                with pytest.raises(LedgerFull) as met:
                    await acquirer.send(acquirer.pay("during"))
                assert met.value.retryable
                assert not rows(
                    network, name, "SELECT 1 FROM requests WHERE request LIKE '%/during'"
                )
            else:
                (reply,) = await acquirer.send(acquirer.pay("during"))
                assert reply.status == "pending"
            assert wallet_position(network) == -400
            assert sums_to_zero(network)
            monkeypatch.setattr(Database, "write", healthy)
            assert await once_paid(acquirer, "during") == 1
            await both_settled(network)
            assert wallet_position(network) == -800
            await until(lambda: wallet.heard("during") == 1)

    others = {"node-a": ("dealer", "node-b"), "node-b": ("dealer", "node-a")}
    scenario(network, act, *others[name])


def test_a_node_b_that_is_late_delays_payments_and_loses_none(network, monkeypatch):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async with inside(network, "node-b"):
            assert await once_paid(acquirer, "prompt") == 1
            honest, gate = follower.Follower.prepare, asyncio.Event()

            async def late(self, proposal):
                await gate.wait()
                return await honest(self, proposal)

            monkeypatch.setattr(follower.Follower, "prepare", late)
            (reply,) = await acquirer.send(acquirer.pay("delayed"))
            assert reply.status == "pending"
            gate.set()
            assert acquirer.result(await acquirer.decided("delayed")) == 1
            await until(lambda: any(notice.id == "delayed" for notice in acquirer.notices))

    scenario(network, act, "dealer", "node-a")
