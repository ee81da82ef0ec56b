"""The disclosure log of one party: who learned what, written down before the share leaves."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from petcore.errors import DisclosureError, LogCorrupt
from petcore.mpc.disclosure import Disclosure
from petcore.trust import chain


class DisclosureLog:
    """An append-only, hash-chained file of disclosures; a `DisclosureSink` and context manager.

    Parameters
    ----------
    path : str or Path
        The file; made if absent (its directory too). An existing one is verified first.
    party : str
        The party whose log it is.
    session : str
        The session whose disclosures are recorded; written to every line.

    Raises
    ------
    LogCorrupt
        The file does not verify; the message names the line and what to do.
    DisclosureError
        Another process writes the file, it belongs to another party, or it cannot be opened.
    """

    def __init__(self, path: str | Path, party: str, *, session: str = "") -> None:
        self.path = Path(path)
        self._party, self._session = party, session
        self._fd = _open_locked(self.path)
        try:
            self._number, self._head = self._resume()
        except BaseException:
            os.close(self._fd)
            raise
        self._failed = ""

    @property
    def head(self) -> str:
        """The hash of the last record: what an auditor notes to notice lines cut off later."""
        return self._head

    def record(self, d: Disclosure) -> None:
        """Append one disclosure; when this returns, the line is on the disk.

        Raises DisclosureError if it cannot be written (a full disk); nothing was sent then, and the
        log takes no more records until it is opened anew.
        """
        self.record_all([d])

    def record_all(self, disclosures: Sequence[Disclosure]) -> None:
        """Append several in one write; raises as `record`, and then has recorded none."""
        if self._failed:
            raise DisclosureError(
                f"{self.path}: {self._failed}; open the log anew", party=self._party
            )
        lines, number, head = [], self._number, self._head
        for d in disclosures:
            number += 1
            record = self._record(d, number, head)
            head = record["hash"]
            lines.append(chain.canonical(record) + b"\n")
            if len(lines[-1]) > chain.LINE_BYTES_MAX:
                raise DisclosureError(f"label or purpose of {d.label[:60]!r} is too long")
        self._append(b"".join(lines))
        self._number, self._head = number, head

    def _record(self, d: Disclosure, number: int, previous: str) -> chain.Record:
        record: chain.Record = {
            "number": number,
            "time": datetime.now(UTC).isoformat(timespec="microseconds"),
            "party": self._party,
            "session": self._session,
            "step": d.step,
            "kind": d.kind,
            "label": d.label,
            "to": list(d.recipients),
            "shape": list(d.shape),
            "dtype": d.dtype,
            "purpose": d.purpose,
            "agreement": d.agreement,
            "previous": previous,
        }
        record["hash"] = chain.digest(record)
        return record

    def close(self) -> None:
        """Close the file and let others write it; closing twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self._failed = -1, "the log was closed"

    def __enter__(self) -> DisclosureLog:
        """Return self."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the log."""
        self.close()

    def _resume(self) -> tuple[int, str]:
        number, head = 0, chain.START
        for record in chain.read(self.path):
            if record["party"] != self._party:
                raise DisclosureError(
                    f"{self.path}: is the log of {record['party']}, not of {self._party}; "
                    "give every party a file of its own"
                )
            number, head = record["number"], record["hash"]
        return number, head

    def _append(self, line: bytes) -> None:
        size = os.fstat(self._fd).st_size
        try:
            written = os.write(self._fd, line)
            if written < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._fd)
        except OSError as error:
            self._failed = f"writing failed ({error.strerror})"
            with contextlib.suppress(OSError):  # otherwise the next opening finds the torn line
                os.ftruncate(self._fd, size)
            raise DisclosureError(
                f"{self.path}: cannot record a disclosure ({error.strerror}), so nothing was sent; "
                "make room or choose another file, then start a new session",
                party=self._party,
            ) from error


def repair(path: str | Path) -> Path:
    """Move an incomplete last line, left by a crash, to ``<path>.torn-<line>``; return that path.

    Whole lines are never touched. Raises LogCorrupt if there is nothing to repair or if more than
    the last line is wrong.
    """
    path = Path(path)
    fd = _open_locked(path, create=False)
    try:
        torn = _torn_line(path)
        aside = path.with_name(f"{path.name}.torn-{torn.number}")
        with aside.open("xb") as file:
            file.write(path.read_bytes()[torn.offset :])
            file.flush()
            os.fsync(file.fileno())
        os.ftruncate(fd, torn.offset)
        os.fsync(fd)
    except OSError as error:
        raise DisclosureError(f"{path}: cannot be repaired ({error})") from error
    finally:
        os.close(fd)
    return aside


def _torn_line(path: Path) -> chain.TornLine:
    try:
        chain.verify(path)
    except chain.TornLine as torn:
        return torn
    raise LogCorrupt(f"{path}: verifies and has no incomplete line; there is nothing to repair")


def _open_locked(path: Path, *, create: bool = True) -> int:
    """Open for appending and lock against a second writer, also one in this process."""
    try:
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o640)
            _sync_directory(path.parent)
        fd = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise DisclosureError(
            f"{path}: cannot be opened for writing ({error.strerror}); choose another log file"
        ) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise DisclosureError(
            f"{path}: another session is writing this log; end it, or name another file",
            retryable=True,
        ) from error
    return fd


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
