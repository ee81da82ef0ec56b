"""One process of a session, for the tests: party.py CONFIG PROGRAM [ARGUMENT].

Prints one JSON line when the program is running and one at its end: its result, or the typed error that
ended it. The exit status is 0 in both cases: no failure of a peer ends this process.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from petcore.config import load_config
from petcore.connecting import connect, run_dealer
from petcore.errors import PetcoreError

VALUES = np.arange(1000)


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def add_up(session: Any, argument: str) -> Any:
    x = session.input(VALUES if session.party == 0 else None, owner=0)
    y = session.input(VALUES if session.party == 1 else None, owner=1)
    return int(session.open((x * y).sum(), label="sum of products"))


def loop(session: Any, argument: str) -> Any:
    x = session.input(VALUES if session.party == 0 else None, owner=0)
    say(state="running")
    while True:
        x = x * x


def loop_large(session: Any, argument: str) -> Any:
    """Almost all of its time goes into correlations."""
    x = session.input(np.arange(10**5) if session.party == 0 else None, owner=0)
    x = x * x
    say(state="running")
    while True:
        x = x * x


def shapes(session: Any, argument: str) -> Any:
    x = session.input(VALUES if session.party == 0 else None, owner=0)
    return session.open(x[: int(argument)], label="head").tolist()


def peak_bytes() -> int:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def product_memory(session: Any, argument: str) -> Any:
    """Peak memory of one product of n numbers beyond what stood before, and beyond its output."""
    n = int(argument)
    x = session.input(np.arange(n) if session.party == 0 else None, owner=0)
    y = session.input(np.arange(n) if session.party == 1 else None, owner=1)
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")  # the peak begins anew
    before = peak_bytes()
    product = x * y
    return peak_bytes() - before - product.size * 8


def comparison_memory(session: Any, argument: str) -> Any:
    n = int(argument)
    x = session.input(np.arange(n) if session.party == 0 else None, owner=0)
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = peak_bytes()
    less = session._core.msb(x._share.ravel())
    return peak_bytes() - before - less.nbytes


def mixed(session: Any, x: Any) -> None:
    import petcore as pc

    score = pc.functions.sigmoid(x * x) @ np.ones((3, 2))
    best = score.max(axis=0)
    session.reveal(best > 0.5, to=1, label="above one half")


def estimated(session: Any, argument: str) -> Any:
    """What a program costs here, and what its estimate says."""
    x = session.input(np.ones((40, 3)) if session.party == 0 else None, owner=0)
    told = session.estimate(mixed, x=((40, 3), "fixed")).cost
    with session.measure() as found:
        mixed(session, x)
    kinds = ("rounds", "bytes_sent", "bytes_received", "correlations", "offline_bytes")
    return [{kind: getattr(cost, kind) for kind in kinds} for cost in (found, told)]


def intersect(session: Any, argument: str) -> Any:
    """How many ids are in common, and how many different ones that are; half of them are."""
    n = int(argument)
    ids = [f"customer {i + session.party * n // 2}" for i in range(n)]
    found = session.psi(ids)
    return [found.size, len(set(found.indices.tolist()))]


def intersect_forever(session: Any, argument: str) -> Any:
    session.psi(range(int(argument)))
    say(state="running")
    while True:
        session.psi(range(int(argument)))


def intersect_memory(session: Any, argument: str) -> Any:
    """Peak memory of an intersection beyond what stood before."""
    n = int(argument)
    session.psi(range(1000))
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = peak_bytes()
    found = session.psi((i + session.party for i in range(n)), memory=32 << 20)
    return [found.size, found.buckets, peak_bytes() - before - found.indices.nbytes]


def _in_common(session: Any, n: int) -> tuple[Any, Any]:
    """Which bins are common, and the product of both parties' numbers there; no ids are told."""
    ids = [f"customer {i + session.party * n // 2}" for i in range(n)]
    turnover = {"turnover": np.arange(n) * 3 if session.party == 1 else "int64"}
    found = session.psi_shares(ids, table=0, columns=turnover)
    rates = found.align(np.arange(n) % 5 if session.party == 0 else None)
    return found.member, found.columns["turnover"] * rates


def turnover_in_common(session: Any, argument: str) -> Any:
    """How many ids are in common, and the sum over them; half of them are."""
    member, products = _in_common(session, int(argument))
    size = session.open(member.sum(), label="how many in common")
    return [int(size), int(session.open(products.sum(), label="turnover in common"))]


def turnover_forever(session: Any, argument: str) -> Any:
    _in_common(session, int(argument))
    say(state="running")
    while True:
        _in_common(session, int(argument))


def compared(session: Any, argument: str) -> Any:
    """Compare a thousand numbers as the rule says; what it chose, and how long it took."""
    x = session.input(VALUES if session.party == 0 else None, owner=0)
    session.agree("the start of the clock")
    began = time.monotonic()
    with session.measure() as cost:
        flags = x < 500
    seconds = time.monotonic() - began
    right = session.open(flags, label="small").tolist() == (VALUES < 500).tolist()
    told = session.explain("less", VALUES.size)
    chosen = [told.method, cost.rounds, cost.correlations]
    return [*chosen, session.round_trip, right, seconds]


def keys_for_ever(session: Any, argument: str) -> Any:
    x = session.input(VALUES if session.party == 0 else None, owner=0)
    session.comparison = "fss"
    say(state="running")
    while True:
        x < 500  # noqa: B015


_ALL = (
    *(add_up, loop, loop_large, shapes, product_memory, comparison_memory, estimated),
    *(compared, keys_for_ever),
    *(intersect, intersect_forever, intersect_memory),
    *(turnover_in_common, turnover_forever),
)
PROGRAMS = {f.__name__: f for f in _ALL}


def main() -> None:
    path, program, argument = (*sys.argv[1:], "")[:3]
    config = load_config(path)
    began = time.monotonic()
    try:
        if program == "dealer":
            run_dealer(config, once=True)
            say(state="ended")
            return
        with connect(config, program=program) as session:
            say(state="ended", result=PROGRAMS[program](session, argument))
    except PetcoreError as error:
        elapsed = time.monotonic() - began
        say(state="failed", error=type(error).__name__, text=str(error), seconds=elapsed)


if __name__ == "__main__":
    main()
