"""Strict reading of a CSV file: a complaint names the file, line, column and remedy.

It never quotes a cell, since error messages travel to logs and peers.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from petcore.errors import ConfigError

MAX_ROWS = 10_000_000

Table = Mapping[str, Sequence[object] | npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class CsvColumns:
    """The cells of one CSV file, by column; `source` names the file in errors."""

    source: str
    names: tuple[str, ...]
    cells: dict[str, tuple[str, ...]]

    @property
    def rows(self) -> int:
        """Number of rows below the header."""
        return len(self.cells[self.names[0]])

    def text(self, name: str) -> tuple[str, ...]:
        """Return the column `name` as text.

        Raises
        ------
        ConfigError
            The file has no such column, or a cell of it is empty.
        """
        if name not in self.cells:
            raise ConfigError(
                f"{self.source}: no column {name!r}; the file has {', '.join(self.names)}"
            )
        column = self.cells[name]
        if "" in column:
            raise self._error(column.index(""), name, "is empty; fill it in or drop the row")
        return column

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return the column `name` as finite float64, shape (rows,).

        Raises
        ------
        ConfigError
            No such column, or a cell that is empty, no number, NaN or infinite.
        """
        column = self.text(name)
        try:
            values = np.array(column, dtype=np.float64)
        except ValueError:
            row = next(row for row, cell in enumerate(column) if not _is_number(cell))
            raise self._error(row, name, "is not a number; write 1234.5") from None
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise self._error(row, name, "is NaN or infinite; fill it in or drop the row")
        return values

    def whole(self, name: str, *, low: int, high: int) -> npt.NDArray[np.int64]:
        """Return the column `name` as int64 within [low, high], shape (rows,).

        Raises
        ------
        ConfigError
            No such column, or a cell that is no whole number or out of range.
        """
        values = self._integers(name, "-0123456789", -(2**63), 2**63).astype(np.int64)
        outside = np.flatnonzero((values < low) | (values > high))
        if outside.size:
            raise self._error(int(outside[0]), name, f"must be from {low} to {high}")
        return values

    def words(self, name: str) -> npt.NDArray[np.uint64]:
        """Return the column `name` of ring words (0 to 2^64 - 1) as uint64, shape (rows,).

        Raises
        ------
        ConfigError
            No such column, or a cell that is no such number.
        """
        return self._integers(name, "0123456789", 0, 2**64)

    def unique_text(self, name: str) -> tuple[str, ...]:
        """Return the column `name` as text, each value once.

        Raises
        ------
        ConfigError
            As `text`, or a value that occurs twice.
        """
        column = self.text(name)
        if len(set(column)) < len(column):
            raise self._error(_first_repeat(column), name, "occurs twice; every row needs its own")
        return column

    def _integers(self, name: str, digits: str, low: int, end: int) -> npt.NDArray[Any]:
        """Return a column of whole numbers, low <= n < end, as int64 or uint64."""
        column = self.text(name)
        if set("".join(column)) <= set(digits):  # as a rule; the loop below finds the culprit
            with contextlib.suppress(ValueError, OverflowError):
                return np.array(column, dtype=np.int64 if low < 0 else np.uint64)
        for row, cell in enumerate(column):
            if not (re.fullmatch(r"-?[0-9]{1,20}", cell) and low <= int(cell) < end):
                what = "is not a whole number within 64 bits; write digits only"
                raise self._error(row, name, what)
        raise self._error(0, name, "cannot be read as whole numbers")

    def _error(self, row: int, name: str, what: str) -> ConfigError:
        return ConfigError(f"{self.source}, line {row + 2}, column {name!r}: {what}")


def read_csv(path: str | Path) -> CsvColumns:
    """Read a CSV file with a header line (UTF-8, comma-separated).

    Raises
    ------
    ConfigError
        The file cannot be read, has no rows, more than `MAX_ROWS` of them, a column name that is
        empty or occurs twice, or a line with another number of cells than the header.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    return parse_csv(raw, str(path))


def parse_csv(raw: bytes, source: str) -> CsvColumns:
    """Read CSV text as `read_csv` does; `source` names it in errors."""
    try:
        lines = io.StringIO(raw.decode("utf-8-sig"), newline="")
        rows = [row for row in csv.reader(lines, skipinitialspace=True, strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        kind = type(error).__name__
        raise ConfigError(f"{source}: is not a CSV file in UTF-8 ({kind})") from error
    if len(rows) < 2:
        raise ConfigError(f"{source}: needs a header line and at least one row")
    if len(rows) - 1 > MAX_ROWS:
        raise ConfigError(f"{source}: has more than {MAX_ROWS} rows; split it")
    return _by_column(source, [name.strip() for name in rows[0]], rows[1:])


def write_csv(path: str | Path, columns: Table) -> None:
    """Write equally long columns as a CSV file with a header line.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    try:
        Path(path).write_bytes(format_csv(columns))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error


def format_csv(columns: Table) -> bytes:
    """Return equally long columns as CSV text with a header line."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    plain = [c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values()]
    writer.writerows(zip(*plain, strict=True))
    return stream.getvalue().encode()


def _by_column(source: str, header: list[str], rows: list[list[str]]) -> CsvColumns:
    if "" in header or len(set(header)) < len(header):
        raise ConfigError(f"{source}: every column needs a name of its own in the first line")
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise ConfigError(
                f"{source}, row {number + 1} below the header: {len(row)} cells where the header "
                f"has {len(header)}; check separators and quotes"
            )
    return CsvColumns(
        source, tuple(header), dict(zip(header, zip(*rows, strict=True), strict=True))
    )


def _first_repeat(column: tuple[str, ...]) -> int:
    first = {cell: row for row, cell in reversed(list(enumerate(column)))}
    return next(row for row, cell in enumerate(column) if first[cell] < row)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
