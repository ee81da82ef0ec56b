"""Logistic regression in clear, to the optimum: what the private one is measured against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.training.preprocessing import Matrix, as_matrix


class PlaintextLogisticRegression:
    """L2-penalised logistic regression by Newton's method on one machine.

    The same objective as `LogisticRegression`: C Σ log(1 + exp(-y (x·w + b))) + w·w / 2.

    Attributes
    ----------
    coef_
        float64, shape (1, columns).
    intercept_
        float64, shape (1,).
    """

    coef_: Matrix
    intercept_: Matrix

    def __init__(self, *, C: float = 1.0, max_iter: int = 30) -> None:
        """Store the parameters: C, the inverse penalty, and the number of Newton steps."""
        self.C = C
        self.max_iter = max_iter

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> PlaintextLogisticRegression:
        """Fit to X, shape (rows, columns), and labels y in {0, 1}, shape (rows,)."""
        features, labels = as_matrix(X, "X"), np.asarray(y, dtype=np.float64)
        if labels.shape != features.shape[:1] or not np.isin(labels, (0, 1)).all():
            raise UsageError("y must hold one 0 or 1 per row of X")
        design = np.column_stack([features, np.ones(len(features))])
        penalty = np.append(np.full(features.shape[1], 1 / self.C), 0.0)
        weights = np.zeros(design.shape[1])
        for _ in range(self.max_iter):
            p = _sigmoid(design @ weights)
            gradient = design.T @ (p - labels) + penalty * weights
            hessian = (design.T * (p * (1 - p))) @ design + np.diag(penalty)
            step = np.linalg.solve(hessian, gradient)
            weights -= step
            if np.abs(step).max() < 1e-9:
                break
        self.coef_, self.intercept_ = weights[None, :-1], weights[-1:]
        return self

    def decision_function(self, X: npt.ArrayLike) -> Matrix:
        """Return x·w + b per row, shape (rows,)."""
        scores: Matrix = as_matrix(X, "X") @ self.coef_[0] + self.intercept_[0]
        return scores

    def predict_proba(self, X: npt.ArrayLike) -> Matrix:
        """Return the chances of 0 and of 1 per row, shape (rows, 2)."""
        p = _sigmoid(self.decision_function(X))
        return np.column_stack([1 - p, p])


def _sigmoid(x: Matrix) -> Matrix:
    half: Matrix = 0.5 * (1 + np.tanh(0.5 * x))
    return half
