"""``petcore settle``: cut-offs, and every participant's own net with its files."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from petcore.cli import render

if TYPE_CHECKING:
    from petcore.network.settlement.reconcile import Reconciled

app = typer.Typer(no_args_is_help=True, help="Settle what participants owe each other.")


class Role(StrEnum):
    """Whose net it is."""

    ACQP = "acqp"
    MPP = "mpp"


@app.command()
def cut(
    config: Annotated[Path, typer.Option(help="The configuration of node A.")],
) -> None:
    """End the open settlement window at both nodes, as node A's operator; print its number.

    Run it at every cut-off, from a timer. Node A must be running.

    Example: petcore settle cut --config node-a/node-a.toml
    """
    from petcore.network.settlement.client import cut_window
    from petcore.network.settlement.members import node_member

    number = asyncio.run(cut_window(node_member(config)))
    render.note(f"window {number} has ended; participants can open their nets")
    typer.echo(number)


@app.command()
def net(
    role: Annotated[Role, typer.Option(help="acqp: an acquirer's edge; mpp: a wallet's.")],
    config: Annotated[Path, typer.Option(help="The edge's configuration.")],
    window: Annotated[int, typer.Option(help="The window, as 'petcore settle cut' said.")],
    currency: Annotated[str, typer.Option(help="Of the net: ISO 4217, such as EUR.")],
    out: Annotated[Path, typer.Option(help="Directory for the files; made if absent.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Open a participant's own net, compare it with its records, and write CSV and ISO 20022 files.

    The edge may be running meanwhile. With breaks the exit status is 1: look at every one of them;
    money is adjusted by a new entry, never here.

    Example: petcore settle net --role acqp --config shop-bank.toml --window 3 --currency EUR --out s
    """
    from petcore.network.settlement.client import fetch_statement, settle_edge, write_files
    from petcore.network.settlement.members import edge_books, edge_member

    member = edge_member(role.value, config)
    statement = asyncio.run(fetch_statement(member, window, currency))
    with edge_books(role.value, config, out) as (kept, records):
        done = settle_edge(kept, records, statement)
    files = write_files(done, member.directory, out)
    _show(done, files, as_json)
    if done.breaks:
        raise typer.Exit(1)


def _show(done: Reconciled, files: list[Path], as_json: bool) -> None:
    from petcore.payments.money import format_amount

    statement = done.statement
    if as_json:
        breaks = [{"kind": b.kind, "item": b.item, "difference": b.difference} for b in done.breaks]
        told = {
            "participant": statement.participant, "currency": statement.currency,
            "first_window": statement.first, "window": statement.window,
            "count": statement.count, "net": statement.net, "moved": len(done.entries),
            "breaks": breaks, "files": [str(file) for file in files],
        }  # fmt: skip
        typer.echo(json.dumps(told))
        return
    table = Table(title=f"{statement.participant}, window {statement.window}", title_justify="left")
    for column in ("net", "requests", "moved money", "breaks"):
        table.add_column(column)
    table.add_row(
        format_amount(statement.net, statement.currency),
        *(str(n) for n in (statement.count, len(done.entries), len(done.breaks))),
    )
    render.out.print(table)
    for found in done.breaks:
        about = found.item or format_amount(found.difference, statement.currency)
        render.out.print(f"break: {found.kind} {about}", soft_wrap=True, markup=False)
    for file in files:
        render.note(f"wrote {file}")
