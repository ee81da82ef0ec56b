"""Node A's lane: batches and cancels, one after the other, and what to do when one breaks.

Nothing that moves money happens at both nodes but here, in one order. A batch goes

    propose to B, which journals -> compute, while B does -> journal and commit here in one
    transaction, after B has kept its results -> answer the edges -> tell B to commit.

A batch counts if A committed it. Where anything fails before, the session is dropped, the nodes
meet again, B gives up what A did not commit and commits what A did, and the rows go into a later
batch: fresh correlations, the same inputs.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from petcore.errors import LinkError, PetcoreError, SessionBroken, error_class
from petcore.network.envelope import pack, unpack
from petcore.network.errors import BatchRefused, NodeError, NodesApart
from petcore.network.http import Peers
from petcore.network.keyring import now_ms
from petcore.network.ledger import BatchState, Windows
from petcore.network.node.core import Computed, Core, batch_digest
from petcore.network.node.pending import Pending

PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds between attempts to meet
_CALL_SECONDS = 10.0
_COMPUTE_SECONDS = 40.0
_WATCH_SECONDS = 1.0
_EDGES_MAX = 64
_COMMIT_SECONDS = 0.05  # how long B may wait to hear of a commit
# A batch costs as much for one row as for many: it waits a part of what the last one took.
_SHARE, _GATHER_MAX = 0.25, 0.04

Committed = Callable[[int, Sequence[Pending], dict[tuple[str, str], bytes]], Awaitable[None]]
Errand = Callable[[], Awaitable[None]]


class Lane:
    """Runs what both nodes do together.

    Parameters
    ----------
    core : Core
        Of node A.
    peers : Peers
        To reach B.
    gather, most : float, int
        Seconds that a batch waits for more rows, and how many it may have.
    within : callable
        Called with a batch's rows inside the transaction that commits it.
    committed : callable
        Called with the number, the rows and all decision envelopes, by (node, edge).
    found : callable
        Called with rows that had ended, as it turned out when the nodes met again.
    """

    def __init__(
        self,
        core: Core,
        peers: Peers,
        *,
        gather: float,
        most: int,
        within: Callable[[int, Sequence[Pending]], None],
        committed: Committed,
        found: Callable[[Sequence[Pending]], Awaitable[None]],
    ) -> None:
        self._core, self._peers = core, peers
        self._gather, self._most = gather, most
        self._within, self._committed, self._found = within, committed, found
        self._rows: deque[Pending] = deque()
        self._errands: deque[Errand] = deque()
        self._more = asyncio.Event()
        self._settled: list[int] = []
        self._name = ""
        self._ending = False
        self._last = 0
        self._windows = Windows(core.database)
        self._window, self._took = 0, 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def together(self) -> bool:
        """Whether the nodes have a session and their journals agree."""
        return bool(self._name) and self._core.pairing.name == self._name

    def start(self) -> None:
        """Begin to run."""
        self._task = asyncio.create_task(self._run())

    def add(self, pending: Pending) -> None:
        """Give a row that is ready for a batch."""
        self._rows.append(pending)
        self._more.set()

    def between(self, errand: Errand) -> None:
        """Have something done at both nodes between two batches; repeated until it succeeds."""
        self._errands.append(errand)
        self._more.set()

    async def close(self) -> None:
        """Finish the batch that runs, and end."""
        self._ending = True
        self._more.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def call(self, path: str, body: bytes, seconds: float = _CALL_SECONDS) -> bytes:
        """Ask B."""
        return await self._peers.post(self._core.other.name, path, body, timeout=seconds)

    async def _run(self) -> None:
        failures = 0
        while not self._ending:
            try:
                if not self.together:
                    await self._meet()
                await self._step()
                failures = 0
            except Exception as error:  # a lane that ended would leave its node deaf
                self._core.log.failure("the nodes have to meet again", error, attempt=failures)
                self._name = ""
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
        await self._say_commit(quietly=True)

    async def _step(self) -> None:
        """Do what is due: errands first, then a batch; else wait, and look whether B is there."""
        if self._errands:
            await self._errands[0]()
            self._errands.popleft()
            self._window = await self._core.in_thread(self._windows.current)
        elif self._rows:
            if len(self._rows) < self._most:
                await asyncio.sleep(max(self._gather, min(_SHARE * self._took, _GATHER_MAX)))
            rows = self._choose()
            if rows:
                await self._batch(rows)
        else:
            await self._idle()

    async def _idle(self) -> None:
        """Wait for work; what B may commit is told with the next proposal if that comes soon."""
        self._more.clear()
        if await self._woken(_COMMIT_SECONDS if self._settled else _WATCH_SECONDS):
            return
        if self._settled:
            await self._say_commit()
        elif (await self._open_at_b())["session"] != self._name:
            raise BatchRefused(f"{self._core.other.name} has another session")

    async def _woken(self, seconds: float) -> bool:
        """Wait for something to do; False where nothing came."""
        try:
            await asyncio.wait_for(self._more.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _choose(self) -> list[Pending]:
        """Take the rows of the next batch: not two refunds of a payment, none that expired."""
        chosen: list[Pending] = []
        later: list[Pending] = []
        refunding: set[str] = set()
        now = now_ms()
        while self._rows and len(chosen) < self._most:
            pending = self._rows.popleft()
            payment = pending.payment
            if pending.done:
                continue
            if pending.expires <= now:
                pending.expire()
            elif payment is not None and payment in refunding:
                later.append(pending)
            else:
                refunding |= {payment} if payment else set()
                chosen.append(pending)
        self._rows.extendleft(reversed(later))
        return chosen

    async def _batch(self, rows: list[Pending]) -> None:
        begin = time.perf_counter()
        try:
            rows = await self._attempt(rows)
        except BaseException:
            self._rows.extendleft(reversed([row for row in rows if not row.done]))
            self._core.meters.batches.labels("failed").inc()
            raise
        self._took = time.perf_counter() - begin
        if rows:
            self._core.meters.batches.labels("committed").inc()
            self._core.meters.batch_seconds.observe(self._took)

    async def _attempt(self, rows: list[Pending]) -> list[Pending]:
        """Propose, compute, commit; return the rows that were decided."""
        core, number = self._core, self._last + 1
        self._last = number
        window = self._window
        answer = await self._propose(number, window, rows)
        rows = _without(rows, answer["refused"])
        if not rows:
            return rows
        digest = batch_digest(number, window, [pending.row for pending in rows], core.model_name)
        if digest != answer["digest"]:
            await core.pairing.part()
            raise BatchRefused(f"{core.other.name} has other rows in batch {number}")
        mine, theirs = await self._both(number, digest, rows)
        await core.in_thread(self._commit, number, window, rows, digest, mine, theirs)
        self._settled.append(number)
        envelopes = {(core.name, edge): body for edge, body in mine.envelopes.items()}
        envelopes |= {(core.other.name, edge): body for edge, body in theirs.items()}
        await self._committed(number, rows, envelopes)
        return rows

    async def _propose(self, number: int, window: int, rows: Sequence[Pending]) -> dict[str, Any]:
        other = self._core.other.name
        head = {
            "batch": number,
            "session": self._name,
            "window": window,
            "settled": self._settled,
        }
        messages = [json.dumps(head).encode()]
        for pending in rows:
            for envelope in (pending.row.request, pending.row.check):
                messages.append(envelope.for_recipient(other).to_bytes())
        answer = _object(await self.call("/v1/batches", pack(messages)))
        self._settled = []
        refused = answer.get("refused")
        if not isinstance(refused, dict) or not isinstance(answer.get("digest"), str):
            raise BatchRefused(f"{other} answered a proposal with something else")
        answer["refused"] = {
            int(slot): str(code)[:40] for slot, code in refused.items() if slot.isdecimal()
        }
        return answer

    async def _both(
        self, number: int, digest: str, rows: Sequence[Pending]
    ) -> tuple[Computed, dict[str, bytes]]:
        """Compute here and there; return this node's results and B's decisions by edge."""
        core = self._core
        batch = [pending.row for pending in rows]
        mine = core.pairing.run(
            self._name, lambda session: core.compute(session, batch, number, digest)
        )
        body = json.dumps({"digest": digest}).encode()
        theirs = asyncio.create_task(
            self.call(f"/v1/batches/{number}/computed", body, _COMPUTE_SECONDS)
        )
        try:
            both: set[asyncio.Future[Any]] = {mine, theirs}
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            errors = [future.exception() for future in done]
            if any(error is not None for error in errors):
                await core.pairing.part()
                await asyncio.gather(mine, return_exceptions=True)
                raise _first_cause(errors)
            return mine.result(), self._decisions(number, theirs.result(), mine.result())
        finally:
            theirs.cancel()

    def _decisions(self, number: int, answer: bytes, mine: Computed) -> dict[str, bytes]:
        """Read B's decision envelopes: one for each edge that this node has one for."""
        core = self._core
        found: dict[str, bytes] = {}
        for content in unpack(answer, _EDGES_MAX):
            envelope = core.read_decision(content, number)
            found[envelope.header.recipient] = content
        if found.keys() != mine.envelopes.keys():
            raise BatchRefused(f"{core.other.name} decided for other edges")
        return found

    def _commit(
        self,
        number: int,
        window: int,
        rows: Sequence[Pending],
        digest: str,
        mine: Computed,
        theirs: dict[str, bytes],
    ) -> None:
        """Journal a batch from its beginning to its end.

        Without a record of the batch before its end, B's is given up when the nodes meet again.
        """
        core = self._core
        checks = {p.key: p.row.check.for_recipient(p.row.acqp).to_bytes() for p in rows}
        with core.database.write():
            if self._windows.current() != window:
                raise BatchRefused("the settlement window ended while the batch ran; once more")
            core.journal.prepare(number, checks, digest=bytes.fromhex(digest), window=window)
            core.keep(number, mine)
            core.journal.commit(number, node=core.other.name, envelopes=theirs)
            self._within(number, rows)

    async def _say_commit(self, *, quietly: bool = False) -> None:
        """Tell B what to commit, where no next proposal does."""
        settled = list(self._settled)
        try:
            for number in settled:
                await self.call(f"/v1/batches/{number}/commit", b"")
                self._settled.remove(number)
        except PetcoreError as error:
            if not quietly:
                raise
            self._core.log.failure("the other node will learn of a commit later", error)

    async def _meet(self) -> None:
        """Meet B under a new name, then settle what is open: what A committed counts."""
        core, name = self._core, secrets.token_hex(16)
        body = json.dumps({"session": name, "directory": core.directory.digest}).encode()
        await core.pairing.part()
        await self.call("/v1/pair", body)
        try:
            await core.pairing.meet(name)
        except PetcoreError:
            core.meters.meetings.labels("failed").inc()
            raise
        core.meters.meetings.labels("met").inc()
        await self._settle(await self._met_at_b(name))
        self._name = name

    async def _met_at_b(self, name: str) -> dict[str, Any]:
        """Wait until B has the session too; return what is open there."""
        for pause in (*PAUSES, 0.0):
            there = await self._open_at_b()
            if there["session"] == name:
                return there
            await asyncio.sleep(pause)
        raise NodesApart(f"{self._core.other.name} did not come to the session")

    async def _settle(self, there: dict[str, Any]) -> None:
        core = self._core
        mine = await core.in_thread(core.journal.open_batches)
        for batch in mine:
            await core.in_thread(core.journal.abort, batch.number)
        for number in there["batches"]:
            batch_here = await core.in_thread(core.journal.batch, number)
            counts = batch_here is not None and batch_here.state is BatchState.COMMITTED
            await self.call(f"/v1/batches/{number}/{'commit' if counts else 'abort'}", b"")
            core.meters.batches.labels("recovered" if counts else "aborted").inc()
        self._settled = []
        known = await core.in_thread(core.journal.find, [pending.key for pending in self._rows])
        ended = [p for p in self._rows if p.key in known and not known[p.key].state.open]
        if ended:  # a commit whose success could not be told: the journal knows
            self._rows = deque(pending for pending in self._rows if pending not in ended)
            await self._found(ended)
        self._window = await core.in_thread(self._windows.current)
        self._last = max(await core.in_thread(core.journal.last_batch), there["last"], self._last)

    async def _open_at_b(self) -> dict[str, Any]:
        other = self._core.other.name
        answer = _object(await self._peers.get(other, "/v1/batches/open", timeout=_CALL_SECONDS))
        try:
            return {
                "batches": [int(batch["batch"]) for batch in answer["batches"]],
                "last": int(answer["last"]),
                "session": str(answer["session"]),
            }
        except (KeyError, TypeError, ValueError):
            raise BatchRefused(f"{other} cannot say which batches are open") from None


def _without(rows: Sequence[Pending], refused: dict[int, str]) -> list[Pending]:
    """Tell those that B refused; return the others."""
    good = []
    for slot, pending in enumerate(rows):
        code = refused.get(slot)
        if code is None:
            good.append(pending)
        else:
            pending.refuse(error_class(code)("the other node refused the request", code=code))
    return good


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise BatchRefused("the other node answered with something that is no JSON object")
    return answer


def _first_cause(errors: Sequence[BaseException | None]) -> BaseException:
    """Return what to report of what failed together: a session's own error says most."""
    found = [error for error in errors if error is not None]
    for error in found:
        if not isinstance(error, LinkError | SessionBroken | NodeError):
            return error
    return found[0]
