"""The values of the journal: requests, what became of them, batches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError

ID_LENGTH = 64
TAG_LENGTH = 64
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}/[\x20-\x7e]{1,64}")

Words = npt.NDArray[np.uint64]


def key(sender: str, request_id: str) -> str:
    """Return how a request is known everywhere: ``sender/id``; senders have no slash.

    Raises
    ------
    UsageError
        The sender is no name, or the id not of 1 to 64 printable ASCII characters.

    Examples
    --------
    >>> key("shop-bank", "ORDER/7")
    'shop-bank/ORDER/7'
    """
    joined = f"{sender}/{request_id}"
    if "/" in sender or not _KEY.fullmatch(joined):
        raise UsageError(
            "a request is known by a participant's name and 1 to 64 printable characters"
        )
    return joined


def split_key(request: str) -> tuple[str, str]:
    """Return sender and id of a `key`."""
    sender, _, request_id = request.partition("/")
    return sender, request_id


class Kind(IntEnum):
    """What was asked for."""

    PAY = 0
    REFUND = 1
    CONSULT = 2
    CANCEL = 3
    OTHER = 4


class Part(IntEnum):
    """The bytes that are kept of a request."""

    BODY = 0
    CHECK = 1
    ANSWER = 2


class State(IntEnum):
    """Where a request is; from POSTED on only further refunds or a cancellation change it."""

    NEW = 0
    RESERVED = 1
    POSTED = 2
    PARTIALLY_REFUNDED = 3
    REFUNDED = 4
    VOIDED = 5
    EXPIRED = 6
    TOMBSTONED = 7

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self <= State.RESERVED


class Acceptance(StrEnum):
    """What the journal says to a request that arrives."""

    NEW = "new"
    STORED = "stored"
    INCONSISTENT = "inconsistent"
    TOMBSTONED = "tombstoned"
    EXPIRED = "expired"


class Cancelled(StrEnum):
    """What a cancellation did.

    OPEN: a batch with it runs, ask again when that ended. REFUSED: it is no payment.
    """

    TOMBSTONED = "tombstoned"
    VOIDED = "voided"
    REVERSED = "reversed"
    ALREADY = "already"
    OPEN = "open"
    REFUSED = "refused"


class BatchState(IntEnum):
    """How far a batch is at one node."""

    PREPARED = 0
    COMPUTED = 1
    COMMITTED = 2
    ABORTED = 3


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrives.

    Attributes
    ----------
    request
        Its `key`.
    tag
        What its content is judged by: the same id with another tag is another request.
    expires
        Milliseconds since 1970; a request that comes later is refused.
    payment
        Of a refund: the key of the payment.
    body
        What is kept of it, to go on after a crash.
    """

    request: str
    kind: Kind
    tag: bytes
    expires: int
    body: bytes = b""
    payment: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A request as the journal has it.

    ``seen``, ``debit`` and ``fee`` are what of a posted payment is not refunded, or what a refund
    took: int64, at a node the bits of this node's shares. Where ``batch`` is None it is in none.
    """

    request: str
    kind: Kind
    tag: bytes
    state: State
    payment: str | None
    created: int
    expires: int
    changed: int
    batch: int | None
    slot: int | None
    seen: int
    debit: int
    fee: int
    body: bytes | None
    check: bytes | None
    answer: bytes | None


class Accepted(NamedTuple):
    """What `accept` says of one request; `record` is what the journal had of it, None if new."""

    outcome: Acceptance
    record: Record | None


class Row(NamedTuple):
    """A request in a batch; `payment` is what a refund refunds."""

    request: str
    kind: Kind
    payment: str | None


@dataclass(frozen=True)
class Batch:
    """A batch of a node, its rows by slot.

    ``decisions`` has this node's shares (n,), ``totals`` those of seen, debit and fee (n, 3); both
    are None until it is computed.
    """

    number: int
    state: BatchState
    window: int
    digest: bytes
    rows: tuple[Row, ...]
    decisions: Words | None = field(default=None, repr=False)
    totals: Words | None = field(default=None, repr=False)

    @property
    def requests(self) -> tuple[str, ...]:
        """The keys of the requests, by slot."""
        return tuple(row.request for row in self.rows)
