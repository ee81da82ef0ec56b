"""Correlated transfers dealt from a common seed: a stand-in for base transfers, in tests only."""

from __future__ import annotations

import numpy as np

from petcore import _core

kernels = _core.kernels
SEED = bytes(range(16))


def blocks_of(position: int, n: int) -> np.ndarray:
    out = np.zeros(2 * n, np.uint64)
    kernels.prg_fill_words(out, SEED, 2 * position)
    return out.reshape(n, 2)


def bits_of(packed: np.ndarray, n: int) -> np.ndarray:
    return kernels.unpack(packed, n)


class Sender(_core.CotSender):
    """q is the common stream; the channel carries nothing."""

    def __init__(self, delta: np.ndarray) -> None:
        super().__init__()
        self.held = delta.reshape(1, 2)
        self.used = 0

    def delta(self) -> np.ndarray:
        return self.held

    def extend(self, tag: int, step: str, n: int) -> np.ndarray:
        q = blocks_of(self.used, n)
        self.used += n
        return q


class Receiver(_core.CotReceiver):
    """t is the common stream, corrected by delta, which only a dealer may know."""

    def __init__(self, delta: np.ndarray) -> None:
        super().__init__()
        self.held = delta.reshape(1, 2)
        self.used = 0

    def extend(self, tag: int, step: str, choices: np.ndarray, n: int) -> np.ndarray:
        mask = bits_of(choices, n).astype(np.uint64).reshape(n, 1)
        t = blocks_of(self.used, n) ^ mask * self.held
        self.used += n
        return t


def random_blocks(n: int) -> np.ndarray:
    return np.frombuffer(kernels.random_bytes(16 * n), np.uint64).reshape(n, 2)
