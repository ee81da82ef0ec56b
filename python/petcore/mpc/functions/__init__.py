"""Functions of fixed-point shared arrays, each with a stated domain and error.

Every function takes a fixed `SharedArray` of 16 to 24 fraction bits and gives one of the same shape
and scale. With f fraction bits and u = 2^-f:

========== ================================= ==================== ====== =====
function   domain                            error at most        rounds bytes
========== ================================= ==================== ====== =====
sigmoid    abs(x) < 2^(59-f)                 2e-4 + 2 u                5    18
tanh       abs(x) < 2^(59-f)                 4e-4 + 2 u                5    18
exp        -2^(40-f) <= x <= 26              1e-5 exp(x) + 2 u         5    29
log        u <= x < 2^(48-f)                 1e-5 + 2 u               11    56
sqrt       0 <= x < 2^(48-f)                 1e-5 sqrt(x) + 2 u       12    72
rsqrt      u <= x < 2^(48-f)                 2e-5 / sqrt(x) + 2 u     12    72
reciprocal max(2 u, 2^(f-35)) <= abs(x),     4e-5 / abs(x) + 2 u      13    90
           abs(x) < 2^(48-f)
divide     2 u <= abs(y) < 2^(44-f),         5e-5 abs(x / y) + 2 u    24   257
           abs(x / y) <= min(2^17, 2^(37-f))
========== ================================= ==================== ====== =====

Bytes are what each party sends for an element; the dealer sends 1.2 to 6.7 times as much to one
of them (`CONTRACTS` has both, as data). Rounds hold for up to 2^13 elements; beyond, sigmoid and
tanh take one more, and longer arrays than 2^20 (divide 2^18) go in blocks. Each but divide is one
operation of the core.

Nobody can see that an input lies outside its domain, for that would leak; each docstring says what
comes out then. Truncation within the functions is probabilistic, whatever the session's choice: no
function of a real is for money.
"""

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
