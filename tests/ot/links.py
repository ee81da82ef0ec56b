"""Two parties in two threads, and vectors as each ring lays them out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from petcore import _core

TYPES = {"bytes": np.uint8, "halves": np.uint32, "words": np.uint64}
STEP = (7, "step 7: test")


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Run functions in threads; what each returned, or the first error."""
    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(function) for function in functions]
        return [future.result() for future in futures]


def outcomes(*functions: Callable[[], Any]) -> list[Any]:
    """Run functions in threads; what each returned or raised."""
    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(function) for function in functions]
        return [future.exception() or future.result() for future in futures]


def channels(limits: _core.Limits | None = None) -> tuple[_core.Channel, _core.Channel]:
    """What the gateway holds, then what the wallet holds."""
    return _core.memory_channels("gateway", "wallet", limits or _core.Limits())


def random_words(n: int) -> np.ndarray:
    return np.frombuffer(_core.kernels.random_bytes(8 * n), np.uint64)


def bits_of(packed: np.ndarray, n: int) -> np.ndarray:
    return np.unpackbits(packed.view(np.uint8), bitorder="little")[:n]


def random_vectors(ring: str, n: int, count: int = 1) -> np.ndarray:
    """`count` vectors of n random elements of a ring, each padded to whole words."""
    if ring == "bits":
        out = random_words((n + 63) // 64 * count).reshape(count, -1).copy()
        if n % 64:
            out[:, -1] &= np.uint64((1 << n % 64) - 1)
        return out.ravel()
    kind = TYPES[ring]
    per_word = 8 // np.dtype(kind).itemsize
    padded = np.zeros((count, -(-n // per_word) * per_word), kind)
    padded[:, :n] = random_words(n * count).astype(kind).reshape(count, n)
    return padded.view(np.uint64).ravel()


def elements(vectors: np.ndarray, ring: str, n: int, count: int = 1) -> np.ndarray:
    """The elements of `count` vectors, (count, n), and zeros behind them."""
    if ring == "bits":
        whole = np.unpackbits(vectors.view(np.uint8), bitorder="little").reshape(count, -1)
    else:
        whole = vectors.view(TYPES[ring]).reshape(count, -1)
    assert not whole[:, n:].any()
    return whole[:, :n]


class Pair:
    """Products of both parties."""

    def __init__(self, **options: Any) -> None:
        self.channels = channels()
        self.parties = [
            _core.OtProducts(channel, party, **options)
            for party, channel in enumerate(self.channels)
        ]

    def call(self, method: str, gateway: tuple, wallet: tuple) -> list[Any]:
        """Both parties' shares."""
        return at_once(
            *(
                lambda party=party, own=own: getattr(party, method)(*STEP, *own)
                for party, own in zip(self.parties, (gateway, wallet), strict=True)
            )
        )
