"""The mark that one process owns a database: a second node on the same journal would pay twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from petcore.errors import LedgerError, LedgerLocked

_POSTGRES_KEY = 0x706574636F7265  # "petcore"; a lock per database
_LOCK_NOT_AVAILABLE = "55P03"
_WAIT_SECONDS = 2


class Claim(Protocol):
    """Held until `release`, or until the process dies."""

    def release(self) -> None:
        """Let others own the database."""


class _FileClaim:
    def __init__(self, file: int) -> None:
        self._file = file

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class _SessionClaim:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def release(self) -> None:
        self._connection.invalidate()
        self._connection.close()


def take_claim(engine: Engine) -> Claim:
    """Own the database of `engine`, until `Claim.release` or the end of the process.

    Raises
    ------
    LedgerLocked
        Another process owns it, or this one already does.
    LedgerError
        The file beside the database cannot be made.
    """
    if engine.dialect.name == "sqlite":
        return _claim_file(Path(str(engine.url.database)))
    return _claim_session(engine.connect())


def _claim_session(connection: Connection) -> Claim:
    # The server may need a moment to see that a former owner died, and to free its lock.
    connection.exec_driver_sql(f"SET lock_timeout TO '{_WAIT_SECONDS}s'")
    try:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({_POSTGRES_KEY})")
    except DBAPIError as error:
        connection.close()
        if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
            raise
        raise LedgerLocked("another process owns this ledger; stop it first") from None
    return _SessionClaim(connection)


def _claim_file(database: Path) -> Claim:
    path = database.with_name(database.name + ".lock")
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be made ({error.strerror})", retryable=False) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise LedgerLocked(f"another process owns {database}; stop it first") from error
    _make_private(database, file)
    return _FileClaim(file)


def _make_private(database: Path, claim: int) -> None:
    """Make the file that SQLite fills, for nobody else to read; its journals get the same mode."""
    if database.exists():  # to open and close it would drop SQLite's locks of this process
        return
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        os.close(claim)
        raise LedgerError(
            f"{database}: cannot be opened ({error.strerror})", retryable=False
        ) from error
