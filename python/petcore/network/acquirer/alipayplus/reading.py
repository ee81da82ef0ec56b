"""Reading JSON bodies of the dialect, where every scalar may come as a string.

Numbers are kept as the text that was sent: an amount never passes through a float, and a number
of a million digits costs nothing.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from petcore.errors import UsageError
from petcore.network.acquirer.alipayplus.results import Refused
from petcore.payments.money import MAX_AMOUNT, minor_digits

BODY_MAX = 1 << 16
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_ID = re.compile(r"[!-~]{1,64}")


def read_body(body: bytes) -> Fields:
    """Parse a body that must be one JSON object.

    Raises
    ------
    Refused
        PARAM_ILLEGAL: it is too long, no JSON, nested too deeply, or has a key twice.
    """
    if len(body) > BODY_MAX:
        raise Refused("PARAM_ILLEGAL", f"The body is longer than {BODY_MAX} bytes.")
    try:
        values = json.loads(
            body.decode(),
            parse_int=str,
            parse_float=str,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError):
        raise Refused("PARAM_ILLEGAL", "The body is no JSON object in UTF-8.") from None
    if not isinstance(values, dict):
        raise Refused("PARAM_ILLEGAL", "The body is no JSON object.")
    return Fields(values)


class Fields:
    """The fields of one JSON object; reading one that is illegal raises `Refused`.

    A missing field, null and, where it is optional, an empty text are the same.
    """

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path

    def __contains__(self, key: str) -> bool:
        """Say whether a field has a value."""
        return self._values.get(key) not in (None, "")

    def text(self, key: str, longest: int, usual: str | None = None) -> str:
        """Return a text of at most ``longest`` bytes of UTF-8; ``usual`` where it is missing."""
        if key not in self:
            return self._missing(key) if usual is None else usual
        value = self._values[key]
        if not isinstance(value, str):
            self.refuse(key, "must be a string")
        if not value.isprintable():  # nor half a surrogate pair, which UTF-8 cannot hold
            self.refuse(key, "has characters that cannot be printed")
        if len(value.encode()) > longest:
            self.refuse(key, f"is longer than {longest} bytes")
        return value

    def identifier(self, key: str, usual: str | None = None) -> str:
        """Return an id: 1 to 64 printable ASCII characters without a space."""
        value = self.text(key, 64, usual)
        if value and not _ID.fullmatch(value):
            self.refuse(key, "must be 1 to 64 printable ASCII characters without spaces")
        return value

    def flag(self, key: str) -> bool:
        """Return a boolean, which may come as a string; False where it is missing."""
        value = self._values.get(key)
        if value in (None, "", False, "false"):
            return False
        if value in (True, "true"):
            return True
        return self.refuse(key, "must be true or false")

    def section(self, key: str, *, required: bool = False) -> Fields:
        """Return the object at a key; an empty one where it is missing."""
        value = self._values.get(key)
        if value is None and not required:
            return Fields({}, self._name(key))
        if not isinstance(value, dict):
            self.refuse(key, "must be an object")
        return Fields(value, self._name(key))

    def rows(self, key: str, most: int) -> list[Fields]:
        """Return the objects of a list of at most ``most``."""
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            self.refuse(key, "must be a list of objects")
        if len(value) > most:
            self.refuse(key, f"has more than {most} elements")
        return [Fields(row, f"{self._name(key)}[{at}]") for at, row in enumerate(value)]

    def texts(self, key: str, longest: int, most: int) -> list[str]:
        """Return a list of 1 to ``most`` texts."""
        value = self._values.get(key)
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            self.refuse(key, f"must be a list of 1 to {most} strings")
        rows = [Fields({key: text}, self._path) for text in value]
        return [row.text(key, longest) for row in rows]

    def amount(self, key: str) -> tuple[str, int]:
        """Return currency and minor units, from 1 to `MAX_AMOUNT`."""
        section = self.section(key, required=True)
        currency = section.text("currency", 3)
        try:
            minor_digits(currency)
        except UsageError:
            section.refuse("currency", "is no currency of ISO 4217 that is known here")
        return currency, section.whole("value", 1, MAX_AMOUNT)

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        text = self.text(key, 64)
        if not _WHOLE.fullmatch(text):
            self.refuse(key, "must be a whole number")
        if not low <= int(text) <= high:
            self.refuse(key, f"must be from {low} to {high}")
        return int(text)

    def time(self, key: str) -> datetime | None:
        """Return a time with its offset from UTC; None where it is missing."""
        if key not in self:
            return None
        moment = parse_time(self.text(key, 64))
        if moment is None:
            self.refuse(key, "must be a time of ISO 8601 with its offset from UTC")
        return moment

    def url(self, key: str) -> str:
        """Return an http or https URL; empty where it is missing."""
        value = self.text(key, 1024, "")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        except ValueError:
            fine = False
        if not fine or not value.isascii() or " " in value:
            self.refuse(key, "must be an http or https URL without a user name")
        return value

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise `Refused` about a field; the field's value is not repeated."""
        raise Refused("PARAM_ILLEGAL", f"{self._name(key)} {why}.")

    def _missing(self, key: str) -> NoReturn:
        raise Refused("PARAM_ILLEGAL", f"{self._name(key)} is missing.")

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def parse_time(text: str) -> datetime | None:
    """Read a time of ISO 8601 that names its offset from UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
