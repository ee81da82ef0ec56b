"""`petcore settle` over a whole network of real processes: from a merchant's call to the files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.network.settlement.test_files import schema
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.network.demo.merchant import Merchant
from petcore.network.demo.phone import new_codes
from petcore.network.demo.place import make_place
from petcore.network.demo.running import Running
from petcore.network.directory import Directory

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

PAID = {"JPY": ("bob", [500, 1, 70_000]), "KWD": ("carol", [12, 3456, 9]), "EUR": ("alice", [77])}


def petcore(*words, expect=0):
    done = CliRunner().invoke(app, ["settle", *map(str, words)])
    assert done.exit_code == expect, done.output
    return done.stdout


def final(merchant, request, answer):
    result = answer["result"]
    while result["resultStatus"] == "U":
        result = merchant.inquire(request).get("paymentResult", result)
    return result["resultCode"]


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """A network whose first window ended, after payments, a refund, a cancellation, a refusal."""
    place = make_place(tmp_path_factory.mktemp("settled") / "net")
    terms = place.directory.read_text().replace("min_count = 10", "min_count = 3")
    place.directory.write_text(terms)
    with Running(place, lambda _: None), Merchant(place) as merchant:
        for currency, (user, amounts) in PAID.items():
            for i, amount in enumerate(amounts):
                (code,) = new_codes(place, user)
                request = f"{currency}-{i}"
                answer = merchant.pay(request, amount, currency, code)
                assert final(merchant, request, answer) == "SUCCESS"
        (code,) = new_codes(place, "bob")
        answer = merchant.pay("JPY-much", 900_000_000, "JPY", code)
        assert final(merchant, "JPY-much", answer) != "SUCCESS"
        again(lambda: merchant.refund("KWD-1", "KWD-r", 456, "KWD"))
        again(lambda: merchant.cancel("JPY-0"))
        assert petcore("cut", "--config", place.config("node-a")).strip() == "1"
        yield place


def again(call):
    told = call()
    while told["result"]["resultStatus"] == "U":
        told = call()
    assert told["result"]["resultCode"] == "SUCCESS"


def net(place, role, name, currency, out, expect=0):
    config = ("--config", place.config(name), "--window", 1, "--currency", currency)
    return json.loads(
        petcore("net", "--role", role, *config, "--out", out, "--json", expect=expect)
    )


@pytest.mark.parametrize(("currency", "sum_paid"), [("JPY", 70_001), ("KWD", 12 + 3000 + 9)])
def test_both_edges_open_their_nets_without_a_break(settled, tmp_path, currency, sum_paid):
    bank = net(settled, "acqp", "shop-bank", currency, tmp_path / "bank")
    purse = net(settled, "mpp", "purse", currency, tmp_path / "purse")
    assert bank["breaks"] == purse["breaks"] == []
    assert purse["net"] == -sum_paid
    agreement = Directory.load(settled.directory).agreement("shop-bank", "purse", currency)
    assert 0 <= sum_paid - bank["net"] <= agreement.fee(sum_paid) + len(PAID[currency][1])
    for told in (bank, purse):
        files = {Path(name).suffixes[-2]: Path(name) for name in told["files"] if "xml" in name}
        schema().validate(files[".053"].read_bytes(), "camt_053_001_08")
        schema().validate(files[".009"].read_bytes(), "pacs_009_001_08")
        assert any(name.endswith(".csv") for name in told["files"])


def test_a_net_over_too_few_payments_is_not_opened(settled, tmp_path):
    words = ("--config", settled.config("purse"), "--window", 1, "--currency", "EUR")
    done = CliRunner().invoke(
        app, ["settle", "net", "--role", "mpp", *map(str, words), "--out", str(tmp_path)]
    )
    assert done.exit_code == 1
    assert "withheld" in done.output


def test_an_edge_whose_records_differ_is_told_by_how_much(settled, tmp_path, monkeypatch):
    from petcore.network.settlement import members

    def wrong(role, name, ledger):
        right = records(role, name, ledger)
        return replace(right, entries=lambda code: right.entries(code)[1:])

    records = members._records
    monkeypatch.setattr(members, "_records", wrong)
    told = net(settled, "acqp", "shop-bank", "KWD", tmp_path, expect=1)
    assert [found["kind"] for found in told["breaks"]] == ["sum"]
    assert told["breaks"][0]["difference"] < 0
    assert not any("xml" in name for name in told["files"])
