"""What a field may hold: each kind checks a value, and says how it travels.

A kind refuses with a complaint that never repeats the value: values are other people's data.
Numbers are of three sorts: a *number* can be split into shares mod 2^64, a *word* is such a share,
and a plain integer is neither.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from petcore.payments.money import MAX_AMOUNT, minor_digits

Check = Callable[[Any], str]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
WORD_MAX = 2**64 - 1
ID_MAX = 64
TIME_MAX = 1 << 53  # every JSON reader has such integers exactly

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_HEX = re.compile(r"[0-9a-f]{64}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Kind:
    """A sort of value.

    Attributes
    ----------
    name
        As the catalogue writes it.
    check
        Gives "" for a good value, else what is wrong with it, without the value.
    words
        How many 64-bit words a share of it has at most; 0 if it cannot be shared.
    vector
        Whether it is a list of words rather than one.
    encode, decode
        To and from what JSON can hold; None if JSON holds it as it is. ``decode`` raises
        ValueError.
    """

    name: str
    check: Check
    words: int = 0
    vector: bool = False
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


def text(most: int, *, least: int = 1) -> Kind:
    """Return the kind of text of `least` to `most` bytes of UTF-8, without control characters."""

    def check(value: Any) -> str:
        if type(value) is not str:
            return "must be text"
        if value.isascii():
            size = len(value)
        else:
            try:
                size = len(value.encode())
            except UnicodeEncodeError:
                return "must be text that UTF-8 can hold"
        if not least <= size <= most:
            return f"must have {least} to {most} bytes of text"
        if not value.isprintable() and _CONTROL.search(value):
            return "must not hold control characters"
        return ""

    return Kind(f"text({most})", check)


def integer(low: int, high: int) -> Kind:
    """Return the kind of integers from `low` to `high`."""

    def check(value: Any) -> str:
        if type(value) is not int:
            return "must be an integer"
        return "" if low <= value <= high else f"must be from {low} to {high}"

    return Kind(f"integer({low}..{high})", check)


def one_of(*words: str) -> Kind:
    """Return the kind of one of a few words."""
    allowed = frozenset(words)

    def check(value: Any) -> str:
        known = type(value) is str and value in allowed
        return "" if known else f"must be one of {', '.join(words)}"

    return Kind(f"one of {' '.join(words)}", check)


def vector(most: int) -> Kind:
    """Return the kind of lists of up to `most` int64 that can be split into shares."""

    def check(value: Any) -> str:
        array = np.asarray(value)
        if array.ndim != 1 or len(array) > most or (len(array) and array.dtype.kind not in "iu"):
            return f"must be a list of at most {most} integers"
        if array.dtype.kind == "u" and (array > INT64_MAX).any():
            return "must hold integers within int64"
        return ""

    return Kind(f"vector({most})", check, words=most, vector=True)


def words(most: int) -> Kind:
    """Return the kind of lists of up to `most` shares: uint64 arrays, each already a share."""

    def check(value: Any) -> str:
        good = isinstance(value, np.ndarray) and value.dtype == np.uint64 and value.ndim == 1
        return "" if good and len(value) <= most else f"must be a uint64 array of at most {most}"

    def decode(value: Any) -> Any:
        try:
            raw = base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise ValueError("is no list of words") from None
        if len(raw) % 8:
            raise ValueError("is no list of words")
        return np.frombuffer(raw, "<u8").astype(np.uint64)

    def encode(value: Any) -> str:
        return base64.b64encode(value.astype("<u8").tobytes()).decode()

    return Kind(f"words({most})", check, encode=encode, decode=decode)


def listed(kind: Kind, most: int) -> Kind:
    """Return the kind of lists of up to `most` values of another kind."""

    def check(value: Any) -> str:
        if type(value) is not list or len(value) > most:
            return f"must be a list of at most {most}"
        return next(filter(None, map(kind.check, value)), "")

    return Kind(f"list({most}) of {kind.name}", check)


def records(most: int, columns: Mapping[str, Kind]) -> Kind:
    """Return the kind of lists of up to `most` records; a record has none but these columns."""

    def check(value: Any) -> str:
        if type(value) is not list or len(value) > most:
            return f"must be a list of at most {most} records"
        for record in value:
            if type(record) is not dict or not record or not record.keys() <= columns.keys():
                return f"must hold records of {', '.join(columns)} and nothing else"
            for name, item in record.items():
                if complaint := columns[name].check(item):
                    return f"has a record whose {name} {complaint}"
        return ""

    return Kind(f"records({most}) of {', '.join(columns)}", check)


def _id(value: Any) -> str:
    good = (
        type(value) is str
        and 1 <= len(value) <= ID_MAX
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )
    return "" if good else f"must be 1 to {ID_MAX} printable ASCII characters without spaces"


def _matching(pattern: re.Pattern[str], complaint: str) -> Check:
    def check(value: Any) -> str:
        return "" if type(value) is str and pattern.fullmatch(value) else complaint

    return check


def _currency(value: Any) -> str:
    if type(value) is not str or not _CURRENCY.fullmatch(value):
        return "must be three capital letters of ISO 4217"
    try:
        minor_digits(value)
    except ValueError:
        return "must be a currency of ISO 4217"
    return ""


def _int64(value: Any) -> str:
    if type(value) is not int and not isinstance(value, np.integer):
        return "must be an integer"
    return "" if INT64_MIN <= value <= INT64_MAX else "must be within int64"


def _amount(value: Any) -> str:
    if type(value) is not int and not isinstance(value, np.integer):
        return "must be an integer in minor units"
    return "" if 0 <= value <= MAX_AMOUNT else f"must be from 0 to {MAX_AMOUNT} minor units"


ID = Kind(f"id({ID_MAX})", _id)
NAME = Kind("member", _matching(_NAME, "must be the name of a member"))
DIGEST = Kind("digest", _matching(_HEX, "must be 64 hexadecimal digits"))
CURRENCY = Kind("currency", _currency)
AMOUNT = Kind("amount", _amount, words=1, encode=int)
NUMBER = Kind("number", _int64, words=1, encode=int)
WORD = integer(0, WORD_MAX)
TIME = Kind("time (ms)", integer(0, TIME_MAX).check)
