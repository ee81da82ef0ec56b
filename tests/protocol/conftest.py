"""Two parties and a dealer on the compiled core alone, each in a thread, over memory channels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from petcore import _core

NAMES = ["gateway", "wallet"]
Program = Callable[[Any], Any]


@dataclass
class Outcome:
    """What the two parties and the dealer returned or raised, in that order."""

    results: list[Any]
    errors: list[BaseException | None]

    def values(self) -> list[Any]:
        """Give both parties' results; raise what any of the three raised."""
        for error in self.errors:
            if error is not None:
                raise error
        return self.results[:2]


class Links:
    """The three memory links of a session; the first of each pair is held by the first name."""

    def __init__(self, limits: Any) -> None:
        self.peer = _core.memory_channels("gateway", "wallet", limits)
        self.dealer = [_core.memory_channels("dealer", name, limits) for name in NAMES]

    def session(self, party: int, terms: list[tuple[str, str]] | None = None) -> Any:
        peers = {1 - party: self.peer[party]}
        return _core.Session("semi2k", party, NAMES, peers, self.dealer[party][1], terms or [])

    def dealer_ends(self) -> list[Any]:
        return [pair[0] for pair in self.dealer]


def run_parties(
    *programs: Program, limits: Any = None, dealer: Callable[[list[Any]], Any] | None = None
) -> Outcome:
    """Run one program at both parties, or one each; the dealer is real unless another is given."""
    links = Links(limits if limits is not None else _core.Limits())
    both = programs if len(programs) == 2 else programs * 2
    outcome = Outcome([None] * 3, [None] * 3)

    def party(index: int) -> None:
        session = links.session(index)
        try:
            outcome.results[index] = both[index](session)
        except BaseException as error:
            session.fail("aborted", type(error).__name__)
            raise
        session.close()

    def serve() -> None:
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


@pytest.fixture
def parties() -> Callable[..., Outcome]:
    return run_parties


@pytest.fixture
def quick_limits() -> Any:
    return _core.Limits(deadline_s=0.5, silence_s=1.5, heartbeat_s=0.1)
