"""Structured logs that cannot hold a share, a key or a personal field.

A line is a JSON object: time, level, participant, an event (a fixed text of the source code) and
declared operational fields, each of a form too narrow for anything else. What libraries log keeps
only where it came from: their messages hold what callers gave them (SQL parameters, URLs, bodies).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from petcore.errors import PetcoreError, UsageError

LOGGER: Final = "petcore.network"

_EVENT = re.compile(r"[a-z][a-z ,-]{2,79}")
_WORD = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_COUNT_MAX: Final = 1 << 40  # a share of 64 bits passes with probability 2^-24, and is one of many


def _name(value: Any) -> str:
    text = str(value)
    if not _WORD.fullmatch(text):
        raise UsageError("a name or code in a log is 1 to 63 of a-z 0-9 . _ -")
    return text


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _COUNT_MAX:
        raise UsageError(f"a count in a log is a whole number from 0 to {_COUNT_MAX}")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise UsageError("a duration in a log is between 0 and 10^9 seconds")
    return round(float(value), 6)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError("a flag in a log is true or false")
    return value


def _mark(value: Any) -> str:
    """Shorten an id: a caller may have put anything into it."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:16]


FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "peer": _name,  # a participant of the directory
    "sender": _name,
    "recipient": _name,
    "role": _name,
    "message": _name,  # the type of a message
    "state": _name,
    "code": _name,  # of an error
    "cause": _name,  # of the error before it
    "step": _name,
    "batch": _count,
    "rows": _count,
    "refused": _count,
    "attempt": _count,
    "bytes": _count,
    "port": _count,
    "open": _count,
    "waiting": _count,
    "epoch": _count,
    "rounds": _count,
    "size_class": _count,
    "seconds": _seconds,
    "retryable": _flag,
    "request": _mark,  # the first 16 hex digits of the SHA-256 of a request id
}
"""Every field that a line may have, and what brings it into its form or refuses it."""


class Log:
    """What one part of a process says; ``Log("node").info("batch computed", batch=7, rows=3)``."""

    def __init__(self, part: str = "") -> None:
        self._logger = logging.getLogger(f"{LOGGER}.{part}" if part else LOGGER)

    def debug(self, event: str, **fields: Any) -> None:
        """Say what only a developer wants to know."""
        self._say(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Say what happened."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Say what went wrong and is being dealt with."""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Say what somebody has to look at."""
        self._say(logging.ERROR, event, fields)

    def failure(self, event: str, error: BaseException, **fields: Any) -> None:
        """Say that an error was met: its code (its class where it has none), never its message."""
        code = error.code if isinstance(error, PetcoreError) else type(error).__name__.lower()
        retryable = isinstance(error, PetcoreError) and error.retryable
        self._say(logging.WARNING, event, {"code": code, "retryable": retryable, **fields})

    def _say(self, level: int, event: str, fields: Mapping[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", event, extra={"petcore": checked(event, fields)})


def checked(event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return event and fields in their forms.

    Raises UsageError for a field that is not declared, a value that does not have the form of its
    field, or an event that is no fixed text (lower-case words without digits). The message never
    repeats the value.
    """
    if not _EVENT.fullmatch(event):
        raise UsageError("an event in a log is a fixed text of lower-case words without digits")
    line: dict[str, Any] = {"event": event}
    for key, value in fields.items():
        form = FIELDS.get(key)
        if form is None:
            raise UsageError(
                f"{key[:40]!r} is no field of the logs; declare it in FIELDS, or drop it"
            )
        line[key] = form(value)
    return line


class JsonFormatter(logging.Formatter):
    """One JSON object per record; of what others log, only where it came from."""

    def __init__(self, participant: str) -> None:
        super().__init__()
        self._participant = participant

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "participant": self._participant,
        }
        fields = getattr(record, "petcore", None)
        if record.name.startswith(LOGGER) and isinstance(fields, dict):
            line |= {"part": record.name.removeprefix(LOGGER).lstrip(".")} | fields
        else:
            line |= {"event": "library", "where": f"{record.name}:{record.lineno}"}
            if record.exc_info and record.exc_info[0] is not None:
                line["cause"] = record.exc_info[0].__name__
        return json.dumps(line, separators=(",", ":"))


def install(participant: str, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Make the lines of this process JSON on ``stream`` (standard error); for a whole process."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter(participant))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(LOGGER).setLevel(level)
    logging.raiseExceptions = False  # a traceback of the logging itself would print arguments
