"""What every runner shares: jobs in, results out, and the measuring of one job by two processes.

Needs NumPy only: it runs in the peers' environments, which have no petcore.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench import data

MAKERS: dict[str, Callable[[int], data.Arrays]] = {
    "integer product": data.integers,
    "fixed-point product": data.reals,
    "matrix product": data.matrices,
    "x < y": data.close_reals,
    "sigmoid": data.real,
    "exp": data.real,
    "reciprocal": data.positive,
    "sqrt": data.positive,
    "logistic regression": data.labelled_rows,
}
CLEAR: dict[str, Callable[..., Any]] = {
    "integer product": np.multiply,
    "fixed-point product": np.multiply,
    "matrix product": np.matmul,
    "x < y": np.less,
    "sigmoid": data.sigmoid,
    "exp": np.exp,
    "reciprocal": np.reciprocal,
    "sqrt": np.sqrt,
    "logistic regression": data.train,
}
RELATIVE = ("exp", "reciprocal", "sqrt")
RUNS_MIN = 3
Party = Callable[[int, Any, dict[str, Any]], None]


def main(party: Party) -> None:
    """Read jobs from stdin, run two parties, write a line of JSON for every result to stdout."""
    told = json.load(sys.stdin)
    told["port"] = free_ports(2)
    spawn = multiprocessing.get_context("spawn")
    ends = spawn.Pipe()
    results, sink = spawn.Pipe(duplex=False)
    processes = [
        spawn.Process(target=run_party, args=(party, rank, ends[rank], sink, told))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    sink.close()
    try:
        while True:
            print(json.dumps(results.recv()), flush=True)
    except EOFError:
        pass
    finally:
        for process in processes:
            process.join(5)
            process.kill()


def run_party(party: Party, rank: int, other: Any, sink: Any, told: dict[str, Any]) -> None:
    told["report"] = sink.send if rank == 0 else lambda _: None
    party(rank, other, told)


def measure(
    rank: int, other: Any, told: dict[str, Any], run: Callable[[], Any], barrier: Callable[[], Any]
) -> tuple[list[float], int]:
    """Time runs after one that is not counted; rank 0 gets the slower party's seconds and bytes."""
    first = timed(run, barrier)
    runs = told["runs"]
    if rank == 0:
        runs = min(runs, max(RUNS_MIN, int(told["budget"] / first)))
        other.send(runs)
    else:
        runs = other.recv()
    before = loopback_bytes()
    seconds = [timed(run, barrier) for _ in range(runs)]
    num_bytes = (loopback_bytes() - before) // (2 * runs)
    if rank == 1:
        other.send(seconds)
        return seconds, num_bytes
    return [max(pair) for pair in zip(seconds, other.recv(), strict=True)], num_bytes


def timed(run: Callable[[], Any], barrier: Callable[[], Any]) -> float:
    barrier()
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def result(
    job: dict[str, Any], seconds: list[float], num_bytes: int, opened: Any
) -> dict[str, Any]:
    """One line of output: the job, its figures, and the largest error against the same in clear."""
    expected = np.asarray(CLEAR[job["name"]](*MAKERS[job["name"]](job["n"])), np.float64)
    error = np.abs(np.asarray(opened, np.float64) - expected)
    kind = "relative" if job["name"] in RELATIVE else "absolute"
    if kind == "relative":
        error = error / np.abs(expected)
    return job | {
        "seconds": seconds,
        "bytes_sent": num_bytes,
        "error": float(error.max()),
        "error_kind": kind,
    }


def loopback_bytes() -> int:
    """Count all bytes over loopback so far: these processes are assumed to be its only users."""
    with open("/proc/net/dev") as lines:
        return next(int(line.split()[9]) for line in lines if line.strip().startswith("lo:"))


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
