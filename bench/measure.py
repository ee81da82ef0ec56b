"""From what was asked for to rows: kernels here, everything else between processes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from petcore.config import Link

from . import intersections, kernels, keys, transfers
from .operations import OPERATIONS, Operation
from .options import Options
from .processes import Parties, free_port, started
from .rows import Row, slower

RUNS_MIN = 3
VERIFIED_MAX = 1_000_000  # opening more would take longer than the measurement
Report = Callable[[str], None]
Line = tuple[str, int, int]  # name, bytes each way, repetitions in a run
LINES: tuple[Line, ...] = (
    ("one round, 8 bytes", 8, 200),
    ("both ways, 16 MB", 16_000_000, 1),
    ("both ways, 160 MB", 160_000_000, 1),
)


@dataclass(frozen=True)
class Job:
    """One operation at one size."""

    operation: Operation
    n: int

    def __str__(self) -> str:
        return f"{self.operation.name}, n = {self.n:,}"


def plan(options: Options) -> tuple[list[kernels.Kernel], list[Line], list[Job]]:
    return plan_kernels(options), plan_lines(options), plan_jobs(options)


def plan_lines(options: Options) -> list[Line]:
    """What the bytes alone cost; the references are not shaped, so neither is asked over a line."""
    if options.plot or options.link != Link():
        return []
    return [line for line in LINES if options.wants("links", line[0], line[1])]


def plan_jobs(options: Options) -> list[Job]:
    """What the filters leave; for a plot every power of ten of what has a length."""
    return [
        Job(operation, n)
        for operation in OPERATIONS
        for n in (operation.plot_sizes() if options.plot else operation.sizes)
        if options.wants(operation.group, operation.name, n)
    ]


def plan_kernels(options: Options) -> list[kernels.Kernel]:
    if options.plot:
        return []
    return [
        *kernels.chosen(lambda name, n: options.wants("kernels", name, n)),
        *(k for k in keys.KERNELS if options.wants("fss", k.name, k.n)),
    ]


def measure_kernels(
    chosen: list[kernels.Kernel], options: Options, report: Report
) -> Iterator[list[Row]]:
    for kernel in chosen:
        report(kernel.name)
        yield kernels.measure(kernel, options.runs, options.all_targets)


def measure_jobs(jobs: list[Job], options: Options, report: Report) -> Iterator[list[Row]]:
    """Give a row per job; peaks of memory are taken in processes that have run nothing else."""
    timed = [job for job in jobs if not job.operation.memory]
    if timed:
        report("starting a gateway, a wallet and a dealer")
        with started(options.link, options.threads) as parties:
            for job in timed:
                report(str(job))
                yield [time_job(parties, job, options)]
    for job in jobs:
        if job.operation.memory:
            report(str(job))
            with started(options.link, options.threads) as parties:
                yield [weigh_job(parties, job)]


def measure_lines(chosen: list[Line], options: Options, report: Report) -> Iterator[list[Row]]:
    """Race petcore's channel against Python's TLS and TCP in clear, in turns."""
    if not chosen:
        return
    report("starting two parties")
    with started(options.link, options.threads) as parties:
        parties.ask("open_lines", [free_port() for _ in range(3)])
        for name, n, inner in chosen:
            report(name)
            rows = []
            for kind in ("Python ssl", "petcore", "TCP in clear"):
                taken = slower(*parties.ask("swap", kind, n, options.runs, inner))
                rows.append(Row("links", name, n, kind, taken, work=float(n), unit="B"))
            for row in rows[1:]:
                row.reference, row.reference_seconds = rows[0].by, rows[0].median
            yield rows


def measure_sets(
    chosen: list[intersections.Sets], options: Options, report: Report
) -> Iterator[list[Row]]:
    """Intersect sets of ids."""
    if chosen:
        with started(options.link, options.threads) as parties:
            yield from intersections.measure(chosen, options, report, parties)


def measure_transfers(
    chosen: list[transfers.Extension], options: Options, report: Report
) -> Iterator[list[Row]]:
    """Run extensions of oblivious transfer."""
    if chosen:
        with started(options.link, options.threads) as parties:
            parties.ask("open_transfers", free_port())
            yield from transfers.measure(chosen, options, report, parties)


def time_job(parties: Parties, job: Job, options: Options) -> Row:
    operation, n = job.operation, job.n
    row = Row(operation.group, operation.name, n, "petcore", [], work=float(n), unit="element")
    parties.ask("load", operation.group, operation.name, n)
    warm = max(parties.ask("warm"))
    runs = min(options.runs, max(RUNS_MIN, int(options.budget / warm)))
    fill_in(row, parties.ask("run", runs))
    row.reference = "NumPy in clear"
    row.reference_seconds = statistics.median(parties.ask("time_clear")[0])
    if n <= VERIFIED_MAX:
        row.error, row.error_kind = max(parties.ask("verify")), operation.error
    parties.ask("drop")
    return row


def weigh_job(parties: Parties, job: Job) -> Row:
    operation = job.operation
    parties.ask("load", operation.group, operation.name, job.n)
    peaks = parties.ask("peak")
    return Row(
        operation.group,
        operation.name,
        job.n,
        "petcore",
        [],
        beyond=None if None in peaks else max(0, *peaks),
    )


def fill_in(row: Row, answers: list[dict[str, Any]]) -> None:
    """Take the slower party's time; only the last party hears from the dealer."""
    row.seconds = slower(*(answer["seconds"] for answer in answers))
    row.rounds = max(answer["rounds"] for answer in answers)
    row.bytes_sent = max(answer["bytes_sent"] for answer in answers)
    row.offline_bytes = max(answer["offline_bytes"] for answer in answers)
