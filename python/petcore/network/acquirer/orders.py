"""What a merchant's system asks of an acquirer's edge, and what it is told, in no dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

FxMode = Literal["original", "current"]

Code = Literal[
    "done",
    "pending",
    "unclear",
    "inconsistent",
    "illegal",
    "absent",
    "cancelled",
    "balance",
    "rejected",
    "exceeds",
    "too_late",
]
"""What became of a call or a payment; ``pending`` and ``unclear`` mean: not known yet, ask again."""

OPEN: frozenset[Code] = frozenset({"pending", "unclear"})


@dataclass(frozen=True)
class PayOrder:
    """A payment that a client of the edge asks for.

    Attributes
    ----------
    client
        Which client of the edge asks.
    request
        The caller's id of the payment.
    currency, amount
        What the merchant gets, minor units.
    token
        The payer's one-time code, or empty: then the payer agrees at the wallet's own page.
    details
        What the wallet needs to see, by the names that the schema has for it.
    key
        What must be the same when the request comes again under its id.
    consult
        Whether only to ask if the payment would be approved.
    expires
        When the payment may no longer be made.
    notify_url
        Where its final result is told; empty for nowhere.
    """

    client: str
    request: str
    currency: str
    amount: int
    token: str = field(repr=False)
    details: Mapping[str, Any] = field(repr=False)
    key: str = field(repr=False)
    consult: bool = False
    expires: datetime | None = None
    notify_url: str = field(default="", repr=False)


@dataclass(frozen=True)
class PaymentRef:
    """A payment by the caller's id, or by the id that the wallet gave it."""

    client: str
    request: str = ""
    payment: str = ""


@dataclass(frozen=True)
class RefundOrder:
    """A refund, full or partial, of a payment; ``key`` and ``request`` as in `PayOrder`."""

    client: str
    request: str
    of: PaymentRef
    currency: str
    amount: int
    key: str = field(repr=False)
    reason: str = field(default="", repr=False)
    fx: FxMode = "original"


@dataclass(frozen=True)
class Entry:
    """A refund of a payment or its cancellation; ``time`` in seconds since 1970, 0 until done."""

    kind: Literal["refund", "cancel"]
    request: str
    amount: int
    code: Code
    id: str = ""
    time: float = 0.0


@dataclass(frozen=True)
class Payment:
    """What the edge knows of a payment and tells its client.

    ``id`` is the wallet's, ``normal_url`` the wallet's page where the payer agrees; ``entries`` are
    its refunds and its cancellation, in the order in which they were asked for.
    """

    request: str
    mpp: str
    currency: str
    amount: int
    code: Code
    id: str = ""
    time: float = 0.0
    normal_url: str = field(default="", repr=False)
    consult: bool = False
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The answer to a call: its own code, the payment it is about, and the entry it made."""

    code: Code
    payment: Payment | None = None
    entry: Entry | None = None
    message: str = ""
