"""What each client of the dealer has open, used and was refused; any thread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

import petcore._core as _core
from petcore.config_service import Service
from petcore.errors import DealerFull


class Clients:
    """The books of the service.

    Parameters
    ----------
    names : iterable of str
        The clients.
    service : Service
        What they may use.
    """

    def __init__(self, names: Iterable[str], service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self.names = tuple(dict.fromkeys(names))
        self.accounts = {
            name: _core.Account(name, service.limits_of(name).bytes_per_day) for name in self.names
        }
        self.waiting: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.ended: dict[str, Counter[str]] = {
            result: Counter() for result in ("served", "failed", "refused")
        }
        self.sessions = 0

    def arrive(self, name: str) -> None:
        """Count a connection that waits; raises DealerFull where the client has too many."""
        with self._lock:
            allowed = self._service.limits_of(name).waiting
            if self.waiting[name] >= allowed:
                self.ended["refused"][name] += 1
                raise DealerFull(
                    f"{name} has {allowed} connections that wait for their other half, as many as "
                    "this dealer holds for it; come again when some have met"
                )
            self.waiting[name] += 1

    def leave(self, name: str) -> None:
        """Count a connection that waits no more."""
        with self._lock:
            self.waiting[name] -= 1

    def begin(self, names: Iterable[str]) -> None:
        """Count a session; raises DealerFull where a client, or the dealer, has too many."""
        names = tuple(names)
        with self._lock:
            full = ""
            for name in names:
                allowed = self._service.limits_of(name).sessions
                if self.open[name] >= allowed:
                    full = f"{name} has {allowed} sessions open at this dealer, as many as it may"
            if self.sessions >= self._service.sessions:
                full = f"this dealer serves {self._service.sessions} sessions, as many as it may"
            if full:
                self.ended["refused"].update(names)
                raise DealerFull(f"{full}; come again when one has ended")
            self.open.update(names)
            self.sessions += 1

    def end(self, names: Iterable[str], result: str) -> None:
        """Count the end of a session: "served" or "failed"."""
        names = tuple(names)
        with self._lock:
            self.open.subtract(names)
            self.sessions -= 1
            self.ended[result].update(names)

    def fail(self, name: str) -> None:
        """Count a session of which only one half ever came, or came wrongly."""
        with self._lock:
            self.ended["failed"][name] += 1

    def snapshot(self) -> dict[str, Any]:
        """Return all counters: by client, and for the service."""
        with self._lock:
            clients = {
                name: {
                    "open": self.open[name],
                    "waiting": self.waiting[name],
                    **{result: count[name] for result, count in self.ended.items()},
                    **self.accounts[name].used(),
                }
                for name in self.names
            }
            return {"sessions": self.sessions, "clients": clients}
