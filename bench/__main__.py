"""python -m bench: measure, show, and write down."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a reference for one thread; before NumPy

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from petcore.errors import PetcoreError

from . import callgrind, intersections, measure, plot, table, transfers
from .links import describe
from .machine import machine
from .options import Options, read_options
from .peers import driver
from .processes import PartyFailed
from .rows import Row

SCHEMA = "petcore-bench/1"


def main() -> None:
    options = read_options()
    try:
        run(options)
    except (PartyFailed, PetcoreError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def run(options: Options) -> None:
    require(options)
    about, rows, peers = machine(), [], driver.find(options) if options.peers else []
    pieces = callgrind.plan(options) if options.callgrind else []
    kernels, lines, jobs = ([], [], []) if options.callgrind else measure.plan(options)
    timed = [job for job in jobs if not job.operation.memory]
    sets = [] if options.callgrind else intersections.plan(options)
    cots = [] if options.callgrind else transfers.plan(options)
    total = len(pieces) + len(kernels) + len(lines) + len(jobs) + len(sets) + len(cots)
    if total == 0:
        sys.exit("bench: nothing to measure; --group, --filter, --min-n and --max-n leave no row")
    total += len(timed) * sum(peer.python is not None for peer in peers)
    with progress(Console(stderr=True), total) as step:
        for found in chain(
            callgrind.measure(pieces, step) if pieces else (),
            measure.measure_kernels(kernels, options, step),
            measure.measure_lines(lines, options, step),
            measure.measure_jobs(jobs, options, step),
            measure.measure_sets(sets, options, step),
            measure.measure_transfers(cots, options, step),
            *(driver.measure(peer, timed, options, step) for peer in peers),
        ):
            rows += found
    if options.json != "-":
        console = Console()
        show(Console(width=max(console.width, table.WIDTH_MIN)), about, rows, peers, options)
    write_json(about, rows, peers, options)
    if options.plot:
        plot.draw(rows, options.plot, f"{about['processor']}, {describe(options.link)}")


def require(options: Options) -> None:
    """End at once, with the remedy, where a tool that was asked for is missing."""
    if options.plot and not plot.is_possible():
        sys.exit(f"bench: {plot.REMEDY}")
    if options.callgrind and not callgrind.is_possible():
        sys.exit(f"bench: {callgrind.REMEDY}")


@contextmanager
def progress(console: Console, total: int) -> Any:
    """Give a function to call with the name of each row before it is measured."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as bar:
        task = bar.add_task("", total=total)
        begun: list[str] = []

        def step(name: str) -> None:
            if begun and not begun[-1].startswith("starting"):
                bar.advance(task)
            begun.append(name)
            bar.update(task, description=name)

        yield step


def show(
    console: Console,
    about: dict[str, Any],
    rows: list[Row],
    peers: list[driver.Peer],
    options: Options,
) -> None:
    console.print(table.heading(about, describe(options.link), options.threads), highlight=False)
    if options.callgrind:
        table.show_instructions(console, rows)
        return
    table.show(console, rows, options.goals)
    if peers:
        table.show_peers(console, rows, peers, describe(options.link))


def write_json(
    about: dict[str, Any], rows: list[Row], peers: list[driver.Peer], options: Options
) -> None:
    if options.json is None:
        return
    document = {
        "schema": SCHEMA,
        "machine": about,
        "threads": options.threads,
        "link": vars(options.link) | {"text": describe(options.link)},
        "petcore": table.TRUST,
        "peers": [asdict(peer) | {"python": str(peer.python or "")} for peer in peers],
        "rows": [row.to_json() for row in rows],
    }
    text = json.dumps(document, indent=1) + "\n"
    if options.json == "-":
        sys.stdout.write(text)
    else:
        Path(options.json).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
