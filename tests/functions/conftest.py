"""Running one function at both parties, on values that one of them gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import petcore as pc

REFERENCES: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "divide": lambda x, y: x / y,
}


@dataclass(frozen=True)
class Run:
    """The opened result, what the function should give at the encoded inputs, and the cost."""

    result: np.ndarray
    expected: np.ndarray
    cost: pc.Cost
    offline_bytes: int


def encoded(x: np.ndarray, frac_bits: int) -> np.ndarray:
    return np.ldexp(np.rint(np.ldexp(np.asarray(x, np.float64), frac_bits)), -frac_bits)


@pytest.fixture(scope="session")
def run() -> Callable[..., Run]:
    """Give run(name, *inputs, frac_bits=18, correlations="dealer")."""

    def run(name: str, *inputs: Any, frac_bits: int = 18, correlations: str = "dealer") -> Run:
        def program(session: pc.Session) -> tuple[np.ndarray, pc.Cost]:
            mine = session.party == 0
            shared = [
                session.input(x if mine else None, owner=0, dtype="fixed", frac_bits=frac_bits)
                for x in inputs
            ]
            before = session.cost
            result = getattr(pc.functions, name)(*shared)
            cost = session.cost - before
            assert result.dtype == "fixed"
            assert result.frac_bits == frac_bits
            return session.open(result, label="result"), cost

        (result, cost), (_, other) = pc.simulate(program, correlations=correlations)
        exact = [encoded(x, frac_bits) for x in inputs]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            expected = REFERENCES[name](*exact)
        return Run(result, expected, cost, cost.offline_bytes + other.offline_bytes)

    return run
