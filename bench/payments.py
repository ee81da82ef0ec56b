"""Batches of payments through the network's circuit, beside the same in clear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from petcore.network.circuit import Rows, authorise, plain_authorise

from . import data

NAMES = ("a1", "a2", "w1", "w2")
RATE, FEE = (1131, 1000), (125, 10_000)
COLUMNS = (
    "amount",
    "seen",
    "debit",
    "fee",
    "available",
    "count_left",
    "sum_left",
    "headroom",
)


def batch(n: int) -> data.Arrays:
    """What acquirers and wallets share of n payments, one in four above its balance."""
    rng = np.random.default_rng(n)
    amount = rng.integers(1, 10**7, n)
    debit, fee = (-(-amount * num // den) for num, den in (RATE, FEE))
    available = debit + np.where(rng.random(n) < 1 / 4, -1, 1000)
    rest = (np.ones(n, np.int64), np.full(n, 10**9), np.full(n, 10**15))
    return (np.stack([amount, amount, debit, fee, available, *rest]),)


def rows(columns: Any) -> Rows:
    """Give words (8, n) the form of a batch of two wallets and two acquirers."""
    n = columns.shape[1]
    numbers = np.arange(n)
    return Rows.coded(
        NAMES,
        numbers % 2,
        2 + numbers // 2 % 2,
        wallet=numbers // 2 % 2,
        **{
            name: np.full(n, number)
            for name, number in zip(
                ("fx_num", "fx_den", "fee_num", "fee_den"), (*RATE, *FEE), strict=True
            )
        },
        **dict(zip(COLUMNS, columns, strict=True)),
    )


def authorised(method: str) -> Callable[[Any], Any]:
    """Decide them on shares, with the records of what each edge learns."""

    def run(columns: Any) -> Any:
        session = columns.session
        own = rows(session.to_shares(columns)[0])
        return session.from_shares(authorise(session, own, method=method).decision[None])

    return run


def in_clear(columns: Any) -> Any:
    """Decide them in clear."""
    return plain_authorise(rows(columns.view(np.uint64))).decision
