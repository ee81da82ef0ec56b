"""Batches of requests in clear, good and bad, and how they are shared and run."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

import petcore as pc
from petcore.network.circuit import PAY, REFUND, Outcome, RiskModel, Rows, authorise
from petcore.network.circuit.rows import SHARES
from petcore.payments import share_for_nodes

MAX = 10**12


def words(values: Any) -> Any:
    """Give whole numbers, of any size, as words mod 2^64."""
    return np.array([int(v) % 2**64 for v in values], np.uint64)


def good(n: int, seed: int = 0, **columns: Any) -> Rows:
    """Make n payments that all hold."""
    random = np.random.default_rng(seed)
    seen = [int(v) for v in random.integers(1, 10**9, n)]
    num, den = int(random.integers(1, 1 << 22)), int(random.integers(1 << 18, 1 << 22))
    fee_num, fee_den = 125, 10_000
    debit = [-(-s * num // den) for s in seen]
    fee = [-(-s * fee_num // fee_den) for s in seen]
    given: dict[str, Any] = {
        "kind": np.full(n, PAY),
        "wallet": random.integers(0, 3, n),
        "fx_num": np.full(n, num),
        "fx_den": np.full(n, den),
        "fee_num": np.full(n, fee_num),
        "fee_den": np.full(n, fee_den),
        "amount": words(seen),
        "seen": words(seen),
        "debit": words(debit),
        "fee": words(fee),
        "available": words(d + int(random.integers(0, 1000)) for d in debit),
        "count_left": words(random.integers(1, 9, n)),
        "sum_left": words(d + int(random.integers(0, 1000)) for d in debit),
        "headroom": words([sum(debit)] * n),
    }
    names = [["purse", "kip"][w % 2] for w in given["wallet"]]
    return Rows.of([f"bank-{i % 3}" for i in range(n)], names, **{**given, **columns})


def refund(paid: int, before: int, now: int, num: int, den: int, **columns: Any) -> Rows:
    """Make one refund of a payment of which a part may be refunded already, at its own rate."""
    owed = [-(-s * num // den) for s in (before, before + now)]
    fees = [-(-s * 3 // 100) for s in (before, before + now)]
    given: dict[str, Any] = {
        "kind": [REFUND],
        "fx_num": [num],
        "fx_den": [den],
        "fee_num": [3],
        "fee_den": [100],
        "amount": words([now]),
        "seen": words([now]),
        "debit": words([owed[1] - owed[0]]),
        "fee": words([fees[1] - fees[0]]),
        "left": words([paid - before]),
        "fx_seen": words([before + now]),
        "fx_debit": words([owed[1]]),
        "fee_base": words([before + now]),
        "fee_sum": words([fees[1]]),
    }
    return Rows.of(["bank"], ["purse"], **{**given, **columns})


def changed(rows: Rows, row: int, **columns: int) -> Rows:
    """Give rows of which one has other values; what relates amounts follows them."""
    made: dict[str, Any] = {}
    for name, value in columns.items():
        made[name] = getattr(rows, name).copy()
        made[name][row] = value % 2**64 if name in SHARES else value
    follow = {"seen": ("fx_seen", "fee_base"), "debit": ("fx_debit",), "fee": ("fee_sum",)}
    for name, others in follow.items():
        made |= {other: made[name] for other in others if name in made and other not in made}
    return replace(rows, **made)


def split(rows: Rows) -> list[Rows]:
    """Share every secret column."""
    parts = {c.name: share_for_nodes(getattr(rows, c.name).view(np.int64)) for c in _secret(rows)}
    return [replace(rows, **{name: both[i] for name, both in parts.items()}) for i in range(2)]


def _secret(rows: Rows) -> list[Any]:
    return [c for c in fields(rows) if c.name in (*SHARES, "features")]


def split_model(model: RiskModel) -> list[RiskModel]:
    """Share the weights of a model."""
    weights = share_for_nodes(model.weights.view(np.int64))
    intercepts = share_for_nodes(model.intercept.view(np.int64))
    return [replace(model, weights=weights[i], intercept=intercepts[i]) for i in range(2)]


def together(outcomes: list[Outcome]) -> Outcome:
    """Add the shares of both nodes."""
    a, b = outcomes
    exported = {edge: a.exported[edge] + b.exported[edge] for edge in a.exported}
    return Outcome(
        a.decision + b.decision, a.seen + b.seen, a.debit + b.debit, a.fee + b.fee, exported
    )


def run(rows: Rows, model: RiskModel | None = None, **options: Any) -> Outcome:
    """Authorise on shares at two simulated nodes, and add up what they got."""
    shares = split(rows)
    models = [None, None] if model is None else split_model(model)

    def program(session: pc.Session) -> Outcome:
        return authorise(session, shares[session.party], models[session.party], **options)

    return together(pc.simulate(program))


def decisions(rows: Rows, model: RiskModel | None = None, **options: Any) -> list[int]:
    """Give the decisions of a batch, opened."""
    return [int(d) for d in run(rows, model, **options).decision]
