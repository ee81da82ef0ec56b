"""Computing on shares: sessions, shared arrays, and what they disclose and cost."""

from __future__ import annotations

from petcore.mpc.arithmetic import multiply
from petcore.mpc.choice import Explanation
from petcore.mpc.comparison import (
    between,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    not_equal,
    where,
    where_less,
)
from petcore.mpc.cost import Cost
from petcore.mpc.disclosure import Disclosure, DisclosureSink, MemorySink
from petcore.mpc.estimation import Estimate, estimate
from petcore.mpc.masked import MaskedMatrix
from petcore.mpc.products import matmul
from petcore.mpc.profile import Profile
from petcore.mpc.psi import Intersection
from petcore.mpc.psi_shares import SharedIntersection
from petcore.mpc.session import Session
from petcore.mpc.shaping import concatenate, stack
from petcore.mpc.shared_array import SharedArray
from petcore.mpc.simulation import simulate

__all__ = [
    "Cost",
    "Disclosure",
    "DisclosureSink",
    "Estimate",
    "Explanation",
    "Intersection",
    "MaskedMatrix",
    "MemorySink",
    "Profile",
    "Session",
    "SharedArray",
    "SharedIntersection",
    "between",
    "concatenate",
    "equal",
    "estimate",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "not_equal",
    "simulate",
    "stack",
    "where",
    "where_less",
]
