"""A batch decided in clear by two nodes: what the same network costs without privacy.

Both nodes open everything to each other, under a label that the disclosure log shows, and compute on
the values. For measuring only: `petcore.network.node.config` refuses it elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from petcore.mpc import Session
from petcore.network.circuit.authorise import Outcome
from petcore.network.circuit.plain import plain_authorise
from petcore.network.circuit.risk import RiskModel
from petcore.network.circuit.rows import SHARES, Rows, Words

LABEL = "a whole batch of payments, in clear"


def clear_authorise(
    session: Session, rows: Rows, model: RiskModel | None = None, *, batch: str = ""
) -> Outcome:
    """Decide a batch as `authorise` does, with everything opened; same outcome, shared trivially.

    Rounds: 1 · Leaks: everything, to both nodes.
    """
    columns = [getattr(rows, name) for name in SHARES] + list(rows.features.T)
    if model is not None:
        columns.append(np.append(model.weights, model.intercept))
    session.agree(f"batch {batch!r} of rows {rows.digest()} in clear", wait=False)
    width = max(map(len, columns))
    table = np.stack([np.pad(column, (0, width - len(column))) for column in columns])
    opened = np.asarray(
        session.open(session.from_shares(table[None]), label=LABEL, purpose="measuring"), np.int64
    ).view(np.uint64)
    values: dict[str, Any] = {name: opened[i, : len(rows)].copy() for i, name in enumerate(SHARES)}
    k = rows.features.shape[1]
    features = opened[len(SHARES) : len(SHARES) + k, : len(rows)].T.copy()
    known = replace(rows, **values, features=features)
    if model is not None:
        weights = opened[-1]
        model = replace(model, weights=weights[:k].copy(), intercept=weights[k].copy())
    outcome = plain_authorise(known, model)
    return outcome if session.party == 0 else _nothing(outcome)


def _nothing(outcome: Outcome) -> Outcome:
    """Return the second node's share of values that the first has whole."""

    def zeros(words: Words) -> Words:
        return np.zeros_like(words)

    return Outcome(
        zeros(outcome.decision),
        zeros(outcome.seen),
        zeros(outcome.debit),
        zeros(outcome.fee),
        {edge: zeros(words) for edge, words in outcome.exported.items()},
    )
