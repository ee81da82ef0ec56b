"""``petcore sealkey | share | clear | combine``: clearing, at edges, nodes and participants."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from petcore.cli import render
from petcore.cli.clear_files import RESULTS, clear_files, combine_files
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
        Path, typer.Argument(help="CSV: payment, mpp, acqp, currency, amount|limit; or parquet.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for NAME.NODE.sealed.")],
    keys: _Keys,
    nodes: Annotated[str, typer.Option(help="All nodes, comma-separated.")] = "gateway,wallet",
) -> None:
    """Split an edge's payments into shares, one sealed file per node.

    Amounts and limits are whole numbers of minor units (cents). An acquirer's file has the column
    amount, a wallet's the column limit, for the same payments and routes. Parquet is for many
    payments with all checks: an acquirer's has amount and fee, a wallet's payer_currency, seen,
    debit, available, count_left and sum_left; either may have columns feature_* for a risk model.

    Example: petcore share acquirer-1.csv --out outbox --keys keys
    """
    names = [part.strip() for part in nodes.split(",")]
    if payments.suffix == ".parquet":
        from petcore.network.bulk import share_parquet as split
    else:
        split = share_payments
    for path in split(payments, out, nodes=names, keys=keys):
        render.out.print(f"{path}", soft_wrap=True)


def clear(
    config: Annotated[Path, typer.Option(help="This node's configuration file.")],
    key: _Key,
    keys: _Keys,
    out: Annotated[Path, typer.Option(help="Directory for what participants get, sealed.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="NAME.NODE.parquet.sealed of every edge.")
    ] = None,
    payments: Annotated[
        list[Path] | None, typer.Option(help="A share file of an edge, of CSV; repeat it.")
    ] = None,
    network: Annotated[
        Path | None, typer.Option(help="network.toml: rates, fees, prefunding; for parquet.")
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="This node's ledger of clearings; for parquet.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="This node's share of a risk model; for parquet.")
    ] = None,
    chunk: Annotated[
        int, typer.Option(help="Payments of parquet between checkpoints.", min=8, max=65536)
    ] = 32768,
    min_count: Annotated[
        int, typer.Option(help="Fewest payments that a net position may cover.", min=1)
    ] = MIN_COUNT,
    as_json: _Json = False,
) -> None:
    """Check all payments against their limits and net them, without reading an amount.

    All nodes start it with the shares of the same payments. It writes, for each participant, this
    node's share of its net positions, sealed to it.

    Of parquet the chunks that both nodes have on disk count: started again with the same files and
    ledger, it goes on where it stopped.

    Example: petcore clear --config gateway.toml --payments a.gateway.sealed
    --payments w.gateway.sealed --key gateway.sealing.key --keys keys --out outbox
    """
    if files:
        if payments:
            raise UsageError("give parquet files, or --payments of CSV, not both")
        clear_files(
            config,
            files,
            key=key,
            keys=keys,
            out=out,
            network=network,
            ledger=ledger,
            min_count=min_count,
            chunk=chunk,
            model=model,
            as_json=as_json,
        )
        return
    if not payments:
        raise UsageError("there is nothing to clear: name the edges' share files")
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
    out: Annotated[
        Path | None, typer.Option(help="New parquet file for the decisions of a clearing.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Add up the nodes' shares of a participant's own net positions.

    Example: petcore combine acquirer-1.gateway.sealed acquirer-1.wallet.sealed
    --key acquirer-1.sealing.key
    """
    if all(path.name.endswith(RESULTS) for path in shares):
        participant, net = combine_files(shares, key=key, out=out)
    else:
        position = read_position(shares, key=SealingKey.load(key))
        participant, net = position.participant, position.net
    if as_json:
        print_record({"participant": participant, "net": net})
        return
    table = Table(title=f"Net position of {participant}", title_justify="left")
    table.add_column("currency")
    table.add_column("receives (pays if negative)", justify="right")
    for currency, minor in net.items():
        table.add_row(currency, format_amount(minor, currency))
    render.out.print(table)
