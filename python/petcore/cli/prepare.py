"""``petcore prepare``: make correlations ahead, so that a session needs none made."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from petcore.cli import render
from petcore.cli.stock import show
from petcore.connecting import prepare as fill


def prepare(
    config: Annotated[Path, typer.Option(help="This party's configuration file.")],
    plan: Annotated[Path, typer.Option(help="What to have in stock: the same at both parties.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait for the peer.")] = 60.0,
) -> None:
    """Fill the store of this party, together with the peer who runs the same command.

    What is there already is not made again: run it every night. A run that is cut off keeps
    what it has made. With maker = "dealer" the dealer must be running.

    Example: petcore prepare --config keys/gateway.toml --plan plan.toml
    """
    logging.getLogger("petcore").addHandler(logging.NullHandler())  # the notes say it all
    columns = (
        TextColumn("making stock"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("units"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=render.err, transient=True) as bar:
        task = bar.add_task("", total=None)
        status = fill(
            config,
            plan,
            connect_wait=wait,
            on_event=render.note,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    show(status)
