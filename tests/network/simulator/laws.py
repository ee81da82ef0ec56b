"""The laws that hold after every storm: what each ledger must be, and what all of them must agree on."""

from __future__ import annotations

from collections import defaultdict

from petcore.network.acquirer.facts import ended_of
from petcore.network.ledger import (
    Accounts,
    Database,
    Journal,
    Kind,
    NodeJournal,
    State,
    check_invariants,
    finals,
)
from petcore.network.ledger.words import total
from petcore.network.wallet.book import Book

NODES = ("node-a", "node-b")
EDGES = ("purse", "shop-bank")
DONE = (State.POSTED, State.PARTIALLY_REFUNDED, State.REFUNDED)


def path_of(place, name):
    return place.member(name) / f"{name}.db"


def ends_of(place):
    """Return what has ended so far, everywhere, to compare with later."""
    found = {}
    for name in (*NODES, *EDGES):
        with Database.open(path_of(place, name), reader=True) as database:
            found[name] = finals(database)
    return found


def broken_laws(place, balances, before):
    """Return what does not hold, in words."""
    ledgers = {name: Database.open(path_of(place, name), reader=True) for name in (*NODES, *EDGES)}
    try:
        broken = []
        for name, ledger in ledgers.items():
            told = check_invariants(ledger, clear=name in EDGES, before=before.get(name))
            broken += [f"{name}: {text}" for text in told]
        broken += nodes_agree(ledgers)
        broken += edges_agree(ledgers)
        broken += positions_are_what_edges_say(ledgers)
        broken += users_paid_what_was_posted(ledgers, balances)
        return broken
    finally:
        for ledger in ledgers.values():
            ledger.close()


def records(ledger):
    """Return all records of a journal by key."""
    with ledger.read() as connection:
        keys = [row[0] for row in connection.exec_driver_sql("SELECT request FROM requests")]
    return Journal(ledger).find(keys)


def nodes_agree(ledgers):
    a, b = (records(ledgers[name]) for name in NODES)
    for key, record in a.items():
        if record.kind not in (Kind.PAY, Kind.REFUND):
            continue
        theirs = b.get(key)
        if record.state in DONE and (theirs is None or theirs.state is not record.state):
            yield f"{key} is {record.state.name} at A, {theirs and theirs.state.name} at B"
        if theirs is not None and theirs.state in DONE and record.state not in DONE:
            yield f"{key} is {record.state.name} at A, {theirs.state.name} at B"
    for name in NODES:
        for batch in NodeJournal(ledgers[name]).open_batches():
            yield f"{name}: batch {batch.number} is still {batch.state.name}"


def edges_agree(ledgers):
    acquirer = records(ledgers["shop-bank"])
    payments = Book(ledgers["purse"], "purse").payments.all()
    at_wallet = {f"shop-bank/{p.id}" if "/" not in p.id else p.id: p for p in payments.values()}
    for name, payment in payments.items():
        at_wallet[name] = payment
    for key, record in acquirer.items():
        if record.kind not in (Kind.PAY, Kind.REFUND):
            continue
        payment = at_wallet.get(key)
        took = record.state in DONE
        if took != (payment is not None and payment.state == "posted"):
            theirs = payment and payment.state
            yield f"{key} is {record.state.name} at the acquirer, {theirs} at the wallet"
    for key, payment in payments.items():
        if payment.state == "held":
            yield f"{key} is still held at the wallet"


def positions_are_what_edges_say(ledgers):
    """The sum of both nodes' shares is what the edges know in clear."""
    shares = defaultdict(list)
    for name in NODES:
        for account in Accounts(ledgers[name]).all():
            shares[account.owner, account.purpose, account.currency].append(account.posted)
    opened = {name: total(pair) for name, pair in shares.items() if total(pair)}
    expected = defaultdict(int)
    for record in records(ledgers["shop-bank"]).values():
        ended = ended_of(record)
        if record.kind is Kind.PAY and record.state in DONE and ended is not None:
            # what remains of a payment after its refunds
            expected["shop-bank", "position", ended.currency] += record.seen - record.fee
            expected["network", "fees", ended.currency] += record.fee
            expected["network", "exchange", ended.currency] -= record.seen
    for account in Accounts(ledgers["purse"]).all():
        if account.owner == "network":
            expected["purse", "position", account.currency] -= account.posted
            expected["network", "exchange", account.currency] += account.posted
    wanted = {name: amount for name, amount in expected.items() if amount}
    if opened != wanted:
        yield f"the nodes' shares open to {opened}, the edges have {wanted}"


def users_paid_what_was_posted(ledgers, balances):
    spent = defaultdict(int)
    payments = Book(ledgers["purse"], "purse").payments.all()
    for payment in payments.values():
        if payment.state == "posted":
            spent[payment.user] += payment.numbers.debit * (-1 if payment.refunds else 1)
    for account in Accounts(ledgers["purse"]).all():
        if account.purpose == "user":
            if account.posted != balances[account.owner] - spent[account.owner]:
                yield f"{account.owner} has {account.posted}, and spent {spent[account.owner]}"
            if account.held:
                yield f"{account.held} of {account.owner} is still held"
