"""Payments through nodes A and B: what edges are told, and what nodes know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.network.nodes import Acquirer, Network, Wallet, scenario, until

pytestmark = pytest.mark.processes


@pytest.fixture
def network(tmp_path) -> Iterator[Network]:
    made = Network(tmp_path)
    yield made
    made.end()


def test_a_payment_is_approved_for_both_edges_and_another_declined(network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        (good,) = await acquirer.send_until(acquirer.pay("order-1", 600))
        assert (good.status, good.state, good.kind) == ("decided", "posted", "pay")
        assert acquirer.result(good) == 1
        (bad,) = await acquirer.send(acquirer.pay("order-2", 60_000))
        assert acquirer.result(bad) == 0
        assert (bad.status, bad.state) == (good.status, good.state)
        await until(lambda: wallet.heard("order-2") is not None)
        assert [wallet.heard("order-1"), wallet.heard("order-2")] == [1, 0]

    scenario(network, act)
