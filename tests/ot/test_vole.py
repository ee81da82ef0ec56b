"""b = c ^ a delta over GF(2^128)."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import dealt

kernels = _core.kernels


class Pair:
    """Both parties of a VOLE in two threads, over transfers that a test deals."""

    def __init__(self) -> None:
        self.delta = dealt.random_blocks(1)
        self.channels = _core.memory_channels("sender", "receiver")
        self.transfers = dealt.Sender(self.delta), dealt.Receiver(self.delta)
        self.sender = _core.VoleSender(self.channels[0], self.transfers[0])
        self.receiver = _core.VoleReceiver(self.channels[1], self.transfers[1])
        self.tag = 0

    def extend(self, n: int):
        self.tag += 1
        with ThreadPoolExecutor(2) as threads:
            b = threads.submit(self.sender.extend, self.tag, "vole", n)
            a, c = threads.submit(self.receiver.extend, self.tag, "vole", n).result()
            return b.result(), a, c

    def bytes_sent(self) -> tuple[int, int]:
        return tuple(channel.counters()["payload_sent"] for channel in self.channels)


@pytest.fixture
def pair():
    return Pair()


def holds(b, a, c, delta) -> bool:
    return bool((b == kernels.gf128_add_scaled(c, a, delta)).all())


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 32767, 32768, 32769, 100003])
def test_b_is_c_plus_a_times_delta(pair, n):
    b, a, c = pair.extend(n)
    assert b.shape == a.shape == c.shape == (n, 2)
    assert holds(b, a, c, pair.delta)


def test_consecutive_extensions_share_nothing(pair):
    parts = [pair.extend(300) for _ in range(3)]
    assert all(holds(*part, pair.delta) for part in parts)
    for column in zip(*parts, strict=True):
        assert len(np.unique(np.concatenate(column), axis=0)) == 900


@pytest.mark.parametrize("n", [0, 2**24 + 1])
def test_a_number_of_elements_out_of_bounds_is_refused(pair, n):
    with pytest.raises(UsageError, match="2\\^24"):
        pair.sender.extend(1, "vole", n)
    with pytest.raises(UsageError, match="2\\^24"):
        pair.receiver.extend(1, "vole", n)
