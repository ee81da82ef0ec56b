"""RiskModel: a linear model whose weights neither node knows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from petcore.errors import UsageError
from petcore.mpc import Session
from petcore.network.circuit.rows import FEATURES_MAX, Rows, Words

WEIGHT_BITS = 18
FEATURE_BITS = 12
"""Fraction bits of a feature as edges and nodes share it; a logit has both, 30."""


@dataclass(frozen=True, eq=False)
class RiskModel:
    """One node's shares of a logit's weights, uint64, and the public threshold.

    A row passes where ``features @ weights + intercept <= threshold``, exactly, as integers.

    Attributes
    ----------
    version
        Public; goes into the journal with every batch.
    weights
        Shape (k,), times 2^WEIGHT_BITS.
    intercept
        Shape (), times 2^(WEIGHT_BITS + FEATURE_BITS).
    threshold
        Public, times 2^(WEIGHT_BITS + FEATURE_BITS).
    """

    version: str
    weights: Words = field(repr=False)
    intercept: Words = field(repr=False)
    threshold: int

    def check(self, rows: Rows) -> None:
        """Refuse rows with another number of features; UsageError."""
        k = rows.features.shape[1]
        if self.weights.shape != (k,) or k > FEATURES_MAX:
            raise UsageError(
                f"rows have {k} features and model {self.version!r} has {self.weights.size}"
            )

    def margin(self, session: Session, features: Words) -> Words:
        """Return this node's share of threshold - logit per row, shape (n,). Rounds: 1."""
        x = session.from_shares(features[None])
        logit = session.to_shares(x @ session.from_shares(self.weights[None]))[0]
        public = np.uint64(self.threshold % 2**64 if session.party == 0 else 0)
        margin: Words = public - self.intercept - logit
        return margin
