"""No cell is used twice, whatever is killed, whenever; PETCORE_KILL_ROUNDS=2000 makes a long run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("PETCORE_KILL_ROUNDS", "0"))


def run(
    folder: Path, rounds: int, seed: int, preload: Path | None = None, engine: str = "engine"
) -> dict[str, Any]:
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    if preload is not None:
        env["LD_PRELOAD"] = str(preload)
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.store.{engine}", str(folder), str(rounds), str(seed)],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    report: dict[str, Any] = json.loads(ended.stdout)
    print(ended.stdout)
    return report


def check(report: dict[str, Any]) -> None:
    assert report["reused"] == 0
    assert report["mismatched"] == 0
    assert report["wrong"] == 0
    assert report["unexpected"] == []
    assert report["used by both"] > 1000


@pytest.mark.processes
def test_no_cell_is_used_twice_by_processes_killed_at_random_moments(tmp_path):
    report = run(tmp_path, ROUNDS or 24, seed=1)
    check(report)
    assert report["kills"] >= (ROUNDS or 24) // 2


@pytest.fixture(scope="module")
def faults(tmp_path_factory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("faults are put in by a small C library, and there is no compiler")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = str(HERE / "faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.processes
def test_no_cell_is_used_twice_wherever_a_write_ends_or_the_power_is_cut(tmp_path, faults):
    report = run(tmp_path, ROUNDS or 32, seed=2, preload=faults)
    check(report)
    assert report["kills"] + report["full disks"] >= (ROUNDS or 32) // 2


@pytest.mark.processes
def test_no_cell_is_used_twice_where_a_peer_dies_and_the_other_is_put_back(tmp_path, faults):
    report = run(tmp_path, ROUNDS or 48, seed=3, preload=faults, engine="setting_back")
    check(report)
    assert report["kills"] >= (ROUNDS or 48) // 2
