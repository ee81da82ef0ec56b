"""Checkpoints: what a node computed of a run, chunk by chunk, and what of it counts.

A chunk is COMPUTED when its record is on this node's disk, and counts when it is COMPUTED on both
nodes; then its transfers are posted, under its own name, so that posting twice does nothing. What a
crash leaves on one node alone is dropped and computed again, with fresh correlations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from petcore.errors import UsageError
from petcore.network.bulk.batch import Route
from petcore.network.circuit.rows import Words
from petcore.network.directory import Directory
from petcore.network.ledger import Accounts, Database, Documents, Opening, Transfer, Windows

HOUSE = "house"
"""Owns what is between two currencies, and the fees."""

_COMPUTED, _POSTED = "computed", "posted"
_LEGS = 3


class Checkpoints:
    """The chunks of one run at one node, and the accounts that they post to.

    Parameters
    ----------
    database
        This node's own, used by no other process.
    run
        The run's name: the digest of what both nodes agreed on.
    routes
        Of the batch, in its order.
    """

    def __init__(self, database: Database, run: str, routes: Sequence[Route]) -> None:
        self._database, self._run, self._routes = database, run, routes
        self._chunks = Documents(database, f"bulk {run}")
        self._accounts = Accounts(database)
        self._window = Windows(database).current()
        with database.write():
            self._wallet = self._open([(r.mpp, "settlement", r.payer_currency) for r in routes])
            self._acquirer = self._open([(r.acqp, "settlement", r.currency) for r in routes])
            self._paid = self._open([(HOUSE, "exchange", r.payer_currency) for r in routes])
            self._due = self._open([(HOUSE, "exchange", r.currency) for r in routes])
            self._fees = self._open([(HOUSE, "fees", r.currency) for r in routes])

    def computed(self) -> int:
        """Count the chunks that are computed here: those below this number."""
        return self._count(_COMPUTED)

    def posted(self) -> int:
        """Count the chunks that were posted here."""
        return self._count(_POSTED)

    def keep(self, chunk: int, shares: Words) -> None:
        """Write a chunk: shares of decision, seen, debit and fee, shape (4, n). Durable."""
        body = np.ascontiguousarray(shares, "<u8").tobytes()
        self._chunks.put({_name(chunk): body, _COMPUTED: str(chunk + 1).encode()})

    def shares(self, chunk: int) -> Words:
        """Return what `keep` wrote."""
        body = self._chunks.get([_name(chunk)])[_name(chunk)]
        words: Words = np.frombuffer(body, "<u8").reshape(4, -1).astype(np.uint64)
        return words

    def drop(self, chunk: int) -> None:
        """Forget the last chunk, which does not count."""
        if chunk < self.posted() or chunk + 1 != self.computed():
            raise UsageError(f"chunk {chunk} is not the last, or was posted; it stays")
        with self._database.write():
            self._chunks.remove([_name(chunk)])
            self._chunks.put({_COMPUTED: str(chunk).encode()})

    def post(self, chunk: int, sums: Words) -> None:
        """Post a chunk that counts: sums of seen, debit and fee by route, shape (3, routes)."""
        seen, debit, fee = sums.tolist()
        request = f"bulk/{self._run}/{chunk}"
        wanted = []
        for i in range(len(self._routes)):
            legs = (
                (self._wallet[i], self._paid[i], debit[i]),
                (self._due[i], self._acquirer[i], seen[i]),
                (self._acquirer[i], self._fees[i], fee[i]),
            )
            for j, (source, target, amount) in enumerate(legs):
                wanted.append(Transfer(request, _LEGS * i + j, source, target, amount))
        with self._database.write(durable=False):
            self._accounts.transfer(wanted, window=self._window)
            self._chunks.put({_POSTED: str(chunk + 1).encode()})

    def room(self, directory: Directory, party: int) -> Words:
        """Return this node's share of prefunding less exposure, for the wallet of each route."""
        balances = {a.number: a.posted for a in self._accounts.get(set(self._wallet)).values()}
        room = []
        for route, number in zip(self._routes, self._wallet, strict=True):
            deposit = directory.prefunded(route.mpp, route.payer_currency) if party == 0 else 0
            room.append((deposit + balances[number]) % 2**64)
        return np.array(room, np.uint64)

    def _count(self, which: str) -> int:
        found = self._chunks.get([which])
        return int(found[which]) if found else 0

    def _open(self, names: Sequence[tuple[str, str, str]]) -> list[int]:
        return self._accounts.open([Opening(*name, settles=name[0] != HOUSE) for name in names])


def _name(chunk: int) -> str:
    return f"{chunk:08d}"
