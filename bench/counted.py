"""The process that callgrind counts: does a piece of work between "ready" and "done"."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import petcore as pc

from . import kernels
from .operations import find


def main() -> None:
    between("nothing", lambda: None)  # what the waiting itself costs
    for piece in sys.argv[1:]:
        group, name, size = piece.split("/")
        (kernel if group == "kernels" else protocol)(group, name, int(size))


def kernel(_: str, name: str, n: int) -> None:
    """Run petcore's contender once; a first run has touched memory and chosen the target."""
    found = next(k for k in kernels.KERNELS if (k.name, k.n) == (name, n))
    race = found.make(n, kernels.targets(found.kind, every=False))
    by, work = next((by, work) for by, work in race.contenders.items() if by.startswith("petcore"))
    work()
    between(by, work)


def protocol(group: str, name: str, n: int) -> None:
    """Run an operation at two parties and a dealer, threads of this process over memory."""
    operation = find(group, name)
    gate = threading.Barrier(2)

    def program(session: pc.Session) -> None:
        shares = [
            session.input(values if session.party == 0 else None, owner=0)
            for values in operation.make(n)
        ]
        operation.run(*shares)
        gate.wait()
        if session.party == 0:
            said("ready petcore, three threads")
        gate.wait()
        operation.run(*shares)
        gate.wait()
        if session.party == 0:
            said("done")

    pc.simulate(program)


def between(by: str, work: Callable[[], object]) -> None:
    said(f"ready {by}")
    work()
    said("done")


def said(word: str) -> None:
    """Say where this process is, and wait until the other side has done its part."""
    print(word, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
