"""What the edge's journal holds of a request: what was asked (body), and how it ended (answer).

Both are JSON. Of a request that ended, the body may be erased; the answer has all that is told of
it later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from petcore.network.acquirer.orders import Code, Entry, Payment
from petcore.network.ledger import Kind, Record, State

MessageName = Literal["pay", "consult", "refund", "cancel"]
_NAMES: dict[Kind, MessageName] = {
    Kind.PAY: "pay",
    Kind.CONSULT: "consult",
    Kind.REFUND: "refund",
    Kind.CANCEL: "cancel",
}


class _Stored:
    def to_bytes(self) -> bytes:
        """Return it as the journal keeps it."""
        return json.dumps(vars(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        return cls(**json.loads(content))


@dataclass(frozen=True)
class Asked(_Stored):
    """What was asked, with all that is needed to ask the network again after a crash.

    ``request`` is the caller's id; ``payment`` that of the payment which a refund or a cancellation
    is about. Amounts and fees in minor units of ``currency``.
    """

    client: str
    request: str
    mpp: str
    agreement: str = ""
    currency: str = ""
    amount: int = 0
    fee: int = 0
    payment: str = ""
    token: str = field(default="", repr=False)
    fx: str = "original"
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notify_url: str = field(default="", repr=False)


@dataclass(frozen=True)
class Learned(_Stored):
    """What the wallet said while a payer has not agreed yet."""

    id: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Ended(_Stored):
    """How a request ended; ``id`` is the wallet's, ``time`` in seconds since 1970."""

    client: str
    request: str
    mpp: str
    currency: str
    amount: int
    code: Code
    id: str = ""
    time: float = 0.0
    agreement: str = ""
    fee: int = 0
    batch: int = 0


def end_of(asked: Asked, code: Code, **more: Any) -> Ended:
    """Return the end of what was asked."""
    return Ended(
        client=asked.client,
        request=asked.request,
        mpp=asked.mpp,
        currency=asked.currency,
        amount=asked.amount,
        code=code,
        agreement=asked.agreement,
        fee=asked.fee,
        **more,
    )


def name_of(kind: Kind) -> MessageName:
    """Return the message by which the network is asked."""
    return _NAMES[kind]


def asked_of(record: Record) -> Asked:
    """Return what a record that has not ended asked for."""
    return Asked.from_bytes(record.body or b"{}")


def ended_of(record: Record) -> Ended | None:
    """Return how a record ended; None while it is open, or where nothing was ever asked."""
    return Ended.from_bytes(record.answer) if record.answer and not record.state.open else None


def payment_of(record: Record, entries: tuple[Entry, ...] = ()) -> Payment:
    """Return what the edge tells of a payment; a cancellation that succeeded is its last word."""
    ended = ended_of(record)
    source: Asked | Ended = ended or asked_of(record)
    learned = Learned.from_bytes(record.check) if record.check and ended is None else None
    code: Code = ended.code if ended else "pending"
    undone = code == "done" and record.kind is Kind.PAY and record.state is State.VOIDED
    return Payment(
        request=source.request,
        mpp=source.mpp,
        currency=source.currency,
        amount=source.amount,
        code="cancelled" if undone else code,
        id=ended.id if ended else learned.id if learned else "",
        time=ended.time if ended else 0.0,
        normal_url=learned.url if learned else "",
        consult=record.kind is Kind.CONSULT,
        entries=entries,
    )


def entry_of(record: Record, amount: int | None = None) -> Entry:
    """Return a refund or a cancellation as an entry of its payment."""
    ended = ended_of(record)
    source: Asked | Ended = ended or asked_of(record)
    return Entry(
        kind="refund" if record.kind is Kind.REFUND else "cancel",
        request=source.request,
        amount=source.amount if amount is None else amount,
        code=ended.code if ended else "pending",
        id=ended.id if ended else "",
        time=ended.time if ended else 0.0,
    )


def client_of(record: Record) -> str:
    """Return which client asked; empty for an id that was only forbidden."""
    if record.state is State.TOMBSTONED:
        return ""
    ended = ended_of(record)
    return ended.client if ended else asked_of(record).client
