"""Journal and ledger: what was asked, what was answered, and where the money is; at every process.

One set of tables and one code for nodes, where amounts are additive shares mod 2^64, and edges,
where they are clear; over SQLite or PostgreSQL.
"""

from petcore.network.ledger.accounts import Account, Accounts, Ended, Held, Opening, Transfer
from petcore.network.ledger.batches import NodeJournal
from petcore.network.ledger.database import Database
from petcore.network.ledger.documents import Documents
from petcore.network.ledger.edge import EdgeJournal, Finish
from petcore.network.ledger.invariants import check_invariants, finals
from petcore.network.ledger.journal import Journal
from petcore.network.ledger.outbox import Counters, Inbox, Letter, Outbox, Outgoing
from petcore.network.ledger.postings import make_postings
from petcore.network.ledger.records import (
    Acceptance,
    Accepted,
    Batch,
    BatchState,
    Cancelled,
    Kind,
    Record,
    Request,
    State,
    key,
    split_key,
)
from petcore.network.ledger.replay import Mark, ReplayMarks, Seen
from petcore.network.ledger.urls import create_database, database_url
from petcore.network.ledger.windows import Net, Window, Windows

__all__ = [
    "Acceptance",
    "Accepted",
    "Account",
    "Accounts",
    "Batch",
    "BatchState",
    "Cancelled",
    "Counters",
    "Database",
    "Documents",
    "EdgeJournal",
    "Ended",
    "Finish",
    "Held",
    "Inbox",
    "Journal",
    "Kind",
    "Letter",
    "Mark",
    "Net",
    "NodeJournal",
    "Opening",
    "Outbox",
    "Outgoing",
    "Record",
    "ReplayMarks",
    "Request",
    "Seen",
    "State",
    "Transfer",
    "Window",
    "Windows",
    "check_invariants",
    "create_database",
    "database_url",
    "finals",
    "key",
    "make_postings",
    "split_key",
]
