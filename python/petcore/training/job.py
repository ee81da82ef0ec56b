"""One joint training from start to end: what ``petcore train`` runs at every party."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.mpc import Session
from petcore.training.alignment import align_rows, require_same_rows
from petcore.training.logistic_regression import LogisticRegression, Solver
from petcore.training.metrics import roc_auc
from petcore.training.preprocessing import Standardizer
from petcore.training.tables import LocalTable, split_rows


@dataclass(frozen=True)
class Plan:
    """What the parties must agree on; `program` goes into the handshake."""

    test_fraction: float = 0.2
    seed: int = 0
    C: float = 1.0
    solver: Solver = "fixed-hessian"
    max_iter: int = 15
    batch_size: int = 1024
    align: bool = False

    def program(self) -> str:
        """Return the agreement as one line of text."""
        return (
            f"petcore train: test_fraction={float(self.test_fraction)!r} "
            f"seed={self.seed} C={float(self.C)!r} "
            f"solver={self.solver} max_iter={self.max_iter} batch_size={self.batch_size}"
            + (" align" if self.align else "")
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a party knows after the training.

    Attributes
    ----------
    model
        Fitted; its coefficients stay on shares.
    rows
        Numbers of rows trained on and held out.
    probabilities
        At the label holder the chances of 1 of the held-out rows, float64; else None.
    test_ids
        Identifiers of the held-out rows.
    auc
        At the label holder the area under the ROC curve over the held-out rows; else None.
    scale
        What this party's columns were standardised by.
    """

    model: LogisticRegression
    rows: tuple[int, int]
    probabilities: npt.NDArray[np.float64] | None
    test_ids: tuple[str, ...]
    auc: float | None
    scale: Standardizer


def train(session: Session, table: LocalTable, plan: Plan) -> Outcome:
    """Align, split, standardise, fit, and reveal the held-out chances to the label holder.

    Parameters
    ----------
    session
        Every party calls this function with the same `plan`.
    table
        This party's own rows and columns.
    plan
        What all agreed on.

    Raises
    ------
    AgreementError
        The parties' rows are not the same.
    UsageError
        No or several parties have labels; the split leaves no rows, or held-out labels that are
        all alike.

    Leaks: to all that the identifiers agree (with ``align``, which are in common), the tables'
        sizes and who has labels; the chances of the held-out rows to the label holder.
    """
    if plan.align:
        table = table.take(align_rows(session, table.ids))
    else:
        require_same_rows(session, table.ids)
    train_rows, test_rows = split_rows(len(table.ids), plan.test_fraction, plan.seed)
    if len(train_rows) < 2 or len(test_rows) < 1:
        raise UsageError(
            "the split leaves no rows to train or to test on; change the test fraction"
        )
    if table.y is not None and len(np.unique(table.y[test_rows])) < 2:
        raise UsageError(
            "the held-out labels are all alike, so that no AUC can be computed; change the test "
            "fraction or the split seed"
        )
    scale = Standardizer.fit(table.X[train_rows])
    model = LogisticRegression(
        session, C=plan.C, solver=plan.solver, max_iter=plan.max_iter, batch_size=plan.batch_size
    )
    model.fit(
        scale.transform(table.X[train_rows]), None if table.y is None else table.y[train_rows]
    )
    chances = session.reveal(
        model.predict_proba(scale.transform(table.X[test_rows]))[:, 1],
        to=model.label_party_,
        label="held-out probabilities",
        purpose="evaluate the joint model",
    )
    auc = None
    if chances is not None and table.y is not None:
        auc = roc_auc(table.y[test_rows], chances)
    rows = (len(train_rows), len(test_rows))
    return Outcome(model, rows, chances, tuple(table.ids[i] for i in test_rows), auc, scale)
