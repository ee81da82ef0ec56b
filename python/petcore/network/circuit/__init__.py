"""The batched circuit: decide many payments at once, on shares, without learning one of them."""

from __future__ import annotations

from petcore.network.circuit.authorise import Outcome, authorise
from petcore.network.circuit.features import FEATURE_BITS, FeatureScale
from petcore.network.circuit.plain import plain_authorise
from petcore.network.circuit.risk import RiskModel
from petcore.network.circuit.rows import CONSULT, PADDING, PAY, REFUND, Rows, size_class

__all__ = [
    "CONSULT",
    "FEATURE_BITS",
    "PADDING",
    "PAY",
    "REFUND",
    "FeatureScale",
    "Outcome",
    "RiskModel",
    "Rows",
    "authorise",
    "plain_authorise",
    "size_class",
]
