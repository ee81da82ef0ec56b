"""simulate: all parties of a program as threads of one process, for trying out and for tests."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from petcore.errors import PetcoreError, UsageError
from petcore.mpc.disclosure import DisclosureSink
from petcore.mpc.extension import core_transfers
from petcore.mpc.session import Session
from petcore.threads import thread_count
from petcore.transfers import Transfers

_SECONDARY = ("aborted", "closed", "broken", "late", "silent")
_PROTOCOLS = {2: "semi2k"}
_ORIGINS = {
    "dealer": "in-process dealer (simulation only)",
    "ot": "oblivious transfer in one process (simulation only)",
    "store": "stores filled by an in-process dealer (simulation only)",
}


def simulate(
    program: Callable[..., Any],
    parties: int = 2,
    *,
    args: Sequence[Any] = (),
    sinks: Sequence[DisclosureSink | None] | None = None,
    threads: int = 1,
    correlations: str = "dealer",
    verify_dealer: float = 0.0,
    transfers: Transfers | None = None,
) -> list[Any]:
    """Run a program at all parties, as threads over memory links.

    Nothing is hidden: one process holds every share and knows every correlation. For work on real
    data use `petcore.connect`.

    Parameters
    ----------
    program : callable
        Called as ``program(session, *args)`` at every party.
    parties : int
        2.
    args : sequence
        Further arguments, the same at every party.
    sinks : sequence of DisclosureSink, optional
        One per party.
    threads : int
        How many threads share the large local work of each party, and of the dealer: 1 to 1024.
    correlations : {"dealer", "ot", "store"}
        Where they come from: a dealer in a thread of its own, oblivious transfer between the
        parties, or a store of each party in a temporary directory, which such a dealer fills as it
        runs out.
    verify_dealer : float
        The probability with which the dealer's words for an operation are checked, below 1.
    transfers : Transfers, optional
        How oblivious transfers are extended, with ``correlations="ot"``.

    Returns
    -------
    list
        What the program returned, by party.

    Raises
    ------
    UsageError
        There is no protocol for so many parties, or one of the other arguments cannot be.
    Exception
        The first error that any party raised itself; the errors that followed at the others stand
        in its notes.

    Examples
    --------
    >>> import petcore as pc
    >>> def program(session):
    ...     x = session.input([1.5, 2.0] if session.party == 0 else None, owner="party0")
    ...     return session.reveal(x * 2, to="party1", label="doubled")
    >>> pc.simulate(program)
    [None, array([3., 4.])]
    """
    if parties not in _PROTOCOLS:
        raise UsageError(f"no protocol for {parties} parties; use parties=2")
    sinks = [None] * parties if sinks is None else list(sinks)
    if len(sinks) != parties:
        raise UsageError(f"{len(sinks)} sinks for {parties} parties; pass one each, or None")
    names = [f"party{i}" for i in range(parties)]
    if correlations not in _ORIGINS:
        raise UsageError(f"correlations={correlations!r}; use one of {', '.join(_ORIGINS)}")
    source = _Source(correlations, verify_dealer, core_transfers(transfers))
    run = _Run(program, names, tuple(args), sinks, thread_count(threads), source)
    return run.results()


@dataclass(frozen=True)
class _Source:
    """Where the correlations of a simulation come from."""

    correlations: str
    verify: float
    transfers: Any


class _Run:
    """The threads of one simulation and what became of them."""

    def __init__(
        self,
        program: Callable[..., Any],
        names: list[str],
        args: tuple[Any, ...],
        sinks: list[DisclosureSink | None],
        threads: int,
        source: _Source,
    ) -> None:
        from petcore import _core

        self._module: Any = _core
        self._program, self._names, self._args, self._sinks = program, names, args, sinks
        self._num_threads, self._source = threads, source
        self._correlations = source.correlations
        self._returned: list[Any] = [None] * len(names)
        self._errors: list[tuple[str, BaseException]] = []
        self._lock = threading.Lock()
        self._links: list[Any] = []
        self._folder = ""

    def results(self) -> list[Any]:
        """Start every thread, wait for all of them, and give the results or raise."""
        limits = self._module.Limits()
        n = len(self._names)
        peers: list[dict[int, Any]] = [{} for _ in range(n)]
        for i, j in itertools.combinations(range(n), 2):
            peers[i][j], peers[j][i] = self._link(self._names[i], self._names[j], limits)
        threads: list[threading.Thread] = []
        dealers: list[Any] = [None] * n
        offline: list[Any] = [None] * n
        if self._correlations != "ot":
            pairs = [self._link(name, "dealer", limits) for name in self._names]
            dealers = [own for own, _ in pairs]
            threads.append(self._thread("dealer", self._deal, [theirs for _, theirs in pairs]))
        else:
            offline = list(self._link(self._names[0], self._names[1], limits))
        for i, name in enumerate(self._names):
            links = (peers[i], dealers[i], offline[i])
            threads.append(self._thread(name, self._party, i, *links))
        with ExitStack() as ending:
            if self._correlations == "store":
                self._folder = ending.enter_context(TemporaryDirectory(prefix="petcore-"))
            for link in self._links:
                ending.callback(link.close)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self._raise_first()
        return self._returned

    def _link(self, a: str, b: str, limits: Any) -> tuple[Any, Any]:
        pair = self._module.memory_channels(a, b, limits)
        self._links.extend(pair)
        return pair[0], pair[1]

    def _thread(self, name: str, body: Callable[..., None], *args: Any) -> threading.Thread:
        def run() -> None:
            try:
                body(*args)
            except BaseException as error:
                with self._lock:
                    self._errors.append((name, error))

        return threading.Thread(target=run, name=f"petcore {name}", daemon=True)

    def _deal(self, channels: list[Any]) -> None:
        self._module.serve_dealer(self._names, channels, [], threads=self._num_threads)

    def _party(self, i: int, peers: dict[int, Any], dealer: Any, offline: Any) -> None:
        try:
            core = self._module.Session(
                _PROTOCOLS[len(self._names)],
                i,
                self._names,
                peers,
                dealer,
                [("program", "simulate")],
                self._num_threads,
                self._correlations,
                offline,
                self._store(i),
                at_zero="restock" if self._correlations == "store" else "refuse",
                verify=self._source.verify,
                transfers=self._source.transfers,
            )
        except BaseException:
            for link in (*peers.values(), dealer, offline):
                if link is not None:
                    link.close()
            raise
        session = Session(core, sink=self._sinks[i], correlations=_ORIGINS[self._correlations])
        with session:
            self._returned[i] = self._program(session, *self._args)

    def _store(self, i: int) -> Any:
        if self._correlations != "store":
            return None
        name, key = self._names[i], secrets.token_hex(32)
        folder = str(Path(self._folder, name))
        return self._module.Store(folder, key, i, name, self._names[1 - i])

    def _raise_first(self) -> None:
        if not self._errors:
            return
        at_parties = [pair for pair in self._errors if pair[0] != "dealer"]
        ranked = sorted([*at_parties, *self._errors], key=lambda pair: _is_secondary(pair[1]))
        name, first = ranked[0]
        if not at_parties and isinstance(first, PetcoreError):
            return  # the programs dealt with it themselves; the dealer only heard of it
        for other, error in self._errors:
            if error is not first:
                first.add_note(f"{other} then raised {type(error).__name__}: {error}")
        first.add_note(f"raised at {name}")
        raise first


def _is_secondary(error: BaseException) -> bool:
    return isinstance(error, PetcoreError) and error.code in _SECONDARY
