"""``petcore pseudonym``: ids that are linkable inside a scope only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.csv_columns import read_csv, write_csv
from petcore.pseudonyms.keys import KeyRing
from petcore.pseudonyms.serving import connect_pseudonyms, serve_pseudonyms

app = typer.Typer(no_args_is_help=True, help="Turn ids into pseudonyms, linkable in a scope only.")

_Keys = Annotated[Path, typer.Option(help="The service's file of keys.")]
_KEYS = Path("pseudonym.keys.json")


@app.command()
def rotate(keys: _Keys = _KEYS) -> None:
    """Begin an epoch with a fresh key; print its public part, which clients pin.

    Example: petcore pseudonym rotate --keys pseudonym.keys.json
    """
    ring = KeyRing.load(keys) if keys.exists() else KeyRing()
    epoch = ring.rotate()
    ring.save(keys)
    render.out.print(
        f'[[epochs]]\nepoch = {epoch}\npublic_key = "{ring.public()[epoch].hex()}"',
        markup=False,
        soft_wrap=True,
    )


@app.command()
def destroy(
    epoch: Annotated[int, typer.Option(help="The epoch whose key is destroyed.")],
    keys: _Keys = _KEYS,
) -> None:
    """Destroy the key of an epoch: its pseudonyms can never be made again.

    Copies of the file of keys (backups) have to be destroyed too.
    """
    ring = KeyRing.load(keys)
    ring.destroy(epoch)
    ring.save(keys)
    render.note(f"the key of epoch {epoch} is gone from {keys}")


@app.command()
def serve(
    config: Annotated[Path, typer.Option(help="The service's configuration file.")],
) -> None:
    """Serve pseudonyms until Ctrl-C. The service sees no id and no pseudonym.

    Example: petcore pseudonym serve --config bureau.toml
    """
    serve_pseudonyms(config, on_event=render.note, threads=None)


@app.command("map")
def map_ids(
    ids: Annotated[Path, typer.Argument(help="A CSV file with a column of ids.")],
    out: Annotated[Path, typer.Option(help="Where the same rows go, with pseudonyms for ids.")],
    config: Annotated[Path, typer.Option(help="The client's configuration file.")],
    scope: Annotated[str, typer.Option(help="Inside which they are linkable: fraud-2026.")],
    column: Annotated[str, typer.Option(help="The column of ids.")] = "id",
    epoch: Annotated[int | None, typer.Option(help="Left out: the newest that is pinned.")] = None,
) -> None:
    """Replace a column of ids by pseudonyms.

    Example: petcore pseudonym map customers.csv --column id --scope fraud-2026
    --config wallet.toml --out pseudonyms.csv
    """
    table = read_csv(ids)
    values = table.text(column)
    with connect_pseudonyms(config, threads=None) as client:
        made = client.pseudonyms(values, scope=scope, epoch=epoch)
    write_csv(out, {name: made if name == column else table.cells[name] for name in table.names})
    render.note(f"{len(made):,} pseudonyms of the scope {scope} in {out}")
