"""estimate: what a program will cost, from the declared cost of every operation, without running it.

The program runs on a core that has no peers: shares are zeros, openings give zeros, and every
operation adds what the protocol declares for it. Nothing is disclosed, logged or sent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.core import Core
from petcore.mpc.cost import Cost
from petcore.mpc.disclosure import Disclosure
from petcore.mpc.extension import core_transfers
from petcore.mpc.fixed import FRAC_BITS_DEFAULT, Plain
from petcore.mpc.metadata import Metadata
from petcore.mpc.operations import OPERATIONS, Operation
from petcore.mpc.profile import Profile, outside_regions
from petcore.mpc.session import Session
from petcore.transfers import Transfers

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

_DTYPES = ("int64", "fixed", "bool")


class Estimate:
    """What a program will cost at one party; made by `petcore.estimate` and `Session.estimate`.

    Attributes
    ----------
    cost : Cost
        Rounds, bytes and correlations exactly as `Session.measure` will find them; seconds are 0.
        ``offline_bytes`` is what all parties together receive in the offline phase.
    profile : Profile
        The same by operation and by region, without times; ``print(estimate)`` shows it.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @property
    def cost(self) -> Cost:
        """What the program will use."""
        return self.profile.cost

    def seconds(self, *, round_trip: float, bandwidth: float) -> float:
        """Predict the time on the links: a round trip per round, and the bytes one after the other.

        Parameters
        ----------
        round_trip : float
            Seconds from a message to its answer, of the slowest link.
        bandwidth : float
            Bits per second, of each link and each way.

        Computing comes on top; where a round's bytes are many it overlaps with them.
        """
        if not round_trip >= 0 or not bandwidth > 0:
            raise UsageError("a link has a round_trip of 0 s or more and a bandwidth above 0 bit/s")
        cost = self.cost
        most = max(cost.bytes_sent, cost.bytes_received, cost.offline_bytes)
        return cost.rounds * round_trip + 8 * most / bandwidth

    def table(self) -> str:
        """Give the totals as plain text: by operation, then by region."""
        return self.profile.table()

    __str__ = table

    def __repr__(self) -> str:
        """Show the cost."""
        return f"Estimate({self.cost!r})"


def estimate(
    program: Callable[..., Any],
    *arguments: Any,
    party: int = 0,
    correlations: str = "dealer",
    transfers: Transfers | None = None,
    inputs: Iterable[Any] = (),
    opened: Mapping[str, Any] | None = None,
    round_trip: float = 0.0,
    **named: Any,
) -> Estimate:
    """Predict what ``program(session, *arguments, **named)`` will cost; needs no data and no network.

    Parameters
    ----------
    program : callable
        Called once, at one party.
    *arguments, **named
        A pair ``(shape, dtype)``, as in ``x=((1000, 3), "fixed")``, or a triple with frac_bits,
        becomes a shared array; everything else is passed on as it is.
    party : int
        Whose cost to predict.
    correlations : {"dealer", "ot"}
        Where they come from: rounds and bytes of some operations depend on it too.
    transfers : Transfers, optional
        How oblivious transfers are extended, with ``correlations="ot"``.
    inputs : iterable of pairs or triples
        For programs that call `Session.input`: what the other parties input there, in order.
    opened : mapping of str to array_like, optional
        What openings give, by label, for programs that go on from it; zeros where left out.
    round_trip : float
        Seconds between the parties, which decide how numbers are compared (`Session.explain`).

    Returns
    -------
    Estimate
        Exact in rounds, bytes and correlations, since every operation declares them.

    Raises
    ------
    UsageError
        Where a shape or dtype is none, or an input of another party is not described.

    Examples
    --------
    >>> import petcore as pc
    >>> def program(session, x, y):
    ...     return session.open((x * y).sum(), label="revenue")
    >>> e = pc.estimate(program, x=((1000,), "int64"), y=((1000,), "int64"))
    >>> e.cost.rounds, e.cost.bytes_sent, e.cost.correlations
    (2, 16008, {'multiplication': 1000})
    >>> e.seconds(round_trip=0.02, bandwidth=100e6)
    0.04128064
    """
    plan = Plan(
        "semi2k",
        ("party0", "party1"),
        party,
        round_trip=round_trip,
        correlations=correlations,
        transfers=core_transfers(transfers),
    )
    return plan.run(program, arguments, named, inputs, opened)


def estimate_like(
    session: Session,
    program: Callable[..., Any],
    *arguments: Any,
    inputs: Iterable[Any] = (),
    opened: Mapping[str, Any] | None = None,
    **named: Any,
) -> Estimate:
    """Predict for a session that is up; see `Session.estimate`."""
    core = session._core
    plan = Plan(
        core.protocol,
        session.names,
        session.party,
        session.frac_bits,
        session.truncation,
        session.comparison,
        session.round_trip,
        core.correlations,
        core.transfers,
    )
    return plan.run(program, arguments, named, inputs, opened)


@dataclass(frozen=True)
class Plan:
    """A session to imitate: its protocol, its parties, this party, and its settings."""

    protocol: str
    names: tuple[str, ...]
    party: int
    frac_bits: int = FRAC_BITS_DEFAULT
    truncation: str = "probabilistic"
    comparison: str = "auto"
    round_trip: float = 0.0
    correlations: str = "dealer"
    transfers: Any = None

    def run(
        self,
        program: Callable[..., Any],
        arguments: Sequence[Any],
        named: Mapping[str, Any],
        inputs: Iterable[Any],
        opened: Mapping[str, Any] | None,
    ) -> Estimate:
        """Run a program; see `estimate`."""
        if self.party not in range(len(self.names)):
            raise UsageError(f"party={self.party!r} is none of 0 to {len(self.names) - 1}")
        source = {"correlations": self.correlations, "transfers": self.transfers}
        core = _DryCore(self.protocol, self.names, self.party, iter(inputs), source)
        core.round_trip = self.round_trip
        session = _DrySession(cast(Core, core), opened or {})
        session._frac_bits, session._truncation = self.frac_bits, self.truncation
        session._comparison = self.comparison
        with session, session.profile() as profile:
            shared = [_shared(session, value) for value in arguments]
            others = {name: _shared(session, value) for name, value in named.items()}
            copy_context().run(
                outside_regions, functools.partial(program, session, *shared, **others)
            )
        profile._forget_time()
        return Estimate(profile)


class _NoSink:
    def record(self, d: Disclosure) -> None:
        """Nothing is disclosed."""


class _DrySession(Session):
    def __init__(self, core: Core, opened: Mapping[str, Any]) -> None:
        super().__init__(core, sink=_NoSink(), correlations="none (an estimate)")
        self._opened = {label: np.asarray(value) for label, value in opened.items()}

    def open(self, x: Any, *, label: str, purpose: str = "", agreement: str = "") -> Plain:
        value = super().open(x, label=label, purpose=purpose, agreement=agreement)
        return self._given(label, value)

    def reveal(
        self, x: Any, *, to: int | str, label: str, purpose: str = "", agreement: str = ""
    ) -> Plain | None:
        value = super().reveal(x, to=to, label=label, purpose=purpose, agreement=agreement)
        return None if value is None else self._given(label, value)

    def _given(self, label: str, value: Plain) -> Plain:
        given = self._opened.get(label, value)
        if given.shape != value.shape:
            raise UsageError(
                f"opened[{label!r}] has shape {given.shape}, but {value.shape} is opened there"
            )
        return given.astype(value.dtype, copy=False)


@dataclass(frozen=True)
class _DryMasked:
    rows: int
    columns: int


class _DryCore:
    """Answers every operation with zeros and adds up what the protocol declares for it."""

    components = 1
    round_trip = 0.0

    def __init__(
        self,
        protocol: str,
        names: Sequence[str],
        party: int,
        inputs: Iterator[Any],
        source: dict[str, Any],
    ) -> None:
        from petcore import _core

        self.correlations, self.transfers = source["correlations"], source.get("transfers")
        self.protocol, self.names, self.party = protocol, list(names), party
        self.parties = len(names)
        self.step = 0
        self._declared: Callable[..., dict[str, Any]] = functools.partial(
            _core.declared, protocol, **source
        )
        self.deals_keys = self.correlations == "dealer"
        self._inputs = inputs
        self._cost = Cost()
        self._transfers: set[bool] = set()  # directions whose base OTs have run
        for name, operation in OPERATIONS.items():
            if not hasattr(self, name):
                setattr(self, name, functools.partial(self._imitate, name, operation))

    def _imitate(self, name: str, operation: Operation, *args: Any) -> Any:
        if operation.kind == "local":
            return args[0].reshape(-1)
        op, sizes = operation.charge(name, args, self.components)
        takes = operation.kind == "reveal" and args[operation.arrays] == self.party
        gives = operation.kind == "reveal" and not takes
        self._add(op, sizes, sends=not takes, receives=not gives)
        return None if gives else operation.zeros(args, sizes, self.components)

    def _add(
        self, op: str, sizes: Sequence[int], *, sends: bool = True, receives: bool = True
    ) -> None:
        cost = self._declared(op, *sizes)
        self.step += 1
        sent = cost["bytes"]
        self._cost._accumulate(
            Cost(
                cost["rounds"],
                sent if sends else 0,
                sent if receives else 0,
                cost["offline_bytes"],
                cost["correlations"],
            )
        )

    def input(self, owner: int, values: Any, meta: bytes) -> tuple[Any, bytes]:
        if values is None:
            spec = next(self._inputs, None)
            if spec is None:
                raise UsageError(
                    f"the program inputs values of {self.names[owner]} that are not described; add "
                    "them, in order, as in inputs=[((1000,), 'fixed')]"
                )
            told = _described(spec, FRAC_BITS_DEFAULT)
            n, meta = max(1, int(np.prod(told.shape, dtype=np.int64))), told.pack()
        else:
            n = values.size
        self._add("input", [n])
        return np.zeros(n, np.uint64), meta

    def checkpoint(self, label: str) -> None:
        self.step += 1
        self._cost.rounds += 1

    def bind_next(self, text: str) -> None:
        pass

    def common_key(self, purpose: str) -> bytes:
        return bytes(16)

    threads = 1

    def psi_key(self) -> bytes:
        return bytes(16)

    def tell(self, label: str, numbers: Any) -> Any:
        """Have the peer tell the same: it brings as many ids."""
        self.step += 1
        self._cost._accumulate(Cost(1, numbers.nbytes, numbers.nbytes))
        return numbers

    def intersect(
        self,
        digests: Any,
        theirs: int,
        to: int | None,
        method: str,
        label: str,
        runs: int,
        cardinality: bool,
        progress: Any,
    ) -> Any:
        """Find nothing in common."""
        from petcore import _core

        mine, other = to in (None, self.party), to != self.party
        receives = self.party == (0 if to is None else to)
        first = method == "rr22" and receives not in self._transfers
        if method == "rr22":
            self._transfers.add(receives)
        cost = _core.psi_cost(method, len(digests), theirs, mine, other, receives, runs, first)
        self.step += 1
        self._cost._accumulate(Cost(cost["rounds"], cost["bytes"], cost["bytes_received"]))
        return (0, np.empty(0, np.uint64)) if mine else None

    def intersect_shares(
        self,
        digests: Any,
        theirs: int,
        receiver: int,
        num_columns: int,
        columns: Any,
        label: str,
    ) -> Any:
        """Find nothing in common."""
        from petcore import _core

        receives, own = self.party == receiver, len(digests)
        first = receives not in self._transfers
        self._transfers.add(receives)
        sizes = (own, theirs) if receives else (theirs, own)
        cost = _core.circuit_cost(*sizes, num_columns, receives, first)
        self.step += 1
        self._cost._accumulate(Cost(cost["rounds"], cost["bytes"], cost["bytes_received"]))
        bins = _core.circuit_bins(sizes[0])
        nobody = np.full(bins if receives else 0, 2**64 - 1, np.uint64)
        return np.zeros(bins, np.uint64), np.zeros(bins * num_columns, np.uint64), nobody

    def ahead(self, bytes: int) -> None:
        self.checkpoint("ahead")

    def mask(self, x: Any, rows: int, columns: int) -> _DryMasked:
        self._add("mask", [rows, columns])
        return _DryMasked(rows, columns)

    def stock(self) -> dict[str, Any] | None:
        return None

    def cost(self) -> dict[str, Any]:
        cost = self._cost
        return {
            "rounds": cost.rounds,
            "bytes": cost.bytes_sent,
            "bytes_received": cost.bytes_received,
            "offline_bytes": cost.offline_bytes,
            "correlations": dict(cost.correlations),
            "links": {},
            "dealer": {},
        }

    def declared(self, op: str, *dims: int) -> dict[str, Any]:
        return self._declared(op, *dims)

    def fail(self, code: str, text: str) -> None:
        pass

    def close(self) -> None:
        pass


def _shared(session: Session, value: Any) -> Any:
    if not _is_description(value):
        return value
    told = _described(value, session.frac_bits)
    frac_bits = told.frac_bits if told.dtype == "fixed" else None
    array: SharedArray = session.zeros(told.shape, told.dtype, frac_bits=frac_bits)
    return array


def _is_description(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) in (2, 3)
        and isinstance(value[0], tuple)
        and isinstance(value[1], str)
    )


def _described(value: Any, frac_bits: int) -> Metadata:
    """Read (shape, dtype) or (shape, dtype, frac_bits)."""
    if not _is_description(value):
        raise UsageError(f"describe an array as ((1000, 3), 'fixed'), not as {value!r}")
    shape, dtype, *scale = value
    whole = all(isinstance(n, (int, np.integer)) and n >= 0 for n in shape)
    if not whole or dtype not in _DTYPES or (scale and dtype != "fixed"):
        raise UsageError(
            f"{value!r} describes no array: a shape of whole numbers, then one of "
            f"{', '.join(_DTYPES)}, and frac_bits for fixed"
        )
    bits = (scale[0] if scale else frac_bits) if dtype == "fixed" else 0
    return Metadata(tuple(int(n) for n in shape), dtype, bits)
