"""What node A owes to edges: decisions to wallets, late results to acquirers; until acknowledged.

Letters are put into the outbox in the transaction that makes them true, so no crash loses one. A
postman per recipient delivers them in order, many at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from petcore.errors import PetcoreError
from petcore.network.envelope import compose, pack
from petcore.network.http import Peers
from petcore.network.ledger import Letter, Outgoing, split_key
from petcore.network.node.answers import Answers
from petcore.network.node.core import Core
from petcore.network.node.pending import Pending
from petcore.network.node.replies import write_replies

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts
_TOGETHER = 0.03  # seconds
_LETTERS = 128
_CALL_SECONDS = 5.0
_NOTICE_SECONDS = 24 * 3600
_DECISIONS, _NOTIFY = "decisions", "notify"


class Notices:
    """The outbox of node A, and its postmen.

    Parameters
    ----------
    core, peers, answers
        Of the same node.
    """

    def __init__(self, core: Core, peers: Peers, answers: Answers) -> None:
        self._core, self._peers, self._answers = core, peers, answers
        self._postmen = {
            edge.name: Postman(
                core, edge.name, self._decisions if edge.role == "mpp" else self._notify
            )
            for role in ("mpp", "acqp")
            for edge in core.directory.of_role(role)
        }

    def start(self) -> None:
        """Begin to deliver."""
        for postman in self._postmen.values():
            postman.start()

    def put(self, number: int, rows: Sequence[Pending]) -> None:
        """Owe the decisions of a batch to its wallets, and to acquirers what no caller waits for.

        Inside the transaction that commits the batch.
        """
        wallets = dict.fromkeys(pending.row.mpp for pending in rows)
        letters = [Outgoing(wallet, _DECISIONS, str(number), b"") for wallet in wallets]
        letters += [
            Outgoing(pending.row.acqp, _NOTIFY, pending.key, b"")
            for pending in rows
            if not pending.waiters
        ]
        self._core.outbox.put(letters)

    def give_up(self, pending: Pending) -> None:
        """Journal the end of a request without a decision, and owe it to who does not wait."""
        core = self._core
        with core.database.write():
            if core.journal.expire([pending.key])[0] and pending.awaiting is not None:
                core.outbox.put(
                    [Outgoing(pending.request.header.sender, _NOTIFY, pending.key, b"")]
                )

    def wake(self, names: Sequence[str]) -> None:
        """Say that there is something to deliver."""
        for name in names:
            self._postmen[name].wake()

    async def close(self) -> None:
        """Stop delivering; what is not acknowledged stays in the outbox."""
        for postman in self._postmen.values():
            await postman.close()

    async def _decisions(self, wallet: str, letters: Sequence[Letter]) -> None:
        bodies = await self._core.in_thread(self._sealed, wallet, letters)
        await self._peers.post(wallet, "/v1/decisions", pack(bodies), timeout=_CALL_SECONDS)

    def _sealed(self, wallet: str, letters: Sequence[Letter]) -> list[bytes]:
        found = self._core.journal.envelopes([int(letter.request) for letter in letters])
        return [
            body
            for by_edge in found.values()
            for (_, edge), body in by_edge.items()
            if edge == wallet
        ]

    async def _notify(self, acqp: str, letters: Sequence[Letter]) -> None:
        items = await self._core.in_thread(self._notifications, acqp, letters)
        await self._peers.post(acqp, "/v1/notifications", pack(items), timeout=_CALL_SECONDS)

    def _notifications(self, acqp: str, letters: Sequence[Letter]) -> list[bytes]:
        core = self._core
        known = core.journal.find([letter.request for letter in letters])
        records = [known[letter.request] for letter in letters]
        replies = []
        for letter, reply in zip(letters, self._answers.of(records, acqp), strict=True):
            _, request_id = split_key(letter.request)
            notice = compose(
                "notify",
                f"notice-{letter.number}",
                {"number": letter.number, "payment": request_id, "state": reply.state},
                ring=core.ring,
                keys=core.keys,
                to={"acqp": acqp},
                expires_in=_NOTICE_SECONDS,
                counter=core.counter.next(),
            )
            envelopes = (notice.to_bytes(), *reply.envelopes)
            replies.append(replace(reply, number=letter.number, envelopes=envelopes))
        return write_replies(replies)


class Postman:
    """Delivers one recipient's letters in their order, and begins again where a delivery failed."""

    def __init__(
        self,
        core: Core,
        recipient: str,
        deliver: Callable[[str, Sequence[Letter]], Awaitable[None]],
    ) -> None:
        self._core, self._recipient, self._deliver = core, recipient, deliver
        self._more = asyncio.Event()
        self._more.set()  # an earlier process may have left something
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look into the outbox."""
        self._more.set()

    async def close(self) -> None:
        """Stop delivering."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._more.wait()
            await asyncio.sleep(_TOGETHER)  # nobody waits for a letter: several batches go together
            self._more.clear()
            try:
                letters = await self._core.in_thread(self._owed)
                while letters:
                    await self._deliver(self._recipient, letters)
                    failures = 0
                    letters = await self._core.in_thread(self._owed, letters)
            except PetcoreError as error:
                self._core.log.failure("a delivery failed", error, recipient=self._recipient)
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                self._more.set()

    def _owed(self, arrived: Sequence[Letter] = ()) -> list[Letter]:
        """Forget letters that arrived; return those that are still owed."""
        outbox, to = self._core.outbox, self._recipient
        outbox.acknowledge(to, [letter.number for letter in arrived])
        return outbox.pending(to, limit=_LETTERS)
