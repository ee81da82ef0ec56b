"""Small records that only their owner understands, by name, in spaces of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, insert, select

from petcore.network.ledger.database import Database
from petcore.network.ledger.tables import documents

_GET = select(documents.c.name, documents.c.body).where(
    documents.c.space == bindparam("where"),
    documents.c.name.in_(bindparam("names", expanding=True)),
)
_ALL = select(documents.c.name, documents.c.body).where(documents.c.space == bindparam("where"))
_DELETE = delete(documents).where(
    documents.c.space == bindparam("where"), documents.c.name == bindparam("which")
)


class Documents:
    """One space of records; `put` replaces."""

    def __init__(self, database: Database, space: str) -> None:
        self.database = database
        self.space = space

    def get(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the records that exist, by name."""
        wanted = list(dict.fromkeys(names))
        found: dict[str, bytes] = {}
        with self.database.read() as connection:
            for begin in range(0, len(wanted), 500):
                asked = {"where": self.space, "names": wanted[begin : begin + 500]}
                found.update((row[0], row[1]) for row in connection.execute(_GET, asked))
        return found

    def all(self) -> dict[str, bytes]:
        """Return every record of the space."""
        with self.database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(_ALL, {"where": self.space})}

    def put(self, records: Mapping[str, bytes], *, durable: bool = True) -> None:
        """Keep records, in place of those that have these names."""
        with self.database.write(durable=durable) as connection:
            self.remove(records)
            rows = [
                {"space": self.space, "name": name, "body": body} for name, body in records.items()
            ]
            if rows:
                connection.execute(insert(documents), rows)

    def remove(self, names: Iterable[str]) -> None:
        """Forget records."""
        rows = [{"where": self.space, "which": name} for name in names]
        if rows:
            with self.database.write() as connection:
                connection.execute(_DELETE, rows)
