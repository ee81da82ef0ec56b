"""``petcore clear FILE...`` and ``petcore combine`` of parquet: a million payments and more."""

from __future__ import annotations

import time
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from petcore.cli import render
from petcore.cli.joining import join
from petcore.cli.results import cost_record, print_record, show_cost
from petcore.config import load_config
from petcore.errors import ConfigError, UsageError
from petcore.payments import SealingKey

RESULTS = ".results.sealed"


def clear_files(
    config: Path,
    files: list[Path],
    *,
    key: Path,
    keys: Path,
    out: Path,
    network: Path | None,
    ledger: Path | None,
    min_count: int,
    chunk: int,
    model: Path | None,
    as_json: bool,
) -> None:
    """Run `petcore clear` on sealed parquet; goes on where an earlier run stopped."""
    from petcore.network.bulk import Clearing, ResultsBox, load_shares
    from petcore.network.circuit import RiskModel
    from petcore.network.directory import Directory
    from petcore.network.ledger import Database

    if network is None or ledger is None:
        raise UsageError("files of payments need --network network.toml and --ledger FILE")
    settings, reader = load_config(config), SealingKey.load(key)
    if reader.name != settings.name:
        raise UsageError(f"--key is the key of {reader.name}; this node is {settings.name}")
    directory = Directory.load(network)
    render.note("opening the shares")
    batch = load_shares(files, key=reader, nodes=settings.names)
    box = ResultsBox(batch, out, node=settings.name, keys=keys)
    with Database.open(ledger) as database:
        clearing = Clearing(
            batch,
            directory,
            database,
            min_count=min_count,
            chunk=chunk,
            model=None if model is None else RiskModel.load(model),
        )
        with join(config, program=clearing.program) as session, _bar() as bar:
            began = time.monotonic()
            task = bar.add_task("clearing", total=len(batch))
            outcome = clearing.run(
                session, on_progress=lambda done, total: bar.update(task, completed=done)
            )
            record = {
                "party": session.name,
                "run": clearing.run_id,
                "payments": len(batch),
                "resumed": outcome.resumed,
                "participants": len(outcome.nets),
                "seconds": round(time.monotonic() - began, 3),
                "cost": cost_record(session),
            }
        box.write(outcome, clearing.run_id)
    if as_json:
        print_record(record)
        return
    again = f" ({outcome.resumed:,} by an earlier run)" if outcome.resumed else ""
    render.out.print(
        f"Cleared {len(batch):,} payments{again}; what {len(outcome.nets)} participants get is in "
        f"{out}",
        soft_wrap=True,
    )
    show_cost(record)


def combine_files(shares: list[Path], *, key: Path, out: Path | None) -> tuple[str, dict[str, int]]:
    """Add up both nodes' results, write the decisions to a file; return who nets how much."""
    import pyarrow.parquet as pq

    from petcore.network.bulk import read_results

    results = read_results(shares, key=SealingKey.load(key))
    target = out or Path(f"{results.participant}.approved.parquet")
    if target.exists():
        raise ConfigError(f"{target} exists and is not overwritten; move it away first")
    pq.write_table(results.payments, target)
    approved = sum(results.payments.column("approved").to_pylist())
    render.note(f"{approved:,} of {len(results.payments):,} payments approved: {target}")
    return results.participant, results.net


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=render.err, transient=True)
