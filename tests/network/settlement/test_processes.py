"""A cut-off through running nodes: both end the window, participants open nets that sum to zero."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.network.nodes import ACQUIRER, WALLET, Acquirer, Network, Wallet, scenario

from petcore.errors import PeerUntrusted, PetcoreError
from petcore.network.errors import NetWithheld, WindowOpen
from petcore.network.ledger import Database, Windows, check_invariants
from petcore.network.settlement.client import (
    Member,
    current_window,
    cut_window,
    fetch_statement,
)
from petcore.network.settlement.nets import REVERSED

pytestmark = pytest.mark.processes


@pytest.fixture
def network(tmp_path) -> Iterator[Network]:
    made = Network(tmp_path, extra="min_count = 3")
    yield made
    made.end()


def member(network: Network, name: str) -> Member:
    from petcore.network.keyring import KeyRing

    members = network.members
    ring = KeyRing.load(network.folder / "keys", name)
    return Member(name, members.identities[name], members.directory, ring, network.keys)


async def statements(network: Network, window: int, currency: str) -> dict[str, int]:
    """Open the net of everyone that has one."""
    nets = {}
    for name in (ACQUIRER, WALLET, "node-a"):
        try:
            nets[name] = (await fetch_statement(member(network, name), window, currency)).net
        except NetWithheld:
            nets[name] = 0
    return nets


async def again(call):
    """Repeat a call while a node is away or a window runs."""
    while True:
        try:
            return await call()
        except (WindowOpen, PetcoreError) as error:
            if not error.retryable:
                raise
            await asyncio.sleep(0.1)


def test_nets_of_running_nodes_are_what_was_paid_and_sum_to_zero(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        agreement = acquirer.directory.agreement_by_id("purse-shop")
        rate = acquirer.directory.rate("SGD", "EUR")
        await acquirer.send_until(acquirer.pay("p-0", 600))
        replies = await acquirer.send(
            *(acquirer.pay(f"p-{i}", 600 + i) for i in (1, 2)), acquirer.pay("p-3", 90_000)
        )
        assert [acquirer.result(reply) for reply in replies] == [1, 1, 0]
        (refunded,) = await acquirer.send(acquirer.refund("r-1", "p-1", 601))
        (cancelled,) = await acquirer.send(acquirer.cancel("c-1", "p-2"))
        assert (refunded.status, cancelled.status) == ("decided", "cancelled")
        gateway = member(network, "node-a")
        with pytest.raises(WindowOpen):
            await fetch_statement(member(network, WALLET), 1, "EUR")
        assert await cut_window(gateway) == 1
        assert await current_window(gateway) == 2
        await acquirer.send(acquirer.pay("p-9", 5))
        sgd, eur = [await statements(network, 1, currency) for currency in ("SGD", "EUR")]
        assert sum(sgd.values()) == sum(eur.values()) == 0
        assert sgd[ACQUIRER] == 600 - agreement.fee(600)
        assert eur[WALLET] == -rate.convert(600)
        opened = await fetch_statement(member(network, ACQUIRER), 1, "SGD")
        named = {f"{ACQUIRER}/{name}" for name in ("p-0", "p-1", "p-2", "p-3", "r-1")}
        assert set(opened.items) == {*named, f"{ACQUIRER}/p-2{REVERSED}"}

    scenario(network, act)


def test_a_cut_off_waits_for_a_node_that_was_killed_and_outlives_the_other(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await acquirer.send_until(acquirer.pay("p-0", 100))
        await acquirer.send(*(acquirer.pay(f"p-{i}", 100 + i) for i in range(1, 4)))
        network.kill("node-b")
        cutting = asyncio.create_task(cut_window(member(network, "node-a")))
        network.start("node-b")
        assert await cutting == 1
        await acquirer.send_until(acquirer.pay("late", 7))
        network.kill("node-a")
        as_if_killed_between_both_nodes(network)
        network.start("node-a")
        await acquirer.send_until(acquirer.pay("later", 7))
        nets = await again(lambda: statements(network, 1, "EUR"))
        assert sum(nets.values()) == 0
        assert nets[WALLET] < 0

    scenario(network, act)
    network.end()
    for name in ("node-a", "node-b"):
        database = Database.open(network.folder / f"{name}.db")
        assert check_invariants(database, clear=False) == []
        assert Windows(database).current() == 3
        database.close()


def as_if_killed_between_both_nodes(network: Network) -> None:
    """End window 2 at node A only, as a crash in the middle of a cut-off leaves it."""
    database = Database.open(network.folder / "node-a.db")
    assert Windows(database).cut(2) == 3
    database.close()


def test_only_the_operator_of_node_a_ends_a_window(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await acquirer.send_until(acquirer.pay("p-0", 100))
        for name in (ACQUIRER, WALLET, "node-b"):
            with pytest.raises(PeerUntrusted):
                await cut_window(member(network, name))
        assert await current_window(member(network, WALLET)) == 1

    scenario(network, act)
