"""``petcore demo``: two companies and a dealer, three processes, real data.

The demo's own process is the referee, which holds the open table and compares, and plays the
participants' edges, which share their payments and add up their net positions. Everything else
happens in child processes that run the public commands ``petcore dealer``, ``train`` and ``clear``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from petcore.cli import demo_clearing, demo_learned, demo_show, demo_training, render
from petcore.cli.demo_children import Children
from petcore.cli.demo_place import Place, open_place
from petcore.cli.results import print_record
from petcore.datasets import CreditDefault, load_credit_default
from petcore.payments import Payments, assign_routes

_QUICK_CUSTOMERS, _STEPS, _QUICK_STEPS = 4000, 15, 8
_PAID = tuple(f"PAY_AMT{month}" for month in range(1, 7))


def demo(
    seed: Annotated[int, typer.Option(help="Public seed of split, sample and routes.", min=0)] = 1,
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
    with _Stage(quiet=as_json) as stage, open_place(keep) as place, Children() as children:
        record = _run(place, children, stage, seed=seed, quick=quick)
    seconds = time.monotonic() - began
    if as_json:
        print_record({"seed": seed, "quick": quick, "seconds": round(seconds, 2)} | record)
        return
    kept = f" Keys, configurations and logs are in {keep}." if keep else ""
    render.out.print(f"\nDone in {seconds:.1f} s.{kept}", soft_wrap=True)


class _Stage:
    """What a person sees meanwhile: on stderr what is going on, on stdout each part when it is done."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
        self._progress = Progress(
            *columns,
            TimeElapsedColumn(),
            console=render.err,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=quiet or not render.err.is_terminal,
        )
        self._quiet = quiet
        self._phase = ""
        self._task = self._progress.add_task("Making keys, certificates and configurations")

    def __enter__(self) -> _Stage:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, phase: str, detail: str = "") -> None:
        """Say what is going on."""
        text = f"{phase}: {detail}" if detail else phase
        self._progress.update(self._task, description=text)
        if phase != self._phase and not (self._quiet or render.err.is_terminal):
            render.note(phase)
        self._phase = phase

    def show(self, table: Callable[[], None]) -> None:
        """Print a finished part."""
        if not self._quiet:
            self._progress.stop()
            table()
            self._progress.start()


def _run(
    place: Place, children: Children, stage: _Stage, *, seed: int, quick: bool
) -> dict[str, Any]:
    data = load_credit_default()
    rows = np.arange(len(data.ids))
    if quick:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_QUICK_CUSTOMERS])
    children.start("dealer", place.party("dealer"), ["dealer", "--config", "dealer.toml"])
    stage.show(lambda: demo_show.show_parties(place))
    training = _train(place, children, stage, data, rows, seed, _QUICK_STEPS if quick else _STEPS)
    stage.show(lambda: demo_show.show_training(training))
    limits = data.columns(("LIMIT_BAL",))[rows, 0]
    payments = assign_routes(data.columns(_PAID)[rows], limits, seed=seed)
    clearing, edge_bytes = _clear(place, children, stage, payments)
    stage.show(lambda: demo_show.show_clearing(clearing))
    stage.tell("Auditor: verify the disclosure logs")
    parts = {"training": training.reports, "clearing": clearing.reports}
    seen = demo_clearing.values_in_clear(place, payments)
    learned = demo_learned.audit(place, parts, edge_bytes, seen)
    stage.show(lambda: demo_show.show_learned(learned))
    return {"training": training.record(), "clearing": clearing.record()} | learned.record()


def _train(
    place: Place,
    children: Children,
    stage: _Stage,
    data: CreditDefault,
    rows: npt.NDArray[np.int64],
    seed: int,
    steps: int,
) -> demo_training.Training:
    stage.tell("Referee: give each party its own columns, train the plaintext references")
    demo_training.write_tables(place, data, rows)
    auc = demo_training.plaintext_auc(place, data.target_name, seed)
    phase = "Joint training under MPC"
    stage.tell(phase)
    reports = demo_training.run_training(
        place,
        children,
        label=data.target_name,
        seed=seed,
        steps=steps,
        tell=lambda line: stage.tell(phase, line),
    )
    return demo_training.judge(auc, reports)


def _clear(
    place: Place, children: Children, stage: _Stage, payments: Payments
) -> tuple[demo_clearing.Clearing, int]:
    stage.tell("Edges: share the payments")
    edge_bytes = demo_clearing.share_at_edges(place, payments)
    phase = "Private clearing under MPC"
    stage.tell(phase)
    reports = demo_clearing.run_clearing(place, children, lambda line: stage.tell(phase, line))
    return demo_clearing.judge(place, payments, reports), edge_bytes
