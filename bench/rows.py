"""Row: one thing that was measured, and what it is measured against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Row:
    """Seconds are of one run; bytes and rounds of one party; errors against the same in clear.

    ``by`` did it: "petcore", a kernel's target, a reference or a peer. ``work`` counts ``unit``s
    per run. ``reference_seconds`` was taken in the same run of this program. ``beyond`` is what
    the fullest party held beyond inputs and outputs, in bytes.
    """

    group: str
    name: str
    n: int
    by: str
    seconds: list[float]
    work: float = 0.0
    unit: str = ""
    rounds: int | None = None
    bytes_sent: int | None = None
    offline_bytes: int | None = None
    reference: str = ""
    reference_seconds: float | None = None
    error: float | None = None
    error_kind: str = ""
    beyond: int | None = None
    instructions: float | None = None  # per element

    @property
    def median(self) -> float:
        """The median of the seconds; 0 where time was not measured."""
        return statistics.median(self.seconds) if self.seconds else 0.0

    @property
    def rate(self) -> float:
        """10^9 units per second."""
        return self.work / self.median / 1e9 if self.seconds else 0.0

    @property
    def speed(self) -> float | None:
        """How many times as fast as the reference."""
        if self.reference_seconds is None or not self.seconds:
            return None
        return self.reference_seconds / self.median

    def to_json(self) -> dict[str, Any]:
        """Everything, and what follows from it; what was not measured is left out."""
        known = {key: value for key, value in asdict(self).items() if value not in (None, "", [])}
        if self.seconds:
            known |= {"median": self.median, "fastest": min(self.seconds)}
            known |= {"slowest": max(self.seconds)}
        if self.work and self.seconds:
            known["giga_per_second"] = self.rate
        else:
            known.pop("work", None)
        if self.speed is not None:
            known["times_reference"] = self.speed
        return known


def slower(*parties: Sequence[float]) -> list[float]:
    """A run lasts until its last party is done."""
    return [max(run) for run in zip(*parties, strict=True)]
