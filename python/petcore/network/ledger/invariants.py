"""What must hold in every database, whatever crashed: the rules, as functions over its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, select

from petcore.network.ledger.accounts import FINAL_PHASE, PENDING_PHASE, TransferKind
from petcore.network.ledger.database import Database
from petcore.network.ledger.records import BatchState, Kind, Part, State
from petcore.network.ledger.tables import (
    accounts,
    batches,
    holds,
    nets,
    parts,
    requests,
    transfers,
)
from petcore.network.ledger.words import total

Finals = dict[str, tuple[State, bytes | None]]


def check_invariants(database: Database, *, clear: bool, before: Finals | None = None) -> list[str]:
    """Return what does not hold; an empty list where all is well.

    Parameters
    ----------
    database
        Of a node or an edge.
    clear
        Its amounts are clear, not shares: then none is negative, and refunds stay within what was
        paid.
    before
        What `finals` returned earlier: it must still be so.
    """
    rules: list[Callable[[Connection], Iterator[str]]] = [
        _balances_are_sums,
        _postings_sum_to_zero,
        _holds_are_what_is_pending,
        _nets_are_sums,
        _batches_post_wholly,
    ]
    if clear:
        rules += [_amounts_are_sound]
    with database.read() as connection:
        broken = [text for rule in rules for text in rule(connection)]
        broken += _changed(before or {}, _finals(connection))
    return broken


def finals(database: Database) -> Finals:
    """Return state and answer of every request that has ended, to compare with later."""
    with database.read() as connection:
        return _finals(connection)


def _finals(connection: Connection) -> Finals:
    given = select(parts.c.request, parts.c.content).where(parts.c.part == int(Part.ANSWER))
    answers = {row.request: row.content for row in connection.execute(given)}
    rows = connection.execute(select(requests.c.request, requests.c.state))
    return {
        row.request: (State(row.state), answers.get(row.request))
        for row in rows
        if not State(row.state).open
    }


_LATER = {
    State.POSTED: {State.PARTIALLY_REFUNDED, State.REFUNDED, State.VOIDED},
    State.PARTIALLY_REFUNDED: {State.REFUNDED, State.VOIDED},
}


def _changed(before: Finals, now: Finals) -> Iterator[str]:
    for key, (state, answer) in before.items():
        if key not in now:
            yield f"request {key} had ended as {state.name} and is open or unknown"
            continue
        later, answer_later = now[key]
        if later is not state and later not in _LATER.get(state, set()):
            yield f"request {key} had ended as {state.name} and is {later.name}"
        if answer is not None and answer_later != answer:
            yield f"request {key} has another answer than was given"


def _moves(connection: Connection) -> Iterator[tuple[int, int, int, int]]:
    """Yield window, debit, credit, amount of the transfers that moved something."""
    moved = (int(TransferKind.DIRECT), int(TransferKind.POSTED))
    columns = ("window", "debit", "credit", "amount")
    wanted = select(*(transfers.c[name] for name in columns)).where(transfers.c.kind.in_(moved))
    for row in connection.execute(wanted):
        yield row[0], row[1], row[2], row[3]


def _balances_are_sums(connection: Connection) -> Iterator[str]:
    posted: defaultdict[int, list[int]] = defaultdict(list)
    for _, debit, credit, amount in _moves(connection):
        posted[debit].append(-amount)
        posted[credit].append(amount)
    held: defaultdict[int, list[int]] = defaultdict(list)
    for row in connection.execute(select(holds)):
        held[row.debit].append(row.amount)
    for row in connection.execute(select(accounts)):
        if row.posted != total(posted[row.account]):
            yield f"account {row.account}: its balance is not the sum of its transfers"
        if row.held != total(held[row.account]):
            yield f"account {row.account}: what is held is not the sum of its holds"


def _postings_sum_to_zero(connection: Connection) -> Iterator[str]:
    by_currency: defaultdict[str, list[int]] = defaultdict(list)
    currency = {}
    for row in connection.execute(select(accounts)):
        currency[row.account] = row.currency
        by_currency[row.currency].append(row.posted)
    for code, balances in by_currency.items():
        if total(balances) != 0:
            yield f"{code}: the balances of all accounts do not sum to zero"
    for row in connection.execute(select(transfers)):
        if currency.get(row.debit) != currency.get(row.credit):
            yield f"a transfer of {row.request} goes from one currency to another"


def _holds_are_what_is_pending(connection: Connection) -> Iterator[str]:
    phases: dict[tuple[str, int], dict[int, tuple[int, int, int, int]]] = {}
    for row in connection.execute(select(transfers)):
        phases.setdefault((row.request, row.leg), {})[row.phase] = (
            row.kind,
            row.debit,
            row.credit,
            row.amount,
        )
    pending = set()
    for name, found in phases.items():
        first, last = found.get(PENDING_PHASE), found.get(FINAL_PHASE)
        direct = last is not None and last[0] == TransferKind.DIRECT
        if direct == (first is not None):
            yield f"transfer {name} is in one phase and in two, or ended without a beginning"
        elif first is not None and last is not None and first[1:] != last[1:]:
            yield f"transfer {name} ended with another amount or accounts than it began"
        if first is not None and last is None:
            pending.add(name)
    stored = {(row.request, row.leg) for row in connection.execute(select(holds))}
    if stored != pending:
        yield f"{len(stored ^ pending)} holds are not the transfers that are pending"


def _nets_are_sums(connection: Connection) -> Iterator[str]:
    sums: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for window, debit, credit, amount in _moves(connection):
        sums[window, debit].append(-amount)
        sums[window, credit].append(amount)
    settling = {row.account for row in connection.execute(select(accounts)) if row.settles}
    stored = {(row.window, row.account): row.net for row in connection.execute(select(nets))}
    for (window, account), amounts in sums.items():
        if account in settling and stored.pop((window, account), None) != total(amounts):
            yield f"window {window}: the net of account {account} is not the sum of its transfers"
    if stored:
        yield f"{len(stored)} nets have no transfers"


def _batches_post_wholly(connection: Connection) -> Iterator[str]:
    state = {row.batch: BatchState(row.state) for row in connection.execute(select(batches))}
    for row in connection.execute(select(transfers).where(transfers.c.batch.is_not(None))):
        if state.get(row.batch) is not BatchState.COMMITTED:
            yield f"batch {row.batch} was not committed and has transfers of {row.request}"
    for row in connection.execute(select(requests).where(requests.c.batch.is_not(None))):
        found = state.get(row.batch)
        ended = not State(row.state).open
        if found is None or found is BatchState.ABORTED:
            yield f"request {row.request} is in batch {row.batch}, which does not run"
        elif (found is BatchState.COMMITTED) != ended:
            yield f"request {row.request} and its batch {row.batch} disagree about their end"


def _amounts_are_sound(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(transfers).where(transfers.c.amount < 0)):
        yield f"a transfer of {row.request} has a negative amount"
    for row in connection.execute(select(accounts).where(accounts.c.floor)):
        if row.posted - row.held < 0 or row.held < 0:
            yield f"account {row.account} gave more than it had"
    for row in connection.execute(select(requests)):
        if min(row.seen, row.debit, row.fee) < 0:
            yield f"more of payment {row.request} was refunded than was paid"
        if row.kind == Kind.REFUND and row.payment is None:
            yield f"refund {row.request} refunds nothing"
