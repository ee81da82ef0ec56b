"""One database of one process: SQLite in a file, or PostgreSQL by URL; one writer, many readers.

What `Database.write` encloses happens wholly or not at all. SQLite runs in WAL mode and syncs at
every commit; a commit that a later one makes durable anyway may say ``durable=False``: it survives
the death of the process, not of the machine, and is never seen in part.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from petcore.errors import LedgerError, UsageError
from petcore.network.ledger.claim import Claim, take_claim
from petcore.network.ledger.faults import explain
from petcore.network.ledger.statements import driver
from petcore.network.ledger.urls import engine_of, parse_url
from petcore.network.ledger.version import make_current
from petcore.network.ledger.writer import Writer

_WAL_PAGES = 4096  # between checkpoints: fewer, longer ones


def milliseconds() -> int:
    """Return the time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Database:
    """An open database; made by `Database.open`. Threads may share it.

    Attributes
    ----------
    clock
        Gives the time in milliseconds since 1970.
    """

    def __init__(self, engine: Engine, claim: Claim | None, clock: Callable[[], int]) -> None:
        self.clock = clock
        self._engine = engine
        self._claim = claim
        self._reader = claim is None
        self._lock = threading.RLock()
        self._writer = Writer(engine)
        self._depth = 0
        self._failed = False
        self._closed = False

    @classmethod
    def open(
        cls, url: str | Path, *, reader: bool = False, clock: Callable[[], int] = milliseconds
    ) -> Database:
        """Open a database, and make it or bring it to this version's tables where needed.

        Parameters
        ----------
        url
            ``sqlite:///path``, ``postgresql://user@host/name``, or the path of a SQLite file.
        reader
            Only read; otherwise this process becomes the database's one owner until `close`.
        clock
            Gives the time in milliseconds since 1970; tests set it.

        Raises
        ------
        ConfigError
            The URL names another kind of database, or its driver is not installed.
        LedgerLocked
            Another process owns the database.
        LedgerNewer
            A newer petcore made the tables.
        LedgerDamaged
            The file is no database, or is damaged.
        LedgerError
            It cannot be opened.
        """
        engine = _open_engine(parse_url(url))
        try:
            with explain(_name(engine)):
                claim = None if reader else take_claim(engine)
        except BaseException:
            engine.dispose()
            raise
        database = cls(engine, claim, clock)
        try:
            with database.read() if reader else database.write() as connection:
                make_current(connection, name=database.name, may_change=not reader)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def name(self) -> str:
        """The database's URL, without a password."""
        return _name(self._engine)

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """One transaction; inside another of this thread, a part of that one.

        The outermost decides about durability. A part that failed fails the whole.

        Raises
        ------
        LedgerError
            The database refused (disk full, locked, damaged, gone); nothing of it happened, unless
            the connection was lost while it was told to commit: ask by id what became of it.
        """
        if self._reader:
            raise UsageError(f"{self.name} was opened to read; open it without reader=True")
        with self._lock:
            if self._depth:
                yield from self._part()
            else:
                yield from self._whole(durable=durable)

    def _part(self) -> Iterator[Connection]:
        try:
            yield self._writer.connection
        except BaseException:
            self._failed = True
            raise

    def _whole(self, *, durable: bool) -> Iterator[Connection]:
        if self._closed:
            raise LedgerError(f"{self.name} is closed; open it again", retryable=False)
        with explain(self.name):
            connection = self._writer.begin(durable=durable)
            self._depth, self._failed = 1, False
            try:
                yield connection
                if self._failed:
                    raise LedgerError("a part of the transaction failed, so nothing of it was kept")
                self._writer.commit()
            except BaseException:
                self._writer.rollback()
                raise
            finally:
                self._depth = 0

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of what was committed; inside `write`, of that transaction."""
        if self._lock.acquire(blocking=False):  # this thread's transaction, or none runs
            try:
                if self._depth:
                    yield self._writer.connection
                    return
            finally:
                self._lock.release()
        with explain(self.name), self._engine.connect() as connection:
            sqlite = self._engine.dialect.name == "sqlite"
            begin = "BEGIN" if sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            driver(connection).execute(begin)
            try:
                yield connection
            finally:
                with contextlib.suppress(Exception):
                    driver(connection).execute("ROLLBACK")

    def close(self) -> None:
        """Give the database back; waits for a transaction that runs."""
        with self._lock:
            self._closed = True
            self._writer.drop()
            self._engine.dispose()
            claim, self._claim = self._claim, None
            if claim is not None:
                claim.release()

    def __enter__(self) -> Database:
        """Return itself; leaving closes it."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.close()


def _name(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _open_engine(url: URL) -> Engine:
    engine = engine_of(url)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
    connection.execute("PRAGMA cache_size=-16384")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
