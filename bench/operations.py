"""What is measured: each operation on shares beside the same operation in clear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import petcore as pc


@dataclass(frozen=True)
class Operation:
    """`make` gives the two operands in clear; `run` works on shares and on arrays alike."""

    name: str
    sizes: tuple[int, ...]
    make: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
    run: Callable[[Any, Any], Any]
    shared_run: Callable[[Any, Any], Any] | None = None


def integers(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.integers(-1000, 1000, n), rng.integers(-1000, 1000, n)


def floats(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(-4, 4, n), rng.uniform(0.5, 4, n)


def matrices(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(-4, 4, (n, n)), rng.uniform(-4, 4, (n, n))


VECTORS = (1_000, 100_000, 1_000_000)

OPERATIONS = [
    Operation("integer product", VECTORS, integers, lambda x, y: x * y),
    Operation("fixed-point product", VECTORS, floats, lambda x, y: x * y),
    Operation("x < y", VECTORS, floats, lambda x, y: x < y),
    Operation("fixed-point matrix product", (128, 512, 1024), matrices, lambda x, y: x @ y),
    Operation(
        "sigmoid",
        (1_000, 100_000),
        floats,
        lambda x, y: 1 / (1 + np.exp(-x)),
        lambda x, y: pc.functions.sigmoid(x),
    ),
]
