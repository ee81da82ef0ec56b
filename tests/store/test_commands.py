"""``petcore prepare`` and ``petcore stock`` as a person types them, in real processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.config import Config, Limits, Peer, StoreConfig, load_config
from petcore.config_text import to_toml
from petcore.errors import ConfigError
from petcore.stock import load_plan
from petcore.trust.identity import make_identity
from tests.conftest import free_ports, unboxed

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("\n## Ahead of time") : README.index("\n## By hand")]
TABLES = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
PROGRAM = """
import sys, numpy as np, petcore
from petcore.connecting import connect
with connect(sys.argv[1]) as session:
    x = session.input(np.arange(100) if session.party == 0 else None, owner=0)
    y = session.input(np.full(100, 50) if session.party == 1 else None, owner=1)
    print(int(session.open((x * y).sum(), label="sum")), session.stock()["pools"][0]["units"])
"""


def companies(folder: Path, **fields: Any) -> dict[str, Config]:
    names = ("gateway", "wallet", "dealer")
    peers, files = [], {}
    for name, port in zip(names, free_ports(3), strict=True):
        identity = make_identity(name)
        files[name] = identity.save(folder)
        peers.append(Peer(name, f"127.0.0.1:{port}", identity.fingerprint))
    configs = {}
    for name in names:
        key = folder / f"{name}.key.hex"
        key.write_text(f"{name.encode().hex():0<64}\n")
        key.chmod(0o600)
        configs[name] = Config(
            name=name,
            certificate=files[name][0],
            key=files[name][1],
            parties=tuple(peers[:2]),
            dealer=peers[2],
            log=folder / f"{name}.jsonl",
            connect_wait=20.0,
            limits=Limits(deadline=10.0, silence=2.0, heartbeat=0.2),
            store=None if name == "dealer" else StoreConfig(folder / f"{name}.stock", key),
            **fields,
        )
    return configs


def write(folder: Path, configs: dict[str, Config]) -> dict[str, Path]:
    paths = {}
    for name, config in configs.items():
        paths[name] = folder / f"{name}.toml"
        paths[name].write_text(to_toml(config, folder), encoding="utf-8")
    return paths


def at_both(arguments: list[list[str]], dealer: Path | None) -> list[tuple[int, str]]:
    with ExitStack() as running:

        def start(*words: str) -> subprocess.Popen[str]:
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, *words],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            running.callback(process.kill)
            return process

        if dealer is not None:
            start("-m", "petcore", "dealer", "--once", "--config", str(dealer))
        parties = [start(*words) for words in arguments]
        outputs = [party.communicate(timeout=60)[0] for party in parties]
        return [(p.returncode, out) for p, out in zip(parties, outputs, strict=True)]


def stock(config: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["stock", "--config", str(config), *options])
    return done.exit_code, done.output


@pytest.mark.processes
def test_prepare_fills_both_stores_and_sessions_use_them_without_a_dealer(tmp_path):
    configs = companies(tmp_path)
    paths = write(tmp_path, configs)
    plan = tmp_path / "plan.toml"
    plan.write_text('[[stock]]\noperation = "mul"\nelements = 150\n')
    command = ["-m", "petcore", "prepare", "--plan", str(plan), "--config"]
    for status, output in at_both(
        [[*command, str(paths[name])] for name in ("gateway", "wallet")], paths["dealer"]
    ):
        assert status == 0, output
        assert re.search(r"multiplication +150 +37 +150 +ok", output)
    stocked = {
        name: replace(config, correlations="store", dealer=None)
        for name, config in configs.items()
        if name != "dealer"
    }
    paths |= write(tmp_path, stocked)
    sessions = [["-c", PROGRAM, str(paths[name])] for name in ("gateway", "wallet")]
    for status, output in at_both(sessions, None):
        assert (status, output.split()[-2:]) == (0, [str(int(np.arange(100).sum()) * 50), "50"])
    status, output = stock(paths["gateway"])
    assert status == 0
    assert re.search(r"multiplication +50 +37 +150 +ok", output)
    for status, output in at_both(sessions, None):
        assert status == 1
        assert "StockExhausted" in output or "PeerAborted" in output
    config = replace(stocked["wallet"], store=replace(stocked["wallet"].store, low=0.5))
    write(tmp_path, {"wallet": config})
    status, output = stock(paths["wallet"], "--json")
    assert status == 1
    pool = json.loads(output)["pools"][0]
    assert (pool["state"], pool["units"], pool["target"]) == ("low", 50, 150)
    status, output = stock(paths["wallet"], "--discard", "--yes")
    assert status == 2
    assert "empty" in output


@pytest.mark.processes
def test_different_plans_are_refused_by_both(tmp_path):
    paths = write(tmp_path, companies(tmp_path))
    arguments = []
    for name, n in (("gateway", 100), ("wallet", 200)):
        plan = tmp_path / f"{name}.plan.toml"
        plan.write_text(f'[[stock]]\noperation = "square"\nelements = {n}\n')
        config = str(paths[name])
        arguments.append(["-m", "petcore", "prepare", "--plan", str(plan), "--config", config])
    outputs = [output for status, output in at_both(arguments, paths["dealer"]) if status == 1]
    assert len(outputs) == 2
    assert any("the term 'plan' is" in " ".join(output.split()) for output in outputs)


def test_readme_s_tables_are_a_store_and_a_plan(tmp_path):
    store, plan = TABLES
    configs = companies(tmp_path)
    path = write(tmp_path, {"gateway": replace(configs["gateway"], store=None)})["gateway"]
    path.write_text(path.read_text() + store)
    config = load_config(path)
    assert config.store == StoreConfig(tmp_path / "stock", tmp_path / "stock.key")
    (tmp_path / "plan.toml").write_text(plan)
    orders = load_plan(tmp_path / "plan.toml").orders
    kinds = {order.kind: order.units for order in orders}
    assert kinds["multiplication"] == 1_000_000
    assert {"edabit", "tree_layer"} <= set(kinds)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "stock is missing (a list)"),
        ("[[stock]]\n", "stock[0].operation is missing"),
        (
            '[[stock]]\noperation = "luck"\n',
            "is 'luck'; there are: and, and_bits, b2a, between by keys",
        ),
        ('[[stock]]\noperation = "mul"\n', "stock[0].elements is missing (a whole number)"),
        ('[[stock]]\noperation = "mul"\nelements = 0\n', "must be positive"),
        ('[[stock]]\noperation = "mul"\nelements = 5\nbits = 3\n', "not a key that petcore knows"),
        ('[[stock]]\noperation = "less"\nelements = 5\nbits = 65\n', "has no such sizes"),
        ('[[stock]]\nkind = "square"\nunits = 5\n', "sizes is missing"),
        ('[[stock]]\nkind = "square"\nunits = 5\nsizes = [-1]\n', "list of whole numbers"),
        ("[[stock]", "is not TOML"),
    ],
)
def test_a_plan_that_cannot_be_read_names_the_key(tmp_path, text, complaint):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load_plan(path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"key_file": None}, "must have either key_file or key_env"),
        ({"key_env": "KEY"}, "must have either key_file or key_env"),
        ({"maker": "luck"}, 'store.maker is \'luck\'; write "dealer" or "ot"'),
        ({"at_zero": "guess"}, 'store.at_zero is \'guess\'; write "refuse" or "make" or "restock"'),
        ({"low": 2.0}, "store.low must be between 0 and 1"),
    ],
)
def test_a_store_that_cannot_work_is_refused(tmp_path, change, complaint):
    config = companies(tmp_path)["gateway"]
    assert config.store is not None
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        replace(config, store=replace(config.store, **change)).validate()


def test_correlations_from_a_store_need_one(tmp_path):
    config = companies(tmp_path)["gateway"]
    with pytest.raises(ConfigError, match="store is missing"):
        replace(config, correlations="store", store=None).validate()
    assert load_config(write(tmp_path, {"gateway": config})["gateway"]).store == config.store


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.unlink(), "cannot be read as the key of the store"),
        (lambda path: path.chmod(0o644), "run 'chmod 600"),
        (lambda path: path.write_text("abc"), "is no key of a store, 64 hexadecimal digits"),
    ],
)
def test_the_key_file_is_checked_and_monitoring_gets_status_three(tmp_path, spoil, complaint):
    configs = companies(tmp_path)
    path = write(tmp_path, configs)["gateway"]
    assert configs["gateway"].store is not None
    spoil(configs["gateway"].store.key_file)
    status, output = stock(path)
    assert status == 3
    assert complaint in unboxed(output)


def test_the_key_may_stand_in_the_environment(tmp_path, monkeypatch):
    config = companies(tmp_path)["gateway"]
    path = write(
        tmp_path,
        {"gateway": replace(config, store=StoreConfig(tmp_path / "s", key_env="STOCK_KEY"))},
    )["gateway"]
    assert "STOCK_KEY is not set" in " ".join(stock(path)[1].split())
    monkeypatch.setenv("STOCK_KEY", "ab" * 32)
    assert "holds no stock" in unboxed(stock(path)[1])
