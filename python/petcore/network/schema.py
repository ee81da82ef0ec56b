"""The messages of the payment network and their fields: the one declaration of who gets what.

Retention, in days: what a payment consists of is kept while it can be disputed (360 days, and 25
for the answer); what only serves to carry it out goes earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from petcore.network.errors import EnvelopeMalformed
from petcore.network.fields import Class, Field, Form, Message, Role
from petcore.network.kinds import (
    AMOUNT,
    CURRENCY,
    DIGEST,
    ID,
    NAME,
    NUMBER,
    TIME,
    WORD,
    Kind,
    integer,
    listed,
    one_of,
    records,
    text,
    vector,
    words,
)

VERSION: Final = 1
FEATURES_MAX: Final = 64
BATCH_MAX: Final = 1024

DISPUTE_DAYS: Final = 385
LOG_DAYS: Final = 90
HANDLE_DAYS: Final = 1
BOOK_DAYS: Final = 3650

_EVERYONE: tuple[Role, ...] = ("acqp", "mpp", "node_a", "node_b")
_REASONS = one_of(
    "accepted", "balance", "limit", "risk", "token", "amount", "state", "expired", "other"
)
_STATES = one_of(
    "new", "reserved", "posted", "partially_refunded", "refunded", "voided", "expired", "tombstoned"
)


def _clear(
    name: str, kind: Kind, note: str = "", *, form: Form = "clear", keep: int = DISPUTE_DAYS
) -> Field:
    return Field(name, kind, "operational", dict.fromkeys(_EVERYONE, form), keep, note=note)


def _sealed(
    name: str,
    kind: Kind,
    cls: Class,
    note: str = "",
    *,
    to: Role = "mpp",
    optional: bool = False,
    keep: int = DISPUTE_DAYS,
) -> Field:
    return Field(name, kind, cls, {to: "sealed"}, keep, optional, note)


def _shared(
    name: str, kind: Kind, cls: Class, note: str = "", *, also: Role | None = None
) -> Field:
    forms: dict[Role, Form] = {"node_a": "share", "node_b": "share"}
    if also is not None:
        forms[also] = "sealed"
    return Field(name, kind, cls, forms, DISPUTE_DAYS, note=note)


def _own(form: Form) -> dict[Role, Form]:
    return {"acqp": form, "mpp": form, "node_a": form}


def _acqp(name: str, kind: Kind, note: str) -> Field:
    return Field(name, kind, "operational", {"acqp": "clear"}, DISPUTE_DAYS, note=note)


_ROUTE = (
    _clear("merchant_currency", CURRENCY, "of the amount"),
    _clear("mpp", NAME, "the wallet that is asked"),
    _clear("agreement", ID, "whose fee applies"),
    _clear("content", DIGEST, "keyed digest of the content: tells retries from other requests"),
)
_AMOUNTS = (
    _shared("amount", AMOUNT, "financial", "in the merchant's currency", also="mpp"),
    _shared("fee", AMOUNT, "business", "of the acquirer's agreement"),
)
_ORDER = (
    _sealed("currency", CURRENCY, "financial", "of the amount, as the merchant said it"),
    _sealed(
        "payment_token",
        text(256, least=0),
        "personal",
        "resolved by the wallet; empty where the payer has yet to agree",
        keep=HANDLE_DAYS,
    ),
    _sealed("merchant_id", text(64), "business", optional=True),
    _sealed("merchant_name", text(256), "business", optional=True),
    _sealed("mcc", text(8), "business", "merchant category code", optional=True),
    _sealed("merchant_region", text(8), "business", optional=True),
    _sealed("merchant_city", text(128), "business", optional=True),
    _sealed("store_id", text(64), "business", optional=True),
    _sealed("store_name", text(256), "business", optional=True),
    _sealed("order_id", text(64), "business", optional=True),
    _sealed("order_description", text(512), "personal", optional=True),
    _sealed(
        "goods",
        records(
            32,
            {
                "id": text(64),
                "name": text(256),
                "category": text(64),
                "quantity": integer(1, 10**6),
                "amount": AMOUNT,
            },
        ),
        "personal",
        "what is bought",
        optional=True,
    ),
    _sealed("buyer_id", text(64), "personal", "as the merchant knows the buyer", optional=True),
    _sealed("buyer_name", text(128), "personal", optional=True),
    _sealed("buyer_email", text(128), "personal", optional=True),
    _sealed("device", text(512), "personal", "of the buyer, at the merchant", optional=True),
    _sealed("terminal", text(64), "business", "of the store", optional=True),
    _sealed("client_ip", text(64), "personal", optional=True),
    _sealed("scenario", text(64), "business", "how the order was made", optional=True),
    _sealed("order_time", TIME, "business", optional=True),
    _sealed("notify_url", text(2048), "business", optional=True),
    _sealed("redirect_url", text(2048), "business", optional=True),
    _sealed("extra", text(2048), "personal", "more that the dialect carries", optional=True),
)

_PAY = Message(
    "pay",
    ("acqp",),
    ("mpp", "node_a", "node_b"),
    (*_ROUTE, *_AMOUNTS, *_ORDER),
    note="asks a wallet for a payment",
)
_CONSULT = Message(
    "consult",
    ("acqp",),
    ("mpp", "node_a", "node_b"),
    (
        *_ROUTE,
        _clear(
            "token_tag",
            DIGEST,
            "keyed digest of the token, by which questions are counted",
            form="token",
            keep=HANDLE_DAYS,
        ),
        *_AMOUNTS,
        *_ORDER,
    ),
    note="asks whether a payment would pass; nothing is posted",
)
_CHECK = Message(
    "check",
    ("mpp",),
    ("acqp", "node_a", "node_b"),
    (
        _clear("acqp", NAME, "whose request it answers; the request's id is the message's"),
        _clear("request", DIGEST, "digest of the envelope that it answers"),
        _clear("payer_currency", CURRENCY, "that the wallet pays in"),
        _clear("rate", text(64), "by which it was converted; - for none"),
        _shared("seen", AMOUNT, "financial", "the amount that the wallet saw"),
        _shared("debit", AMOUNT, "financial", "in the payer's currency"),
        _shared("available", NUMBER, "personal", "balance less holds"),
        _shared("count_left", NUMBER, "personal", "payments within the velocity limit"),
        _shared("sum_left", NUMBER, "personal", "amount within the velocity limit"),
        _shared("features", vector(FEATURES_MAX), "personal", "of the wallet, for the risk model"),
        _sealed("payment_id", text(64), "business", "the wallet's own", to="acqp"),
        _sealed("reason", _REASONS, "financial", "as far as the wallet knows", to="acqp"),
        _sealed("payment_time", TIME, "business", to="acqp"),
        _sealed("debit_amount", AMOUNT, "financial", "in payer_currency", to="acqp", optional=True),
        _sealed("quote", text(512), "financial", "of the conversion", to="acqp", optional=True),
        _sealed("url", text(2048), "business", "for the payer to go on", to="acqp", optional=True),
    ),
    note="a wallet's numbers for a payment, the same in form whether it would decline",
)
_AWAITING = Message(
    "awaiting",
    ("mpp",),
    ("acqp",),
    (
        _acqp("acqp", NAME, "whose request it answers; the request's id is the message's"),
        _acqp("request", DIGEST, "digest of the envelope that it answers"),
        _sealed("payment_id", text(64), "business", "the wallet's own", to="acqp"),
        _sealed("normal_url", text(2048), "business", "where the payer agrees", to="acqp"),
    ),
    note="a payment waits until its payer agrees at the wallet's page",
)
_REFUND = Message(
    "refund",
    ("acqp",),
    ("mpp", "node_a", "node_b"),
    (
        _clear("payment", ID, "the request id of the payment"),
        *_ROUTE,
        _clear("fx_mode", one_of("original", "current"), "the rate by which it is converted"),
        *_AMOUNTS,
        _sealed("currency", CURRENCY, "financial"),
        _sealed("refund_reason", text(512), "personal", "in the merchant's words", optional=True),
        _sealed("notify_url", text(2048), "business", optional=True),
    ),
    note="gives back part or all of a payment",
)
_REFUND_CHECK = Message(
    "refund_check",
    ("mpp",),
    ("acqp", "node_a", "node_b"),
    (
        _clear("acqp", NAME, "whose request it answers"),
        _clear("request", DIGEST, "digest of the envelope that it answers"),
        _clear("payer_currency", CURRENCY),
        _clear("rate", text(64), "by which it was converted; - for none"),
        _shared("seen", AMOUNT, "financial"),
        _shared("debit", AMOUNT, "financial", "given back, in the payer's currency"),
        _sealed("refund_id", text(64), "business", "the wallet's own", to="acqp"),
        _sealed("reason", _REASONS, "financial", to="acqp"),
        _sealed("refund_time", TIME, "business", to="acqp"),
        _sealed("debit_amount", AMOUNT, "financial", to="acqp", optional=True),
        _sealed("quote", text(512), "financial", to="acqp", optional=True),
    ),
    note="a wallet's numbers for a refund",
)
_DECISION = Message(
    "decision",
    ("node_a", "node_b"),
    ("acqp", "mpp"),
    (
        Field(
            "batch",
            integer(0, 2**53),
            "operational",
            {"acqp": "clear", "mpp": "clear"},
            DISPUTE_DAYS,
        ),
        Field(
            "senders",
            listed(NAME, BATCH_MAX),
            "operational",
            {"acqp": "clear", "mpp": "clear"},
            DISPUTE_DAYS,
            note="with ids: the requests that are decided, in the order of the shares",
        ),
        Field(
            "ids",
            listed(ID, BATCH_MAX),
            "operational",
            {"acqp": "clear", "mpp": "clear"},
            DISPUTE_DAYS,
        ),
        Field(
            "decisions",
            words(BATCH_MAX),
            "financial",
            {"acqp": "sealed", "mpp": "sealed"},
            DISPUTE_DAYS,
            note="this node's shares; both nodes' sum to 1 where approved, 0 where declined",
        ),
    ),
    one_recipient=True,
    note="what was decided, for one edge",
)
_CANCEL = Message(
    "cancel",
    ("acqp",),
    ("mpp", "node_a", "node_b"),
    (
        _clear("payment", ID, "the request id of the payment, known or not"),
        _clear("mpp", NAME),
        _clear("content", DIGEST),
    ),
    note="takes a payment back, or forbids it beforehand",
)
_CANCELLED = Message(
    "cancelled",
    ("mpp",),
    ("acqp", "node_a", "node_b"),
    (
        _clear("payment", ID),
        _clear("acqp", NAME),
        _sealed(
            "done",
            one_of("voided", "reversed", "tombstoned", "too_late"),
            "financial",
            "tells approved from declined, so only the acquirer reads it",
            to="acqp",
        ),
        _sealed("cancel_time", TIME, "business", to="acqp"),
    ),
    note="a wallet says what it did of a cancel",
)
_NOTIFY = Message(
    "notify",
    ("node_a", "node_b"),
    ("acqp", "mpp"),
    tuple(
        Field(name, kind, "operational", {"acqp": "clear", "mpp": "clear"}, LOG_DAYS, note=note)
        for name, kind, note in (
            ("number", integer(1, 2**53), "counts the notices to this recipient"),
            ("payment", ID, "the request id"),
            ("state", _STATES, "as the nodes know it"),
        )
    ),
    one_recipient=True,
    note="tells an edge that a request has come to an end",
)
_WINDOW = integer(1, 2**53)
_NET_REQUEST = Message(
    "net_request",
    ("acqp", "mpp", "node_a"),
    ("node_a", "node_b"),
    (
        _clear("window", _WINDOW, "the cut-off"),
        _clear("currency", CURRENCY),
    ),
    one_recipient=True,
    note="asks for a participant's own net",
)
_NET = Message(
    "net",
    ("node_a", "node_b"),
    ("acqp", "mpp", "node_a"),
    (
        *(
            Field(name, kind, "operational", _own("clear"), BOOK_DAYS, note=note)
            for name, kind, note in (
                ("first", _WINDOW, "the first window that it covers"),
                ("window", _WINDOW, "the last one"),
                ("currency", CURRENCY, ""),
                ("count", integer(0, 2**53), "how many payments it covers, declined ones too"),
                ("items", DIGEST, "of the list of requests that it covers"),
            )
        ),
        Field(
            "net",
            WORD,
            "financial",
            _own("sealed"),
            BOOK_DAYS,
            note="this node's share of the recipient's own net, in minor units; node A's is the "
            "network's own, from fees and exchange",
        ),
    ),
    one_recipient=True,
    note="a participant's own position at a cut-off",
)

MESSAGES: Final[Mapping[str, Message]] = {
    message.name: message
    for message in (
        _PAY,
        _CONSULT,
        _CHECK,
        _AWAITING,
        _REFUND,
        _REFUND_CHECK,
        _DECISION,
        _CANCEL,
        _CANCELLED,
        _NOTIFY,
        _NET_REQUEST,
        _NET,
    )
}


def message(name: str) -> Message:
    """Return the declaration of a message; EnvelopeMalformed if there is none."""
    try:
        return MESSAGES[name]
    except KeyError:
        raise EnvelopeMalformed(
            f"{name[:32]!r} is no type of message of version {VERSION}"
        ) from None
