"""The risk model in the path: on features of the wallet, and of the gateway's node."""

from __future__ import annotations

import json
import secrets

import numpy as np
import pytest

from petcore.errors import ConfigError
from petcore.network.circuit import FEATURE_BITS, RiskModel
from petcore.network.node.held import HeldFeatures
from petcore.network.node.receipts import verify_receipt
from tests.network.nodes import NODES, Acquirer, Network, Wallet, scenario

ONE = 1 << FEATURE_BITS
BITS = 10


def save_model(folder, weights: list[int], threshold: int) -> None:
    """Share a model whose weights are whole numbers between both nodes' files."""
    values = np.array(weights, np.int64).astype(np.uint64) << np.uint64(BITS)
    mask = np.frombuffer(secrets.token_bytes(8 * len(weights)), np.uint64)
    limit, pair = threshold << BITS + FEATURE_BITS, secrets.token_hex(16)
    zero = np.array(0, np.uint64)
    for name, share in zip(NODES, (mask, values - mask), strict=True):
        model = RiskModel("2026-11", share, zero, limit, BITS, pair)
        model.save(folder / f"{name}.model.json")


@pytest.mark.processes
def test_a_payment_is_declined_for_what_the_gateway_alone_knows_of_its_route(tmp_path):
    network = Network(tmp_path, limits="answer_seconds = 4")
    save_model(tmp_path, [1, 3], threshold=4)
    held = {"default": [-1.0], "routes": {"purse shop-bank EUR": [1.5]}}
    (tmp_path / "held.json").write_text(json.dumps(held))
    for name in NODES:
        config = tmp_path / f"{name}.toml"
        file = 'file = "held.json"\n' if name == "node-a" else ""
        config.write_text(
            f'model = "{name}.model.json"\n{config.read_text()}\n[held_features]\ncount = 1\n{file}'
        )

    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        async def decided(number: str, feature: float, currency: str) -> int:
            wallet.changes = {"features": [round(feature * ONE)]}
            pay = acquirer.pay(number, 600, merchant_currency=currency, currency=currency)
            (reply,) = await acquirer.send_until(pay)
            return acquirer.result(reply)

        assert await decided("p1", 7.0, "SGD") == 1  # 7 - 3 = 4, the threshold
        assert await decided("p2", 7.01, "SGD") == 0
        assert await decided("p3", -0.5, "EUR") == 1  # -0.5 + 4.5
        assert await decided("p4", 0.0, "EUR") == 0
        wallet.changes = {"features": [0, 0]}
        (reply,) = await acquirer.send_until(acquirer.pay("p5"))
        assert reply.status == "refused"
        receipt = verify_receipt(
            await acquirer.peers.get("node-b", "/v1/receipts/1"), acquirer.keys
        )
        assert receipt["model"].startswith("model 2026-11 ")

    try:
        scenario(network, act)
    finally:
        network.end()


def test_a_route_has_its_own_features_and_others_the_usual_ones(tmp_path):
    file = tmp_path / "held.json"
    file.write_text('{"default": [0.5, -1], "routes": {"a b EUR": [2, 3]}}')
    held = HeldFeatures.load(file, 2)
    assert held.shares("a", "b", "EUR").tolist() == [2 * ONE, 3 * ONE]
    assert held.shares("a", "b", "SGD").tolist() == [ONE // 2, 2**64 - ONE]
    assert HeldFeatures(2).shares("a", "b", "EUR").tolist() == [0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"default": [1]}',
        '{"default": [1, "x"]}',
        '{"default": [1, NaN]}',
        '{"default": [1, 64]}',
        '{"default": [1, 2], "routes": {"a b": [1, 2]}}',
        '{"default": [1, 2], "routes": {"a b EUR": [1]}}',
    ],
)
def test_a_file_that_holds_no_features_is_refused(tmp_path, text):
    file = tmp_path / "held.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="needs"):
        HeldFeatures.load(file, 2)


def test_a_missing_file_of_features_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"held\.json: cannot be read"):
        HeldFeatures.load(tmp_path / "held.json", 2)
