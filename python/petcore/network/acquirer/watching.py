"""Looking after requests that are not decided yet: every few seconds, until each has ended."""

from __future__ import annotations

import asyncio
import heapq
from contextlib import suppress

from petcore.network.acquirer.flow import Flow
from petcore.network.logs import Log

AT_ONCE = 16
_LOG = Log("acquirer")


class Watch:
    """Calls `Flow.look_after` for every request that is open, when it is due."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._due: list[tuple[float, str]] = []
        self._watched: set[str] = set()
        self._more = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        flow.on_open = lambda key: self.add(key, flow.times.poll)

    def __len__(self) -> int:
        """Count the requests that are looked after."""
        return len(self._watched)

    def add(self, key: str, seconds: float = 0.0) -> None:
        """Look after a request, from so many seconds on."""
        if key not in self._watched:
            self._watched.add(key)
            heapq.heappush(self._due, (asyncio.get_running_loop().time() + seconds, key))
            self._more.set()

    async def run(self) -> None:
        """Take up what is open, then what comes, until cancelled."""
        for key in await self._flow.recover():
            self.add(key)
        try:
            while True:
                await self._wait()
                self._start_due()
        finally:
            for task in self._tasks:
                task.cancel()

    async def _wait(self) -> None:
        """Wait until something is due; what is added meanwhile may be due earlier."""
        now = asyncio.get_running_loop().time()
        self._more.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._due[0][0] - now) if self._due else None):
                await self._more.wait()

    def _start_due(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            task = asyncio.create_task(self._look(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look(self, key: str) -> None:
        seconds = self._flow.times.poll
        try:
            async with self._slots:
                seconds = await self._flow.look_after(key)
        except Exception as error:  # whatever it is, the request has not ended: look again
            _LOG.failure("a request could not be looked after", error, request=key)
        self._watched.discard(key)
        if seconds:
            self.add(key, seconds)
