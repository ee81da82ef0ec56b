"""The circuit between two nodes and a dealer as processes of their own, over TLS."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from petcore.network.circuit import plain_authorise

from .batches import changed, good, split

pytestmark = pytest.mark.processes

PARTY = Path(__file__).with_name("party.py")


def test_two_nodes_decide_batches_that_neither_can_read(
    configs: dict[str, Path], tmp_path: Path
) -> None:
    clear = [changed(good(n, seed=n), n // 2, available=1) for n in (8, 8, 30, 30, 30)]
    files: dict[str, list[str]] = {"gateway": [], "wallet": []}
    for number, rows in enumerate(clear):
        for name, part in zip(files, split(rows), strict=True):
            file = tmp_path / f"{name}-{number}.npz"
            np.savez(file, **{c.name: getattr(part, c.name) for c in fields(part)})
            files[name].append(str(file))
    commands = [[str(configs["dealer"])]]
    for name, given in files.items():
        commands.append([str(configs[name]), *given, str(tmp_path / f"{name}.npz")])
    processes = [subprocess.Popen([sys.executable, str(PARTY), *line]) for line in commands]
    try:
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    mine, theirs = (np.load(tmp_path / f"{name}.npz") for name in files)
    for number, rows in enumerate(clear):
        expected = plain_authorise(rows)
        got = mine[f"shares {number}"] + theirs[f"shares {number}"]
        columns = (expected.decision, expected.seen, expected.debit, expected.fee)
        assert np.array_equal(got, np.stack(columns))
        assert max(mine[f"rounds {number}"], theirs[f"rounds {number}"]) <= 4
    for name in files:
        log = (tmp_path / f"{name}.disclosures.jsonl").read_text()
        assert log.count('"payment decision"') == sum(len(rows.edges) for rows in clear)
