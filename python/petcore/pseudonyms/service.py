"""The service: what it grants to whom, what it counts, what it answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from petcore.errors import PetcoreError, QuotaExceeded, ScopeRefused
from petcore.pseudonyms import messages
from petcore.pseudonyms.journal import Journal
from petcore.pseudonyms.keys import KeyRing
from petcore.threads import thread_count

_DAY = 86400


@dataclass(frozen=True)
class Grant:
    """What one client may ask.

    ``scopes`` are names, in which ``*`` stands for any text; ``ids_per_day`` (UTC) bounds how many
    ids it can turn into pseudonyms, and so how many it can try.
    """

    scopes: tuple[str, ...]
    ids_per_day: int

    def allows(self, scope: str) -> bool:
        """Say whether the scope is granted."""
        return any(fnmatchcase(scope, pattern) for pattern in self.scopes)


class PseudonymService:
    """Answers requests of authenticated clients; any number of threads may call it.

    Parameters
    ----------
    keys : KeyRing
        The keys; it may rotate while the service runs.
    grants : mapping of str to Grant
        By the client's name, which the transport has authenticated.
    journal : Journal, optional
        Keeps every request before it is answered; quotas then survive a restart.
    threads : int, optional
        How many threads share one request; None means one for each core.
    clock : callable, optional
        Seconds since 1970.

    Leaks: to the service the number of ids, their scope and epoch, and when they were asked.
    """

    def __init__(
        self,
        keys: KeyRing,
        grants: Mapping[str, Grant],
        *,
        journal: Journal | None = None,
        threads: int | None = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys, self._grants, self._journal = keys, dict(grants), journal
        self._threads, self._clock = thread_count(threads), clock
        self._lock = threading.Lock()
        self._day = int(clock() // _DAY)
        self._today: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in grants}
        if journal is not None:
            self._today.update(journal.ids_of_day(self._day))

    def answer(self, client: str, request: bytes) -> bytes:
        """Answer one request, or refuse it in words that the client may read; never raises.

        What the client is refused it gets raised as ScopeRefused, QuotaExceeded or BadFrame.
        """
        try:
            return self._answer(client, request)
        except PetcoreError as error:
            with self._lock:
                self._counts.setdefault(client, Counter())["refused"] += 1
            return messages.write_refusal(error)

    def counters(self) -> dict[str, dict[str, int]]:
        """Return requests, ids, ids today and refusals by client, since the service began."""
        with self._lock:
            self._turn_day()
            return {
                name: {
                    **{kind: count[kind] for kind in ("requests", "ids", "refused")},
                    "ids_today": self._today[name],
                }
                for name, count in self._counts.items()
            }

    def replace_keys(self, keys: KeyRing) -> None:
        """Take other keys from now on: after a rotation, or when an epoch was destroyed."""
        self._keys = keys

    def _answer(self, client: str, request: bytes) -> bytes:
        query = messages.read_query(request)
        grant = self._grants.get(client)
        if grant is None or not grant.allows(query.scope):
            raise ScopeRefused(f"{client} is not granted the scope {query.scope!r}")
        key = self._keys.key(query.epoch)
        self._take(client, grant, query)
        info = messages.info_of(query.scope, query.epoch)
        return messages.write_answer(key.evaluate(query.elements, info, threads=self._threads))

    def _take(self, client: str, grant: Grant, query: messages.Query) -> None:
        """Count the ids before they are answered: what is refused later was still paid for."""
        with self._lock:
            self._turn_day()
            left = grant.ids_per_day - self._today[client]
            if query.ids > left:
                raise QuotaExceeded(
                    f"{client} may turn {grant.ids_per_day} ids a day into pseudonyms, and {left} "
                    "are left; come again after midnight UTC"
                )
            if self._journal is not None:
                self._journal.record(self._clock(), client, query.scope, query.epoch, query.ids)
            self._today[client] += query.ids
            self._counts[client].update(requests=1, ids=query.ids)

    def _turn_day(self) -> None:
        day = int(self._clock() // _DAY)
        if day > self._day:  # a clock that goes back gives nobody a second quota
            self._day, self._today = day, Counter()
