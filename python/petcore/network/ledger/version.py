"""The version of the tables: made and migrated by alembic, at open, in one transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect

from petcore.errors import LedgerError, LedgerNewer

HEAD = "0002"
"""The newest of the migrations; opening a database that has it does not load alembic."""

SCRIPTS = Path(__file__).parent / "migrations"


def make_current(connection: Connection, *, name: str, may_change: bool) -> None:
    """Bring the tables to `HEAD`.

    Raises
    ------
    LedgerNewer
        The tables have a version that this petcore does not know.
    LedgerError
        They are older, and may not be changed by who only reads.
    """
    found = _version(connection)
    if found == HEAD:
        return
    known = {path.name.partition("_")[0] for path in SCRIPTS.glob("versions/*.py")}
    if found is not None and found not in known:
        raise LedgerNewer(
            f"{name}: its tables are of version {found[:20]}; install a newer petcore"
        )
    if not may_change:
        raise LedgerError(
            f"{name}: its tables are older; open it once for writing", retryable=False
        )
    _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
