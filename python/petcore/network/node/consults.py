"""The budget of consults: each one tells a little about a balance, so there are few per minute."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from petcore.errors import QuotaExceeded

_SECONDS = 60.0
_TOKENS_MAX = 100_000


class ConsultBudget:
    """How often one sender may ask about one token.

    Parameters
    ----------
    per_minute : int
    clock : callable, optional
        Gives seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._asked: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def spend(self, sender: str, tag: str) -> None:
        """Count one consult; QuotaExceeded where there were too many in the last minute."""
        now = self._clock()
        times = self._asked.setdefault((sender, tag), deque())
        self._asked.move_to_end((sender, tag))
        while times and times[0] <= now - _SECONDS:
            times.popleft()
        if len(times) >= self._per_minute:
            wait = times[0] + _SECONDS - now
            raise QuotaExceeded(
                f"{self._per_minute} consults a minute are allowed about one token; come again in "
                f"{wait:.0f} s",
                party=sender,
            )
        times.append(now)
        while len(self._asked) > _TOKENS_MAX:
            self._asked.popitem(last=False)
