"""``petcore log``: read and check a disclosure log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from petcore.cli import render
from petcore.trust import chain
from petcore.trust.log import repair

app = typer.Typer(no_args_is_help=True, help="Read and check a disclosure log.")

_File = Annotated[Path, typer.Argument(help="The log: a file of JSON lines.", show_default=False)]

# The width that each column may have on a narrow terminal, so that words stay whole there.
_COLUMNS = {"#": 6, "time (UTC)": 10, "label": None, "who": None, "shape": 9, "why": None}
_WIDE = 110


@app.command()
def show(
    file: _File,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON record a line.")] = False,
) -> None:
    """Show what was disclosed, to whom, and why. Every line is checked first.

    Example: petcore log show keys/gateway.disclosures.jsonl
    """
    records = list(chain.read(file))
    if as_json:
        for record in records:
            typer.echo(chain.canonical(record))
        return
    narrow = render.out.width < _WIDE
    table = Table(title=str(file), title_justify="left", show_lines=narrow)
    for column, width in _COLUMNS.items():
        table.add_column(column, max_width=width if narrow else None, overflow="fold")
    for record in records:
        table.add_row(*(Text(cell) for cell in _cells(record)))
    render.out.print(table)


@app.command()
def verify(
    file: _File,
    head: Annotated[str, typer.Option(help="A hash noted earlier; the log must contain it.")] = "",
) -> None:
    """Check the whole hash chain and print its head.

    Note the head: a log that was cut at its end still verifies, unless you pass --head.

    Example: petcore log verify keys/gateway.disclosures.jsonl --head 5f1c...
    """
    verified = chain.verify(file, head=head.lower())
    render.out.print(f"{file}: {verified.count} records, the chain holds", soft_wrap=True)
    render.out.print(f"head {verified.head}", soft_wrap=True)


@app.command("repair")
def repair_command(file: _File) -> None:
    """Set an incomplete last line, left by a crash, aside. Whole lines are never touched.

    Example: petcore log repair keys/gateway.disclosures.jsonl
    """
    aside = repair(file)
    render.out.print(f"{file}: the incomplete line is now in {aside}", soft_wrap=True)


def _cells(record: chain.Record) -> list[str]:
    shape = " x ".join(map(str, record["shape"])) or "one value"
    agreement = f" ({record['agreement']})" if record["agreement"] else ""
    return [
        str(record["number"]),
        record["time"][:19].replace("T", " "),
        record["label"],
        f"{record['kind']} to {', '.join(record['to'])}",
        f"{shape} {record['dtype']}",
        record["purpose"] + agreement,
    ]
