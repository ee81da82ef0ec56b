"""Part 2 of the demo: payments from five wallets to four acquirers, netted by nodes that read none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from petcore.cli.demo_children import Children
from petcore.cli.demo_place import PARTIES, Place
from petcore.csv_columns import write_csv
from petcore.errors import InternalError
from petcore.payments import (
    Payments,
    SealingKey,
    load_batch,
    plaintext_positions,
    read_position,
    share_payments,
)
from petcore.payments.routes import ACQUIRERS, WALLETS

_LIMIT = 120.0  # seconds; the demo's own bound on the children


@dataclass(frozen=True)
class Clearing:
    """What part 2 gave: net positions in minor units, and each node's own report."""

    payments: int
    declined: int
    positions: dict[str, dict[str, int]]
    reports: dict[str, dict[str, Any]]

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "payments": self.payments,
            "declined": self.declined,
            "positions": self.positions,
            "equal_to_plaintext": True,
            "parties": self.reports,
        }


def share_at_edges(place: Place, payments: Payments) -> int:
    """Let every edge share its payments; return the bytes sealed to each node.

    An acquirer shares the amounts of its payments, a wallet the limits of its payers.
    """
    outbox = place.edges / "outbox"
    for edges, route, column, values in (
        (ACQUIRERS, payments.routes.acqp, "amount", payments.amount),
        (WALLETS, payments.routes.mpp, "limit", payments.limit),
    ):
        for edge in edges:
            rows = np.flatnonzero(route == edge)
            routes = payments.routes.take(rows)
            table = {
                "payment": routes.ids.tolist(),
                "mpp": routes.mpp.tolist(),
                "acqp": routes.acqp.tolist(),
                "currency": routes.currency.tolist(),
                column: values[rows].tolist(),
            }
            write_csv(place.edges / f"{edge}.csv", table)
            share_payments(place.edges / f"{edge}.csv", outbox, nodes=PARTIES, keys=place.keys)
    return sum(path.stat().st_size for path in outbox.glob("*.gateway.sealed"))


def run_clearing(
    place: Place, children: Children, tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Run ``petcore clear`` at both nodes; return what each printed."""
    started = []
    for name in PARTIES:
        arguments = ["clear", "--config", f"{name}.toml", "--key", f"{name}.sealing.key", "--json"]
        arguments += ["--keys", str(place.keys), "--out", "outbox"]
        for path in _shares(place, name):
            arguments += ["--payments", str(path)]
        started.append(children.start(name, place.party(name), arguments))
    return dict(zip(PARTIES, children.results(started, limit=_LIMIT, tell=tell), strict=True))


def values_in_clear(place: Place, payments: Payments) -> int:
    """Open what the gateway got from the edges and count the amounts and limits it could read.

    A share equals its value with probability 2^-64.
    """
    key = SealingKey.load(place.party("gateway") / "gateway.sealing.key")
    batch = load_batch(_shares(place, "gateway"), key=key, nodes=PARTIES)
    order = np.argsort(payments.routes.ids)
    readable = (batch.amount.view(np.int64) == payments.amount[order]).sum()
    return int(readable + (batch.limit.view(np.int64) == payments.limit[order]).sum())


def judge(place: Place, payments: Payments, reports: dict[str, dict[str, Any]]) -> Clearing:
    """Combine the shares as every participant would, and compare with the sums in clear.

    Raises
    ------
    InternalError
        A position differs by a minor unit or more, or a currency does not sum to zero.
    """
    expected = plaintext_positions(payments.amount, payments.limit, payments.routes)
    positions = {}
    for participant, net in expected.items():
        key = SealingKey.load(place.edges / f"{participant}.sealing.key")
        files = [place.party(n) / "outbox" / f"{participant}.{n}.sealed" for n in PARTIES]
        positions[participant] = read_position(files, key=key).net
        clear = dict(zip(payments.routes.currencies, net.tolist(), strict=True))
        if positions[participant] != clear:
            raise InternalError(f"the net position of {participant} differs from the plaintext one")
    for currency in payments.routes.currencies:
        if sum(net[currency] for net in positions.values()) != 0:
            raise InternalError(f"the net positions in {currency} do not sum to zero")
    declined = int(np.count_nonzero(payments.amount > payments.limit))
    return Clearing(len(payments.amount), declined, positions, reports)


def _shares(place: Place, node: str) -> list[Path]:
    return [place.edges / "outbox" / f"{edge}.{node}.sealed" for edge in (*ACQUIRERS, *WALLETS)]
