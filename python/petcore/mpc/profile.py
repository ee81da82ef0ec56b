"""Profile: where the time, rounds, bytes and correlations of a stretch of a session went."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from petcore.errors import UsageError
from petcore.mpc import profile_table, trace
from petcore.mpc.core import Core
from petcore.mpc.cost import Cost
from petcore.mpc.operations import OPERATIONS, Operation

RECORDS_MAX = 1 << 18
NAME_LENGTH_MAX = 256

Path_ = tuple[str, ...]
_PATH: ContextVar[Path_] = ContextVar("petcore_region", default=())


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the core.

    Attributes
    ----------
    name : str
        The core's word for it, such as "mul".
    sizes : tuple of int
        Elements (and parameters that are whole numbers), or the sizes of a matrix product.
    elements : int
        Of its result.
    region : tuple of str
        The regions around it, outermost first.
    start : float
        Seconds since the profile began.
    cost : Cost
        What it used, its seconds included.
    declared : str
        What `Session.estimate` and a plan for a store call it.
    """

    name: str
    sizes: tuple[int, ...]
    elements: int
    region: Path_
    start: float
    cost: Cost
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """One passage through a named region: the regions around it and itself, start and seconds."""

    region: Path_
    start: float
    seconds: float


@dataclass(slots=True)
class Total:
    """What calls of one kind add up to."""

    calls: int = 0
    elements: int = 0
    cost: Cost = field(default_factory=Cost)


class Profile:
    """What a stretch of a session did, by operation and by region; made by `Session.profile`.

    ``print(profile)`` shows it as a table, `save_trace` writes it for https://ui.perfetto.dev or
    chrome://tracing.

    Attributes
    ----------
    calls : list of Call
        Every operation, in order; of very many the first 2^18, which the totals do not mind.
    spans : list of Span
        Every passage through a region, as they ended; limited likewise.
    operations : dict of str to Total
        By the operation's name.
    regions : dict of tuple to Total
        By path; a region contains those inside it.
    cost : Cost
        Of the whole stretch; its seconds are filled in at the end.
    """

    def __init__(self, party: int, name: str) -> None:
        self.party, self.name = party, name
        self.calls: list[Call] = []
        self.spans: list[Span] = []
        self.operations: dict[str, Total] = {}
        self.regions: dict[Path_, Total] = {}
        self.cost = Cost()
        self.began = time.time()
        self._began = time.perf_counter()

    def table(self) -> str:
        """Give the totals as plain text: by operation, then by region, the longest first."""
        return profile_table.table(self)

    __str__ = table

    def __repr__(self) -> str:
        """Show what is in it, in one line."""
        return f"Profile(party={self.name}, {len(self.operations)} operations, {self.cost!r})"

    def save_trace(self, path: str | Path) -> None:
        """Write a trace (Chrome's Trace Event format, JSON) with one track for each of both kinds.

        The traces of several parties can be loaded together: the process number is the party's, and
        times are those of the wall clock.
        """
        Path(path).write_text(trace.trace(self), encoding="utf-8")

    def _record(self, call: Call) -> None:
        if len(self.calls) < RECORDS_MAX:
            self.calls.append(call)
        total = self.operations.setdefault(call.name, Total())
        total.calls += 1
        total.elements += call.elements
        total.cost._accumulate(call.cost)
        total.cost.seconds += call.cost.seconds
        self.cost._accumulate(call.cost)
        for depth in range(1, len(call.region) + 1):
            self.regions.setdefault(call.region[:depth], Total()).cost._accumulate(call.cost)

    def _passed(self, span: Span) -> None:
        if len(self.spans) < RECORDS_MAX:
            self.spans.append(span)
        total = self.regions.setdefault(span.region, Total())
        total.calls += 1
        total.cost.seconds += span.seconds

    def _clock(self) -> float:
        return time.perf_counter() - self._began

    def _forget_time(self) -> None:
        """Keep what was used only: nothing was really done."""
        self.calls = [
            replace(call, start=0.0, cost=replace(call.cost, seconds=0.0)) for call in self.calls
        ]
        self.spans = []
        for total in (*self.operations.values(), *self.regions.values()):
            total.cost.seconds = 0.0
        self.cost.seconds = 0.0

    def _end(self) -> None:
        self.cost.seconds = self._clock()


class Region:
    """A named stretch of a profile, as a context manager."""

    __slots__ = ("_name", "_profile", "_start", "_token")

    def __init__(self, profile: Profile, name: str) -> None:
        text: object = name
        if not isinstance(text, str) or not text.strip() or len(text) > NAME_LENGTH_MAX:
            raise UsageError(
                f"a region's name is text of at most {NAME_LENGTH_MAX} characters, not {name!r}"
            )
        self._profile, self._name = profile, name

    def __enter__(self) -> None:
        """Enter the region."""
        self._token: Token[Path_] = _PATH.set((*_PATH.get(), self._name))
        self._start = self._profile._clock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the region."""
        seconds = self._profile._clock() - self._start
        self._profile._passed(Span(_PATH.get(), self._start, seconds))
        _PATH.reset(self._token)


def outside_regions(work: Callable[[], Any]) -> Any:
    """Run work as if no region was around it; for a context of its own."""
    _PATH.set(())
    return work()


class Recorder:
    """A core that writes every operation into a profile."""

    def __init__(self, core: Core, profile: Profile) -> None:
        self._inner, self._profile = core, profile
        self._last = core.cost()
        for name, operation in OPERATIONS.items():
            run = functools.partial(self._run, name, operation, getattr(core, name))
            setattr(self, name, run)

    def __getattr__(self, name: str) -> Any:
        """Give what the core has."""
        return getattr(self._inner, name)

    def _run(self, name: str, operation: Operation, call: Callable[..., Any], *args: Any) -> Any:
        profile = self._profile
        start = profile._clock()
        result = call(*args)
        seconds = profile._clock() - start
        before, self._last = self._last, self._inner.cost()
        cost = Cost.between(before, self._last, seconds)
        sizes, elements = operation.measure(args, result, self._inner.components)
        declared = operation.charge(name, args, 1)[0] if operation.arrays else name
        profile._record(Call(name, sizes, elements, _PATH.get(), start, cost, declared))
        return result


def record(core: Core, profile: Profile) -> Core:
    """Wrap a core so that it writes every operation into a profile."""
    return cast(Core, Recorder(core, profile))
