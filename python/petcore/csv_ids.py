"""One column of a CSV file that may be larger than memory, read as often as it takes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from petcore.errors import ConfigError


class CsvIds:
    """The ids of a column; iterating reads the file anew.

    Parameters
    ----------
    path
        A CSV file with a header line (UTF-8, comma-separated).
    column
        The column with the ids.

    Raises
    ------
    ConfigError
        When iterated: the file cannot be read or has no such column, or a line lacks the id.
    """

    def __init__(self, path: str | Path, column: str) -> None:
        self.path, self.column = Path(path), column

    def __iter__(self) -> Iterator[str]:
        """Give one id after the other, without the spaces around it."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._ids(csv.reader(file, skipinitialspace=True, strict=True))
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, csv.Error) as error:
            kind = type(error).__name__
            raise ConfigError(f"{self.path}: is not a CSV file in UTF-8 ({kind})") from error

    def _ids(self, rows: Any) -> Iterator[str]:
        names = [name.strip() for name in next(rows, [])]
        if names.count(self.column) != 1:
            raise ConfigError(
                f"{self.path}: no column {self.column!r}, or two; the file has {', '.join(names)}"
            )
        at = names.index(self.column)
        for row in rows:
            if not row:
                continue
            if len(row) != len(names) or not row[at].strip():
                raise ConfigError(
                    f"{self.path}, line {rows.line_num}, column {self.column!r}: is empty, or the "
                    "line has another number of cells than the header"
                )
            yield row[at].strip()

    def write_matches(self, path: str | Path, indices: npt.NDArray[np.int64]) -> None:
        """Write the ids with these indices, in the file's order, each with its place in `indices`.

        Where two parties write theirs, equal numbers in the column ``match`` are equal ids.

        Raises
        ------
        ConfigError
            The file cannot be written, or the ids cannot be read again.
        """
        order = np.argsort(indices, kind="stable")
        wanted = iter(zip(indices[order].tolist(), order.tolist(), strict=True))
        following = next(wanted, None)
        try:
            with Path(path).open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow((self.column, "match"))
                for i, value in enumerate(self):
                    if following is not None and i == following[0]:
                        writer.writerow((value, following[1]))
                        following = next(wanted, None)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
        if following is not None:
            raise ConfigError(f"{self.path}: changed while its ids were intersected")
