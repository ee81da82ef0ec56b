"""Disclosure: the record of a value that leaves the sharing, and the sink that takes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Kind = Literal["open", "reveal", "export"]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One value about to be disclosed: who learns what, why, and under which agreement.

    Attributes
    ----------
    step : int
        Operations that the session had done before this one.
    label : str
        What the value is, in words that a reader of the log understands.
    recipients : tuple of str
        Names of those who learn it: every party (`open`), one party (`reveal`), someone outside
        the session (`export`).
    shape : tuple of int
    dtype : str
        ``"int64"``, ``"fixed"`` or ``"bool"``.
    purpose, agreement : str
        Why, and the contract that allows it; empty where the caller gave none.
    kind : {"open", "reveal", "export"}
    """

    step: int
    label: str
    recipients: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    purpose: str
    agreement: str
    kind: Kind


@runtime_checkable
class DisclosureSink(Protocol):
    """Takes every disclosure *before* the share is sent; raising stops the disclosure."""

    def record(self, d: Disclosure) -> None:
        """Record the disclosure, or raise to refuse it."""


@runtime_checkable
class ManySink(Protocol):
    """A sink that takes several at once for less than one by one: all of them, or none."""

    def record_all(self, disclosures: Sequence[Disclosure]) -> None:
        """Record the disclosures, or raise to refuse them."""


class MemorySink:
    """Keeps the latest disclosures in memory, for tests and notebooks.

    Parameters
    ----------
    capacity : int
        Records kept; older ones are dropped and counted in ``dropped``.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._records: deque[Disclosure] = deque(maxlen=capacity)
        self.dropped = 0

    def record(self, d: Disclosure) -> None:
        """Keep the disclosure."""
        if len(self._records) == self._records.maxlen:
            self.dropped += 1
        self._records.append(d)

    def __iter__(self) -> Iterator[Disclosure]:
        """Go through the records, oldest first."""
        return iter(tuple(self._records))

    def __len__(self) -> int:
        """Count the records kept."""
        return len(self._records)

    def __getitem__(self, i: int) -> Disclosure:
        """Give record i; -1 is the latest."""
        return self._records[i]
