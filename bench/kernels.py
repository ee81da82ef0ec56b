"""Local kernels, one thread, against OpenSSL, NumPy and a memory copy measured in the same run.

Run `python bench/kernels.py`. Every line: kernel, target, median, spread (fastest to slowest), and
the ratio of the median to the reference named in the last column.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from petcore import _core

kernels = _core.kernels
SEED = bytes(16)
REPEATS = 9


def seconds(work: Callable[[], object], inner: int = 1) -> list[float]:
    """Return the sorted seconds of one call, measured REPEATS times."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(inner):
            work()
        taken.append((time.perf_counter() - start) / inner)
    return sorted(taken)


def report(name: str, target: str, units: float, unit: str, taken: list[float]) -> float:
    """Print rates and return the median one, in 10^9 units per second."""
    rates = [units / t / 1e9 for t in taken]
    median = statistics.median(rates)
    spread = f"{rates[-1]:.2f}-{rates[0]:.2f}"
    print(f"{name:28} {target:10} {median:8.2f} {unit:8} ({spread})", end="")
    return median


def compare(name: str, units: float, unit: str, reference: str, runs: dict, inner: int = 1) -> None:
    """Measure the reference, then every target, and print the ratios."""
    base = report(name, reference, units, unit, seconds(runs.pop(reference), inner))
    print()
    for target, work in runs.items():
        rate = report(name, target, units, unit, seconds(work, inner))
        print(f"  {rate / base:.2f} x {reference}")


def bench_prg() -> None:
    """AES-128-CTR and the hash, in and out of the caches."""
    for size, inner in ((1 << 18, 50), (1 << 26, 1)):
        out, zeros = np.empty(size, np.uint8), bytes(size)
        encryptor = Cipher(algorithms.AES(SEED), modes.CTR(SEED)).encryptor()
        buffer = bytearray(size + 15)
        runs: dict[str, Callable[[], object]] = {
            "OpenSSL": lambda z=zeros, b=buffer, e=encryptor: e.update_into(z, b)
        }
        for target in kernels.targets()["prg"]:
            runs[target] = lambda t=target, o=out: kernels.prg_fill(o, SEED, 0, t)
        compare(f"prg fill {size >> 10} KiB", size, "GB/s", "OpenSSL", runs, inner)
    blocks = np.zeros(1 << 18, np.uint8)
    hashes = {
        t: lambda t=t: kernels.crh(blocks, out=blocks, target=t)
        for t in reversed(kernels.targets()["prg"])
    }
    compare("crh 256 KiB", blocks.size, "GB/s", "portable", hashes, 20)


def bench_ring() -> None:
    """Elementwise work and matrix products."""
    rng = np.random.default_rng(1)
    for size, inner in ((1 << 12, 200), (1 << 22, 1)):
        x, y, out = (rng.integers(0, 2**64, size, dtype=np.uint64) for _ in range(3))
        runs: dict[str, Callable[[], object]] = {
            "NumPy": lambda x=x, y=y, out=out: np.multiply(x, y, out=out)
        }
        for target in kernels.targets()["ring"]:
            runs[target] = lambda t=target, x=x, y=y, out=out: kernels.mul(x, y, out, t)
        compare(f"mul {size} words", size, "Gword/s", "NumPy", runs, inner)
        copy = report(
            "copy", "memory", 16 * size, "GB/s", seconds(lambda x=x, o=out: np.copyto(o, x), inner)
        )
        print(f"  = {copy / 24:.2f} Gword/s of two reads and a write")
    for m, k, n in (
        (1024, 1024, 1024),
        (24000, 23, 1),
        (1, 24000, 23),
        (23, 24000, 1),
        (128, 100, 64),
    ):
        a = rng.integers(0, 2**64, (m, k), dtype=np.uint64)
        b = rng.integers(0, 2**64, (k, n), dtype=np.uint64)
        out = np.empty((m, n), np.uint64)
        products: dict[str, Callable[[], object]] = {
            "NumPy": lambda a=a, b=b, out=out: np.matmul(a, b, out=out)
        }
        for target in kernels.targets()["ring"]:
            products[target] = lambda t=target, a=a, b=b, o=out: kernels.matmul(a, b, o, target=t)
        inner = max(1, 3_000_000 // (m * k * n))
        compare(f"matmul {m}x{k}x{n}", m * k * n, "Gmadd/s", "NumPy", products, inner)


def bench_bits() -> None:
    """Packing and slicing."""
    num_bits = 1 << 20
    bits = np.ones(num_bits, np.uint8)
    words = np.arange(1 << 16, dtype=np.uint64)
    runs: dict[str, Callable[[], object]] = {"NumPy": lambda: np.packbits(bits, bitorder="little")}
    for target in kernels.targets()["bits"]:
        runs[target] = lambda t=target: kernels.pack(bits, t)
    compare("pack 2^20 bits", num_bits, "Gbit/s", "NumPy", runs, 20)
    slices = {
        t: lambda t=t: kernels.to_slices(words, t) for t in reversed(kernels.targets()["bits"])
    }
    compare("to_slices 2^16 words", words.size, "Gword/s", "portable", slices, 20)


if __name__ == "__main__":
    features = [name for name, present in kernels.cpu().items() if present]
    print(f"{platform.processor() or platform.machine()}: {' '.join(features)}")
    bench_prg()
    bench_ring()
    bench_bits()
