"""Pairing: the long-lived session of the two nodes, in a thread of its own, which heals itself.

A session that failed is closed, its correlations are burnt with it, and a new one is made. Node A
decides when: it tells B over HTTP that it is going to connect, both then meet, and the random name
of the session tells the new one from any before. What was computed in a session that broke is
settled by the journals, never by the session.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal, TypeVar

from petcore.config import Config
from petcore.connecting import connect
from petcore.errors import PeerLate, PeerUnreachable, PetcoreError, SessionBroken
from petcore.mpc import Session
from petcore.network.logs import Log

Result = TypeVar("Result")
PairState = Literal["apart", "meeting", "paired"]

_log = Log("pairing")


class Pairing:
    """Owns the session; other threads hand it work, one piece after the other.

    Parameters
    ----------
    config : Config
        This node's session: peers, dealer, limits, disclosure log.
    directory : str
        Digest of the directory; both nodes must have the same.
    meet : float
        Seconds that one attempt waits for the other node and the dealer.
    """

    def __init__(self, config: Config, directory: str, *, meet: float = 5.0) -> None:
        self._config, self._program = config, f"petcore node {directory}"
        self._meet = meet
        self._state: PairState = "apart"
        self._name = ""
        self._session: Session | None = None
        self._asked = self._overtaken = 0  # how often to meet; up to where that is out of date
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="petcore pairing", daemon=True)
        self._thread.start()

    @property
    def state(self) -> PairState:
        """Whether there is a session."""
        return self._state

    @property
    def name(self) -> str:
        """The name of the session, random; empty while the nodes are apart."""
        return self._name if self._state == "paired" else ""

    def meet(self, name: str) -> asyncio.Future[None]:
        """Close the session if there is one, and connect to the other node under a new name.

        The future raises what `petcore.connect` raises.
        """
        self._asked += 1
        number = self._asked
        return asyncio.wrap_future(self._put(lambda: self._connect(name, number)))

    def run(self, name: str, work: Callable[[Session], Result]) -> asyncio.Future[Result]:
        """Give ``work`` the session called ``name``; the future gets its result.

        The future raises SessionBroken where that session is gone, and what ``work`` raises, after
        which the nodes are apart: a computation that failed leaves nothing to go on with.
        """
        return asyncio.wrap_future(self._put(lambda: self._compute(name, work)))

    def part(self) -> asyncio.Future[None]:
        """Close the session; the nodes are apart then."""
        return asyncio.wrap_future(self._put(self._drop))

    def close(self, seconds: float = 5.0) -> None:
        """Close the session and end the thread."""
        self._work.put(self._drop)
        self._work.put(None)
        self._thread.join(seconds)

    def _put(self, work: Callable[[], Result]) -> Future[Result]:
        future: Future[Result] = Future()

        def step() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._work.put(step)
        return future

    def _run(self) -> None:
        while (step := self._work.get()) is not None:
            step()

    def _connect(self, name: str, number: int) -> None:
        if number <= self._overtaken:
            raise SessionBroken("the other node has given this attempt up", retryable=True)
        self._drop()
        self._state = "meeting"
        try:
            # The name is a term between the nodes only: a dealer may serve one session name.
            program = f"{self._program} {name}"
            self._session = connect(self._config, program=program, connect_wait=self._meet)
        except PetcoreError as error:
            self._state = "apart"
            if not isinstance(error, PeerUnreachable | PeerLate):
                # It was met, at a later attempt, and that failed with this one: to try those that
                # wait here would be an attempt late for ever.
                self._overtaken = self._asked
            _log.failure("the nodes could not meet", error)
            raise
        except BaseException:
            self._state = "apart"
            raise
        self._name, self._state = name, "paired"
        _log.info("the nodes met")

    def _compute(self, name: str, work: Callable[[Session], Result]) -> Result:
        session = self._session
        if session is None or name != self._name:
            raise SessionBroken("the session of this batch is gone; meet again", retryable=True)
        try:
            return work(session)
        except BaseException as error:
            _log.failure("a computation failed", error)
            self._drop(error)
            raise

    def _drop(self, cause: BaseException | None = None) -> None:
        session, self._session = self._session, None
        self._state, self._name = "apart", ""
        if session is None:
            return
        try:
            if cause is not None:
                session.__exit__(type(cause), cause, None)  # the other node hears of it at once
            else:
                session.close()
        except PetcoreError as error:
            _log.failure("a session could not say goodbye", error)
