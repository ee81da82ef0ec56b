"""Part 1 of the demo: gateway and wallet train one model on columns that neither shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from petcore.cli.demo_children import Children
from petcore.cli.demo_place import PARTIES, Place
from petcore.csv_columns import write_csv
from petcore.datasets import CreditDefault
from petcore.errors import InternalError
from petcore.training import (
    LocalTable,
    PlaintextLogisticRegression,
    Standardizer,
    load_table,
    roc_auc,
    split_rows,
)

TOLERANCE = 0.002
TEST_FRACTION = 0.2
_LIMIT = 120.0  # seconds; the demo's own bound on the children
_AMOUNTS = {"gateway": ("BILL_AMT*", "PAY_AMT*"), "wallet": ("LIMIT_BAL",)}


@dataclass(frozen=True)
class Training:
    """What part 1 gave: held-out AUC by model, and each party's own report."""

    rows: dict[str, int]
    auc: dict[str, float]
    reports: dict[str, dict[str, Any]]

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        joint = self.auc["joint, MPC"]
        alone = {name: self.auc[f"{name} alone"] for name in PARTIES}
        uplift = {name: joint - auc for name, auc in alone.items()}
        return {"rows": self.rows, "auc": self.auc, "uplift": uplift, "parties": self.reports}


def write_tables(place: Place, data: CreditDefault, rows: npt.NDArray[np.int64]) -> None:
    """Give each party a CSV file with its own columns: the gateway no label, the wallet no bill."""
    columns = {"gateway": data.gateway_columns, "wallet": data.wallet_columns}
    for name, names in columns.items():
        own = data.columns(names)[rows]
        table = {"ID": data.ids[rows].tolist()}
        table |= {column: own[:, i].tolist() for i, column in enumerate(names)}
        if name == "wallet":
            table[data.target_name] = data.target[rows].tolist()
        write_csv(place.party(name) / f"{name}.csv", table)


def plaintext_auc(place: Place, label: str, seed: int) -> dict[str, float]:
    """Train in clear on the open table, as no party could: the referee's references."""
    gateway = load_table(
        place.party("gateway") / "gateway.csv", id_column="ID", amounts=_AMOUNTS["gateway"]
    )
    wallet = load_table(
        place.party("wallet") / "wallet.csv",
        id_column="ID",
        label=label,
        amounts=_AMOUNTS["wallet"],
    )
    joint = np.concatenate([gateway.X, wallet.X], axis=1)
    models = {"gateway alone": gateway.X, "wallet alone": wallet.X, "joint, plaintext": joint}
    return {name: _held_out_auc(X, wallet, seed) for name, X in models.items()}


def run_training(
    place: Place,
    children: Children,
    *,
    label: str,
    seed: int,
    steps: int,
    tell: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Run ``petcore train`` at gateway and wallet; return what each printed."""
    started = []
    for name in PARTIES:
        arguments = ["train", "--config", f"{name}.toml", "--data", f"{name}.csv", "--json"]
        arguments += [f"--amount={pattern}" for pattern in _AMOUNTS[name]]
        arguments += [f"--test-fraction={TEST_FRACTION}", f"--split-seed={seed}"]
        arguments += [f"--steps={steps}"]
        if name == "wallet":
            arguments += ["--label", label, "--scores", "held-out.csv"]
        started.append(children.start(name, place.party(name), arguments))
    return dict(zip(PARTIES, children.results(started, limit=_LIMIT, tell=tell), strict=True))


def judge(auc: dict[str, float], reports: dict[str, dict[str, Any]]) -> Training:
    """Compare the private model with the plaintext one.

    Raises
    ------
    InternalError
        Their AUC differ by more than `TOLERANCE`.
    """
    private = float(reports["wallet"]["auc"])
    if abs(private - auc["joint, plaintext"]) > TOLERANCE:
        raise InternalError(
            f"AUC under MPC {private:.4f} and in plaintext {auc['joint, plaintext']:.4f} differ by "
            f"more than {TOLERANCE}"
        )
    rows = {key: int(reports["wallet"][f"rows_{key}"]) for key in ("trained", "held_out")}
    return Training(rows, auc | {"joint, MPC": private}, reports)


def _held_out_auc(X: npt.NDArray[np.float64], wallet: LocalTable, seed: int) -> float:
    train, test = split_rows(len(X), TEST_FRACTION, seed)
    scale = Standardizer.fit(X[train])
    labels = wallet.y if wallet.y is not None else np.zeros(len(X), np.int64)
    model = PlaintextLogisticRegression().fit(scale.transform(X[train]), labels[train])
    return roc_auc(labels[test], model.decision_function(scale.transform(X[test])))
