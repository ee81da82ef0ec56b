"""Where parties wait at the dealer until the other half of their session has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import petcore._core as _core
from petcore.errors import PetcoreError

_TICK = 0.02  # seconds between looks at who waits
_Key = tuple[int, str, bytes]  # pair, session name, and the mark that only its two parties know


@dataclass
class _Half:
    visitor: _core.Visitor
    end: float = field(default=0.0)


class Lobby:
    """Keeps waiting links alive and matches the halves of sessions; any thread may enter.

    Parameters
    ----------
    patience : float
        Seconds that a half waits for the other.
    introduce : callable
        Called with a channel whose peer has begun to speak; must not wait.
    leave : callable
        Called with the name of a peer that waits no more, and why, in words.
    """

    def __init__(
        self,
        patience: float,
        introduce: Callable[[_core.Channel], None],
        leave: Callable[[str, str], None],
    ) -> None:
        self._patience, self._introduce, self._leave = patience, introduce, leave
        self._lock = threading.Lock()
        self._silent: list[_core.Channel] = []
        self._halves: dict[_Key, dict[int, _Half]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="petcore lobby", daemon=True)
        self._thread.start()

    def admit(self, channel: _core.Channel) -> None:
        """Let a connection wait until its peer speaks: it may still be meeting others."""
        with self._lock:
            self._silent.append(channel)

    def match(self, visitor: _core.Visitor) -> tuple[_core.Visitor, _core.Visitor] | None:
        """Return both halves if this is the second one, first party first; else let it wait."""
        key = (visitor.pair, visitor.session, visitor.mark)
        with self._lock:
            halves = self._halves.setdefault(key, {})
            stale = halves.pop(visitor.party, None)
            halves[visitor.party] = _Half(visitor, time.monotonic() + self._patience)
            both = (halves[0].visitor, halves[1].visitor) if len(halves) == 2 else None
            if both:
                del self._halves[key]
        if stale is not None:  # the same party came again: the earlier link is dead
            stale.visitor.channel.close()
            self._leave(stale.visitor.channel.peer_name, "")
        return both

    def close(self, code: str, text: str) -> None:
        """Tell all who wait why there will be no session."""
        self._closed.set()
        self._thread.join()
        waiting = [
            half.visitor.channel for halves in self._halves.values() for half in halves.values()
        ]
        for channel in (*self._silent, *waiting):
            channel.abort(code, text, "waiting for the session to begin")
            self._leave(channel.peer_name, "")
        self._silent.clear()
        self._halves.clear()

    def _run(self) -> None:
        while not self._closed.wait(_TICK):
            with self._lock:
                spoke = self._look_at_silent()
                self._look_at_halves(time.monotonic())
            for channel in spoke:
                self._introduce(channel)

    def _look_at_silent(self) -> list[_core.Channel]:
        spoke, silent = [], []
        for channel in self._silent:
            if channel.called():
                spoke.append(channel)
            elif channel.left():
                self._drop(channel, "left before the session began")
            else:
                silent.append(channel)
        self._silent = silent
        return spoke

    def _look_at_halves(self, now: float) -> None:
        for key, halves in list(self._halves.items()):
            for party, half in list(halves.items()):
                channel = half.visitor.channel
                channel.serve()
                if channel.left():
                    self._drop(channel, "left before the session began")
                elif now > half.end:
                    text = f"the other party did not come within {self._patience:g} s"
                    channel.abort("late", text, "waiting for the other party")
                    self._drop(channel, "waited for the other party in vain")
                else:
                    continue
                del halves[party]
            if not halves:
                del self._halves[key]

    def _drop(self, channel: _core.Channel, why: str) -> None:
        channel.close()
        self._leave(channel.peer_name, why)


def refuse(channel: _core.Channel, error: PetcoreError, step: str) -> None:
    """Tell a client why it is not served."""
    channel.abort(error.code, error.message, step)
