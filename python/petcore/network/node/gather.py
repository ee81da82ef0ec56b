"""Gathering: requests that arrive within a few milliseconds go on together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from petcore.errors import PeerLate, PetcoreError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_QUEUE_MAX = 4096


class Gatherer(Generic[Item, Answer]):
    """Joins single items into lists and hands each list to one call.

    A list begins with the first item and goes on its way after ``seconds``, or when it has ``most``
    items. At most ``at_once`` lists are on their way; while they are, the next one grows: under load
    the lists are larger, not later.

    Parameters
    ----------
    handle : coroutine function
        Takes a list of items, returns as many answers; an answer that is an exception is raised at
        the one who gave that item.
    seconds : float, or a function that returns it
        How long a list waits for more; a function is asked when a list begins.
    most : int
        Items of one list.
    at_once : int
        Lists on their way at the same time.
    """

    def __init__(
        self,
        handle: Callable[[list[Item]], Awaitable[Sequence[Answer | PetcoreError]]],
        *,
        seconds: float | Callable[[], float],
        most: int,
        at_once: int = 2,
    ) -> None:
        self._handle, self._most = handle, most
        self._seconds = seconds if callable(seconds) else lambda: seconds
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._free = asyncio.Semaphore(at_once)
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many items are in no list yet."""
        return len(self._waiting)

    def add(self, item: Item) -> asyncio.Future[Answer]:
        """Give an item; the future gets its answer. Raises PeerLate where too many wait already."""
        if len(self._waiting) >= _QUEUE_MAX:
            raise PeerLate("more is waiting here than can be answered in time; try again later")
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._more.set()
        return future

    async def close(self) -> None:
        """Wait for the lists that are on their way; what waits is cancelled."""
        if self._runner is not None:
            self._runner.cancel()
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            if len(self._waiting) < self._most:
                await asyncio.sleep(self._seconds())
            await self._free.acquire()
            items, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            if not self._waiting:
                self._more.clear()
            task = asyncio.create_task(self._send(items))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, items: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._handle([item for item, _ in items])
        except BaseException as error:
            for _, future in items:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), answer in zip(items, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, PetcoreError):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        finally:
            self._free.release()
