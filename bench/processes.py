"""A gateway, a wallet and a dealer on loopback, as processes of their own, with mutual TLS."""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import petcore as pc
from petcore.config import Config, Peer
from petcore.connecting import connect, run_dealer
from petcore.trust.identity import make_identity

from .operations import OPERATIONS

NAMES = ("gateway", "wallet", "dealer")
Job = tuple[str, int, int]  # operation, size, runs
Result = dict[str, Any]


def measure(jobs: list[Job]) -> Iterator[Result]:
    """Run the jobs one after the other in three processes; yield one result per job."""
    spawn = multiprocessing.get_context("spawn")
    pipes = [spawn.Pipe(duplex=False) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder:
        configs = make_configs(Path(folder))
        processes = [
            spawn.Process(target=run_dealer, args=(configs[2],), kwargs={"once": True}),
            *(
                spawn.Process(target=run_party, args=(configs[i], jobs, pipes[i][1]))
                for i in range(2)
            ),
        ]
        for process in processes:
            process.start()
        for _, sink in pipes:
            sink.close()
        try:
            for _ in jobs:
                yield combine(*(results.recv() for results, _ in pipes))
        except EOFError:
            raise SystemExit("a party failed; its error stands above") from None
        finally:
            for process in processes:
                process.join(10)
                process.kill()


def combine(gateway: Result, wallet: Result) -> Result:
    """A run lasts until the slower party is done; only the wallet hears from the dealer."""
    seconds = [max(pair) for pair in zip(gateway["seconds"], wallet["seconds"], strict=True)]
    return gateway | {
        "seconds": statistics.median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "dealer_bytes": wallet["dealer_bytes"],
    }


def make_configs(folder: Path) -> list[Config]:
    peers, files = [], []
    for name in NAMES:
        identity = make_identity(name)
        files.append(identity.save(folder))
        peers.append(Peer(name, f"127.0.0.1:{free_port()}", identity.fingerprint))
    return [
        Config(
            name=name,
            certificate=certificate,
            key=key,
            parties=tuple(peers[:2]),
            dealer=peers[2],
            log=folder / f"{name}.jsonl",
        )
        for name, (certificate, key) in zip(NAMES, files, strict=True)
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_party(config: Config, jobs: list[Job], sink: Any) -> None:
    with connect(config, program="bench", connect_wait=20.0) as session:
        for name, size, runs in jobs:
            sink.send(time_job(session, name, size, runs))


def time_job(session: pc.Session, name: str, size: int, runs: int) -> Result:
    operation = next(op for op in OPERATIONS if op.name == name)
    clear = operation.make(np.random.default_rng(size), size)
    shares = [session.input(v if session.party == 0 else None, owner=0) for v in clear]
    run = operation.shared_run or operation.run
    run(*shares)  # touches memory and caches first
    seconds = []
    for _ in range(runs):
        meet(session)
        with session.measure() as cost:
            run(*shares)
        seconds.append(cost.seconds)
    return {
        "operation": name,
        "n": size,
        "seconds": seconds,
        "rounds": cost.rounds,
        "bytes": cost.bytes_sent,
        "dealer_bytes": cost.dealer_bytes,
        "clear_seconds": statistics.median(time_clear(operation, clear) for _ in range(3)),
    }


def time_clear(operation: Any, clear: tuple[np.ndarray, np.ndarray]) -> float:
    began = time.perf_counter()
    operation.run(*clear)
    return time.perf_counter() - began


def meet(session: pc.Session) -> None:
    """Let both parties start the clock together."""
    session.open(session.constant(0), label="start of a measurement")
