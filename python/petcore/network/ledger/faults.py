"""What databases say when they fail, in petcore's tree of errors."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from petcore.errors import LedgerDamaged, LedgerError, LedgerFull, LedgerLocked

_SQLITE: dict[int, tuple[type[LedgerError], str]] = {
    sqlite3.SQLITE_FULL: (LedgerFull, "the disk is full; make room, then try again"),
    sqlite3.SQLITE_IOERR: (LedgerFull, "the disk refuses; look at the system's log"),
    sqlite3.SQLITE_BUSY: (LedgerLocked, "another process is writing; try again"),
    sqlite3.SQLITE_LOCKED: (LedgerLocked, "another connection is writing; try again"),
    sqlite3.SQLITE_CORRUPT: (LedgerDamaged, "the file is damaged; restore it from a copy"),
    sqlite3.SQLITE_NOTADB: (LedgerDamaged, "the file is no SQLite database"),
}

# Classes and codes of PostgreSQL's appendix A.
_POSTGRES: dict[str, tuple[type[LedgerError], str]] = {
    "53": (LedgerFull, "the database server has no room or memory left"),
    "55": (LedgerLocked, "another process is writing; try again"),
    "XX": (LedgerDamaged, "the database server found damaged data"),
    "58": (LedgerFull, "the database server's disk refuses"),
}


@contextlib.contextmanager
def explain(name: str) -> Iterator[None]:
    """Turn what SQLAlchemy and drivers raise into `LedgerError`; statements and values stay out."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(error.orig, name) from None
    except SQLAlchemyError as error:
        raise LedgerError(f"{name}: {type(error).__name__}", retryable=False) from None
    except Exception as error:
        if isinstance(error, sqlite3.Error) or type(error).__module__.startswith("psycopg"):
            raise _translated(error, name) from None
        raise


def _translated(cause: BaseException | None, name: str) -> LedgerError:
    primary = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    state = getattr(cause, "sqlstate", None) or ""
    cls, remedy = _SQLITE.get(primary) or _POSTGRES.get(state[:2]) or (LedgerError, "")
    if remedy:
        return cls(f"{name}: {remedy}")
    if not primary and (not state or state[:2] in {"08", "57"}):  # connections, shut down
        return LedgerError(f"{name}: the connection was lost; try again", retryable=True)
    word = state or getattr(cause, "sqlite_errorname", "") or type(cause).__name__
    return LedgerError(f"{name}: the database refused ({word})", retryable=False)
