"""Local kernels, beside OpenSSL, NumPy and memory copies measured in turns with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from petcore import _core
from petcore.random import AesCtr
from petcore.threads import thread_count

from .rows import Row

kernels: Any = _core.kernels
SEED = bytes(range(16))
LARGE = 10**6  # below it threads are not worth their start
BUDGET = 2.0  # seconds for one contender
Work = Callable[[], object]


@dataclass
class Race:
    """Contenders that do the same ``work`` of ``unit``s; the first is the reference."""

    work: float
    unit: str
    contenders: dict[str, Work] = field(default_factory=dict)
    inner: int = 1  # calls per run, where one is too short to time


@dataclass(frozen=True)
class Kernel:
    """A row per contender; ``make`` allocates what they need, given the targets of petcore."""

    name: str
    n: int
    make: Callable[[int, list[str]], Race]
    kind: str  # which table of targets
    table: str = "kernels"  # that it is shown in


def measure(kernel: Kernel, runs: int, every_target: bool) -> list[Row]:
    race = kernel.make(kernel.n, targets(kernel.kind, every_target))
    taken: dict[str, list[float]] = {by: [] for by in race.contenders}
    for by, work in race.contenders.items():
        first = timed(work, 1)  # touches memory and caches
        if first > BUDGET:
            taken[by].append(first)
    for _ in range(runs):  # in turns, so that a change of the machine's speed meets all of them
        for by, work in race.contenders.items():
            if sum(taken[by]) * race.inner < BUDGET:
                taken[by].append(timed(work, race.inner))
    reference = next(iter(race.contenders))
    rows = [
        Row(kernel.table, kernel.name, kernel.n, by, seconds, race.work, race.unit)
        for by, seconds in taken.items()
    ]
    for row in rows[1:]:
        row.reference, row.reference_seconds = reference, rows[0].median
    return rows


def targets(kind: str, every: bool) -> list[str]:
    """Return the target that petcore would take, or all that this machine runs."""
    return list(kernels.targets()[kind]) if every else [kernels.chosen_targets()[kind]]


def label(target: str, threads: int = 1) -> str:
    return f"petcore {target}" if threads == 1 else f"petcore {target}, {threads} threads"


def crews(names: list[str], n: int) -> list[tuple[str, int]]:
    """Pair targets with numbers of threads: one, and for large work every usable core."""
    cores = thread_count(None)
    several = [(names[0], cores)] if cores > 1 and n >= LARGE else []
    return [*((name, 1) for name in names), *several]


def timed(work: Work, inner: int) -> float:
    began = time.perf_counter()
    for _ in range(inner):
        work()
    return (time.perf_counter() - began) / inner


def words(*shape: int) -> Any:
    return np.random.default_rng(1).integers(0, 2**64, shape, dtype=np.uint64)


def prg(size: int, names: list[str]) -> Race:
    out, zeros, room = np.empty(size, np.uint8), bytes(size), bytearray(size + 15)
    encryptor = Cipher(algorithms.AES(SEED), modes.CTR(SEED)).encryptor()
    generator, other = np.random.Generator(np.random.PCG64(1)), np.ones(size, np.uint8)
    top = 2**64 - 1
    race = Race(size, "B", inner=max(1, (1 << 24) // size))
    race.contenders["OpenSSL AES-128-CTR"] = lambda: encryptor.update_into(zeros, room)
    for t in names:
        race.contenders[label(t)] = lambda t=t: kernels.prg_fill(out, SEED, 0, t)
    race.contenders["NumPy PCG64"] = lambda: generator.integers(
        0, top, size // 8, np.uint64, endpoint=True
    )
    race.contenders["memory copy"] = lambda: np.copyto(out, other)
    return race


def integers(n: int, names: list[str]) -> Race:
    """Uniform words through NumPy's own Generator; the target is the chosen one."""
    top = 2**64 - 1

    def draw(bits: Any) -> Work:
        generator = np.random.Generator(bits)
        return lambda: generator.integers(0, top, n, np.uint64, endpoint=True)

    contenders = {"NumPy PCG64": draw(np.random.PCG64(1)), label("AesCtr"): draw(AesCtr(1))}
    return Race(n, "word", contenders)


def fill(n: int, names: list[str]) -> Race:
    out, bits = np.empty(n, np.uint64), AesCtr(1)
    contenders = {"memory copy": copy_of(n), label("AesCtr"): lambda: bits.fill(out)}
    return Race(n, "word", contenders)


def copy_of(num_words: int) -> Work:
    source, target = np.ones(num_words, np.uint64), np.ones(num_words, np.uint64)
    return lambda: np.copyto(target, source)


def share(n: int, names: list[str]) -> Race:
    """Reads one word and writes two, so the copy that moves as many bytes is one of 1.5 n words."""
    x, a, b = words(n), np.ones(n, np.uint64), np.ones(n, np.uint64)
    race = Race(n, "word", {"memory copy": copy_of(3 * n // 2)})
    for t in names:
        race.contenders[label(t)] = lambda t=t: kernels.share(x, a, b, SEED, t)
    return race


def reconstruct(n: int, names: list[str]) -> Race:
    """Reads two words and writes one: again as many bytes as a copy of 1.5 n words."""
    x, y, out = words(n), words(n), np.ones(n, np.uint64)
    race = Race(n, "word", {"memory copy": copy_of(3 * n // 2)})
    for t in names:
        race.contenders[label(t)] = lambda t=t: kernels.add(x, y, out, t)
    return race


def elementwise(name: str) -> Callable[[int, list[str]], Race]:
    ufunc = {"add": np.add, "sub": np.subtract, "mul": np.multiply}[name]

    def make(n: int, names: list[str]) -> Race:
        x, y, out = words(n), words(n), np.ones(n, np.uint64)
        race = Race(n, "word", {"NumPy out=": lambda: ufunc(x, y, out=out)})
        race.inner = max(1, 1_000_000 // n)
        for t, threads in crews(names, n):
            race.contenders[label(t, threads)] = lambda t=t, threads=threads: getattr(
                kernels, name
            )(x, y, out, t, threads=threads)
        return race

    return make


def matmul(m: int, k: int, n: int) -> Kernel:
    def make(_: int, names: list[str]) -> Race:
        a, b, out = words(m, k), words(k, n), np.zeros((m, n), np.uint64)
        race = Race(m * k * n, "madd", inner=max(1, 3_000_000 // (m * k * n)))
        race.contenders["NumPy uint64"] = lambda: np.matmul(a, b, out=out)
        for t, threads in crews(names, m * k * n):
            race.contenders[label(t, threads)] = lambda t=t, threads=threads: kernels.matmul(
                a, b, out, target=t, threads=threads
            )
        reals = a.astype(np.float64), b.astype(np.float64), np.zeros((m, n))
        race.contenders["BLAS float64"] = lambda: np.matmul(*reals[:2], out=reals[2])
        return race

    return Kernel(f"matmul {m} x {k} x {n}", m * k * n, make, "ring")


def crh(size: int, names: list[str]) -> Race:
    blocks = np.zeros(size, np.uint8)
    zeros, room = bytes(size), bytearray(size + 15)
    encryptor = Cipher(algorithms.AES(SEED), modes.ECB()).encryptor()  # noqa: S305
    race = Race(size, "B", inner=max(1, (1 << 22) // size))
    race.contenders["OpenSSL AES-128-ECB"] = lambda: encryptor.update_into(zeros, room)
    for t in names:
        race.contenders[label(t)] = lambda t=t: kernels.crh(blocks, out=blocks, target=t)
    return race


def pack(n: int, names: list[str]) -> Race:
    bits = np.ones(n, np.uint8)
    race = Race(n, "bit", inner=max(1, (1 << 22) // n))
    race.contenders["NumPy packbits"] = lambda: np.packbits(bits, bitorder="little")
    for t in names:
        race.contenders[label(t)] = lambda t=t: kernels.pack(bits, t)
    return race


def slices(n: int, names: list[str]) -> Race:
    x = words(n)
    race = Race(n, "word", {"memory copy": copy_of(n)}, inner=max(1, (1 << 20) // n))
    for t in names:
        race.contenders[label(t)] = lambda t=t: kernels.to_slices(x, t)
    return race


# Tall and skinny, as in training: a batch by the weights, its transpose by the residuals.
SHAPES = ((1024, 1024, 1024), (128, 100, 1), (100, 128, 1), (10_000, 100, 1), (1, 24_000, 23))

KERNELS = [
    Kernel("PRG, 256 KiB", 1 << 18, prg, "prg"),
    Kernel("PRG, 64 MiB", 1 << 26, prg, "prg"),
    Kernel("hash (CRH), 256 KiB", 1 << 18, crh, "prg"),
    Kernel("random integers, 10^7", 10**7, integers, "prg"),
    Kernel("random fill, 10^7", 10**7, fill, "prg"),
    Kernel("share, 10^7", 10**7, share, "prg"),
    Kernel("reconstruct, 10^7", 10**7, reconstruct, "ring"),
    *(
        Kernel(f"uint64 {name}, 10^{size}", 10**size, elementwise(name), "ring")
        for size in (4, 7)
        for name in ("add", "sub", "mul")
    ),
    *(matmul(*shape) for shape in SHAPES),
    Kernel("pack, 2^20 bits", 1 << 20, pack, "bits"),
    Kernel("bit slices, 2^16 words", 1 << 16, slices, "bits"),
]


def chosen(wanted: Callable[[str, int], bool]) -> Iterator[Kernel]:
    """Give the kernels that a filter takes."""
    for kernel in KERNELS:
        if wanted(kernel.name, kernel.n) and (
            kernel.make is not share or hasattr(kernels, "share")
        ):
            yield kernel
