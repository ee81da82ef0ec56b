"""Small records that only their owner understands, by name, in spaces of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, insert, select

from petcore.network.ledger.database import Database
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import documents

_HERE = documents.c.space == bindparam("where")
_GET = Statement(
    lambda among: select(documents.c.name, documents.c.body).where(
        _HERE, among(documents.c.name, "names")
    )
)
_ALL = Statement(select(documents.c.name, documents.c.body).where(_HERE))
_PUT = Statement(insert(documents))
_FORGET = Statement(delete(documents).where(_HERE, documents.c.until < bindparam("now")))
_DELETE = Statement(delete(documents).where(_HERE, documents.c.name == bindparam("which")))


class Documents:
    """One space of records; `put` replaces."""

    def __init__(self, database: Database, space: str) -> None:
        self.database = database
        self.space = space

    def get(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the records that exist, by name."""
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        with self.database.read() as connection:
            rows = _GET.among(connection, "names", wanted, where=self.space)
        return {row[0]: row[1] for row in rows}

    def all(self) -> dict[str, bytes]:
        """Return every record of the space."""
        with self.database.read() as connection:
            return {row[0]: row[1] for row in _ALL.all(connection, {"where": self.space})}

    def put(
        self,
        records: Mapping[str, bytes],
        *,
        until: Mapping[str, int] | None = None,
        durable: bool = True,
    ) -> None:
        """Keep records, in place of those that have these names; where said, until a time."""
        ends = until or {}
        with self.database.write(durable=durable) as connection:
            self.remove(records)
            rows = [
                {"space": self.space, "name": name, "body": body, "until": ends.get(name)}
                for name, body in records.items()
            ]
            _PUT.run(connection, rows)

    def forget(self, now: int) -> int:
        """Erase the records whose time is over; return how many there were."""
        with self.database.write() as connection:
            return _FORGET.count(connection, {"where": self.space, "now": now})

    def remove(self, names: Iterable[str]) -> None:
        """Forget records."""
        rows = [{"where": self.space, "which": name} for name in names]
        if rows:
            with self.database.write() as connection:
                _DELETE.run(connection, rows)
