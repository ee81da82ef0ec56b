"""``petcore psi``: which ids of a CSV file the other party has as well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from petcore.cli import render
from petcore.cli.joining import join
from petcore.cli.results import cost_record, print_record, show_cost
from petcore.csv_ids import CsvIds
from petcore.errors import ConfigError, UsageError
from petcore.mpc import Intersection
from petcore.mpc.psi import MEMORY_DEFAULT, Method
from petcore.mpc.psi import Progress as Report

_METHODS = ("auto", "rr22", "ecdh")
_DUPLICATES = ("refuse", "first")


def psi(
    config: Annotated[Path, typer.Option(help="This party's configuration file.")],
    ids: Annotated[Path, typer.Option(help="CSV file with this party's own ids.")],
    column: Annotated[str, typer.Option(help="Column with the ids.")] = "ID",
    out: Annotated[
        Path | None, typer.Option(help="Write the common ids here (a party that learns them).")
    ] = None,
    to: Annotated[str, typer.Option(help="Who learns it: both, or a party's name.")] = "both",
    method: Annotated[str, typer.Option(help="auto, rr22 or ecdh.")] = "auto",
    cardinality: Annotated[
        bool, typer.Option("--cardinality", help="Only how many, not which.")
    ] = False,
    duplicates: Annotated[
        str, typer.Option(help="Equal ids: refuse, or take the first of them.")
    ] = "refuse",
    memory: Annotated[
        int, typer.Option(help="Megabytes for the sets; what is more is worked on in parts.", min=1)
    ] = MEMORY_DEFAULT >> 20,
    label: Annotated[
        str, typer.Option(help="What the disclosure log calls it.")
    ] = "intersection of ids",
    agreement: Annotated[str, typer.Option(help="The contract that allows it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find which ids of a CSV file the other party has as well; nothing about the others.

    Both parties start it with the same --to, --method, --cardinality and --label. Ids are compared
    as UTF-8 text without the spaces around them. The file may be larger than memory. --out has the
    common ids in the file's order; the column "match" has the same number for the same id at both.

    Example: petcore psi --config wallet.toml --ids wallet.csv --column phone --out matches.csv
    """
    if method not in _METHODS:
        raise UsageError(f"--method must be one of {', '.join(_METHODS)}")
    if duplicates not in _DUPLICATES:
        raise UsageError(f"--duplicates must be one of {', '.join(_DUPLICATES)}")
    if out is not None and (cardinality or not out.parent.is_dir()):
        raise ConfigError(
            f"--out {out}: needs a folder that exists, and does not go with --cardinality"
        )
    source = CsvIds(ids, column)
    with join(config, program="petcore psi") as session, _bar(as_json) as progress:
        began = time.monotonic()
        found = session.psi(
            source,
            to=to,
            method=cast(Method, method),
            output="cardinality" if cardinality else "indices",
            label=label,
            agreement=agreement,
            duplicates="first" if duplicates == "first" else "refuse",
            memory=memory << 20,
            progress=progress,
        )
        record = _record(found, session.party) | {
            "party": session.name,
            "seconds": round(time.monotonic() - began, 3),
            "cost": cost_record(session),
        }
    if out is not None and found.indices is not None:
        source.write_matches(out, found.indices)
    if as_json:
        print_record(record)
    else:
        _show(record)


@contextmanager
def _bar(silent: bool) -> Iterator[Report | None]:
    """Give a function that moves a bar on stderr."""
    if silent:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=render.err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def move(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total)

        yield move


def _record(found: Intersection, party: int) -> dict[str, object]:
    return {
        "common": found.size,
        "own_ids": found.sizes[party],
        "other_ids": found.sizes[1 - party],
        "dropped": found.dropped,
        "method": found.method,
        "buckets": found.buckets,
    }


def _show(record: dict[str, object]) -> None:
    sizes = f"{record['own_ids']:,} own ids and {record['other_ids']:,} of the other party"
    if record["common"] is None:
        render.out.print(f"Intersected {sizes}; the other party learns the result.")
    else:
        render.out.print(f"[bold]{record['common']:,}[/bold] in common of {sizes}.")
    if record["dropped"]:
        render.out.print(f"{record['dropped']:,} own ids had stood before and were left out.")
    show_cost(record)
