"""The nodes' session in a simulation: shares in, shares out, and it breaks when it is told to.

The circuit itself has tests of its own. Here its outcome is made from both nodes' shares, so that
what is tested is everything around it: who computed, who kept it, who was told.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

from petcore.errors import PeerClosed, PeerUnreachable, SessionBroken, StepMismatch
from petcore.network.circuit.authorise import Outcome
from petcore.network.circuit.plain import plain_authorise
from petcore.network.circuit.rows import SHARES
from petcore.payments.sharing import share_for_nodes

MEET_SECONDS = 2.0
COMPUTE_SECONDS = 5.0


class Room:
    """Where two nodes meet under one name; broken for good by the first of them that leaves."""

    def __init__(self):
        self.changed = threading.Condition()
        self.inside = set()
        self.broken = False
        self.given = {}
        self.outcomes = {}

    def enter(self, party):
        with self.changed:
            self.inside.add(party)
            self.changed.notify_all()
            met = self.changed.wait_for(lambda: self.broken or len(self.inside) == 2, MEET_SECONDS)
        if not met or self.broken:
            self.leave()
            raise PeerUnreachable("the other node did not come")

    def leave(self):
        with self.changed:
            self.broken = True
            self.changed.notify_all()

    def exchange(self, party, batch, rows):
        """Give this party's rows, get its shares of the outcome."""
        with self.changed:
            self.given.setdefault(batch, {})[party] = rows
            both = self.given[batch]
            if len(both) == 2 and batch not in self.outcomes:
                self.outcomes[batch] = outcomes(both[0], both[1])
            self.changed.notify_all()
            ready = self.changed.wait_for(
                lambda: self.broken or batch in self.outcomes, COMPUTE_SECONDS
            )
            if batch in self.outcomes:
                return self.outcomes[batch][party]
            if ready and not both.keys() - {party} and not self.broken:
                raise StepMismatch("the other node computes another batch")
            self.broken = True
            self.changed.notify_all()
            raise PeerClosed("the other node went away")


def outcomes(mine, theirs):
    """Return both nodes' shares of what the circuit gives for their rows."""
    if mine.digest() != theirs.digest():
        raise StepMismatch("the nodes have other rows")
    summed = {name: getattr(mine, name) + getattr(theirs, name) for name in (*SHARES, "features")}
    whole = plain_authorise(vars_of(mine, summed))
    shares = [
        share_for_nodes(column.view(np.int64))
        for column in (whole.decision, whole.seen, whole.debit, whole.fee)
    ]
    made = []
    for party, rows in enumerate((mine, theirs)):
        decision, seen, debit, fee = (pair[party] for pair in shares)
        exported = {edge: decision[rows.of_edge(edge)] for edge in rows.edges}
        made.append(Outcome(decision, seen, debit, fee, exported))
    return made


def vars_of(rows, changed):
    return type(rows)(**{**{f: getattr(rows, f) for f in rows.__dataclass_fields__}, **changed})


class Session:
    """As much of a session as a node looks at."""

    def __init__(self, room, party):
        self.room, self.party = room, party

    @contextlib.contextmanager
    def measure(self):
        yield SimpleNamespace(seconds=0.0, rounds=4, bytes_sent=0)


def authorise(session, rows, model=None, *, batch=""):
    """Stands for `petcore.network.circuit.authorise`."""
    return session.room.exchange(session.party, batch, rows)


class Pairing:
    """Stands for `petcore.network.node.pairing.Pairing`: the same promises, rooms for sessions."""

    def __init__(self, rooms, party, chance):
        self._rooms, self._party, self._chance = rooms, party, chance
        self._room, self._name = None, ""
        self._thread = ThreadPoolExecutor(1)

    @property
    def name(self):
        return self._name if self._room is not None and not self._room.broken else ""

    @property
    def state(self):
        return "paired" if self.name else "apart"

    def meet(self, name):
        return self._put(self._enter, name)

    def run(self, name, work):
        return self._put(self._work, name, work)

    def part(self):
        return self._put(self._drop)

    def close(self, seconds=0.0):
        self._drop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _put(self, work, *arguments):
        future = asyncio.wrap_future(self._thread.submit(work, *arguments))
        # A dead member asks for no result, and asyncio would log that whenever it is collected.
        future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return future

    def _enter(self, name):
        self._drop()
        room = self._rooms.setdefault(name, Room())
        room.enter(self._party)
        self._room, self._name = room, name

    def _work(self, name, work):
        room = self._room
        if room is None or room.broken or name != self._name:
            raise SessionBroken("the session of this batch is gone; meet again", retryable=True)
        if self._chance("the session breaks before a batch"):
            self._drop()
            raise PeerClosed("the other node went away")
        try:
            return work(Session(room, self._party))
        except BaseException:
            self._drop()
            raise
        finally:
            if self._chance("the session breaks after a batch"):
                self._drop()

    def _drop(self):
        room, self._room, self._name = self._room, None, ""
        if room is not None:
            room.leave()
