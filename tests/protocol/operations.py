"""Every operation of a protocol: how to call it, its cost's sizes, and its obvious reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

U64 = np.uint64
Arrays = list[np.ndarray]


def words(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(0, 2**64, n, dtype=U64)


def bits(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(0, 2, n).astype(np.uint8)


def small(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw signed values below 2^62 in magnitude, the domain of truncation, borders included."""
    values = rng.integers(-(2**62) + 1, 2**62, n)
    values[: min(n, 4)] = [0, -1, 2**62 - 1, -(2**62) + 1][: min(n, 4)]
    return values.astype(U64)


def within(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """Draw signed values of `width` bits, borders included."""
    half = 2 ** (width - 1)
    values = rng.integers(-half, half, n)
    values[: min(n, 4)] = [0, -1, half - 1, -half][: min(n, 4)]
    return values.astype(U64)


def sparse(rng: np.random.Generator, n: int) -> np.ndarray:
    return words(rng, n) * bits(rng, n)


def floor_shift(x: np.ndarray, by: int) -> np.ndarray:
    return (x.astype(np.int64) >> by).astype(U64)


def all_bits(x: np.ndarray) -> np.ndarray:
    return ((x[:, None] >> np.arange(64, dtype=U64)) & U64(1)).astype(np.uint8).ravel()


def bounds(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Give public bounds of intervals, of which some wrap and some are empty."""
    rng = np.random.default_rng(n)
    low, high = words(rng, n), words(rng, n)
    high[::7] = low[::7]
    return low, high


def inside(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (x - low < high - low).astype(np.uint8)


@dataclass(frozen=True)
class Operation:
    name: str
    call: Callable[..., np.ndarray]
    inputs: Callable[[np.random.Generator, int], Arrays]
    reference: Callable[..., np.ndarray]
    declared: str
    extra: tuple[int, ...] = ()
    tolerance: int = 0  # units in the last place, above the reference only

    @property
    def needs_dealer(self) -> bool:
        return self.declared.startswith("fss_")


OPERATIONS = [
    Operation("multiply", lambda s, x, y: s.mul(x, y),
              lambda r, n: [words(r, n), words(r, n)], lambda x, y: x * y, "mul"),
    Operation("square", lambda s, x: s.square(x),
              lambda r, n: [words(r, n)], lambda x: x * x, "square"),
    Operation("and", lambda s, x, y: s.and_bits(x, y),
              lambda r, n: [bits(r, n), bits(r, n)], lambda x, y: x & y, "and_bits"),
    Operation("bit times word", lambda s, b, x: s.mul_bit(b, x),
              lambda r, n: [bits(r, n), words(r, n)], lambda b, x: b * x, "mul_bit"),
    Operation("select", lambda s, b, x, y: s.select(b, x, y),
              lambda r, n: [bits(r, n), words(r, n), words(r, n)],
              lambda b, x, y: np.where(b == 1, x, y), "mul_bit"),
    Operation("bits to words", lambda s, b: s.b2a(b),
              lambda r, n: [bits(r, n)], lambda b: b.astype(U64), "b2a"),
    Operation("most significant bit", lambda s, x: s.msb(x),
              lambda r, n: [words(r, n)], lambda x: (x >> U64(63)).astype(np.uint8), "msb"),
    Operation("sign in 20 bits", lambda s, x: s.msb(x, 20),
              lambda r, n: [within(r, n, 20)], lambda x: (x >> U64(63)).astype(np.uint8),
              "msb", (20,)),
    Operation("zero in 41 bits", lambda s, x: s.equal_zero(x, 41),
              lambda r, n: [sparse(r, n)], lambda x: (x << U64(23) == 0).astype(np.uint8),
              "equal_zero", (41,)),
    Operation("low 12 bits", lambda s, x: s.bits(x, 12),
              lambda r, n: [words(r, n)], lambda x: all_bits(x).reshape(-1, 64)[:, :12].ravel(),
              "bits", (12,)),
    Operation("equal to zero", lambda s, x: s.equal_zero(x),
              lambda r, n: [sparse(r, n)], lambda x: (x == 0).astype(np.uint8), "equal_zero"),
    Operation("sign by keys", lambda s, x: s.fss_sign(x),
              lambda r, n: [words(r, n)], lambda x: (x >> U64(63)).astype(np.uint8), "fss_sign"),
    Operation("sign in 20 bits by keys", lambda s, x: s.fss_sign(x, 20),
              lambda r, n: [within(r, n, 20)], lambda x: (x >> U64(63)).astype(np.uint8),
              "fss_sign", (20,)),
    Operation("zero in 41 bits by keys", lambda s, x: s.fss_zero(x, 41),
              lambda r, n: [sparse(r, n)], lambda x: (x << U64(23) == 0).astype(np.uint8),
              "fss_zero", (41,)),
    Operation("interval by keys", lambda s, x: s.fss_interval(x, *bounds(x.size)),
              lambda r, n: [words(r, n)], lambda x: inside(x, *bounds(x.size)), "fss_interval"),
    Operation("sign times word by keys", lambda s, x, y: s.fss_select(x, y, 40),
              lambda r, n: [within(r, n, 40), words(r, n)],
              lambda x, y: (x >> U64(63)) * y, "fss_select", (40,)),
    Operation("all bits", lambda s, x: s.bits(x),
              lambda r, n: [words(r, n)], all_bits, "bits"),
    Operation("truncate by 18", lambda s, x: s.truncate(x, 18, "probabilistic"),
              lambda r, n: [small(r, n)], lambda x: floor_shift(x, 18), "truncate", (18,), 1),
    Operation("multiply and truncate by 18", lambda s, x, y: s.mul(x, y, 18),
              lambda r, n: [within(r, n, 31), within(r, n, 31)],
              lambda x, y: floor_shift(x * y, 18), "mul", (18,), 1),
    Operation("square and truncate by 40", lambda s, x: s.square(x, 40),
              lambda r, n: [within(r, n, 31)], lambda x: floor_shift(x * x, 40), "square", (40,), 1),
    Operation("truncate by 1 exactly", lambda s, x: s.truncate(x, 1, "exact"),
              lambda r, n: [small(r, n)], lambda x: floor_shift(x, 1), "truncate_exact", (1,)),
    Operation("truncate by 18 exactly", lambda s, x: s.truncate(x, 18, "exact"),
              lambda r, n: [small(r, n)], lambda x: floor_shift(x, 18), "truncate_exact", (18,)),
    Operation("truncate by 61 exactly", lambda s, x: s.truncate(x, 61, "exact"),
              lambda r, n: [small(r, n)], lambda x: floor_shift(x, 61), "truncate_exact", (61,)),
]  # fmt: skip


def share(session: Any, values: np.ndarray, owner: int) -> np.ndarray:
    mine = values if session.party == owner else None
    call = session.input_bits if values.dtype == np.uint8 else session.input
    return call(owner, mine, b"")[0]


def open_any(session: Any, share_array: np.ndarray, label: str = "result") -> np.ndarray:
    call = session.open_bits if share_array.dtype == np.uint8 else session.open
    return call(share_array, label)
