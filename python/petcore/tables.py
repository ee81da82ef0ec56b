"""Strict reading of TOML tables: every complaint names the file, the key and the remedy."""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Any

from petcore.errors import ConfigError

_WORDS = {
    str: "text in quotes",
    dict: "a table",
    list: "a list",
    bool: "true or false",
    int: "a whole number",
}


class Table:
    """One TOML table that is read key by key; `done` refuses what nobody asked for."""

    def __init__(self, file: Path, values: dict[str, Any], prefix: str = "") -> None:
        """Read ``values``, which stand in ``file`` below ``prefix`` ("parties[1].")."""
        self._file, self._values, self._prefix = file, values, prefix
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string at ``key``; without a default it is required."""
        return str(self._take(key, str, default))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of strings at ``key`` (required)."""
        values = self._take(key, list, None)
        if not all(isinstance(value, str) for value in values):
            raise self.error(key, 'must be a list of texts, such as ["wallet"]')
        return tuple(values)

    def wholes(self, key: str) -> tuple[int, ...]:
        """Return the list of integers, 0 or more each, at ``key`` (required)."""
        values = self._take(key, list, None)
        if not all(type(value) is int and value >= 0 for value in values):
            raise self.error(key, "must be a list of whole numbers, such as [4, 3, 1]")
        return tuple(values)

    def number(self, key: str, default: float, *, zero: bool = False) -> float:
        """Return the finite number at ``key``: positive, or 0 where ``zero`` allows it."""
        value = self._values.get(key, default)
        self._asked.add(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"must be a number, such as {default}; it is {value!r}")
        if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
            raise self.error(
                key, f"must be positive{' or 0' * zero}, such as {default}; it is {value!r}"
            )
        return value

    def whole(self, key: str, default: int | None) -> int:
        """Return the positive integer at ``key``; without a default it is required."""
        if default is None and key not in self:
            self._take(key, int, None)
        value = self.number(key, 1 if default is None else default)
        if not isinstance(value, int):
            raise self.error(key, f"must be a whole number, such as {default}; it is {value!r}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false at ``key``."""
        return bool(self._take(key, bool, default))

    def share(self, key: str, yes: float) -> float:
        """Return the probability at ``key``: a number between 0 and 1, true for ``yes``, or 0."""
        value = self._values.get(key, False)
        self._asked.add(key)
        if isinstance(value, bool):
            return yes if value else 0.0
        if not (isinstance(value, int | float) and 0 < value < 1):
            raise self.error(key, f"must be true, false or between 0 and 1; it is {value!r}")
        return value

    def table(self, key: str, *, required: bool = False) -> Table:
        """Return the table at ``key``; a missing one reads as empty unless it is required."""
        values = self._take(key, dict, None if required else {})
        return Table(self._file, values, f"{self._prefix}{key}.")

    def tables(self, key: str, *, required: bool = False) -> list[Table]:
        """Return the tables of the ``[[key]]`` list."""
        rows = self._take(key, list, None if required else [])
        if not all(isinstance(row, dict) for row in rows):
            raise self.error(key, f"must be a list of tables, each headed [[{self._prefix}{key}]]")
        return [Table(self._file, row, f"{self._prefix}{key}[{i}].") for i, row in enumerate(rows)]

    def __contains__(self, key: str) -> bool:
        """Say whether the file sets ``key``."""
        return key in self._values

    def done(self) -> None:
        """Refuse keys that nobody asked for; a misspelt limit must not be ignored."""
        for key in self._values:
            if key in self._asked:
                continue
            close = difflib.get_close_matches(key, self._asked, 1)
            known = ", ".join(sorted(self._asked))
            hint = f"did you mean {close[0]!r}?" if close else f"known here: {known}"
            raise self.error(key, f"is not a key that petcore knows; {hint}")

    def error(self, key: str, what: str) -> ConfigError:
        """Return the error that names file and key."""
        return ConfigError(f"{self._file}: {self._prefix}{key} {what}")

    def _take(self, key: str, kind: type, default: Any) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is None:
            close = difflib.get_close_matches(key, set(self._values) - self._asked, 1)
            hint = f"{close[0]!r} is there: did you mean {key!r}?" if close else "add it"
            raise self.error(key, f"is missing ({_WORDS[kind]}); {hint}")
        if not isinstance(value, kind):
            raise self.error(key, f"must be {_WORDS[kind]}; it is {value!r}")
        return value
