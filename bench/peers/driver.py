"""Find the peers' environments, give their runners the jobs, read rows back."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.measure import Job
from bench.options import Options
from bench.rows import Row

from .work import MAKERS

ROOT = Path(__file__).parents[2]
PEERS = ("crypten", "spu")
PATIENCE = 1800.0  # seconds for everything that one peer is asked


@dataclass
class Peer:
    """A peer that was looked for: its rows and what it trusts, or why it has none."""

    name: str
    python: Path | None
    about: str = ""
    trust: str = ""
    tls: bool = False
    missing: str = ""


def find(options: Options) -> list[Peer]:
    return [Peer(name, interpreter(name, options)) for name in PEERS]


def interpreter(name: str, options: Options) -> Path | None:
    """Return the interpreter of a peer's environment: as told, as set, or where README puts it."""
    variable = os.environ.get(f"PETCORE_BENCH_{name.upper()}")
    usual = Path.home() / ".cache" / "petcore-bench" / name
    folder = options.peer_venv.get(name) or (Path(variable).expanduser() if variable else usual)
    found = folder / "bin" / "python"
    return found if found.exists() else None


def measure(
    peer: Peer, jobs: list[Job], options: Options, report: Callable[[str], None]
) -> Iterator[list[Row]]:
    """Run the jobs that the peer knows; a peer that fails keeps what it measured before."""
    if peer.python is None:
        peer.missing = "not installed; bench/README.md says how, --peer-venv says where"
        return
    told = {
        "jobs": [
            {"group": job.operation.group, "name": job.operation.name, "n": job.n}
            for job in jobs
            if job.operation.name in MAKERS
        ],
        "runs": options.runs,
        "budget": options.budget,
    }
    report(f"{peer.name}: starting")
    done = 0
    with tempfile.TemporaryFile("w+") as words:
        for said in run(peer.python, f"bench.peers.{peer.name}_runner", told, words):
            if "about" in said:
                peer.about, peer.trust, peer.tls = said["about"], said["trust"], said["tls"]
            elif "seconds" in said:
                done += 1
                report(f"{peer.name}: {said['name']}, n = {said['n']:,}")
                yield [Row(by=peer.about, work=float(said["n"]), unit="element", **said)]
        if done < len(told["jobs"]):
            words.seek(0)
            last = [line.strip() for line in words if line.strip()][-1:]
            peer.missing = f"gave {done} of {len(told['jobs'])} rows; {' '.join(last)}"


def run(
    python: Path, module: str, told: dict[str, Any], words: IO[str]
) -> Iterator[dict[str, Any]]:
    """Start a runner with what it is told; give what it says, line by line."""
    with subprocess.Popen(
        [str(python), "-m", module],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        text=True,
    ) as runner:
        assert runner.stdin is not None
        assert runner.stdout is not None
        patience = threading.Timer(PATIENCE, runner.kill)
        patience.start()
        try:
            json.dump(told, runner.stdin)
            runner.stdin.close()
            for line in runner.stdout:
                yield read(line)
        except BrokenPipeError:
            pass  # its last words tell why
        finally:
            patience.cancel()
            runner.kill()


def read(line: str) -> dict[str, Any]:
    """Take a runner's line; a library that prints among them is passed over."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
