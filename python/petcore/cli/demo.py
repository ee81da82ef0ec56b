"""``petcore demo``: two companies and a dealer, three processes, real data.

The demo's own process is the referee, which holds the open table and compares, and plays the
participants' edges, which share their payments and add up their net positions. Everything else
happens in child processes that run the public commands ``petcore dealer``, ``train`` and ``clear``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from petcore.cli import demo_clearing, demo_learned, demo_show, demo_training, render
from petcore.cli.demo_children import Children
from petcore.cli.demo_place import Place, open_place
from petcore.cli.results import print_record
from petcore.datasets import load_credit_default
from petcore.payments import assign_routes

_QUICK_CUSTOMERS, _STEPS, _QUICK_STEPS = 4000, 15, 8
_PAID = tuple(f"PAY_AMT{month}" for month in range(1, 7))

Phase = Callable[[str], None]


def demo(
    seed: Annotated[int, typer.Option(help="Public seed of split, sample and routes.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer customers and steps.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object only.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep keys, configurations and logs in this new folder.")
    ] = None,
) -> None:
    """Train a model and clear payments between real processes, and show what each one learned.

    A gateway, a wallet and a dealer start on this machine, with fresh keys and mutual TLS 1.3.
    """
    began = time.monotonic()
    with _progress(quiet=as_json) as phase, open_place(keep) as place, Children() as children:
        training, clearing, learned = _run(place, children, phase, seed=seed, quick=quick)
    seconds = time.monotonic() - began
    if as_json:
        print_record(
            {"seed": seed, "quick": quick, "seconds": round(seconds, 2)}
            | {"training": training.record(), "clearing": clearing.record()}
            | learned.record()
        )
        return
    demo_show.show_training(training)
    demo_show.show_clearing(clearing)
    demo_show.show_learned(learned)
    kept = f" Keys, configurations and logs are in {keep}." if keep else ""
    render.out.print(f"\nDone in {seconds:.1f} s.{kept}", soft_wrap=True)


def _run(
    place: Place, children: Children, phase: Phase, *, seed: int, quick: bool
) -> tuple[demo_training.Training, demo_clearing.Clearing, demo_learned.Learned]:
    data = load_credit_default()
    rows = np.arange(len(data.ids))
    if quick:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_QUICK_CUSTOMERS])
    dealer = ["dealer", "--config", "dealer.toml"]
    children.start("dealer", place.party("dealer"), dealer)

    phase("Referee: give each party its own columns, train the plaintext references")
    demo_training.write_tables(place, data, rows)
    auc = demo_training.plaintext_auc(place, data.target_name, seed)
    phase("Joint training under MPC")
    trained = demo_training.run_training(
        place,
        children,
        label=data.target_name,
        seed=seed,
        steps=_QUICK_STEPS if quick else _STEPS,
        tell=lambda line: phase(f"Joint training under MPC: {line}"),
    )
    training = demo_training.judge(auc, trained)

    phase("Edges: share the payments")
    limits = data.columns(("LIMIT_BAL",))[rows, 0]
    payments = assign_routes(data.columns(_PAID)[rows], limits, seed=seed)
    edge_bytes = demo_clearing.share_at_edges(place, payments)
    phase("Private clearing under MPC")
    cleared = demo_clearing.run_clearing(
        place, children, tell=lambda line: phase(f"Private clearing under MPC: {line}")
    )
    clearing = demo_clearing.judge(place, payments, cleared)
    phase("Auditor: verify the disclosure logs")
    parts = {"training": trained, "clearing": cleared}
    return training, clearing, demo_learned.audit(place, parts, edge_bytes)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Phase]:
    """Show on stderr what is going on and for how long."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=render.err, transient=True, disable=quiet) as progress:
        task = progress.add_task("Making keys, certificates and configurations")
        yield lambda text: progress.update(task, description=text)
