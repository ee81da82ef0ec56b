import hashlib

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

kernels = _core.kernels
TARGETS = kernels.sha256_targets()


def message(num_bytes: int, seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(num_bytes)


def digests(*messages: bytes) -> tuple[bytes, ...]:
    return tuple(hashlib.sha256(one).digest() for one in messages)


def test_targets_are_listed_widest_first_and_end_with_portable():
    expected = ["sha", "portable"] if kernels.cpu()["sha"] else ["portable"]
    assert expected == TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_two_messages_of_any_length_have_the_digests_of_python(target):
    for n in [*range(200), 255, 256, 257, 1000, 32768, 32769]:
        x, y = message(n, 1), message(n, 2)
        assert kernels.sha256_pair(x, y, target) == digests(x, y)


@pytest.mark.parametrize("target", TARGETS)
def test_one_changed_bit_changes_the_digest_of_its_message_only(target):
    x, y = message(130, 1), message(130, 2)
    before = kernels.sha256_pair(x, y, target)
    for bit in (0, 511, 512, 1023, 1024, 1039):
        changed = bytearray(y)
        changed[bit // 8] ^= 1 << bit % 8
        got = kernels.sha256_pair(x, bytes(changed), target)
        assert got[0] == before[0]
        assert got[1] != before[1]


def test_messages_of_different_lengths_raise():
    with pytest.raises(UsageError, match="different lengths"):
        kernels.sha256_pair(b"a", b"")


def test_a_target_that_is_unknown_raises():
    with pytest.raises(UsageError):
        kernels.sha256_pair(b"", b"", "sha512")
