"""Carrying requests through the network: journalled, sent, waited for, looked after, ended.

Whoever asks waits for the end of a request a while; whoever learns of it (an answer, a notification,
an inquiry) writes it down and wakes up those who wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from petcore.errors import LedgerError, PetcoreError
from petcore.network.acquirer.desk import Begun, Closing, Desk, Wish
from petcore.network.acquirer.facts import Asked, asked_of, ended_of
from petcore.network.acquirer.orders import Answer
from petcore.network.acquirer.relay import Relay
from petcore.network.acquirer.verdicts import Verdict, without_notices
from petcore.network.ledger import Acceptance, Kind, Record, split_key
from petcore.network.logs import Log
from petcore.network.node.gather import Gatherer
from petcore.network.node.replies import Reply

CANCEL_LIFETIME = timedelta(hours=12)
_LOG = Log("acquirer")
_TOGETHER_MAX = 32  # more at once would keep one hop busy while all others wait
TIDY_SECONDS = 3600.0


@dataclass(frozen=True)
class Times:
    """How long the edge waits, in seconds.

    ``answer``: a caller until it is told that the result is unknown; ``poll``: between two inquiries
    about a payment that is not decided; ``give_up``: until it is cancelled; ``awaiting``: between
    inquiries while a payer has to agree (a notification says it earlier).
    """

    answer: float = 10.0
    poll: float = 3.0
    give_up: float = 60.0
    awaiting: float = 30.0


class Flow:
    """The requests of one edge on their way.

    Parameters
    ----------
    desk
        The journal; used from one thread.
    relay
        The way to node A, whose name is ``node``.
    gather
        Seconds that a request waits for others, unless nothing is under way. What goes together
        from here stays together at every hop that follows, so one wait saves all of them work.

    Attributes
    ----------
    on_open
        Is told the key of a request that is not decided in time: `look_after` it.
    on_notice
        Is told that there is something for a merchant.
    """

    def __init__(
        self, desk: Desk, relay: Relay, node: str, times: Times, gather: float = 0.0
    ) -> None:
        self.times = times
        self._desk, self._relay, self._node = desk, relay, node
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._begin: Gatherer[Wish, Begun] = self._gatherer(
            desk.begin, lambda: gather if self._waiting else 0.0
        )
        self._conclude: Gatherer[Closing, Record] = self._gatherer(desk.conclude)
        self._waiting: dict[str, asyncio.Future[Record]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_open: Callable[[str], None] = _ignore
        self.on_notice: Callable[[], None] = _nothing

    async def run(self, wish: Wish) -> Record | Answer:
        """Journal a wish, send it if it is new, and wait until it ends, a while."""
        begun = await self._begin.add(wish)
        if begun.outcome is Acceptance.INCONSISTENT:
            return Answer("inconsistent")
        if begun.outcome is Acceptance.TOMBSTONED:
            return Answer("cancelled")
        if begun.outcome is Acceptance.EXPIRED:
            return Answer("illegal", message="The request has expired.")
        if begun.record is not None and not begun.record.state.open:
            return begun.record
        future = self._waiting.get(begun.key)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            self._waiting[begun.key] = future
        if begun.outcome is Acceptance.NEW:
            self._start(self._carry(begun))
        elif begun.record is not None and begun.record.check:
            return begun.record  # a payer has to agree: waiting here would not help
        done, _ = await asyncio.wait({future}, timeout=self.times.answer)
        if done:
            return future.result()
        record = await self.record(begun.key)
        if not record.state.open:  # it ended before anybody waited
            self._wake(begun.key, record)
        return record

    async def take_back(self, client: str, payment: str, mpp: str) -> Record | Answer:
        """Send a cancellation and wait, as `run`; it succeeded only where the wallet said so."""
        asked = Asked(client, payment, mpp, payment=payment)
        expires = self.now() + CANCEL_LIFETIME
        wish = Wish(Kind.CANCEL, asked, self.tag(f"cancel {payment}"), milliseconds(expires))
        return await self.run(wish)

    async def learn(self, replies: Sequence[Reply]) -> int:
        """Take what node A says of its own accord; durable when this returns.

        What comes twice changes nothing the second time. Returns how many came for the first time.
        """
        for reply in replies:
            key = self._desk.key_of(reply.id)
            if key in await self.in_thread(self._desk.find, [key]):
                await self._close(key, without_notices(reply))
        numbers = [reply.number for reply in replies]
        return sum(await self.in_thread(self._desk.take, self._node, numbers))

    async def recover(self) -> list[str]:
        """Return the keys of what has not ended: to be looked after when the process starts."""
        return [record.request for record in await self.in_thread(self._desk.open)]

    async def look_after(self, key: str) -> float:
        """Go on with a request that has not ended; return after how many seconds to do so again.

        0 where it has ended. Asks node A, sends what node A never got, and cancels a payment that
        took too long: it counts as failed only once the cancellation succeeded.
        """
        record = (await self.in_thread(self._desk.find, [key])).get(key)
        if record is None or not record.state.open:
            return 0.0
        try:
            after = await self._go_on(record)
        except PetcoreError as error:
            _LOG.failure("cannot go on with a request yet", error, request=key)
            return self.times.poll
        if after is not None and not after.state.open:
            return 0.0
        return self.times.awaiting if record.check else self.times.poll

    async def tidy(self) -> None:
        """Erase what need not be kept any longer, every hour, until cancelled."""
        while True:
            try:
                await self.in_thread(self._desk.forget)
            except PetcoreError as error:
                _LOG.failure("nothing could be erased", error)
            await asyncio.sleep(TIDY_SECONDS)

    async def close(self) -> None:
        """Wait for what is on its way, then for the journal."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._relay.close()
        await self._begin.close()
        await self._conclude.close()
        self._thread.shutdown()

    async def record(self, key: str) -> Record:
        """Return a record that is there."""
        found: dict[str, Record] = await self.in_thread(self._desk.find, [key])
        return found[key]

    async def in_thread(self, work: Any, *arguments: Any) -> Any:
        """Call the journal, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def now(self) -> datetime:
        """Return the time, by the journal's clock."""
        return datetime.fromtimestamp(self._desk.database.clock() / 1000, UTC)

    def tag(self, content: str) -> bytes:
        """Return the keyed digest by which a retry is known."""
        return self._desk.letters.tag("content", content)

    async def _carry(self, begun: Begun) -> None:
        record = None
        try:
            reply = await self._relay.send(begun.letter)
            record = await self._close(begun.key, reply)
        except Exception as error:  # whatever it is, the request is journalled and has not ended
            _LOG.failure("no answer of the network yet", error, request=begun.key)
        if record is None or record.state.open:
            self.on_open(begun.key)

    async def _go_on(self, record: Record) -> Record | None:
        if record.kind is Kind.CANCEL:
            return await self._again(record)
        reply = await self._relay.ask(split_key(record.request)[1])
        late = self.now() > self._patience(record)
        if reply.status == "unknown" and not late:
            return await self._again(record)
        after = await self._close(record.request, reply)
        if not late or record.kind is Kind.REFUND or (after and not after.state.open):
            return after
        asked = asked_of(record)
        await self.take_back(asked.client, asked.request, asked.mpp)
        return await self.record(record.request)

    async def _again(self, record: Record) -> Record | None:
        letter = await self.in_thread(self._desk.again, record.request)
        return await self._close(record.request, await self._relay.send(letter))

    def _patience(self, record: Record) -> datetime:
        """Return until when a decision is waited for; with a payer who has to agree, to the end."""
        end = datetime.fromtimestamp(record.expires / 1000, UTC)
        asked = datetime.fromtimestamp(record.created / 1000, UTC)
        return end if record.check else min(end, asked + timedelta(seconds=self.times.give_up))

    async def _close(self, key: str, reply: Reply) -> Record | None:
        """Take a reply; wake up who waits for its end, or for the page where a payer agrees."""
        try:
            record = await self._conclude.add(Closing(key, Verdict(reply)))
        except LedgerError:
            raise
        except PetcoreError as error:
            _LOG.failure("an answer of the network was not taken", error, request=key)
            return None
        if not record.state.open or record.check:
            self._wake(key, record)
        if record.kind is Kind.CANCEL and not record.state.open:
            await self._wake_payment(record)
        elif not record.state.open and record.body and asked_of(record).notify_url:
            self.on_notice()
        return record

    async def _wake_payment(self, cancel: Record) -> None:
        ended = ended_of(cancel)
        if ended is None or (key := self._desk.key_of(ended.request)) not in self._waiting:
            return
        record = (await self.in_thread(self._desk.find, [key])).get(key)
        if record is not None and not record.state.open:
            self._wake(key, record)
            self.on_notice()

    def _wake(self, key: str, record: Record) -> None:
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(record)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gatherer(
        self, work: Any, seconds: float | Callable[[], float] = 0.0
    ) -> Gatherer[Any, Any]:
        async def handle(items: list[Any]) -> Any:
            return await self.in_thread(work, items)

        return Gatherer(handle, seconds=seconds, most=_TOGETHER_MAX, at_once=1)


def milliseconds(moment: datetime) -> int:
    """Return a time as the journal keeps it."""
    return int(moment.timestamp() * 1000)


def _ignore(_: str) -> None:
    """Look after nothing: what is open then stays so until it is asked for again."""


def _nothing() -> None:
    """Notify nobody now: what is in the outbox stays there."""
