"""Private set intersection between two processes, beside Python's sets in clear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import petcore as pc

from .rows import Row, slower

if TYPE_CHECKING:
    from .options import Options
    from .processes import Parties

RUNS_MIN = 3


@dataclass(frozen=True)
class Sets:
    """Sets of n ids, half of them common, as text of 14 bytes."""

    method: Literal["rr22", "ecdh"]
    n: int

    @property
    def name(self) -> str:
        return f"intersection by {self.method}"

    def ids(self, party: int) -> list[str]:
        first = party * (self.n // 2)
        return [f"user{i:010d}" for i in range(first, first + self.n)]


SETS = (
    *(Sets("rr22", n) for n in (10_000, 100_000, 1_000_000)),
    *(Sets("ecdh", n) for n in (1_000, 10_000)),
)


def plan(options: Options) -> list[Sets]:
    """What the filters leave."""
    return [] if options.plot else [s for s in SETS if options.wants("psi", s.name, s.n)]


def intersect(session: pc.Session, sets: Sets, runs: int) -> dict[str, Any]:
    """Time runs, from lists of text to indices at both parties; the first one warms up."""
    ids = sets.ids(session.party)
    seconds = []
    for _ in range(runs + 1):
        session.agree("start of a measurement")
        with session.measure() as cost:
            found = session.psi(ids, method=sets.method)
        seconds.append(cost.seconds)
    if found.size != sets.n - sets.n // 2:
        raise RuntimeError(f"{found.size} of {sets.n} ids in common are wrong")
    began = time.perf_counter()
    set(ids).intersection(sets.ids(1 - session.party))
    return {
        "seconds": seconds[1:],
        "rounds": cost.rounds,
        "bytes_sent": cost.bytes_sent,
        "clear": time.perf_counter() - began,
    }


def measure(
    chosen: list[Sets], options: Options, report: Callable[[str], None], parties: Parties
) -> Iterator[list[Row]]:
    """Give a row for each; bytes are those of both parties together."""
    for sets in chosen:
        report(f"{sets.name}, n = {sets.n:,}")
        answers = parties.ask("intersect", sets.method, sets.n, max(RUNS_MIN, options.runs // 3))
        row = Row("psi", sets.name, sets.n, "petcore", [], work=float(sets.n), unit="id")
        row.seconds = slower(*(answer["seconds"] for answer in answers))
        row.rounds = max(answer["rounds"] for answer in answers)
        row.bytes_sent = sum(answer["bytes_sent"] for answer in answers)
        row.reference = "Python's sets in clear"
        row.reference_seconds = max(answer["clear"] for answer in answers)
        yield [row]
