"""``petcore keys``: a member's keys on the payment network, by epoch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from petcore.cli import render

if TYPE_CHECKING:
    from petcore.network.keyring import KeyRing

app = typer.Typer(no_args_is_help=True, help="Make, rotate and erase a member's keys, by epoch.")

_Keys = Annotated[Path, typer.Option("--keys", help="Directory of the member's own keys.")]
_Name = Annotated[str, typer.Option("--name", help="The member, as network.toml calls it.")]
_Public = Annotated[
    Path | None,
    typer.Option("--public", help="Directory of everybody's NAME.keys.json, to update."),
]
_Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command()
def make(keys: _Keys, name: _Name, public: _Public = None) -> None:
    """Make the keys of a new member: its first epoch.

    Example: petcore keys make --keys node-a/keys --name node-a --public public
    """
    from petcore.network.keyring import KeyRing

    _publish(KeyRing.make(keys, name), keys, public)


@app.command()
def show(keys: _Keys, name: _Name, as_json: _Json = False) -> None:
    """Show the epochs of a member's keys. No private key is printed.

    Example: petcore keys show --keys node-a/keys --name node-a
    """
    ring = _ring(keys, name)
    rows = [
        {
            "epoch": entry.epoch,
            "key": entry.key_id,
            "made": _time(entry.made),
            "state": _state(ring, entry.epoch),
        }
        for entry in ring.epochs
    ]
    if as_json:
        typer.echo(json.dumps({"name": ring.name, "epochs": rows}))
        return
    table = Table(title=f"keys of {ring.name}", title_justify="left")
    for column in ("epoch", "key", "made", "state"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[column]) for column in ("epoch", "key", "made", "state")))
    render.out.print(table)


@app.command()
def rotate(keys: _Keys, name: _Name, public: _Public = None) -> None:
    """Begin a new epoch. Running processes notice; earlier epochs open what is on its way.

    Example: petcore keys rotate --keys node-a/keys --name node-a --public public
    """
    ring = _ring(keys, name)
    ring.rotate()
    _publish(ring, keys, public)


@app.command()
def erase(
    keys: _Keys,
    name: _Name,
    epoch: Annotated[int, typer.Option(help="A past epoch; see 'petcore keys show'.")],
    public: _Public = None,
    out: Annotated[Path | None, typer.Option(help="File for the signed receipt.")] = None,
) -> None:
    """Erase the private keys of a past epoch for good, and print the signed receipt.

    What was sealed in that epoch cannot be opened any more, by nobody.

    Example: petcore keys erase --keys node-a/keys --name node-a --epoch 3
    """
    ring = _ring(keys, name)
    receipt = json.dumps(ring.erase(epoch), sort_keys=True)
    if out is not None:
        out.write_text(receipt + "\n", encoding="utf-8")
    if public is not None:
        _write_public(ring, public)
    typer.echo(receipt)


def _ring(keys: Path, name: str) -> KeyRing:
    from petcore.network.keyring import KeyRing

    return KeyRing.load(keys, name)


def _publish(ring: KeyRing, keys: Path, public: Path | None) -> None:
    render.out.print(f"epoch {ring.epoch} of {ring.name}: key {ring.key_id}", soft_wrap=True)
    file = f"{ring.name}.keys.json"
    if public is None:
        render.out.print(f"Next: give {keys / file} to the other members", soft_wrap=True)
    else:
        _write_public(ring, public)
        render.out.print(f"published in {public / file}", soft_wrap=True)


def _write_public(ring: KeyRing, public: Path) -> None:
    from petcore.network.keyring import PublicKeys

    PublicKeys.load(public).update(ring.public())


def _state(ring: KeyRing, epoch: int) -> str:
    if epoch in ring.erased:
        return "erased"
    return "current" if epoch == ring.epoch else "opens only"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
