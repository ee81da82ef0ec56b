"""Statements: SQLAlchemy's constructs, compiled once per kind of database and run by its driver.

A payment crosses a dozen statements at each hop. Running them through SQLAlchemy costs more than
the database needs to carry them out; its compiler, types and pool are what is used of it here.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Text, bindparam, func, select
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.selectable import Select

from petcore.errors import LedgerError

Parameters = Mapping[str, Any]
Among = Callable[[Column[Any], str], ColumnElement[bool]]

_LIST = 500  # keys of one look-up


class _Compiled(NamedTuple):
    sql: str
    names: tuple[str, ...] | None  # where parameters go by place, not by name
    fixed: dict[str, Any]  # parameters whose values the statement has itself

    def place(self, row: Parameters) -> Any:
        """Return a row of parameters as the driver takes it."""
        if self.names is None:
            return {**self.fixed, **row} if self.fixed else row
        fixed = self.fixed
        return [fixed[name] if name in fixed else row[name] for name in self.names]


class Statement:
    """One statement, for both databases.

    Parameters
    ----------
    build
        The construct, or a function that makes it: it is given ``among(column, name)``, which says
        that a column is one of the list that parameter `name` holds.
    """

    def __init__(self, build: Executable | Callable[[Among], Executable]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}
        self._row: Callable[[Any], Any] = tuple

    def all(self, connection: Connection, values: Parameters | None = None) -> list[Any]:
        """Run it once and return the rows, named tuples."""
        compiled = self._for(connection)
        parameters = compiled.place(_lists(compiled, values or {}))
        rows = driver(connection).execute(compiled.sql, parameters).fetchall()
        return [self._row(row) for row in rows]

    def among(
        self, connection: Connection, name: str, keys: Sequence[Any], **more: Any
    ) -> list[Any]:
        """Run it for a list of any length, in pieces, and return all rows."""
        rows: list[Any] = []
        for begin in range(0, len(keys), _LIST):
            rows += self.all(connection, {name: list(keys[begin : begin + _LIST]), **more})
        return rows

    def value(self, connection: Connection, values: Parameters | None = None) -> Any:
        """Run it once and return the first column of the first row, or None."""
        rows = self.all(connection, values)
        return rows[0][0] if rows else None

    def run(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        """Run it for every row of parameters; for none it does nothing."""
        if not rows:
            return
        compiled = self._for(connection)
        place = compiled.place
        driver(connection).cursor().executemany(compiled.sql, [place(row) for row in rows])

    def count(self, connection: Connection, values: Parameters) -> int:
        """Run it once and return how many rows it changed."""
        compiled = self._for(connection)
        parameters = compiled.place(_lists(compiled, values))
        return int(driver(connection).execute(compiled.sql, parameters).rowcount)

    def _for(self, connection: Connection) -> _Compiled:
        dialect = connection.dialect
        known = self._compiled.get(dialect.name)
        if known is not None:
            return known
        build: Any = self._build
        if not isinstance(build, Executable):
            build = build(_AMONG[dialect.name])
        keys = build.table.columns.keys() if isinstance(build, Insert) else None
        compiled: Any = build.compile(dialect=dialect, column_keys=keys)
        if isinstance(build, Select):
            self._row = _named(build.selected_columns.keys())
        places = compiled.positiontup if dialect.positional else None
        binds = compiled.binds.items()
        fixed = {name: bind.value for name, bind in binds if not bind.required}
        made = _Compiled(str(compiled), None if places is None else tuple(places), fixed)
        self._compiled[dialect.name] = made
        return made


def _named(columns: Sequence[str]) -> Callable[[Any], Any]:
    make: Any = namedtuple  # its fields are known when it runs, not before
    row: Callable[[Any], Any] = make("Row", columns)._make
    return row


def _lists(compiled: _Compiled, values: Parameters) -> Parameters:
    """Return parameters with lists as `_AMONG` takes them."""
    if compiled.names is None:
        return values
    return {
        name: json.dumps(value) if isinstance(value, list) else value
        for name, value in values.items()
    }


def driver(connection: Connection) -> Any:
    """Return the driver's own connection."""
    raw = connection.connection.dbapi_connection
    if raw is None:
        raise LedgerError("the connection to the ledger was lost inside a transaction; try again")
    return raw


def _among_json(column: Column[Any], name: str) -> ColumnElement[bool]:
    listed = func.json_each(bindparam(name, type_=Text())).table_valued("value")
    return column.in_(select(listed.c.value))


def _among_array(column: Column[Any], name: str) -> ColumnElement[bool]:
    return column == func.any(bindparam(name, type_=ARRAY(column.type)))


_AMONG: dict[str, Among] = {"sqlite": _among_json, "postgresql": _among_array}
