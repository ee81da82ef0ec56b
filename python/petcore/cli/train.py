"""``petcore train``: one joint training, run at every party on its own CSV file."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.cli.joining import join
from petcore.cli.results import cost_record, print_record, show_cost
from petcore.csv_columns import write_csv
from petcore.errors import ConfigError, UsageError
from petcore.network.circuit import FeatureScale, RiskModel
from petcore.training import Outcome, Plan, load_table
from petcore.training import train as run_training

_SOLVERS = ("fixed-hessian", "sgd")


def train(
    config: Annotated[Path, typer.Option(help="This party's configuration file.")],
    data: Annotated[Path, typer.Option(help="CSV file with this party's own columns.")],
    id_column: Annotated[
        str, typer.Option("--id", help="Column with the identifier that all parties have.")
    ] = "ID",
    label: Annotated[
        str, typer.Option(help="Column with the label 0 or 1; at the one party that has it.")
    ] = "",
    amount: Annotated[
        list[str] | None,
        typer.Option(help="Columns to compress as sign(x) log(1 + |x|), such as 'PAY_AMT*'."),
    ] = None,
    test_fraction: Annotated[float, typer.Option(help="Part of the rows held out.")] = 0.2,
    split_seed: Annotated[int, typer.Option(help="Public seed of the split.", min=0)] = 0,
    inverse_penalty: Annotated[
        float, typer.Option("--C", help="Inverse L2 penalty, above 0.")
    ] = 1.0,
    solver: Annotated[str, typer.Option(help="fixed-hessian or sgd.")] = "fixed-hessian",
    steps: Annotated[int, typer.Option(help="Newton steps, or epochs of sgd.", min=1)] = 15,
    batch_size: Annotated[int, typer.Option(help="Rows per step of sgd.", min=1)] = 1024,
    align: Annotated[
        bool,
        typer.Option("--align", help="Take the rows that both have; which they are, both learn."),
    ] = False,
    scores: Annotated[
        Path | None, typer.Option(help="Write the held-out probabilities here (label holder).")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep this party's share of the model in this new file.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version of a model that is kept.")] = "",
    threshold: Annotated[
        float, typer.Option(help="Highest chance of 1 at which a payment passes a kept model.")
    ] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train one logistic regression with the other parties; nobody shows a column.

    All parties start it with the same --test-fraction, --split-seed, --C, --solver, --steps and
    --batch-size. The rows must have the same identifiers everywhere, unless all say --align.
    Held-out probabilities are revealed to the party with --label, which learns how good the model
    is. With --keep, at all parties, the model stays on shares, for 'petcore node' to score payments
    by; FILE.scale then holds what this party's columns were standardised by.

    Example: petcore train --config wallet.toml --data wallet.csv --label DEFAULT_NEXT_MONTH
    """
    if scores is not None and not scores.parent.is_dir():
        raise ConfigError(f"--scores {scores}: there is no folder {scores.parent}; make it first")
    if keep is not None:
        _check_kept(keep, version)
    plan = _plan(test_fraction, split_seed, inverse_penalty, solver, steps, batch_size, align)
    table = load_table(data, id_column=id_column, label=label or None, amounts=amount or ())
    _tell_steps()
    with join(config, program=plan.program()) as session:
        began = time.monotonic()
        outcome = run_training(session, table, plan)
        kept = None
        if keep is not None:
            kept = RiskModel.of(outcome.model, version=version, threshold=threshold)
        record = _record(session.names, outcome) | {
            "party": session.name,
            "seconds": round(time.monotonic() - began, 3),
            "cost": cost_record(session),
        }
    if keep is not None and kept is not None:
        kept.save(keep)
        FeatureScale(table.names, outcome.scale).save(keep.with_name(keep.name + ".scale"))
    if scores is not None and outcome.probabilities is not None:
        columns = {id_column: outcome.test_ids, "probability": outcome.probabilities.tolist()}
        write_csv(scores, columns)
    if as_json:
        print_record(record)
    else:
        _show(record)


def _check_kept(keep: Path, version: str) -> None:
    """Notice before the training what would keep its result from being written."""
    if not version:
        raise UsageError("--keep needs --version, such as --version fraud-7")
    if not keep.parent.is_dir():
        raise ConfigError(f"--keep {keep}: there is no folder {keep.parent}; make it first")
    if keep.exists():
        raise ConfigError(f"--keep {keep}: exists and is not overwritten; choose another file")


def _plan(
    test_fraction: float, seed: int, c: float, solver: str, steps: int, batch_size: int, align: bool
) -> Plan:
    if not 0 < test_fraction < 1:
        raise UsageError("--test-fraction must be between 0 and 1, such as 0.2")
    if not (math.isfinite(c) and c > 0):
        raise UsageError("--C must be a positive number, such as 1.0")
    if solver not in _SOLVERS:
        raise UsageError(f"--solver must be one of {', '.join(_SOLVERS)}")
    return Plan(
        test_fraction=test_fraction,
        seed=seed,
        C=c,
        solver="sgd" if solver == "sgd" else "fixed-hessian",
        max_iter=steps,
        batch_size=batch_size,
        align=align,
    )


def _tell_steps() -> None:
    """Pass what the training logs on to people."""

    class _Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            render.note(record.getMessage())

    logger = logging.getLogger("petcore.training")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Notes()]


def _record(names: tuple[str, ...], outcome: Outcome) -> dict[str, object]:
    return {
        "rows_trained": outcome.rows[0],
        "rows_held_out": outcome.rows[1],
        "label_party": names[outcome.model.label_party_],
        "columns": outcome.model.coef_.shape[1],
        "auc": outcome.auc,
    }


def _show(record: dict[str, object]) -> None:
    out = render.out
    out.print(
        f"Trained on {record['rows_trained']:,} rows and {record['columns']} columns of all parties."
    )
    if record["auc"] is not None:
        out.print(
            f"AUC on {record['rows_held_out']:,} held-out rows: [bold]{record['auc']:.4f}[/bold]"
        )
    else:
        out.print(f"{record['label_party']} holds the labels and learns how good the model is.")
    show_cost(record)
