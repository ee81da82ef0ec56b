import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import reference
from .reference import octets

kernels = _core.kernels
TARGETS = kernels.targets()["prg"]


@pytest.mark.parametrize("target", TARGETS)
def test_the_hash_of_any_number_of_blocks_matches_the_reference(target):
    for num_blocks in [*range(40), 63, 64, 65, 255, 256, 257]:
        x = octets(16 * num_blocks, num_blocks)
        got = kernels.crh(x, 7, 2**32 - 5, target=target)
        assert got.tobytes() == reference.crh(x.tobytes(), 7, 2**32 - 5)


@pytest.mark.parametrize("target", TARGETS)
def test_the_low_word_of_a_tweak_wraps_without_touching_the_high_word(target):
    x = octets(16 * 40)
    got = kernels.crh(x, 2**64 - 1, 2**64 - 20, target=target)
    assert got.tobytes() == reference.crh(x.tobytes(), 2**64 - 1, 2**64 - 20)


@pytest.mark.parametrize("target", TARGETS)
def test_hashing_in_place_gives_the_same(target):
    x = octets(16 * 37)
    expected = kernels.crh(x, 1, 2, target=target)
    kernels.crh(x, 1, 2, out=x, target=target)
    assert (x == expected).all()


@pytest.mark.parametrize("target", TARGETS)
def test_unaligned_blocks_hash_to_the_same(target):
    x = octets(16 * 37 + 5)
    got = kernels.crh(x[5:], 1, 2, target=target)
    assert got.tobytes() == reference.crh(x[5:].tobytes(), 1, 2)


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_that_differ_in_any_one_of_128_bits_hash_differently_in_both_halves(target):
    x = np.zeros((129, 16), np.uint8)
    for bit in range(128):
        x[bit, bit // 8] = 1 << (bit % 8)
    rows = [kernels.crh(row, 3, 4, target=target) for row in x]
    for half in (slice(0, 8), slice(8, 16)):
        assert len({row[half].tobytes() for row in rows}) == 129


@pytest.mark.parametrize("target", TARGETS)
def test_tweaks_that_differ_in_any_one_of_128_bits_hash_differently_in_both_halves(target):
    x = octets(16)
    tweaks = [(0, 0)] + [(1 << b, 0) for b in range(64)] + [(0, 1 << b) for b in range(64)]
    rows = [kernels.crh(x, high, low, target=target) for high, low in tweaks]
    for half in (slice(0, 8), slice(8, 16)):
        assert len({row[half].tobytes() for row in rows}) == 129


def test_a_part_of_a_block_raises():
    with pytest.raises(UsageError, match="whole blocks"):
        kernels.crh(np.zeros(17, np.uint8))


def test_an_output_of_another_size_raises():
    with pytest.raises(UsageError, match="sizes"):
        kernels.crh(np.zeros(16, np.uint8), out=np.zeros(32, np.uint8))
