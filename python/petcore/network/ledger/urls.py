"""Where a ledger is: a file of SQLite, or a database of a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from petcore.errors import ConfigError
from petcore.network.ledger.faults import explain

BUSY_SECONDS = 10


def parse_url(url: str | Path) -> URL:
    """Read a URL, or the path of an SQLite file; ConfigError where it can hold no ledger."""
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(Path(url).absolute()))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("the ledger's URL cannot be read; write sqlite:///path") from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise ConfigError("a ledger in memory would be lost; name a file: sqlite:///path")
        return parsed.set(drivername="sqlite")
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigError(
        f"a ledger is kept in sqlite or postgresql, not in {parsed.get_backend_name()[:20]}"
    )


def engine_of(url: URL) -> Engine:
    """Return an engine of SQLAlchemy that begins no transaction by itself."""
    # `Writer` and `read` say BEGIN: SQLite has to take its write lock there.
    sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = (
        {"timeout": BUSY_SECONDS} if sqlite else {"connect_timeout": BUSY_SECONDS}
    )
    try:
        return create_engine(url, isolation_level="AUTOCOMMIT", connect_args=arguments)
    except ImportError as error:
        raise ConfigError(
            "PostgreSQL's driver is not installed: pip install 'petcore[postgres]'"
        ) from error


def database_url(url: str, folder: Path) -> str:
    """Return the URL that a configuration in ``folder`` means: a relative file lies beside it."""
    file = url.removeprefix("sqlite:///")
    return url if "://" in file else f"sqlite:///{(folder / file).absolute()}"


def create_database(server: str, name: str) -> str:
    """Make an empty database on a PostgreSQL server, and return its URL.

    Parameters
    ----------
    server
        The URL of a database there whose user may make others.

    Raises
    ------
    ConfigError
        It is no URL of PostgreSQL, the driver is not installed, or there is such a database.
    LedgerError
        The server is away, or refuses.
    """
    url = parse_url(server)
    if url.get_backend_name() != "postgresql":
        raise ConfigError(
            f"{server}: databases are made on a server: postgresql://user@host/postgres"
        )
    engine = engine_of(url)
    quoted = engine.dialect.identifier_preparer.quote_identifier(name)
    made = url.set(drivername="postgresql", database=name)
    try:
        with explain(made.render_as_string()), engine.connect() as connection:
            known = text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.execute(known, {"name": name}).first() is not None:
                raise ConfigError(
                    f"there is a database {name} on this server already; drop it, or use another"
                )
            connection.execute(text(f"CREATE DATABASE {quoted}"))
    finally:
        engine.dispose()
    return made.render_as_string(hide_password=False)
