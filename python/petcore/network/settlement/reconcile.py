"""Reconciliation: a participant's own records in clear against the net that the nodes opened.

An item that the edge has no entry for moved nothing: it was declined, or never took effect. What
does not fit is a break; every break names what to look at, and money is never adjusted here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import bindparam, or_, select, text

from petcore.network.ledger import Database
from petcore.network.ledger.tables import requests, transfers
from petcore.network.settlement.nets import MOVED, REVERSED, item_name
from petcore.network.settlement.statement import Statement

BreakKind = Literal["sum", "unknown", "missing", "twice"]

_ENTRIES = select(
    transfers.c.request,
    transfers.c.leg,
    transfers.c.credit,
    transfers.c.amount,
    transfers.c.created,
).where(
    text(MOVED),
    or_(transfers.c.debit == bindparam("account"), transfers.c.credit == bindparam("account")),
)


class Entry(NamedTuple):
    """What an edge recorded: the item's name, what the edge gains (minor units), when (ms)."""

    item: str
    amount: int
    created: int


@dataclass(frozen=True)
class Break:
    """What does not fit.

    ``sum``: the entries of the items do not add up to the net, by ``difference`` minor units.
    ``unknown``: the nodes list a request that this edge never had. ``missing``: an entry from before
    the cut-off that no window has. ``twice``: an item that an earlier window had already.
    """

    kind: BreakKind
    item: str = ""
    difference: int = 0


@dataclass(frozen=True)
class Reconciled:
    """The outcome: entries of the items that moved money, how many moved none, and breaks."""

    statement: Statement
    entries: tuple[Entry, ...]
    unmoved: int
    breaks: tuple[Break, ...]


def reconcile(
    statement: Statement,
    entries: Sequence[Entry],
    *,
    known: Collection[str],
    earlier: Collection[str] = (),
    cut_off: int | None = None,
) -> Reconciled:
    """Compare a net with the edge's own records.

    Parameters
    ----------
    statement
        The opened net.
    entries
        All that the edge recorded in this currency, whichever window it belongs to.
    known
        Keys of the requests that the edge had, whatever became of them.
    earlier
        The items of earlier statements in this currency.
    cut_off
        If given, in ms: entries from before it should be in a statement by now.
    """
    by_item: dict[str, Entry] = {entry.item: entry for entry in entries}
    covered = [by_item[item] for item in statement.items if item in by_item]
    items, before = frozenset(statement.items), frozenset(earlier)
    breaks = [Break("twice", item) for item in statement.items if item in before]
    breaks += [
        Break("unknown", item)
        for item in statement.items
        if item not in by_item and item.removesuffix(REVERSED) not in known
    ]
    if cut_off is not None:
        breaks += [
            Break("missing", entry.item)
            for entry in entries
            if entry.created < cut_off and entry.item not in items and entry.item not in before
        ]
    difference = sum(entry.amount for entry in covered) - statement.net
    if difference:
        breaks.append(Break("sum", difference=difference))
    return Reconciled(statement, tuple(covered), len(statement.items) - len(covered), tuple(breaks))


def edge_entries(database: Database, account: int, *, owes: bool = False) -> list[Entry]:
    """Return what an edge's ledger moved on an account, as entries.

    A transfer with a leg above 0 takes the payment back that it is named after.

    Parameters
    ----------
    account
        What the network owes the edge; with `owes`, what the edge owes the network.
    """
    sign = -1 if owes else 1
    found: list[Entry] = []
    with database.read() as connection:
        for row in connection.execute(_ENTRIES, {"account": account}):
            amount = row.amount if row.credit == account else -row.amount
            name = item_name(row.request, row.leg > 0)
            found.append(Entry(name, sign * amount, row.created))
    return _merged(found)


def known_requests(database: Database) -> set[str]:
    """Return the keys of all requests that an edge had."""
    with database.read() as connection:
        return {row.request for row in connection.execute(select(requests.c.request))}


def _merged(entries: Sequence[Entry]) -> list[Entry]:
    """Add up entries of one item, as a reversal in several legs."""
    by_item: dict[str, Entry] = {}
    for entry in entries:
        known = by_item.get(entry.item)
        by_item[entry.item] = (
            entry
            if known is None
            else known._replace(
                amount=known.amount + entry.amount, created=min(known.created, entry.created)
            )
        )
    return list(by_item.values())
