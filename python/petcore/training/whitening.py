"""Each party whitens its own columns before it shares them. Local: no rounds, nothing leaks.

A linear model does not change when a party replaces its columns by invertible combinations of them,
but the optimisation does: with every party's own block of the Hessian bound equal to the identity,
only the correlation *between* parties is left for the joint computation to work out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petcore.errors import UsageError
from petcore.training.preprocessing import Matrix, as_matrix

MOMENT_MAX = 2.0**10
"""Largest mean and deviation of a column: beyond, a coefficient has too few fraction bits."""

SCORE_MAX = 2.0**14
"""Largest whitened coordinate: a row beyond would wrap in the product with the weights."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """The map z = (x - mean) @ basis, and what the model's penalty becomes under it.

    With weights w = basis @ v of the original columns, x·w = z·v + mean·w, and w·w = Σ penalty v² ·
    C: the basis are the principal axes, so the penalty stays one number per coordinate.

    Attributes
    ----------
    mean
        float64, shape (columns,); zero where the model has no intercept.
    basis
        float64, shape (columns, columns).
    penalty
        float64, shape (columns,), in units of the summed loss.
    """

    mean: Matrix
    basis: Matrix
    penalty: Matrix

    @classmethod
    def fit(cls, X: Matrix, *, C: float, centre: bool) -> Whitening:
        """Choose the map from X, shape (rows, columns), for the penalty w·w / (2 C).

        Each principal axis with variance λ is scaled by s = (λ + 4 / (C rows))^-1/2, so that the
        loss's Hessian bound λ s² / 4 and its penalty s² / (C rows) add up to exactly 1/4.

        Raises
        ------
        UsageError
            A column's mean or deviation is beyond `MOMENT_MAX`.
        """
        rows, columns = X.shape
        moments = np.maximum(np.abs(X.mean(axis=0)), X.std(axis=0))
        if moments.max() > MOMENT_MAX:
            raise UsageError(
                f"column {int(moments.argmax())} of X has a mean or deviation above "
                f"{MOMENT_MAX:g}; bring the columns to comparable scales with Standardizer first"
            )
        mean = X.mean(axis=0) if centre else np.zeros(columns)
        centred = X - mean
        variance, axes = np.linalg.eigh(centred.T @ centred / rows)
        scale = 1 / np.sqrt(np.maximum(variance, 0.0) + 4 / (C * rows))
        return cls(mean, axes * scale, scale**2 / C)

    def transform(self, X: Matrix) -> Matrix:
        """Return the whitened rows of X, shape (rows, columns).

        Raises
        ------
        UsageError
            X has another number of columns than the fitted rows, is no finite matrix, or has a row
            that lies more than `SCORE_MAX` from the fitted ones.
        """
        table = as_matrix(X, "X")
        if table.shape[1] != self.mean.size:
            raise UsageError(
                f"X has {table.shape[1]} columns, the model was fitted on {self.mean.size}"
            )
        result: Matrix = (table - self.mean) @ self.basis
        far = np.flatnonzero(np.abs(result).max(axis=1) > SCORE_MAX)
        if far.size:
            raise UsageError(
                f"row {int(far[0])} of X lies more than {SCORE_MAX:g} deviations from the rows "
                "fitted; check its units"
            )
        return result
