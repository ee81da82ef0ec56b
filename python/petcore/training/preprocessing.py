"""What a party does to its own columns before they are shared. Local: no rounds, nothing leaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError

Matrix = npt.NDArray[np.float64]


def compress_amounts(x: npt.ArrayLike) -> Matrix:
    """Return sign(x) log(1 + |x|), which tames amounts of many magnitudes and either sign."""
    amounts = np.asarray(x, dtype=np.float64)
    return np.sign(amounts) * np.log1p(np.abs(amounts))


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Shifts and scales each column by the mean and deviation of the rows it was fitted on.

    Attributes
    ----------
    mean
        float64, shape (columns,).
    scale
        float64, shape (columns,); 1 for a constant column.
    """

    mean: Matrix
    scale: Matrix

    @classmethod
    def fit(cls, X: npt.ArrayLike) -> Standardizer:
        """Take mean and standard deviation of the columns of X, shape (rows, columns)."""
        table = as_matrix(X, "X")
        deviation = table.std(axis=0)
        rounding = len(table) * np.finfo(np.float64).eps * np.abs(table).max(axis=0)
        return cls(table.mean(axis=0), np.where(deviation > rounding, deviation, 1.0))

    def transform(self, X: npt.ArrayLike) -> Matrix:
        """Return (X - mean) / scale, shape (rows, columns)."""
        table = as_matrix(X, "X")
        if table.shape[1] != self.mean.size:
            raise UsageError(
                f"X has {table.shape[1]} columns, the fitted rows had {self.mean.size}"
            )
        result: Matrix = (table - self.mean) / self.scale
        return result


def as_matrix(X: npt.ArrayLike, name: str) -> Matrix:
    """Return X as a finite float64 matrix with at least one row and one column.

    Raises
    ------
    UsageError
        X has another number of dimensions, is empty, holds no numbers, NaN or infinity.
    """
    array = np.asarray(X)
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} must hold numbers, not {array.dtype}; encode categories first")
    if array.ndim != 2 or 0 in array.shape:
        raise UsageError(f"{name} must be a matrix (rows, own columns), not of shape {array.shape}")
    matrix = array.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise UsageError(f"{name} holds NaN or infinity; fill in or drop those rows")
    return matrix
