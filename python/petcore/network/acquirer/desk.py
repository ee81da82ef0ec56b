"""The edge's journal: every request is written down before it is sent and before it is answered.

Calls take lists; each is one transaction, and they all come from one thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from petcore.errors import PetcoreError
from petcore.network.acquirer.book import REVERSAL_LEG, Book
from petcore.network.acquirer.facts import (
    Asked,
    Ended,
    Learned,
    asked_of,
    end_of,
    name_of,
)
from petcore.network.acquirer.letters import Letters
from petcore.network.acquirer.verdicts import Verdict
from petcore.network.ledger import (
    Acceptance,
    Database,
    Documents,
    EdgeJournal,
    Finish,
    Inbox,
    Kind,
    Outbox,
    Outgoing,
    Record,
    Request,
    State,
    Transfer,
    key,
)

MERCHANTS = "merchants"
"""The recipient under which notifications to merchants stand in the outbox."""

BODY_MS = 24 * 3600 * 1000
"""How long the order and the payment code of a request are kept after its end."""

_PAYMENT_IDS = "acquirer payment ids"
_SETTINGS = "acquirer settings"
_TAGS = "content tags"


@dataclass(frozen=True)
class Wish:
    """A request to be journalled and composed; ``expires`` in milliseconds since 1970."""

    kind: Kind
    asked: Asked
    tag: bytes
    expires: int


@dataclass(frozen=True)
class Begun:
    """What the journal said to a wish; ``letter`` is the message to send if it is new."""

    outcome: Acceptance
    key: str
    record: Record | None
    letter: bytes = b""


@dataclass(frozen=True)
class Closing:
    """What the network said about a request."""

    key: str
    verdict: Verdict


def content_secret(database: Database) -> bytes:
    """Return the secret under which this edge tags contents; made at the first start."""
    settings = Documents(database, _SETTINGS)
    found = settings.get([_TAGS])
    if not found:
        found = {_TAGS: os.urandom(32)}
        settings.put(found)
    return found[_TAGS]


class Desk:
    """The journal of an acquirer's edge, with the messages that follow from it."""

    def __init__(self, database: Database, letters: Letters) -> None:
        self.database, self.letters = database, letters
        self.name = letters.name
        self._journal = EdgeJournal(database)
        self._outbox, self._inbox = Outbox(database), Inbox(database)
        self._payment_ids = Documents(database, _PAYMENT_IDS)
        self._book = Book(database, letters.name)

    def key_of(self, request_id: str) -> str:
        """Return the key of one of this edge's requests."""
        return key(self.name, request_id)

    def begin(self, wishes: Sequence[Wish]) -> list[Begun | Exception]:
        """Journal requests, all in one transaction; compose the messages of those that are new."""
        keys = [self.key_of(self.letters.request_id(name_of(w.kind), w.asked)) for w in wishes]
        accepted = self._journal.accept(
            [
                Request(
                    request=request,
                    kind=wish.kind,
                    tag=wish.tag,
                    expires=wish.expires,
                    payment=self.key_of(wish.asked.payment) if wish.kind is Kind.REFUND else None,
                    body=wish.asked.to_bytes(),
                )
                for request, wish in zip(keys, wishes, strict=True)
            ]
        )
        begun: list[Begun | Exception] = []
        for request, wish, (outcome, record) in zip(keys, wishes, accepted, strict=True):
            if outcome is not Acceptance.NEW:
                begun.append(Begun(outcome, request, record))
                continue
            try:
                letter = self._letter(wish.kind, wish.asked, wish.tag, wish.expires)
            except PetcoreError as error:
                begun.append(error)
            else:
                begun.append(Begun(outcome, request, None, letter))
        return begun

    def again(self, request: str) -> bytes:
        """Return a fresh message for a request that has not ended."""
        record = self._journal.find([request])[request]
        return self._letter(record.kind, asked_of(record), record.tag, record.expires)

    def conclude(self, closings: Sequence[Closing]) -> list[Record | Exception]:
        """Take what the network said; return the records as they are then, in one transaction.

        What does not verify changes nothing, and is returned as its error.
        """
        known = self._journal.find(closing.key for closing in closings)
        errors: dict[int, Exception] = {}
        ends: dict[str, Ended] = {}
        learned: dict[str, Learned] = {}
        for place, closing in enumerate(closings):
            record = known[closing.key]
            if not record.state.open or closing.key in ends:
                continue
            try:
                end = closing.verdict.end(record, self.letters)
            except PetcoreError as error:
                errors[place] = error
                continue
            if isinstance(end, Learned):
                learned[closing.key] = end
            elif end is not None:
                ends[closing.key] = end
        known |= self._write(known, ends, learned)
        return [errors.get(place, known[closing.key]) for place, closing in enumerate(closings)]

    def forbid(self, request_ids: Sequence[str]) -> list[bool]:
        """Refuse ids for ever that are unknown here; False where one is known."""
        return self._journal.tombstone([self.key_of(request_id) for request_id in request_ids])

    def find(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return the records of keys that are known."""
        return self._journal.find(keys)

    def refunds(self, payment: str) -> tuple[Record, ...]:
        """Return the refunds of a payment, by its key, oldest first."""
        return tuple(self._journal.refunds(payment))

    def take(self, node: str, numbers: Sequence[int]) -> list[bool]:
        """Keep that notifications of a node were taken; False for those that were before."""
        return self._inbox.take(node, numbers)

    def forget(self) -> int:
        """Erase what was kept of requests that ended a day ago (codes, orders); say of how many."""
        return self._journal.forget_bodies(self.database.clock() - BODY_MS)

    def open(self) -> list[Record]:
        """Return what has not ended, oldest first."""
        return self._journal.waiting()

    def by_payment_id(self, payment_id: str) -> str:
        """Return the caller's id of the payment that a wallet gave this id; empty for none."""
        return self._payment_ids.get([payment_id]).get(payment_id, b"").decode()

    def _letter(self, kind: Kind, asked: Asked, tag: bytes, expires: int) -> bytes:
        left = (expires - self.database.clock()) / 1000
        return self.letters.compose(name_of(kind), asked, tag, expires_in=max(1.0, left))

    def _write(
        self, known: dict[str, Record], ends: dict[str, Ended], learned: dict[str, Learned]
    ) -> dict[str, Record]:
        """Write what follows from verdicts, in one transaction; return the records that changed.

        It outlives this process, and need not outlive a failure of power: the nodes keep every
        decision, and after a start whatever is open here is asked about again.
        """
        if not ends and not learned:
            return {}
        with self.database.write(durable=False):
            if learned:
                self._journal.keep({k: v.to_bytes() for k, v in learned.items() if k not in ends})
            transfers, cancelled = self._cancelled(known, ends)
            self._too_late(known, ends, cancelled)
            finishes = [_finish(known[request], end) for request, end in ends.items()]
            done = self._journal.finish(finishes)
            fresh = [
                (known[request], end)
                for (request, end), first in zip(ends.items(), done, strict=True)
                if first
            ]
            if cancelled:
                self._journal.cancel(cancelled)
            self._book.post([*transfers, *self._moved(fresh)])
            self._name_payments(fresh)
            self._notify(fresh)
            after = {f.request: _ended(known[f.request], f) for f in finishes}
            late = [request for request, first in zip(ends, done, strict=True) if not first]
            return after | self._journal.find([*late, *learned, *cancelled])

    def _cancelled(
        self, known: dict[str, Record], ends: dict[str, Ended]
    ) -> tuple[list[Transfer], list[str]]:
        """Return the transfers that undo payments, and which, for cancellations that end here.

        A payment that is still open ends too, and is added to `known` and `ends`.
        """
        cancels = {
            self.key_of(asked_of(known[request]).payment): request
            for request, end in ends.items()
            if known[request].kind is Kind.CANCEL and end.code == "done"
        }
        if not cancels:
            return [], []
        transfers, ended = [], []
        for payment, record in self._journal.find(cancels).items():
            if record.state.open:
                known[payment] = record
                time = ends[cancels[payment]].time
                ends[payment] = end_of(
                    asked_of(record), "cancelled", id=_learned_id(record), time=time
                )
                continue
            ended.append(payment)
            if record.seen:
                end = Ended.from_bytes(record.answer or b"")
                left = record.seen - record.fee
                transfers.append(self._book.give(payment, end.currency, left, leg=REVERSAL_LEG))
        return transfers, ended

    def _too_late(
        self, known: dict[str, Record], ends: dict[str, Ended], cancelled: Sequence[str]
    ) -> None:
        """End refunds that a cancellation overtook as cancelled: it has given back all there was."""
        refunds = {
            request: known[request].payment or ""
            for request, end in ends.items()
            if known[request].kind is Kind.REFUND and end.code == "done"
        }
        paid = self._journal.find(refunds.values(), parts=False) if refunds else {}
        for request, payment in refunds.items():
            if payment in cancelled or paid[payment].state is State.VOIDED:
                ends[request] = replace(ends[request], code="cancelled")

    def _moved(self, fresh: Sequence[tuple[Record, Ended]]) -> list[Transfer]:
        return [
            (self._book.gain if record.kind is Kind.PAY else self._book.give)(
                record.request, end.currency, end.amount - end.fee
            )
            for record, end in fresh
            if _posted(record, end)
        ]

    def _name_payments(self, fresh: Sequence[tuple[Record, Ended]]) -> None:
        names = {
            end.id: end.request.encode()
            for record, end in fresh
            if end.id and record.kind is Kind.PAY
        }
        if names:
            self._payment_ids.put(names)

    def _notify(self, fresh: Sequence[tuple[Record, Ended]]) -> None:
        letters = []
        for record, _ in fresh:
            if record.kind is Kind.PAY and (url := asked_of(record).notify_url):
                letters.append(Outgoing(MERCHANTS, "payment", record.request, url.encode()))
        if letters:
            self._outbox.put(letters)


def _posted(record: Record, end: Ended) -> bool:
    return end.code == "done" and record.kind in (Kind.PAY, Kind.REFUND)


def _finish(record: Record, end: Ended) -> Finish:
    posted = _posted(record, end)
    return Finish(
        record.request,
        State.POSTED if posted else State.VOIDED,
        end.to_bytes(),
        seen=end.amount if posted else 0,
        fee=end.fee if posted else 0,
    )


def _ended(record: Record, finish: Finish) -> Record:
    """Return a record as the journal has it after its end."""
    left = finish.seen, finish.fee
    seen, fee = left if record.kind is Kind.PAY else (0, 0)
    return replace(record, state=finish.state, answer=finish.answer, seen=seen, fee=fee)


def _learned_id(record: Record) -> str:
    return Learned.from_bytes(record.check).id if record.check else ""
