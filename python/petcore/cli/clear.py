"""``petcore sealkey | share | clear | combine``: clearing, at edges, nodes and participants."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from petcore.cli import render
from petcore.cli.joining import join
from petcore.cli.results import cost_record, print_record, show_cost
from petcore.config import load_config
from petcore.errors import UsageError
from petcore.payments import (
    Outbox,
    SealingKey,
    format_amount,
    load_batch,
    read_position,
    share_payments,
)
from petcore.payments import clear as run_clearing
from petcore.payments.clearing import MIN_COUNT

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Keys = Annotated[Path, typer.Option(help="Directory with the readers' NAME.sealing.pub.")]
_Key = Annotated[Path, typer.Option(help="Own private NAME.sealing.key.")]


def sealkey(
    name: Annotated[str, typer.Option(help="Who will read: a node, or a participant.")],
    out: Annotated[Path, typer.Option(help="Directory for the files; made if absent.")],
) -> None:
    """Make the key pair with which a node or a participant opens what is sealed to it.

    Give NAME.sealing.pub to everyone who sends to NAME, over a channel you trust.

    Example: petcore sealkey --name acquirer-1 --out keys
    """
    public, private = SealingKey.make(name).save(out)
    render.out.print(f"private key {private} (keep it here)", soft_wrap=True)
    render.out.print(f"public key  {public} (for senders)", soft_wrap=True)


def share(
    payments: Annotated[
        Path, typer.Argument(help="CSV: payment, mpp, acqp, currency, amount|limit.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for NAME.NODE.sealed.")],
    keys: _Keys,
    nodes: Annotated[str, typer.Option(help="All nodes, comma-separated.")] = "gateway,wallet",
) -> None:
    """Split an edge's payments into shares, one sealed file per node.

    Amounts and limits are whole numbers of minor units (cents). An acquirer's file has the column
    amount, a wallet's the column limit, for the same payments and routes.

    Example: petcore share acquirer-1.csv --out outbox --keys keys
    """
    names = [part.strip() for part in nodes.split(",")]
    for path in share_payments(payments, out, nodes=names, keys=keys):
        render.out.print(f"{path}", soft_wrap=True)


def clear(
    config: Annotated[Path, typer.Option(help="This node's configuration file.")],
    payments: Annotated[list[Path], typer.Option(help="A share file of an edge; repeat it.")],
    key: _Key,
    keys: _Keys,
    out: Annotated[Path, typer.Option(help="Directory for PARTICIPANT.NODE.sealed.")],
    min_count: Annotated[
        int, typer.Option(help="Fewest payments that a net position may cover.", min=1)
    ] = MIN_COUNT,
    as_json: _Json = False,
) -> None:
    """Check all payments against their limits and net them, without reading an amount.

    All nodes start it with the shares of the same payments. It writes, for each participant, this
    node's share of its net positions, sealed to it.

    Example: petcore clear --config gateway.toml --payments a.gateway.sealed
    --payments w.gateway.sealed --key gateway.sealing.key --keys keys --out outbox
    """
    settings = load_config(config)
    reader = SealingKey.load(key)
    if reader.name != settings.name:
        raise UsageError(f"--key is the key of {reader.name}; this node is {settings.name}")
    batch = load_batch(payments, key=reader, nodes=settings.names)
    outbox = Outbox.prepare(batch.routes, out, node=settings.name, keys=keys)
    program = f"{batch.program} min_count={min_count}"
    with join(config, program=program) as session:
        began = time.monotonic()
        shares = run_clearing(session, batch, min_count=min_count)
        record = {
            "party": session.name,
            "payments": len(batch.amount),
            "participants": len(shares),
            "currencies": batch.routes.currencies,
            "seconds": round(time.monotonic() - began, 3),
            "cost": cost_record(session),
        }
    outbox.write(shares)
    if as_json:
        print_record(record)
        return
    render.out.print(
        f"Cleared {len(batch.amount):,} payments; shares of the net positions of {len(shares)} "
        f"participants are in {out}",
        soft_wrap=True,
    )
    show_cost(record)


def combine(
    shares: Annotated[list[Path], typer.Argument(help="PARTICIPANT.NODE.sealed of every node.")],
    key: _Key,
    as_json: _Json = False,
) -> None:
    """Add up the nodes' shares of a participant's own net positions.

    Example: petcore combine acquirer-1.gateway.sealed acquirer-1.wallet.sealed
    --key acquirer-1.sealing.key
    """
    position = read_position(shares, key=SealingKey.load(key))
    if as_json:
        print_record({"participant": position.participant, "net": position.net})
        return
    table = Table(title=f"Net position of {position.participant}", title_justify="left")
    table.add_column("currency")
    table.add_column("receives (pays if negative)", justify="right")
    for currency, minor in position.net.items():
        table.add_row(currency, format_amount(minor, currency))
    render.out.print(table)
