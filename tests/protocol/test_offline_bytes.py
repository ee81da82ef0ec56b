"""What an operation declares for the offline phase is what the offline link carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc

N = 1 << 14
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "multiply": lambda x, b: x * x[::-1],
    "square": lambda x, b: x * x,
    "and": lambda x, b: np.concatenate([b] * 32) & np.concatenate([b] * 32),
    "compare": lambda x, b: x < 5,
    "equal": lambda x, b: x == 5,
    "convert": lambda x, b: np.concatenate([b] * 8).astype("int64"),
    "choose": lambda x, b: pc.where(b, x, x[::-1]),
    "matrices": lambda x, b: x[: 1 << 12].reshape(64, 64) @ x[: 1 << 12].reshape(64, 64),
}


def offline(session: pc.Session) -> int:
    (link,) = (link for name, link in session.links.items() if name.endswith("(offline)"))
    return link["payload_received"]


def traffic(
    operation: Callable[[Any, Any], Any], transfers: pc.Transfers, n: int = N
) -> tuple[int, int]:
    """Give what both parties together declared, and what they received."""

    def program(session: pc.Session) -> tuple[int, int]:
        first = session.party == 0
        x = session.input(np.arange(n) - 9 if first else None, owner=0)
        b = session.input(np.arange(n) % 3 == 0 if first else None, owner=0)
        x[:3] * x[1:4]  # the base transfers, and the first refill of a silent extension
        before, received = session.cost.offline_bytes, offline(session)
        operation(x, b)
        session.agree("the end")  # so that all has arrived
        return session.cost.offline_bytes - before, offline(session) - received

    declared, found = np.sum(pc.simulate(program, correlations="ot", transfers=transfers), axis=0)
    return int(declared), int(found)


@pytest.mark.parametrize("mbit", [100, 1000, 10_000])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_softspoken_transfers_take_what_is_declared_within_two_per_cent(operation, mbit):
    declared, found = traffic(OPERATIONS[operation], pc.Transfers(link_mbit=mbit))
    assert found == pytest.approx(declared, rel=0.02)


@pytest.mark.parametrize("operation", ["multiply", "square", "and", "matrices"])
def test_without_the_check_they_take_it_to_the_byte(operation):
    transfers = pc.Transfers("softspoken", checked=False)
    declared, found = traffic(OPERATIONS[operation], transfers)
    assert found == declared


@pytest.mark.parametrize(("operation", "n"), [("multiply", N), ("compare", 4 * N), ("and", 4 * N)])
def test_silent_transfers_take_what_is_declared_within_ten_per_cent(operation, n):
    """A refill is for more transfers than are asked for, and the least one is dearer."""
    transfers = pc.Transfers("silent", 100, checked=False)
    declared, found = traffic(OPERATIONS[operation], transfers, n)
    assert found == pytest.approx(declared, rel=0.1)


def test_slow_links_carry_less_and_silent_ones_least():
    found = [
        traffic(OPERATIONS["and"], transfers, 4 * N)[1]
        for transfers in (
            pc.Transfers(link_mbit=10_000),
            pc.Transfers(link_mbit=1000),
            pc.Transfers(link_mbit=100),
            pc.Transfers(link_mbit=100, checked=False),
        )
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > 10 * found[-1]


@pytest.mark.parametrize(
    "transfers", [pc.Transfers(link_mbit=100), pc.Transfers("silent", 9, False)]
)
def test_an_estimate_follows_the_transfers(transfers):
    def program(session: pc.Session, x: Any) -> None:
        (x < 3).astype("int64") * x

    def run(session: pc.Session) -> tuple[pc.Cost, pc.Cost]:
        x = session.input(np.arange(1000) if session.party == 0 else None, owner=0)
        with session.measure() as found:
            program(session, x)
        return found, session.estimate(program, ((1000,), "int64")).cost

    told = pc.estimate(program, ((1000,), "int64"), correlations="ot", transfers=transfers).cost
    costs = pc.simulate(run, correlations="ot", transfers=transfers)
    assert sum(found.offline_bytes for found, _ in costs) == told.offline_bytes
    assert [like.offline_bytes for _, like in costs] == [told.offline_bytes] * 2
    usual = pc.estimate(program, ((1000,), "int64"), correlations="ot").cost
    assert told.offline_bytes < usual.offline_bytes
