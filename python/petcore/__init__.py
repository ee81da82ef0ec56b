"""petcore: secure multi-party computation for payments and joint training.

Names are loaded when first used; importing the package does nothing else.

Examples
--------
>>> import numpy as np, petcore as pc
>>> def program(session):                                   # the same function runs at every party
...     salary = session.input(np.array([5200, 4100]) if session.party == 0 else None, owner=0)
...     rent = session.input(np.array([1900, 2300]) if session.party == 1 else None, owner=1)
...     return session.open((rent * 3 > salary), label="cannot afford the rent")
>>> pc.simulate(program, parties=2)
[array([ True,  True]), array([ True,  True])]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from petcore import datasets, errors, oprf, payments, pseudonyms, random, training
    from petcore.connecting import connect, run_dealer
    from petcore.errors import PetcoreError
    from petcore.mpc import (
        Cost,
        Disclosure,
        DisclosureSink,
        Estimate,
        Explanation,
        Intersection,
        MaskedMatrix,
        MemorySink,
        Profile,
        Session,
        SharedArray,
        SharedIntersection,
        between,
        concatenate,
        equal,
        estimate,
        functions,
        greater,
        greater_equal,
        less,
        less_equal,
        matmul,
        maximum,
        minimum,
        multiply,
        not_equal,
        simulate,
        stack,
        where,
        where_less,
    )
    from petcore.transfers import Transfers
    from petcore.trust import DisclosureLog, Identity, make_identity

    __version__: str

_HOMES = {
    "petcore.mpc": (
        *("Cost", "Disclosure", "DisclosureSink", "Estimate", "Explanation", "MaskedMatrix"),
        *("Intersection", "MemorySink"),
        *(
            "Profile",
            "Session",
            "SharedArray",
            "SharedIntersection",
            "between",
            "concatenate",
            "equal",
            "estimate",
            "greater",
        ),
        *("greater_equal", "less", "less_equal", "matmul", "maximum", "minimum", "multiply"),
        *("not_equal", "simulate", "stack", "where", "where_less"),
    ),
    "petcore.errors": ("PetcoreError",),
    "petcore.connecting": ("connect", "run_dealer"),
    "petcore.transfers": ("Transfers",),
    "petcore.trust": ("DisclosureLog", "Identity", "make_identity"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = {
    "datasets": "petcore.datasets",
    "errors": "petcore.errors",
    "functions": "petcore.mpc.functions",
    "oprf": "petcore.oprf",
    "payments": "petcore.payments",
    "pseudonyms": "petcore.pseudonyms",
    "random": "petcore.random",
    "training": "petcore.training",
}

__all__ = [
    "Cost",
    "Disclosure",
    "DisclosureLog",
    "DisclosureSink",
    "Estimate",
    "Explanation",
    "Identity",
    "Intersection",
    "MaskedMatrix",
    "MemorySink",
    "PetcoreError",
    "Profile",
    "Session",
    "SharedArray",
    "SharedIntersection",
    "Transfers",
    "between",
    "concatenate",
    "connect",
    "datasets",
    "equal",
    "errors",
    "estimate",
    "functions",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "make_identity",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "not_equal",
    "oprf",
    "payments",
    "pseudonyms",
    "random",
    "run_dealer",
    "simulate",
    "stack",
    "training",
    "where",
    "where_less",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("petcore")
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'petcore' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
