"""``petcore network``: a whole payment network on one machine."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render

app = typer.Typer(no_args_is_help=True, help="A whole payment network on this machine.")

Folder = Annotated[Path, typer.Argument(help="The network's folder.", metavar="DIR")]


@app.command()
def init(
    folder: Folder,
    users: Annotated[int, typer.Option(help="Users besides alice, bob and carol.")] = 0,
    balance: Annotated[int, typer.Option(help="Of every user, in minor units.")] = 1_000_000,
    database: Annotated[
        str, typer.Option(help="sqlite, or the URL of a PostgreSQL server.")
    ] = "sqlite",
    round_trip_ms: Annotated[
        float, typer.Option(help="Imitate a slow line between the nodes.")
    ] = 0.0,
) -> None:
    """Make a demo network: keys, certificates, agreements, configurations, a wallet with users.

    Its members are node-a and node-b, which compute on shares; a dealer; the wallet purse with the
    users alice (EUR), bob (JPY) and carol (KWD); the acquirer shop-bank with one merchant. Every
    member has a folder of its own in DIR, as if it were on its own premises.

    Example: petcore network init net && petcore network up net
    """
    from petcore.network.demo.place import make_place

    place = make_place(
        folder, users=users, balance=balance, database=database, round_trip_ms=round_trip_ms
    )
    render.note(f"a network is ready in {place.root}; start it: petcore network up {folder}")


@app.command()
def up(
    folder: Folder,
    restart: Annotated[bool, typer.Option("--restart", help="Start again what ended.")] = False,
) -> None:
    """Run all processes of a demo network until Ctrl-C, which stops them all.

    Every process writes its log beside its configuration, DIR/NAME/NAME.log.
    """
    from petcore.network.demo.place import Place
    from petcore.network.demo.running import Running

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Running(Place(folder.resolve()), render.note) as running:
        render.note("the network is up; Ctrl-C stops it")
        for _ in running.watch(restart=restart):
            pass
