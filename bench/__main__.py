"""python -m bench: measure, show, and write down."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a reference for one thread; before NumPy

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from petcore.errors import PetcoreError

from . import measure, table
from .links import describe
from .machine import machine
from .options import Options, read_options
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
    errors = Console(stderr=True)
    kernels, jobs = measure.plan_kernels(options), measure.plan_jobs(options)
    if not kernels and not jobs:
        sys.exit("bench: nothing to measure; --group, --filter, --min-n and --max-n leave no row")
    about, rows = machine(), []
    with progress(errors, len(kernels) + len(jobs)) as step:
        for found in measure.measure_kernels(kernels, options, step):
            rows += found
        for found in measure.measure_jobs(jobs, options, step):
            rows += found
    if options.json != "-":
        console = Console()
        show(Console(width=max(console.width, table.WIDTH_MIN)), about, rows, options)
    write_json(about, rows, options)


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


def show(console: Console, about: dict[str, Any], rows: list[Row], options: Options) -> None:
    console.print(table.heading(about, describe(options.link)), highlight=False)
    table.show(console, rows, options.goals)


def write_json(about: dict[str, Any], rows: list[Row], options: Options) -> None:
    if options.json is None:
        return
    document = {
        "schema": SCHEMA,
        "machine": about,
        "link": vars(options.link) | {"text": describe(options.link)},
        "rows": [row.to_json() for row in rows],
    }
    text = json.dumps(document, indent=1) + "\n"
    if options.json == "-":
        sys.stdout.write(text)
    else:
        Path(options.json).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
