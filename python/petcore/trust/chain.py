"""The hash chain of a disclosure log: the form of a line, and its verification.

A line is the canonical JSON of a record (sorted keys, no spaces, ASCII) whose ``hash`` is the
SHA-256 of the same record without ``hash``; ``previous`` is the hash of the line before, 64 zeros
at the start (the linked time-stamps of Haber and Stornetta, 1991). Changing, removing, adding or
moving a line breaks the chain from there on. What a chain cannot show by itself: lines cut off the
end, or a whole chain computed anew. For that an auditor notes the head and passes it to `verify` at
the next visit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from petcore.errors import LogCorrupt

Record = dict[str, Any]
START = "0" * 64
LINE_BYTES_MAX = 1 << 16

FIELDS = {
    "number": int, "time": str, "party": str, "session": str, "step": int, "kind": str,
    "label": str, "to": list, "shape": list, "dtype": str, "purpose": str, "agreement": str,
    "previous": str, "hash": str,
}  # fmt: skip


class TornLine(LogCorrupt):
    """The last line is incomplete and ``offset`` bytes before it are whole lines."""

    def __init__(self, path: str | Path, number: int, offset: int) -> None:
        super().__init__(
            f"{path}, line {number}: the last line is incomplete: the process stopped while "
            "writing it, before that share was sent; "
            f"'petcore log repair {path}' sets the incomplete line aside"
        )
        self.number, self.offset = number, offset


@dataclass(frozen=True)
class Verified:
    """A chain that holds: how many records, and the hash of the last (64 zeros if none)."""

    count: int
    head: str


def canonical(record: Record) -> bytes:
    """Return the one JSON form of a record."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(record: Record) -> str:
    """Return the hash of a record, taken over all its fields but ``hash``."""
    body = {key: value for key, value in record.items() if key != "hash"}
    return sha256(canonical(body)).hexdigest()


def verify(path: str | Path, *, head: str = "") -> Verified:
    """Check every line of a log, and that the chain ends in ``head`` or passes through it.

    ``head`` is the hash that an auditor noted at an earlier visit; without it, lines that were cut
    off the end go unnoticed. Raises LogCorrupt, naming the line and what to do.
    """
    count, last, seen = 0, START, not head
    for record in read(path):
        count, last = record["number"], record["hash"]
        seen = seen or last == head
    if not seen:
        raise LogCorrupt(
            f"{path}: the chain holds ({count} records) but never reaches the head {head}: records "
            "were cut off its end, or this is another log; fetch the complete file from its party"
        )
    return Verified(count, last)


def read(path: str | Path) -> Iterator[Record]:
    """Yield the records of a log in order, each one checked before it is yielded.

    Raises LogCorrupt, naming the line and what to do.
    """
    previous, number, offset = START, 0, 0
    try:
        with Path(path).open("rb") as file:
            while line := file.readline(LINE_BYTES_MAX):
                number += 1
                if not line.endswith(b"\n") and len(line) < LINE_BYTES_MAX:
                    raise TornLine(path, number, offset)
                record = _checked(path, number, line, previous)
                yield record
                previous, offset = record["hash"], offset + len(line)
    except OSError as error:
        raise LogCorrupt(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _checked(path: str | Path, number: int, line: bytes, previous: str) -> Record:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or canonical(record) + b"\n" != line:
        raise _broken(path, number, "is not a record as petcore writes it")
    wrong = [key for key, kind in FIELDS.items() if type(record.get(key)) is not kind]
    if wrong or len(record) != len(FIELDS):
        raise _broken(path, number, f"lacks a proper {wrong[0]!r}" if wrong else "has extra fields")
    if digest(record) != record["hash"]:
        raise _broken(path, number, "does not match its own hash: it was changed")
    if record["previous"] != previous or record["number"] != number:
        raise _broken(
            path, number, "does not follow the line before: a line was removed, added or moved"
        )
    return record


def _broken(path: str | Path, number: int, what: str) -> LogCorrupt:
    return LogCorrupt(
        f"{path}, line {number}: {what}; restore the file from a copy, or keep it as evidence and "
        "start a new log under another name"
    )
