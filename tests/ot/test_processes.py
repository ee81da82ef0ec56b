"""Two processes multiply over TLS; one of them may die, or go quiet."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from petcore.trust.identity import make_identity

from . import party

pytestmark = pytest.mark.processes
NAMES = ("gateway", "wallet")


class Process:
    def __init__(self, folder: Path, name: str, port: int, program: str) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.ot.party", str(folder), name, str(port), program],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> dict:
        text = self.popen.stdout.readline()
        assert text, f"ended with status {self.popen.wait()} and said nothing"
        return json.loads(text)

    def end(self) -> None:
        self.popen.kill()
        self.popen.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    for name in NAMES:
        identity = make_identity(name)
        (tmp_path / f"{name}.crt").write_bytes(identity.certificate_pem)
        (tmp_path / f"{name}.key").write_bytes(identity.private_key_pem)
        (tmp_path / f"{name}.pin").write_text(identity.fingerprint)
    running = []

    def run(gateway: str, wallet: str) -> list[Process]:
        running.append(Process(tmp_path, "gateway", 0, gateway))
        port = running[0].line()["port"]
        running.append(Process(tmp_path, "wallet", port, wallet))
        return running

    yield run
    for process in running:
        process.end()


def held(name: str) -> tuple[np.ndarray, np.ndarray]:
    words = party.own_words(name, 2 * party.N)
    return words[: party.N], words[party.N :]


def test_two_processes_multiply_and_send_what_is_declared(start):
    gateway, wallet = (process.line() for process in start("multiply", "multiply"))
    (a0, b0), (a1, b1) = held("gateway"), held("wallet")
    shares = [np.array(each["made"], np.uint64) for each in (gateway, wallet)]
    assert (shares[0] + shares[1] == a0 * b1 + a1 * b0).all()
    setup = 2 * 20_000
    assert gateway["sent"] + wallet["sent"] < 1100 * party.N + setup


def test_two_processes_make_conjunctions(start):
    gateway, wallet = (process.line() for process in start("conjunction", "conjunction"))
    (a0, b0), (a1, b1) = held("gateway"), held("wallet")
    shares = [np.array(each["made"], np.uint64) for each in (gateway, wallet)]
    assert ((shares[0] ^ shares[1]) == (a0 & b1) ^ (a1 & b0)).all()


@pytest.mark.parametrize("victim", [0, 1])
def test_a_peer_that_is_killed_ends_the_other_with_its_name(start, victim):
    processes = start("endless", "endless")
    for process in processes:
        assert process.line() == {"state": "running"}
    processes[victim].popen.kill()
    assert processes[1 - victim].line() == {"error": "PeerClosed", "party": NAMES[victim]}


def test_a_peer_that_lives_and_sends_nothing_is_late(start):
    processes = start("endless", "silent")
    for process in processes:
        assert process.line() == {"state": "running"}
    answer = processes[0].line()
    assert answer["party"] == "wallet"
    assert answer["error"] in {"PeerLate", "PeerSilent"}
