"""Settlement windows: which transfers settle together, and what each account nets in them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select, text, update

from petcore.errors import UsageError
from petcore.network.ledger.database import Database
from petcore.network.ledger.tables import accounts, batches, nets, windows

_LAST = select(func.max(windows.c.window))
_RUNNING = (
    select(func.count())
    .select_from(batches)
    .where(batches.c.window <= bindparam("which"), text("state < 2"))
)
_NETS = (
    select(
        *(accounts.c[name] for name in ("account", "owner", "purpose", "currency")),
        nets.c.net,
        nets.c.payments,
    )
    .join(nets, nets.c.account == accounts.c.account)
    .where(nets.c.window == bindparam("which"))
    .order_by(accounts.c.account)
)


class Window(NamedTuple):
    """A settlement window: its number, when it began and, once it is over, ended (ms)."""

    number: int
    opened: int
    closed: int | None


class Net(NamedTuple):
    """What a window adds to an account, over how many requests; at a node a share."""

    account: int
    owner: str
    purpose: str
    currency: str
    net: int
    payments: int


class Windows:
    """The settlement windows of a process: one is open, every transfer belongs to one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def current(self) -> int:
        """Return the number of the open window, from 1."""
        with self.database.read() as connection:
            last = connection.execute(_LAST).scalar()
        if last is not None:
            return int(last)
        with self.database.write() as connection:
            if connection.execute(_LAST).scalar() is None:
                first = {"window": 1, "opened": self.database.clock()}
                connection.execute(insert(windows), first)
        return self.current()

    def cut(self, number: int) -> int:
        """End window `number` and open the next, whose number is returned; twice does nothing.

        Batches that were prepared in it still belong to it: see `settled`.
        """
        with self.database.write() as connection:
            current = self.current()
            if number == current - 1:
                return current
            if number != current:
                raise UsageError(f"window {current} is open; only that one can end, not {number}")
            now = self.database.clock()
            ending = update(windows).where(windows.c.window == number).values(closed=now)
            connection.execute(ending)
            connection.execute(insert(windows), {"window": number + 1, "opened": now})
        return number + 1

    def settled(self, number: int) -> bool:
        """Whether a window has ended and no batch of it or of an earlier one still runs."""
        with self.database.read() as connection:
            running = int(connection.execute(_RUNNING, {"which": number}).scalar_one())
            return number < self.current() and not running

    def get(self, number: int) -> Window | None:
        """Return a window; None if it never began."""
        with self.database.read() as connection:
            row = connection.execute(select(windows).where(windows.c.window == number)).first()
            return None if row is None else Window(*row)

    def nets(self, number: int) -> list[Net]:
        """Return what a window adds to every account that settles."""
        with self.database.read() as connection:
            rows = connection.execute(_NETS, {"which": number})
            return [Net._make(row) for row in rows]
