"""Functions of fixed-point shared arrays."""

from __future__ import annotations

from petcore.mpc.functions.contract import CONTRACTS, Contract
from petcore.mpc.functions.exponential import exp
from petcore.mpc.functions.logarithm import log
from petcore.mpc.functions.reciprocal import divide, reciprocal
from petcore.mpc.functions.roots import rsqrt, sqrt
from petcore.mpc.functions.sigmoid import sigmoid, tanh

__all__ = [
    "CONTRACTS",
    "Contract",
    "divide",
    "exp",
    "log",
    "reciprocal",
    "rsqrt",
    "sigmoid",
    "sqrt",
    "tanh",
]
