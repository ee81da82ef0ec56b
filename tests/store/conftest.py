"""Two parties with a store each, over memory links; a dealer thread where one is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from petcore import _core

NAMES = ["gateway", "wallet"]
KEYS = ["11" * 32, "22" * 32]
Order = tuple[str, list[int], int, int]


class Pair:
    """Two directories, and sessions that fill them or take from them."""

    def __init__(self, folder: Path) -> None:
        self.paths = [folder / name for name in NAMES]
        self.notes: list[list[str]] = [[], []]
        self.peers: Any = ()  # the ends of the link of the session that runs

    def open(self, party: int, **options: Any) -> Any:
        options = {"tell": self.notes[party].append, "key": KEYS[party], **options}
        path, other = str(self.paths[party]), NAMES[1 - party]
        return _core.Store(path, party=party, owner=NAMES[party], peer=other, **options)

    def run(
        self,
        *programs: Callable[[Any], Any],
        correlations: str = "store",
        at_zero: str = "refuse",
        maker: str = "dealer",
        options: tuple[dict[str, Any], dict[str, Any]] = ({}, {}),
    ) -> list[Any]:
        """Run one program at both parties, or one each; return results, or raised errors."""
        both = programs * 2 if len(programs) == 1 else programs
        limits = _core.Limits(deadline_s=10.0)
        peers = self.peers = _core.memory_channels(*NAMES, limits)
        makes = maker if correlations == "store" and at_zero != "refuse" else correlations
        dealt = makes == "dealer"
        offline = _core.memory_channels(*NAMES, limits) if makes == "ot" else (None, None)
        dealers = [_core.memory_channels("dealer", name, limits) for name in NAMES]
        outcome: list[Any] = [None, None]

        def party(i: int) -> None:
            dealer = dealers[i][1] if dealt else None
            try:
                store = self.open(i, **options[i])
                try:
                    session = _core.Session(
                        "semi2k", i, NAMES, {1 - i: peers[i]}, dealer, [],
                        correlations=correlations, store=store, at_zero=at_zero,
                        maker=maker, offline=offline[i],
                    )  # fmt: skip
                    try:
                        outcome[i] = both[i](session)
                    except BaseException as error:
                        session.fail("aborted", type(error).__name__)
                        raise
                    finally:
                        session.close()
                finally:
                    store.close()
            except BaseException as error:
                outcome[i] = error
            finally:
                for link in (peers[i], dealers[i][1]):
                    link.close()

        def deal() -> None:
            try:
                _core.serve_dealer(NAMES, [pair[0] for pair in dealers], [])
            except Exception:  # what ended the session is told by the parties
                return

        works = [lambda: party(0), lambda: party(1), *([deal] if dealt else [])]
        threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "a party hangs"
        return outcome

    def make(self, *orders: Order, maker: str = "dealer") -> None:
        for result in self.run(lambda s: s.stock_up(list(orders)), correlations=maker):
            assert result is None, result

    def left(self, party: int = 0) -> dict[str, int]:
        status = _core.Store.inspect(str(self.paths[party]), KEYS[party])
        return {pool["pool"]: pool["units"] for pool in status["pools"]}


@pytest.fixture
def pair(tmp_path) -> Pair:
    return Pair(tmp_path)
