"""How fast the kernels are here, against OpenSSL and NumPy measured in turns with them.

Ratios within one run say more than times: a slow clock or a shared machine meets both sides alike.
What is expected of a target is a wide range; below it something is in the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from petcore import _core

kernels: Any = _core.kernels

ROUNDS_MAX = 15
_SEED = bytes(16)
Work = Callable[[], object]

# At least so many times as fast as the reference, by target; what no row names may be any speed.
EXPECTED = {
    "PRG": {"vaes512": 2.2, "vaes256": 1.6, "aesni": 0.7, "neon": 0.7, "portable": 0.01},
    "product of words": {"avx512": 0.6, "avx2": 0.6, "neon": 0.6, "portable": 0.3},
    "matrix product": {"avx512": 8.0, "avx2": 3.0, "neon": 1.5, "portable": 1.0},
    "packing of bits": {"avx512": 0.6, "avx2": 0.6, "neon": 0.3, "portable": 0.02},
}


@dataclass(frozen=True)
class Speed:
    """A kernel's speed: ``rate`` in 10^9 ``unit`` per second, and against its reference."""

    kernel: str
    target: str
    rate: float
    unit: str
    reference: str
    times: float
    expected: float

    @property
    def ok(self) -> bool:
        """Whether it is as fast as its target should be."""
        return self.times >= self.expected


def speeds(seconds: float) -> Iterator[Speed]:
    """Measure each kernel's chosen target for its part of ``seconds``."""
    makers = (_prg, _product, _matrix, _packing)
    for maker in makers:
        kind, kernel, work, unit, reference, contenders = maker()
        fastest = _race(contenders, seconds / len(makers))
        target = kernels.chosen_targets()[kind]
        yield Speed(
            kernel,
            target,
            work / fastest[1] / 1e9,
            unit,
            reference,
            fastest[0] / fastest[1],
            EXPECTED[kernel].get(target, 0.0),
        )


def _race(contenders: tuple[Work, Work], seconds: float) -> list[float]:
    """Run the two in turns; the fastest run of each is the one that nobody disturbed."""
    for work in contenders:
        work()
    end = time.perf_counter() + seconds
    fastest = [float("inf"), float("inf")]
    for _ in range(ROUNDS_MAX):
        for i, work in enumerate(contenders):
            began = time.perf_counter()
            work()
            fastest[i] = min(fastest[i], time.perf_counter() - began)
        if time.perf_counter() > end:
            break
    return fastest


_Race = tuple[str, str, float, str, str, tuple[Work, Work]]


def _prg() -> _Race:
    size = 1 << 20
    out, zeros, room = np.empty(size, np.uint8), bytes(size), bytearray(size + 15)
    openssl = Cipher(algorithms.AES(_SEED), modes.CTR(_SEED)).encryptor()
    return (
        "prg",
        "PRG",
        size,
        "B",
        "OpenSSL",
        (lambda: openssl.update_into(zeros, room), lambda: kernels.prg_fill(out, _SEED)),
    )


def _product() -> _Race:
    n = 1 << 16
    x, out = np.arange(n, dtype=np.uint64), np.empty(n, np.uint64)
    return (
        "ring",
        "product of words",
        n,
        "word",
        "NumPy",
        (lambda: np.multiply(x, x, out=out), lambda: kernels.mul(x, x, out)),
    )


def _matrix() -> _Race:
    n = 192
    a = np.arange(n * n, dtype=np.uint64).reshape(n, n)
    out = np.empty_like(a)
    return (
        "ring",
        "matrix product",
        n**3,
        "madd",
        "NumPy",
        (lambda: np.matmul(a, a, out=out), lambda: kernels.matmul(a, a, out)),
    )


def _packing() -> _Race:
    bits = np.ones(1 << 18, np.uint8)
    return (
        "bits",
        "packing of bits",
        bits.size,
        "bit",
        "NumPy",
        (lambda: np.packbits(bits, bitorder="little"), lambda: kernels.pack(bits)),
    )
