"""The figures that petcore is held to, on the reference machine: 2 cores with AVX-512 and VAES.

Other machines differ, so a figure is shown beside its goal and never asserted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .rows import Row

Kind = Literal["seconds", "speed", "rate", "error", "bytes"]


@dataclass(frozen=True)
class Goal:
    """``must`` be reached, ``beyond`` would be better; speed and rate want more, the rest less."""

    kind: Kind
    must: float
    beyond: float | None = None
    error: float | None = None

    def reached(self, row: Row) -> float:
        """How much of the goal is reached: 1 and above is enough."""
        got = {
            "seconds": row.median,
            "speed": row.speed or 0.0,
            "rate": row.rate,
            "bytes": max(row.beyond or 0, 1),
        }[self.kind]
        return got / self.must if self.kind in ("speed", "rate") else self.must / got

    def text(self) -> str:
        if self.kind == "speed":
            return f"{self.must:g} x"
        if self.kind == "rate":
            return f"{self.must:g} G/s"
        if self.kind == "bytes":
            return f"{self.must / 2**20:g} MiB"
        return f"{self.must * 1e3:g} ms"


def seconds(must: float, beyond: float | None = None, error: float | None = None) -> Goal:
    return Goal("seconds", must, beyond, error)


GOALS: dict[tuple[str, int], Goal] = {
    ("PRG, 64 MiB", 1 << 26): Goal("speed", 3.0, 4.0),
    ("random integers, 10^7", 10**7): Goal("speed", 1.0),
    ("share, 10^7", 10**7): Goal("speed", 0.8),
    ("reconstruct, 10^7", 10**7): Goal("speed", 0.8),
    ("uint64 add, 10^7", 10**7): Goal("speed", 1.0),
    ("uint64 sub, 10^7", 10**7): Goal("speed", 1.0),
    ("uint64 mul, 10^7", 10**7): Goal("speed", 1.0),
    ("matmul 1024 x 1024 x 1024", 1 << 30): Goal("rate", 28.8, 46.0),
    ("integer product", 10**3): seconds(0.25e-3, 0.15e-3),
    ("integer product", 10**6): seconds(0.035, 0.022),
    ("integer product", 10**7): seconds(0.35, 0.22),
    ("fixed-point product", 10**6): seconds(0.055, 0.035),
    ("fixed-point product", 10**7): seconds(0.60, 0.40),
    ("matrix product", 128): seconds(0.002),
    ("matrix product", 512): seconds(0.022),
    ("matrix product", 1024): seconds(0.14, 0.10),
    ("x < y", 10**3): seconds(1.0e-3, 0.5e-3),
    ("x < y", 10**5): seconds(0.012),
    ("x < y", 10**6): seconds(0.10, 0.06),
    ("sigmoid", 10**6): seconds(0.50, 0.25, error=1e-3),
    ("exp", 10**6): seconds(0.30, 0.15, error=1e-3),
    ("reciprocal", 10**6): seconds(0.50, 0.25, error=1e-4),
    ("sqrt", 10**6): seconds(0.50, 0.25, error=1e-4),
    ("intersection by rr22", 10**6): seconds(1.6),
    ("logistic regression", 10_000): seconds(0.17, 0.08),
    ("integer product, peak", 10**7): Goal("bytes", 64 << 20),
    ("fixed-point product, peak", 10**7): Goal("bytes", 64 << 20),
}

# A processor with less is held to less.
MATRIX_AVX2, PRG_AESNI = Goal("rate", 5.0), Goal("speed", 1.0)


def goal_of(row: Row) -> Goal | None:
    if not row.by.startswith("petcore") or row.by.endswith("threads"):
        return None  # a kernel's goal is for one thread
    if row.name.startswith("matmul 1024 x") and "avx512" not in row.by:
        return MATRIX_AVX2
    if row.name.startswith("PRG") and row.by.endswith("aesni"):
        return PRG_AESNI
    return GOALS.get((row.name, row.n))
