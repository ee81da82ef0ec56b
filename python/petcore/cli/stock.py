"""``petcore stock``: how much of what is left in the store, for people and for monitoring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from petcore import stock as stocks
from petcore.cli import render
from petcore.config import load_config
from petcore.errors import PetcoreError, UsageError

# As monitoring plugins say it: all well, a warning, critical. Errors of the command exit with 3.
_OK, _LOW, _EMPTY, _UNKNOWN = 0, 1, 2, 3
_STYLES = {"ok": "green", "low": "yellow", "empty": "bold red"}


def stock(
    config: Annotated[Path, typer.Option(help="This party's configuration file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Throw the whole stock away; at both parties.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before discarding.")] = False,
) -> None:
    """Show the stock of correlations: what is left of every kind, and what is low.

    It changes nothing and may run while a session takes from the store. Exits with status 0 if all is
    well, 1 if a pool is low, 2 if one is empty or a file is damaged, 3 if the store cannot be
    read.

    Example: petcore stock --config keys/gateway.toml
    """
    try:
        settings = load_config(config)
        if discard:
            _discard(settings, yes)
        status = stocks.inspect(settings)
    except PetcoreError as error:
        render.show_error(error)
        raise typer.Exit(_UNKNOWN) from error
    if as_json:
        pools = [{**pool, "state": state(pool)} for pool in status["pools"]]
        typer.echo(json.dumps({**status, "pools": pools}, indent=1))
    else:
        show(status)
    raise typer.Exit(exit_status(status))


def state(pool: dict[str, Any]) -> str:
    """Say in a word how a pool stands."""
    if pool["low"]:
        return "low" if pool["units"] else "empty"
    return "ok"


def exit_status(status: dict[str, Any]) -> int:
    """Give the worst of all pools."""
    states = {state(pool) for pool in status["pools"]}
    if "empty" in states or status["damaged"]:
        return _EMPTY
    return _LOW if "low" in states else _OK


def show(status: dict[str, Any]) -> None:
    """Print one row per pool, and what else a person should know."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("pool", overflow="fold")
    for column in ("left", "low below", "planned", ""):
        table.add_column(column, justify="right" if column else "left")
    for pool in status["pools"]:
        word = state(pool)
        numbers = [f"{pool[key]:,}" for key in ("units", "mark", "target")]
        table.add_row(Text(pool["pool"]), *numbers, Text(word, style=_STYLES[word]))
    render.out.print(table)
    who = f"{status['owner']} with {status['peer']}, store {status['store'][:8]}"
    render.out.print(f"{who}, {status['sessions']} sessions so far")
    if status["holder"]:
        render.out.print(f"in use by process {status['holder']}")
    for name in status["damaged"]:
        render.out.print(Text(f"damaged, not used: {name}", style="bold red"))
    if any(pool["low"] for pool in status["pools"]):
        render.out.print("'petcore prepare' makes more.")


def _discard(settings: Any, yes: bool) -> None:
    if not (yes or typer.confirm(f"Throw away all stock of {settings.name}?")):
        raise UsageError("nothing was thrown away")
    stocks.discard(settings)
    peer = settings.names[1 - settings.party]
    render.note(f"the stock is thrown away; {peer} must do the same, then 'petcore prepare'")
