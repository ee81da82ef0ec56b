"""``petcore network``: a whole payment network on one machine."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.errors import PetcoreError

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
    from petcore.network.demo.place import existing
    from petcore.network.demo.running import Running

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Running(existing(folder), render.note) as running:
        render.note("the network is up; Ctrl-C stops it")
        for _ in running.watch(restart=restart):
            pass


@app.command()
def status(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every process of a demo network: whether it is well, and what it counted.

    The exit status is 1 where one is not well.
    """
    from petcore.network.demo.place import existing
    from petcore.network.demo.status import look, table

    rows = look(existing(folder))
    if as_json:
        render.out.print_json(json.dumps([row.as_dict() for row in rows]))
    else:
        render.out.print(table(rows))
    if not all(row.healthy for row in rows):
        raise typer.Exit(1)


@app.command()
def pay(
    folder: Folder,
    amount: Annotated[int, typer.Argument(help="In minor units of the currency.")] = 1234,
    currency: Annotated[str, typer.Option(help="SGD, EUR, JPY or KWD.")] = "SGD",
    user: Annotated[str, typer.Option(help="alice, bob, carol or user-N.")] = "alice",
) -> None:
    """Make one payment through a network that is up, as a merchant's system does.

    The user's phone shows a payment code; the merchant sends it with the amount to the acquirer's
    edge in the Alipay+ dialect. What the merchant is told is printed.
    """
    from petcore.network.demo.paying import pay_once
    from petcore.network.demo.place import existing

    answer = pay_once(existing(folder), amount, currency, user)
    render.out.print_json(json.dumps(answer))
    if answer.get("result", {}).get("resultStatus") != "S":
        raise PetcoreError(f"the payment was not made: {answer.get('result')}")


@app.command()
def code(
    folder: Folder,
    user: Annotated[str, typer.Argument(help="alice, bob, carol or user-N.")] = "alice",
    count: Annotated[int, typer.Option(help="How many, 1 to 100.", min=1, max=100)] = 1,
) -> None:
    """Print payment codes of a user, as its phone shows them; each works once, for a minute.

    For merchants' systems of your own that pay at the acquirer's edge.
    """
    from petcore.network.demo.phone import new_codes
    from petcore.network.demo.place import existing

    for one in new_codes(existing(folder), user, count):
        render.out.print(one)
