"""Which circuit a comparison runs on: a tree of gates, or keys of function secret sharing.

A tree takes rounds and few bytes, keys take one round and many bytes made ahead. The rule: of the
methods for which the session has correlations, the one whose predicted time is shortest,

    time = rounds * round_trip / 2 + bytes / LINK_BYTES_PER_SECOND + computing,

where bytes are those of the busier link: to the peer, or of the offline phase, which are none where
correlations come from a store. With a store the session has correlations for a method if all that
the method takes is in stock, beyond what operations of an open batch are going to take; if neither
method's are, the tree is taken, whose correlations every maker can make, and what the policy at zero
says happens. Without one, keys come from a dealer only. The round trip is what the first party
measured when the session began, in whole milliseconds; below one it counts as none, and bytes
decide. All that the rule looks at is public and the same at every party: sizes, widths, the round
trip, the stock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from petcore.errors import UsageError

if TYPE_CHECKING:
    from petcore.mpc.core import Core

METHODS = ("auto", "tree", "fss")
# What the rule assumes; deliberately not measured, so that every party has the same.
LINK_BYTES_PER_SECOND = 125e6
AES_BLOCKS_PER_SECOND = 300e6
TREE_ELEMENTS_PER_SECOND = 8e6


@dataclass(frozen=True)
class _Kind:
    """A kind of comparison: what the core calls it by either method.

    A tree is run ``trees`` times for an element, each over ``more_bits`` more; a key is of a form
    (csrc/correlation/keys.h), is read ``trees`` times too, and its tree leaves out ``spare`` bits.
    """

    tree: tuple[str, ...]
    fss: str
    form: int
    spare: int = 0
    trees: int = 1
    more_bits: int = 0


_KINDS = {
    "less": _Kind(("msb",), "fss_sign", 0, spare=1),
    "equal": _Kind(("equal_zero",), "fss_zero", 2),
    "between": _Kind(("msb",), "fss_interval", 1, trees=2, more_bits=1),
    "select": _Kind(("msb", "mul_bit"), "fss_select", 0, spare=1),
}


@dataclass(frozen=True)
class Alternative:
    """One method, and what it is predicted to take for the whole batch.

    ``offline_bytes`` is what all parties together receive in the offline phase. ``why_not`` says what
    the session lacks for it; empty where it lacks nothing.
    """

    method: str
    rounds: int
    bytes_sent: int
    offline_bytes: int
    seconds: float
    why_not: str = ""


@dataclass(frozen=True)
class Explanation:
    """Which method a comparison takes, and why; made by `Session.explain`, ``print`` shows it.

    Attributes
    ----------
    operation : {"less", "equal", "between", "select", "psi"}
        What is compared; "select" is a comparison and a choice by its result.
    elements, bits : int
        How many, and of how many bits; for "psi" ids at each party, and bits of their digests.
    round_trip : float
        Seconds, as the rule sees them.
    method : {"tree", "fss"}
        The one that is taken; for "psi" "rr22" or "ecdh".
    why : str
        Why, in a sentence.
    alternatives : tuple of Alternative
        Every method with its predicted cost.
    """

    operation: str
    elements: int
    bits: int
    round_trip: float
    method: str
    why: str
    alternatives: tuple[Alternative, ...]

    def __str__(self) -> str:
        """Give a line for the choice and one for each alternative."""
        lines = [
            f"{self.operation} of {self.elements:,} elements in {self.bits} bits: {self.method}, "
            f"since {self.why}"
        ]
        for a in self.alternatives:
            cost = f"{_rounds(a)}, {a.bytes_sent:,} bytes sent, {a.offline_bytes:,} offline"
            lines.append(f"  {a.method:5}{a.why_not or f'{cost}, about {a.seconds * 1e3:.3g} ms'}")
        return "\n".join(lines)


def _rounds(a: Alternative) -> str:
    return f"{a.rounds} round{'' if a.rounds == 1 else 's'}"


class ComparisonChoice:
    """The part of a session that chooses how to compare."""

    _core: Core
    _comparison: str = "auto"

    def agree(self, what: str) -> None:
        """Return where every party says the same."""
        raise NotImplementedError

    @property
    def comparison(self) -> str:
        """How numbers are compared: "auto", by the rule of `explain`, or always "tree" or "fss".

        Set by every party alike, as `frac_bits`; ``method=`` of a comparison goes before it.
        """
        return self._comparison

    @comparison.setter
    def comparison(self, value: str) -> None:
        method = _checked(value)
        self.agree(f"comparison {method}")
        self._comparison = method

    @property
    def round_trip(self) -> float:
        """Seconds of a round trip to the peer: the first party's measurement, in whole ms."""
        return float(self._core.round_trip)

    def explain(self, operation: str, n: int, *, bits: int = 64) -> Explanation:
        """Tell how a comparison or an intersection would be made, and why; nothing is sent.

        Parameters
        ----------
        operation : {"less", "equal", "between", "select", "psi"}
            What is compared; "select" is a comparison and a choice by its result. "psi" is
            `Session.psi` for both parties to learn which ids are in common.
        n : int
            Number of elements; of ids at each party.
        bits : int
            As promised to the comparison, 2 to 64; not for "psi".

        Raises
        ------
        UsageError
            For another operation, fewer than one element or bits out of bounds.

        Examples
        --------
        >>> import petcore as pc
        >>> pc.simulate(lambda session: session.explain("less", 1000, bits=40).method)[0]
        'tree'
        >>> pc.simulate(lambda session: session.explain("psi", 1000).method)[0]
        'rr22'
        """
        if operation == "psi":
            from petcore.mpc.psi_choice import explain_psi

            return explain_psi(self._core, n)
        return _explain(self._core, operation, n, bits)

    def _method(self, operation: str, n: int, bits: int, asked: str | None) -> str:
        """Give "tree" or "fss" for a comparison, or what is asked for."""
        method = self._comparison if asked is None else _checked(asked)
        if method != "auto":
            return method
        if n == 0 or (self._core.round_trip == 0 and self._core.deals_keys):
            return "tree"  # its bytes are fewer, and where rounds take no time they decide
        return _explain(self._core, operation, n, bits).method


def _checked(method: str) -> str:
    if method not in METHODS:
        raise UsageError(f"a comparison's method is one of {', '.join(METHODS)}, not {method!r}")
    return method


def _missing(core: Core, calls: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    """Say what of all that these operations take is not in stock; empty without a store."""
    stock = core.stock()
    if stock is None:
        return ""
    have = {pool["pool"]: int(pool["units"]) for pool in stock["pools"]}
    wanted: Counter[str] = Counter()
    for name, sizes in calls:
        for pool, units in core.takes(name, *sizes):
            wanted[pool] += units
    short = [
        f"{have.get(pool, 0):,} of the {units:,} units of {pool} are in stock"
        for pool, units in sorted(wanted.items())
        if have.get(pool, 0) < units
    ]
    return ", ".join(short)


def _explain(core: Core, operation: str, n: int, bits: int) -> Explanation:
    if operation not in _KINDS:
        raise UsageError(f"explain() knows {', '.join(_KINDS)} and psi, not {operation!r}")
    if n < 1 or not 2 <= bits <= 64:
        raise UsageError("explain() takes one or more elements of 2 to 64 bits")
    kind, n = _KINDS[operation], int(n)
    tree, fss = _tree(core, kind, n, bits), _fss(core, kind, n, bits)
    if fss.why_not:
        method, why = "tree", " and ".join(a.why_not for a in (fss, tree) if a.why_not)
    elif tree.why_not:
        method, why = "fss", tree.why_not
    else:
        taken, left = sorted((tree, fss), key=lambda a: a.seconds)
        method = taken.method
        why = (
            f"{_rounds(taken)} and {taken.bytes_sent + taken.offline_bytes:,} bytes take less "
            f"time than {_rounds(left)} and {left.bytes_sent + left.offline_bytes:,}, at a round "
            f"trip of {core.round_trip * 1e3:.0f} ms"
        )
    return Explanation(operation, n, bits, core.round_trip, method, why, (tree, fss))


def _tree(core: Core, kind: _Kind, n: int, bits: int) -> Alternative:
    calls: list[tuple[str, tuple[int, ...]]] = [
        (kind.tree[0], (n * kind.trees, min(64, bits + kind.more_bits)))
    ]
    calls += [(name, (n,)) for name in kind.tree[1:]]
    return _predict(core, "tree", calls, n * kind.trees / TREE_ELEMENTS_PER_SECOND)


def _fss(core: Core, kind: _Kind, n: int, bits: int) -> Alternative:
    if not core.deals_keys and core.stock() is None:
        none = "keys come from a dealer, and there is none"
        return Alternative("fss", 0, 0, 0, 0.0, none)
    blocks = 2 * kind.trees * max(1, bits - kind.spare - 6)  # of AES, see csrc/fss/tree.h
    return _predict(core, "fss", [(kind.fss, (n, bits))], n * blocks / AES_BLOCKS_PER_SECOND)


def _predict(
    core: Core, method: str, calls: Sequence[tuple[str, tuple[int, ...]]], computing: float
) -> Alternative:
    missing = "" if core.deals_keys else _missing(core, calls)
    costs = [core.declared(name, *sizes) for name, sizes in calls]
    rounds, sent, offline = (
        sum(int(cost[key]) for cost in costs) for key in ("rounds", "bytes", "offline_bytes")
    )
    busier = max(sent, offline)
    seconds = rounds * core.round_trip / 2 + busier / LINK_BYTES_PER_SECOND + computing
    return Alternative(method, rounds, sent, offline, seconds, missing)
