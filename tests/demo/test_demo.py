"""``petcore demo`` as a user starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.processes

PETCORE = [sys.executable, "-P", "-m", "petcore"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "kept"


@pytest.fixture(scope="module")
def result(kept: Path) -> dict[str, Any]:
    command = [*PETCORE, "demo", "--quick", "--json", "--seed", "1", "--keep", str(kept)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def test_the_joint_model_is_as_good_as_in_plaintext_and_better_than_alone(
    result: dict[str, Any],
) -> None:
    auc = result["training"]["auc"]
    assert abs(auc["joint, MPC"] - auc["joint, plaintext"]) <= 0.002
    assert auc["joint, MPC"] > max(auc["gateway alone"], auc["wallet alone"])
    assert auc["joint, plaintext"] > 0.7
    assert result["training"]["rows"] == {"trained": 3200, "held_out": 800}


def test_the_net_positions_sum_to_zero_and_some_payments_were_declined(
    result: dict[str, Any],
) -> None:
    clearing = result["clearing"]
    assert clearing["equal_to_plaintext"]
    assert clearing["payments"] > 15_000
    assert clearing["declined"] > 0
    assert len(clearing["positions"]) == 9
    for currency in ("EUR", "JPY", "SGD"):
        nets = [net[currency] for net in clearing["positions"].values()]
        assert sum(nets) == 0
        assert all(nets)


def test_the_logs_say_that_only_the_agreed_values_were_disclosed(result: dict[str, Any]) -> None:
    told = {(row["label"], *row["to"]) for row in result["disclosures"]}
    shared = {"row identifiers are equal", "size of each table and who holds the labels"}
    to_participants = {(f"net position of {n}", n) for n in result["clearing"]["positions"]}
    assert told == (
        {(label, "gateway", "wallet") for label in shared}
        | {("held-out probabilities", "wallet")}
        | to_participants
    )


def test_the_costs_are_told_for_both_parties_and_their_links(result: dict[str, Any]) -> None:
    for part in ("training", "clearing"):
        gateway, wallet = (result[part]["parties"][name] for name in ("gateway", "wallet"))
        for report in (gateway, wallet):
            cost = report["cost"]
            assert cost["rounds"] > 0
            assert cost["correlations"]
            assert cost["links"].keys() >= {"dealer"}
        assert gateway["cost"]["rounds"] == wallet["cost"]["rounds"]
    received = result["gateway_received"]
    assert {row["sender"] for row in received} == {"wallet", "dealer", "9 edges"}
    assert result["values_in_clear_at_gateway"] == 0


def test_each_party_was_given_its_own_columns_only(result: dict[str, Any], kept: Path) -> None:
    gateway = (kept / "gateway" / "gateway.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    wallet = (kept / "wallet" / "wallet.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    assert set(gateway.split(",")) & set(wallet.split(",")) == {"ID"}
    assert "DEFAULT_NEXT_MONTH" not in gateway


def test_keep_leaves_keys_that_only_the_owner_can_read(result: dict[str, Any], kept: Path) -> None:
    keys = [*kept.rglob("*.key.pem"), *kept.rglob("*.sealing.key")]
    assert len(keys) == 3 + 2 + 9
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_keep_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    command = [*PETCORE, "demo", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "not an empty folder" in " ".join(done.stderr.split())


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process table from /proc")
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_the_children_die_with_the_demo(tmp_path: Path, way: signal.Signals) -> None:
    command = [*PETCORE, "demo", "--quick", "--keep", str(tmp_path / "kept")]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as demo:
        _until(lambda: (tmp_path / "kept" / "gateway" / "train.err").exists())
        children = _children(demo.pid)
        assert children
        demo.send_signal(way)
        demo.wait(timeout=20)
    _until(lambda: not any(_alive(child) for child in children))


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(pid) for pid in listed.split()]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1][:3]


def _until(condition: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)
