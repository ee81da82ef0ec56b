"""The tables of every process: journal, batches, transfers, outbox; one declaration for all.

Amounts are int64: minor units at an edge, additive shares mod 2^64 at a node (see `words`).
Times are milliseconds since 1970. A request is known everywhere by one text, `sender/id`.
The migrations under `migrations/` make these tables; a test compares both.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# What was asked, by whom, and what became of it. `payment` is what a refund refunds; `seen`,
# `debit` and `fee` are what of a posted payment is not refunded yet.
requests = Table(
    "requests",
    metadata,
    Column("request", Text, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("tag", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("payment", Text),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("batch", BigInteger),
    Column("slot", Integer),
    Column("seen", BigInteger, nullable=False),
    Column("debit", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Index(
        "requests_open", "state", sqlite_where=text("state < 2"), postgresql_where=text("state < 2")
    ),
    Index(
        "requests_payment",
        "payment",
        sqlite_where=text("payment IS NOT NULL"),
        postgresql_where=text("payment IS NOT NULL"),
    ),
)

# The bytes that belong to a request, apart from what changes: body, check, answer (see `Part`).
parts = Table(
    "parts",
    metadata,
    Column("request", Text, primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

# One run of the circuit. What it computed stands here until both nodes have it: a batch counts
# on both or on neither.
batches = Table(
    "batches",
    metadata,
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),
    Column("window", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("rows", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("decisions", LargeBinary),
    Column("totals", LargeBinary),
    Column("postings", LargeBinary),
    Index(
        "batches_open", "state", sqlite_where=text("state < 2"), postgresql_where=text("state < 2")
    ),
)

# The decision envelopes of a batch, of either node, to each edge.
decisions = Table(
    "decisions",
    metadata,
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("node", Text, primary_key=True),
    Column("edge", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("floor", Boolean, nullable=False),
    Column("settles", Boolean, nullable=False),
    Column("posted", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    UniqueConstraint("owner", "purpose", "currency", name="accounts_name"),
)

# Double entry, never changed: `amount` leaves `debit` and enters `credit`. The primary key is
# the rule "at most once": phase 0 is a hold, phase 1 what became of it or a transfer in one step.
transfers = Table(
    "transfers",
    metadata,
    Column("request", Text, primary_key=True),
    Column("leg", SmallInteger, primary_key=True, autoincrement=False),
    Column("phase", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("window", BigInteger, nullable=False),
    Column("batch", BigInteger),
    Column("created", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Holds that are neither posted nor voided nor expired.
holds = Table(
    "holds",
    metadata,
    Column("request", Text, primary_key=True),
    Column("leg", SmallInteger, primary_key=True, autoincrement=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index("holds_expires", "expires"),
)

windows = Table(
    "windows",
    metadata,
    Column("window", BigInteger, primary_key=True, autoincrement=False),
    Column("opened", BigInteger, nullable=False),
    Column("closed", BigInteger),
)

# What a window adds to an account, and over how many requests.
nets = Table(
    "nets",
    metadata,
    Column("window", BigInteger, primary_key=True, autoincrement=False),
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("net", BigInteger, nullable=False),
    Column("payments", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Messages that a peer has not acknowledged; numbered without gaps per recipient.
outbox = Table(
    "outbox",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
)

# Numbers received above the last one below which nothing is missing (that one is a counter).
inbox = Table(
    "inbox",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

replay = Table(
    "replay",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("counter", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index("replay_expires", "expires"),
    sqlite_with_rowid=False,
)

# Small records that only their owner understands: users, tokens, settings.
documents = Table(
    "documents",
    metadata,
    Column("space", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("until", BigInteger),
    Index(
        "documents_until",
        "until",
        sqlite_where=text("until IS NOT NULL"),
        postgresql_where=text("until IS NOT NULL"),
    ),
)
