"""Nets at a node: sums of its shares per participant and currency, and what they cover.

A net is opened once it covers at least ``min_count`` requests; until then it is carried into the
next window. Counts are public, the same at both nodes, so both carry alike without a word. They
count declined requests too: a node cannot tell.

Every transfer takes from one account what it gives to another, so a node's own shares of all nets in
a currency sum to zero mod 2^64, at each node by itself; that is checked before anything is opened.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select, text

from petcore.network.errors import NetsBroken, WindowOpen
from petcore.network.ledger import Database, Net, Windows
from petcore.network.ledger.postings import REVERSAL
from petcore.network.ledger.tables import transfers
from petcore.network.ledger.words import from_column, total

NETWORK = "network"
"""The owner of the network's own accounts: fees, and what exchange gives and takes."""

POSITION = "position"
REVERSED = " reversed"

MOVED = "phase = 1 AND kind IN (0, 2)"  # transfers in one step, and holds that were posted
_ITEMS = (
    select(transfers.c.request, transfers.c.leg)
    .where(
        transfers.c.window.between(bindparam("first"), bindparam("last")),
        text(MOVED),
        or_(
            transfers.c.debit.in_(bindparam("accounts", expanding=True)),
            transfers.c.credit.in_(bindparam("accounts", expanding=True)),
        ),
    )
    .distinct()
)


class Due(NamedTuple):
    """A net that may be opened: whose, which windows and how many requests it covers.

    ``word`` is this node's share, 0 <= word < 2^64.
    """

    owner: str
    currency: str
    first: int
    last: int
    payments: int
    word: int
    accounts: tuple[int, ...]


class Withheld(NamedTuple):
    """A net that covers too few requests so far; carried into the next window."""

    owner: str
    currency: str
    first: int
    payments: int


class Nets:
    """The nets of a node's ledger.

    Parameters
    ----------
    database
        The node's.
    min_count
        Fewest requests that a net covers when it is opened.
    """

    def __init__(self, database: Database, min_count: int) -> None:
        self._database, self._min_count = database, min_count
        self._windows = Windows(database)

    def due(self, window: int) -> tuple[list[Due], list[Withheld]]:
        """Return the nets that may be opened at the end of a window, and those that may not.

        Raises
        ------
        WindowOpen
            The window has not ended, or a batch of it still runs.
        NetsBroken
            The shares of some currency do not sum to zero.
        """
        if not self._windows.settled(window):
            raise WindowOpen(f"window {window} still runs; ask again after its cut-off")
        running: dict[tuple[str, str], Due] = {}
        due: dict[tuple[str, str], Due] = {}
        for number in range(1, window + 1):
            nets = self._windows.nets(number)
            check_zero_sum(nets, number)
            due = {}
            for name, own in _by_owner(nets).items():
                added = _added(running.pop(name, None), name, number, own)
                enough = added.payments >= self._min_count
                (due if enough else running)[name] = added
        withheld = [Withheld(*name, held.first, held.payments) for name, held in running.items()]
        return list(due.values()), withheld

    def items(self, net: Due) -> list[str]:
        """Return the requests that a net covers, sorted; one that was taken back stands twice.

        An item is a request's key, followed by `REVERSED` for its reversal.
        """
        asked = {"first": net.first, "last": net.last, "accounts": list(net.accounts)}
        with self._database.read() as connection:
            rows = connection.execute(_ITEMS, asked)
            return sorted({item_name(row.request, row.leg >= REVERSAL) for row in rows})


def item_name(request: str, reverses: bool) -> str:
    """Return how an item is called: the request's key, and whether it is its reversal."""
    return request + REVERSED if reverses else request


def items_digest(items: Iterable[str]) -> str:
    """Return the hex SHA-256 of a sorted list of items; both nodes sign it with a net."""
    return hashlib.sha256("\n".join(("petcore items 1", *items)).encode()).hexdigest()


def check_zero_sum(nets: Sequence[Net], window: int) -> None:
    """Refuse nets whose shares do not sum to zero in every currency: NetsBroken."""
    columns: defaultdict[str, list[int]] = defaultdict(list)
    for net in nets:
        columns[net.currency].append(net.net)
    for currency, values in columns.items():
        if total(values):
            raise NetsBroken(
                f"the nets of window {window} in {currency} do not sum to zero: this ledger is "
                "damaged; settle nothing, and compare it with the other node's"
            )


def _by_owner(nets: Sequence[Net]) -> dict[tuple[str, str], list[Net]]:
    found: defaultdict[tuple[str, str], list[Net]] = defaultdict(list)
    for net in nets:
        if net.purpose == POSITION or net.owner == NETWORK:
            found[net.owner, net.currency].append(net)
    return found


def _added(before: Due | None, name: tuple[str, str], window: int, nets: Sequence[Net]) -> Due:
    """Return a net with one more window; a request that touches two own accounts counts once."""
    payments = max(net.payments for net in nets)
    word = from_column(total(net.net for net in nets))
    accounts = {net.account for net in nets}
    if before is None:
        return Due(*name, window, window, payments, word, tuple(sorted(accounts)))
    return before._replace(
        last=window,
        payments=before.payments + payments,
        word=(before.word + word) % 2**64,
        accounts=tuple(sorted({*before.accounts, *accounts})),
    )
