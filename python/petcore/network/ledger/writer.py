"""The one connection that writes: its transactions, their durability, and what a failure leaves."""

from __future__ import annotations

import contextlib

from sqlalchemy import Connection, Engine

from petcore.errors import LedgerError
from petcore.network.ledger.statements import driver


class Writer:
    """A connection that is made when needed and made anew after it was lost.

    Several processes may be allowed to read, one writes: SQLite's write lock is taken at the begin,
    so that a transaction never fails half-way for a lock.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._connection: Connection | None = None
        self._durable: bool | None = None

    @property
    def connection(self) -> Connection:
        """The connection inside a transaction."""
        if self._connection is None:
            raise LedgerError(
                "the connection to the ledger was lost inside a transaction; try again"
            )
        return self._connection

    def begin(self, *, durable: bool) -> Connection:
        """Begin a transaction; it may still fail to begin."""
        if self._connection is None:
            self._connection = self._engine.connect()
            self._durable = None
        connection = self._connection
        try:
            if self._sqlite:
                if self._durable is not durable:
                    level = "FULL" if durable else "NORMAL"
                    driver(connection).execute(f"PRAGMA synchronous={level}")
                    self._durable = durable
                driver(connection).execute("BEGIN IMMEDIATE")
            else:
                driver(connection).execute("BEGIN")
                if not durable:
                    driver(connection).execute("SET LOCAL synchronous_commit TO OFF")
        except BaseException:
            self.drop()
            raise
        return connection

    def commit(self) -> None:
        """Commit; if this raises, `rollback`."""
        driver(self.connection).execute("COMMIT")

    def rollback(self) -> None:
        """Forget the transaction, and the connection where even that fails."""
        if self._connection is None:
            return
        try:
            # A full disk makes SQLite roll back by itself; a driver's rollback knows, a word does not.
            dbapi = self._connection.connection.dbapi_connection
            if dbapi is None:
                self.drop()
            else:
                dbapi.rollback()
        except Exception:
            self.drop()

    def drop(self) -> None:
        """Close the connection for good; the next `begin` makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.invalidate()
            with contextlib.suppress(Exception):
                connection.close()
