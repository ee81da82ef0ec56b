"""The data that petcore and every peer compute on: the same seeds, ranges and sizes for all.

Imports NumPy and nothing of petcore, since the peers' own environments read it too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = tuple[NDArray[Any], ...]

COLUMNS, BATCH, RATE = 100, 128, 0.5  # of the logistic regression


def integers(n: int) -> Arrays:
    """Two vectors of small whole numbers."""
    rng = np.random.default_rng(n)
    return rng.integers(-1000, 1000, n), rng.integers(-1000, 1000, n)


def reals(n: int) -> Arrays:
    """Two vectors from [-4, 4)."""
    rng = np.random.default_rng(n)
    return rng.uniform(-4, 4, n), rng.uniform(-4, 4, n)


def close_reals(n: int) -> Arrays:
    """Two vectors from [-4, 4) of multiples of 2^-12, which every library holds exactly."""
    x, y = reals(n)
    return np.floor(x * 4096) / 4096, np.floor(y * 4096) / 4096


def real(n: int) -> Arrays:
    """One vector from [-4, 4)."""
    return reals(n)[:1]


def positive(n: int) -> Arrays:
    """One vector from [0.5, 4.5)."""
    return (np.random.default_rng(n).uniform(0.5, 4.5, n),)


def matrices(n: int) -> Arrays:
    """Two n x n matrices from [-4, 4)."""
    rng = np.random.default_rng(n)
    return rng.uniform(-4, 4, (n, n)), rng.uniform(-4, 4, (n, n))


def labelled_rows(n: int) -> Arrays:
    """A table of n rows and 100 columns, and labels drawn from a logistic model of it."""
    rng = np.random.default_rng(n)
    table = rng.normal(size=(n, COLUMNS))
    odds = table @ rng.normal(size=COLUMNS)
    return table, (sigmoid(odds) > rng.uniform(size=n)).astype(np.int64)


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    """The logistic function, in clear."""
    return np.asarray(1 / (1 + np.exp(-x)))


def train(table: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """One epoch of minibatch descent from zero weights, in clear; whole batches only."""
    weights = np.zeros(table.shape[1])
    for begin in range(0, len(table) - BATCH + 1, BATCH):
        rows = table[begin : begin + BATCH]
        residual = sigmoid(rows @ weights) - labels[begin : begin + BATCH]
        weights -= RATE / BATCH * (rows.T @ residual)
    return weights
