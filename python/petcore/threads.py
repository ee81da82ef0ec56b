"""How many threads a process may put on large local work."""

from __future__ import annotations

import os

from petcore.errors import UsageError

THREADS_MAX = 1024


def thread_count(threads: int | None) -> int:
    """Return ``threads``, or for None one for each core that this process may use.

    Raises UsageError for what is not a whole number from 1 to `THREADS_MAX`.
    """
    if threads is None:
        return min(len(os.sched_getaffinity(0)), THREADS_MAX)
    if type(threads) is not int or threads < 1:
        raise UsageError(
            f"threads is {threads!r}; pass a whole number, at least 1, which means the caller's alone"
        )
    if threads > THREADS_MAX:
        raise UsageError(f"threads is {threads}; pass at most {THREADS_MAX}")
    return threads
