"""`petcore clear` of parquet as people run it: two nodes, a dealer, and a SIGKILL in the middle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy.exc import SQLAlchemyError
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.errors import LedgerError
from petcore.network.ledger import Accounts, Database, check_invariants
from tests.conftest import unboxed

from .files import ACQUIRERS, WALLETS, directory, expected_nets, payments, write

pytestmark = pytest.mark.processes

PETCORE = [sys.executable, "-P", "-m", "petcore"]
NODES = ("gateway", "wallet")
COUNT, CHUNK = 4000, 64


def petcore(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def clear(configs: dict[str, Path], node: str) -> list[str]:
    files = sorted(str(path) for path in Path().glob(f"*.{node}.parquet.sealed"))
    return [
        *("clear", "--config", str(configs[node]), "--key", f"{node}.sealing.key", "--keys", "."),
        *("--out", "out", "--network", "network.toml", "--ledger", f"{node}.db", "--json"),
        *("--chunk", str(CHUNK), *files),
    ]


class Run:
    """A dealer and both nodes, clearing."""

    def __init__(self, configs: dict[str, Path]) -> None:
        deal = ["dealer", "--once", "--config", str(configs["dealer"])]
        self.processes = {
            name: subprocess.Popen(
                [*PETCORE, *arguments],
                text=True,
                stdout=subprocess.DEVNULL if name == "dealer" else subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for name, arguments in {
                "dealer": deal,
                **{node: clear(configs, node) for node in NODES},
            }.items()
        }

    def ended(self, name: str) -> dict[str, Any] | None:
        out, _ = self.processes[name].communicate(timeout=60)
        return json.loads(out) if out.strip() else None

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.communicate()


def posted(node: str) -> int:
    """Count the transfers' requests in a node's ledger while the node runs."""
    if not Path(f"{node}.db").exists():
        return 0
    with Database.open(f"{node}.db", reader=True) as ledger, ledger.read() as connection:
        found = connection.exec_driver_sql("SELECT count(DISTINCT request) FROM transfers")
        return int(found.scalar_one())


@pytest.mark.parametrize("victim", ["gateway", "dealer"])
def test_a_clearing_survives_the_death_of_any_process(
    configs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    folder = configs["gateway"].parent
    monkeypatch.chdir(folder)
    columns = payments(COUNT, directory(folder))
    for name in (*NODES, *WALLETS, *ACQUIRERS):
        petcore("sealkey", "--name", name, "--out", ".")
    for path in write(folder, columns):
        petcore("share", str(path), "--out", ".", "--keys", ".")

    first = Run(configs)
    try:
        while first.processes["gateway"].poll() is None:
            try:
                if posted("gateway") >= 7:
                    break
            except (LedgerError, SQLAlchemyError):  # the tables are being made
                continue
        first.processes[victim].kill()
        told = [first.ended(node) for node in NODES]
    finally:
        first.end()
    assert told == [None, None]

    second = Run(configs)
    try:
        told = [second.ended(node) for node in NODES]
    finally:
        second.end()
    assert [t["payments"] for t in told if t] == [COUNT, COUNT]
    assert {t["resumed"] for t in told if t}.pop() >= 7 * CHUNK
    check(columns)


def check(columns: dict[str, Any]) -> None:
    truth = dict(zip(columns["payment"], columns["good"].tolist(), strict=True))
    for edge in (*WALLETS, *ACQUIRERS):
        files = [f"out/{edge}.{node}.results.sealed" for node in NODES]
        said = petcore("combine", *files, "--key", f"{edge}.sealing.key", "--json")
        assert json.loads(said[said.index("{") :])["net"] == expected_nets(columns, edge)
        table = pq.read_table(f"{edge}.approved.parquet")
        decided = zip(*(table.column(i).to_pylist() for i in range(2)), strict=True)
        assert all(truth[payment] == approved for payment, approved in decided)
    total: dict[tuple[str, str, str], int] = {}
    for node in NODES:
        with Database.open(f"{node}.db") as ledger:
            assert check_invariants(ledger, clear=False) == []
            for a in Accounts(ledger).all():
                name = (a.owner, a.purpose, a.currency)
                total[name] = (total.get(name, 0) + a.posted) % 2**64
    for (owner, purpose, currency), amount in total.items():
        if purpose == "settlement":
            assert amount == expected_nets(columns, owner).get(currency, 0) % 2**64


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to clear"),
        (["a.parquet.sealed"], "--network"),
        (["a.parquet.sealed", "--payments", "b"], "not both"),
    ],
)
def test_a_wrong_command_is_told_what_is_missing(
    configs: dict[str, Path], words: list[str], said: str
) -> None:
    own = ["--config", str(configs["gateway"]), "--key", "k", "--keys", ".", "--out", "out"]
    done = CliRunner().invoke(app, ["clear", *own, *words])
    assert done.exit_code == 2
    assert said in unboxed(done.output)
