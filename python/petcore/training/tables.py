"""One party's own table, read from its CSV file and prepared for training. Local."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petcore.csv_columns import read_csv
from petcore.errors import ConfigError
from petcore.training.preprocessing import Matrix, compress_amounts


@dataclass(frozen=True, eq=False)
class LocalTable:
    """What one party brings to a joint training.

    Attributes
    ----------
    ids
        One text per row, distinct.
    names
        Names of the columns of X.
    X
        float64, shape (rows, columns), amounts compressed, not standardised.
    y
        Labels 0 or 1, int64, shape (rows,); None if the party has none.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    X: Matrix
    y: npt.NDArray[np.int64] | None

    def take(self, rows: npt.NDArray[np.int64]) -> LocalTable:
        """Return the table of these rows, in this order."""
        ids = tuple(self.ids[i] for i in rows)
        return LocalTable(ids, self.names, self.X[rows], None if self.y is None else self.y[rows])


def load_table(
    path: str | Path, *, id_column: str, label: str | None = None, amounts: Sequence[str] = ()
) -> LocalTable:
    """Read a CSV file whose columns are an identifier, numbers, and at one party the label.

    Parameters
    ----------
    path
        The file.
    id_column
        Column with the identifier that the parties share.
    label
        Column with the label 0 or 1, if this party has it.
    amounts
        Patterns (``PAY_AMT*``) of the columns to compress by sign(x) log(1 + |x|).

    Raises
    ------
    ConfigError
        A column is missing, a pattern matches none, a cell is no finite number, an identifier
        occurs twice, a label is neither 0 nor 1.
    """
    file = read_csv(path)
    ids = file.unique_text(id_column)
    y = None if label is None else file.whole(label, low=0, high=1)
    names = tuple(name for name in file.names if name not in (id_column, label))
    if not names:
        raise ConfigError(f"{path}: needs a column besides {id_column!r} to train on")
    X = np.column_stack([file.numbers(name) for name in names])
    for pattern in amounts:
        chosen = [i for i, name in enumerate(names) if fnmatch.fnmatchcase(name, pattern)]
        if not chosen:
            raise ConfigError(f"{path}: no column matches {pattern!r}; it has {', '.join(names)}")
    compress = [any(fnmatch.fnmatchcase(name, p) for p in amounts) for name in names]
    X[:, compress] = compress_amounts(X[:, compress])
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return LocalTable(
        tuple(ids[i] for i in order), names, X[order], None if y is None else y[order]
    )


def split_rows(
    rows: int, test_fraction: float, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the row numbers for training and for testing; the same seed gives the same."""
    order = np.random.default_rng(seed).permutation(rows)
    held_out = round(rows * test_fraction)
    return order[held_out:], order[:held_out]
