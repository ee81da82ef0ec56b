"""Two parties on the compiled core alone, each in a thread, over memory channels.

Their correlations come from a dealer in a third thread, from each other, or from stores that hold
exactly what the programs take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from petcore import _core
from tests.store.conftest import Pair

from .stocked import Rehearsed, orders

NAMES = ["gateway", "wallet"]
SOURCES = ["dealer", "ot"]  # those that make correlations
SILENT = "ot, silent"  # the same source on silent transfers
Program = Callable[[Any], Any]


@dataclass
class Outcome:
    """What the two parties and the dealer, if any, returned or raised, in that order."""

    results: list[Any]
    errors: list[BaseException | None]

    def values(self) -> list[Any]:
        """Give both parties' results; raise what any of the three raised."""
        for error in self.errors:
            if error is not None:
                raise error
        return self.results[:2]


class Links:
    """The memory links of a session; the first of each pair is held by the first name."""

    def __init__(
        self, limits: Any, correlations: str = "dealer", stores: Pair | None = None
    ) -> None:
        self.stores = stores
        self.transfers = (
            _core.Transfers("silent", checked=False) if correlations == SILENT else None
        )
        self.correlations = "ot" if correlations == SILENT else correlations
        self.peer = _core.memory_channels("gateway", "wallet", limits)
        self.dealer, self.offline = [], [None, None]
        if correlations == "dealer":
            self.dealer = [_core.memory_channels("dealer", name, limits) for name in NAMES]
        elif correlations != "store":
            self.offline = _core.memory_channels("gateway", "wallet", limits)

    def session(self, party: int, terms: list[tuple[str, str]] | None = None) -> Any:
        peers = {1 - party: self.peer[party]}
        return _core.Session(
            "semi2k",
            party,
            NAMES,
            peers,
            self.dealer[party][1] if self.dealer else None,
            terms or [],
            correlations=self.correlations,
            offline=self.offline[party],
            store=self.stores.open(party) if self.stores else None,
            transfers=self.transfers,
        )

    def dealer_ends(self) -> list[Any]:
        return [pair[0] for pair in self.dealer]


def run_parties(
    *programs: Program,
    limits: Any = None,
    dealer: Callable[[list[Any]], Any] | None = None,
    correlations: str = "dealer",
) -> Outcome:
    """Run one program at both parties, or one each; the dealer is real unless another is given."""
    limits = limits if limits is not None else _core.Limits()
    both = programs if len(programs) == 2 else programs * 2
    if correlations == "store":
        return _run_stocked(both, limits)
    return _run(both, Links(limits, correlations), dealer)


def _run_stocked(both: tuple[Program, ...], limits: Any) -> Outcome:
    """Rehearse, fill stores with what that took, and take it from there: all of it."""
    rehearsed: list[Rehearsed] = []

    def rehearsal(program: Program, session: Any) -> Any:
        rehearsed.append(Rehearsed(session))
        return program(rehearsed[-1])

    _run(tuple(partial(rehearsal, program) for program in both), Links(limits), None)
    with TemporaryDirectory() as folder:
        stores = Pair(Path(folder))
        stores.make(*orders(rehearsed))
        outcome = _run(both, Links(limits, "store", stores), None)
        if not any(outcome.errors):
            assert not any(stores.left(0).values())
            assert not any(stores.left(1).values())
        return outcome


def _run(
    both: tuple[Program, ...], links: Links, dealer: Callable[[list[Any]], Any] | None
) -> Outcome:
    outcome = Outcome([None] * 3, [None] * 3)

    def party(index: int) -> None:
        session = links.session(index)
        try:
            outcome.results[index] = both[index](session)
        except BaseException as error:
            session.fail("aborted", type(error).__name__)
            if links.stores:
                session.close()
            raise
        session.close()

    def serve() -> None:
        if not links.dealer:
            return
        run = dealer or (lambda ends: _core.serve_dealer(NAMES, ends, []))
        outcome.results[2] = run(links.dealer_ends())

    def guarded(index: int, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            outcome.errors[index] = error

    works = [lambda: party(0), lambda: party(1), serve]
    threads = [
        threading.Thread(target=guarded, args=(i, work), daemon=True)
        for i, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a party hangs"
    return outcome


@pytest.fixture(params=[*SOURCES, "store"])
def correlations(request: pytest.FixtureRequest) -> str:
    """Where they come from: whatever uses `parties` runs over every source."""
    return str(request.param)


@pytest.fixture
def parties(correlations: str) -> Callable[..., Outcome]:
    return partial(run_parties, correlations=correlations)


@pytest.fixture
def quick_limits() -> Any:
    return _core.Limits(deadline_s=0.5, silence_s=1.5, heartbeat_s=0.1)
