"""A sheet: what one call reads and changes, read at once and written at once.

A call has many requests and each of them looks at several records; a statement per look would cost
more than everything else. A sheet belongs to one transaction and is written before that ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Generic, TypeVar

from petcore.network.ledger import EdgeJournal, Finish, Held, Transfer
from petcore.network.wallet.book import Book, Payment, Space, Spent, User
from petcore.network.wallet.numbers import Standing

_T = TypeVar("_T")

# A hold is released by a decision, a cancellation, or what node A says of an expired request; were it
# released by time alone, an approval that comes late would find nothing.
_NEVER = 1 << 53


class Lines(Generic[_T]):
    """The records of one kind that a call has looked at, and those that it changed."""

    def __init__(self, space: Space[_T]) -> None:
        self._space = space
        self._seen: dict[str, _T | None] = {}
        self._changed: dict[str, _T] = {}

    def load(self, names: Iterable[str]) -> list[_T]:
        """Look at many records at once; return those that exist."""
        wanted = list(dict.fromkeys(names))
        missing = [name for name in wanted if name not in self._seen]
        if missing:
            found = self._space.get(missing)
            self._seen.update((name, found.get(name)) for name in missing)
        return [record for name in wanted if (record := self._seen[name]) is not None]

    def load_named(self, names: Iterable[str]) -> dict[str, _T]:
        """Look at many records at once; return those that exist, by name."""
        wanted = list(dict.fromkeys(names))
        self.load(wanted)
        return {name: record for name in wanted if (record := self._seen[name]) is not None}

    def get(self, name: str) -> _T | None:
        """Return a record, as changed so far; None if there is none."""
        if name not in self._seen:
            self.load([name])
        return self._seen[name]

    def put(self, name: str, record: _T) -> None:
        """Change a record, or add one."""
        self._seen[name] = self._changed[name] = record

    def write(self) -> None:
        """Write the changes."""
        if self._changed:
            self._space.put(self._changed)
            self._changed = {}


class Sheet:
    """Records, holds and ends of one call; use it inside ``book.database.write()``."""

    def __init__(self, book: Book, journal: EdgeJournal) -> None:
        self.book, self._journal = book, journal
        self.users = Lines(book.users)
        self.codes = Lines(book.codes)
        self.orders = Lines(book.orders)
        self.payments = Lines(book.payments)
        self._spent = Lines(book.spent)
        self._available: dict[int, int] = {}
        self._holds: list[Transfer] = []
        self._ends: list[tuple[str, bool]] = []
        self._moves: list[Transfer] = []
        self._finished: list[Finish] = []

    def load_users(self, names: Iterable[str], day: str) -> None:
        """Look at users, their accounts, and what they spent on a day."""
        users = self.users.load(name for name in names if name)
        self._spent.load(f"{user.id} {day}" for user in users)
        numbers = [number for user in users if (number := self.book.balance(user))]
        fresh = [number for number in numbers if number not in self._available]
        found = self.book.accounts.get(fresh) if fresh else {}
        self._available.update((number, account.available) for number, account in found.items())

    def standing(self, user: User, day: str) -> Standing:
        """Return what a user may still spend after everything on this sheet."""
        self.load_users([user.id], day)
        used = self._spent.get(f"{user.id} {day}") or Spent()
        return Standing(
            user.currency,
            self._available[self.book.balance(user)],
            user.count_limit - used.count,
            user.sum_limit - used.sum,
            user.features,
        )

    def count(self, user: str, day: str, *, payments: int, amount: int) -> None:
        """Add payments and their sum to what a user spent on a day; negative takes them back."""
        used = self._spent.get(f"{user} {day}") or Spent()
        self._spent.put(f"{user} {day}", Spent(used.count + payments, used.sum + amount))

    def hold(self, transfer: Transfer) -> None:
        """Reserve an amount that is known to be there."""
        self._holds.append(transfer)
        if transfer.debit in self._available:
            self._available[transfer.debit] -= transfer.amount

    def end_hold(self, request: str, *, post: bool) -> None:
        """Post or void what was reserved for a request."""
        self._ends.append((request, post))

    def move(self, transfer: Transfer) -> None:
        """Move an amount at once."""
        self._moves.append(transfer)

    def finish(self, finish: Finish) -> None:
        """End a request in the journal."""
        self._finished.append(finish)

    def change(self, request: str, payment: Payment, state: str) -> Payment:
        """Give a payment another state."""
        changed = replace(payment, state=state)
        self.payments.put(request, changed)
        return changed

    def write(self) -> None:
        """Write everything; part of the transaction that runs."""
        accounts = self.book.accounts
        if self._holds:
            held = accounts.hold(self._holds, expires=_NEVER)
            if Held.INSUFFICIENT in held:
                raise AssertionError("a hold is asked for after its balance was looked at")
        for post in (True, False):
            names = [(request, 0) for request, posted in self._ends if posted is post]
            if names:
                (accounts.post if post else accounts.void)(names)
        if self._moves:
            accounts.transfer(self._moves)
        if self._finished:
            self._journal.finish(self._finished)
        for lines in (self.users, self.codes, self.orders, self.payments, self._spent):
            lines.write()
