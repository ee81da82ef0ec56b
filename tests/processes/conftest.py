"""Two companies and a dealer as processes of their own, over TLS on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from petcore.config import Config, Limits, Peer
from petcore.config_text import to_toml
from petcore.trust.identity import make_identity

NAMES = ("gateway", "wallet", "dealer")
PARTY = Path(__file__).with_name("party.py")


class Process:
    """One running party; its printed lines are JSON objects."""

    def __init__(self, config: Path, *arguments: str) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, str(PARTY), str(config), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> dict[str, Any]:
        assert self.popen.stdout is not None
        text = self.popen.stdout.readline()
        assert text, f"the process ended with status {self.popen.wait()} and said nothing"
        answer: dict[str, Any] = json.loads(text)
        return answer

    def last_line(self) -> dict[str, Any]:
        """Wait for the end, which must be orderly whatever happened to the peers."""
        answer = self.line()
        assert self.popen.wait(20) == 0
        return answer

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()
        if self.popen.stdout is not None:
            self.popen.stdout.close()


class Companies:
    """Three configurations in a folder, and the processes started from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        peers, files = [], {}
        for name in NAMES:
            identity = make_identity(name)
            files[name] = identity.save(folder)
            peers.append(Peer(name, f"127.0.0.1:{free_port()}", identity.fingerprint))
        self.configs = {
            name: Config(
                name=name,
                certificate=files[name][0],
                key=files[name][1],
                parties=tuple(peers[:2]),
                dealer=peers[2],
                log=folder / f"{name}.jsonl",
                connect_wait=10.0,
                limits=Limits(deadline=5.0, silence=1.0, heartbeat=0.2, dealer_restart=0.0),
            )
            for name in NAMES
        }

    def change(self, name: str, **fields: Any) -> None:
        self.configs[name] = replace(self.configs[name], **fields)

    def start(self, name: str, *arguments: str) -> Process:
        path = self.folder / f"{name}.toml"
        path.write_text(to_toml(self.configs[name], self.folder))
        process = Process(path, *(arguments or ("dealer",)))
        self.processes.append(process)
        return process

    def start_all(self, *arguments: str) -> tuple[Process, Process, Process]:
        dealer = self.start("dealer")
        return self.start("gateway", *arguments), self.start("wallet", *arguments), dealer

    def start_pair(self, *arguments: str, **fields: Any) -> tuple[Process, Process]:
        """Start both parties without a dealer; each makes its correlations with the other."""
        for name in ("gateway", "wallet"):
            self.change(name, correlations="ot", dealer=None, **fields)
        return self.start("gateway", *arguments), self.start("wallet", *arguments)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def companies(tmp_path: Path) -> Iterator[Companies]:
    started = Companies(tmp_path)
    yield started
    for process in started.processes:
        process.end()
