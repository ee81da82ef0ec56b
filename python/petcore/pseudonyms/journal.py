"""The journal of a pseudonym service: who asked how much, for which scope, when; never what."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from petcore.errors import PseudonymError

_DAY = 86400


class Journal:
    """An append-only file of JSON lines, one per request, on the disk before it is answered.

    Raises PseudonymError where the file cannot be opened or read, or another process writes it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._drop_torn_line()
        except BlockingIOError as error:
            os.close(self._fd)
            raise PseudonymError(f"{self.path}: another process writes this journal") from error
        except OSError as error:
            raise PseudonymError(f"{self.path}: cannot be opened ({error.strerror})") from error

    def record(self, now: float, client: str, scope: str, epoch: int, ids: int) -> None:
        """Append a request; raises PseudonymError if the disk does not take it."""
        row = {
            "time": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            "client": client,
            "scope": scope,
            "epoch": epoch,
            "ids": ids,
        }
        line = json.dumps(row).encode() + b"\n"
        try:
            if os.write(self._fd, line) < len(line):
                raise OSError(0, "the disk is full")
            os.fsync(self._fd)
        except OSError as error:
            raise PseudonymError(f"the journal cannot be written ({error.strerror})") from error

    def ids_of_day(self, day: int) -> Counter[str]:
        """Return how many ids each client asked for on a day (UTC, counted from 1970)."""
        used: Counter[str] = Counter()
        date = datetime.fromtimestamp(day * _DAY, UTC).date().isoformat()
        for number, line in enumerate(self.path.read_bytes().splitlines(), 1):
            try:
                row = json.loads(line)
                if row["time"].startswith(date):
                    used[row["client"]] += int(row["ids"])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise PseudonymError(
                    f"{self.path}, line {number}: is not a line of this journal; put the file "
                    "aside for the auditor and begin a new one"
                ) from error
        return used

    def _drop_torn_line(self) -> None:
        """Cut off a line that a crash left half written: its request was never answered."""
        text = self.path.read_bytes()
        if text and not text.endswith(b"\n"):
            os.ftruncate(self._fd, text.rfind(b"\n") + 1)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
