"""A process that spends: holds, posts and voids on one ledger, and says what it was told is done.

Each line that it prints was true on disk before; it runs until it is killed or the disk is full.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np

from petcore.errors import LedgerError
from petcore.network.ledger import (
    Accounts,
    Database,
    EdgeJournal,
    Finish,
    Held,
    Kind,
    NodeJournal,
    Opening,
    Outbox,
    Outgoing,
    Request,
    State,
    Transfer,
    key,
    make_postings,
)

FOREVER = 1 << 60


def say(*words: object) -> None:
    print(*words, flush=True)


def spend(database: Database, run: int) -> None:
    """Holds and payments of an edge: one transaction has the journal, the hold and the letter."""
    accounts, journal, outbox = Accounts(database), EdgeJournal(database), Outbox(database)
    bank, user, merchant = accounts.open(
        [
            Opening("bank", "cash", "EUR"),
            Opening("user", "money", "EUR", True),
            Opening("shop", "due", "EUR"),
        ]
    )
    accounts.transfer([Transfer(f"bank/run{run}", 0, bank, user, 10**9)])
    for number in itertools.count():
        name = key("shop", f"{run}-{number}")
        with database.write():
            journal.accept([Request(name, Kind.PAY, b"t", FOREVER, body=bytes(3000))])
            held = accounts.hold([Transfer(name, 0, user, merchant, 7)], expires=FOREVER)
            assert held == [Held.DONE]
        say("held", name)
        with database.write():
            good = number % 3 > 0
            ended = accounts.post([(name, 0)]) if good else accounts.void([(name, 0)])
            assert ended == ["done"]
            state = State.POSTED if good else State.VOIDED
            journal.finish([Finish(name, state, b"answer", 7 * good, 7 * good, 0)])
            outbox.put([Outgoing("peer", "notify", name, b"result")])
        say("ended", name)


def clear(database: Database, run: int) -> None:
    """Batches of a node: prepared, computed, then committed or given up."""
    accounts, journal = Accounts(database), NodeJournal(database)
    one, other = accounts.open(
        [
            Opening("purse", "position", "EUR", settles=True),
            Opening("shop", "position", "EUR", settles=True),
        ]
    )
    for batch in journal.open_batches():
        journal.abort(batch.number)
    rng = np.random.default_rng(run)
    for number in itertools.count(journal.last_batch() + 1):
        names = [key("shop", f"{run}-{number}-{index}") for index in range(3)]
        journal.accept([Request(name, Kind.PAY, b"t", FOREVER, body=bytes(3000)) for name in names])
        journal.prepare(number, dict.fromkeys(names, bytes(2000)), digest=b"d", window=1)
        shares = rng.integers(0, 2**64 - 1, (3, 3), np.uint64)
        journal.computed(
            number,
            decisions=shares[0],
            totals=shares,
            postings=make_postings(np.arange(3), 0, one, other, shares[1]),
            node="node-a",
            envelopes={"shop": b"sealed"},
        )
        say("computed", number)
        if number % 4:
            journal.commit(number)
            say("committed", number)
        else:
            journal.abort(number)
            say("aborted", number)


def main(work: str, url: str, run: str) -> None:
    database = Database.open(url)
    say("open")
    try:
        {"spend": spend, "clear": clear}[work](database, int(run))
    except LedgerError as error:
        say("refused", error.code)
        sys.exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
