"""The code of silent extensions, against its definition, and how heavy its words are."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import dealt
from .links import bits_of, random_vectors

kernels = _core.kernels
DIGITS = [0x082EFA98EC4E6C89, 0xA4093822299F31D0, 0x452821E638D01377,
          0xBE5466CF34E90C6C, 0xC0AC29B7C97C50DD, 0x3F84D5B5B5470917]  # fmt: skip


def stream(part: int, k: int, n: int) -> np.ndarray:
    seed = (DIGITS[2 * part] ^ k).to_bytes(8, "little") + DIGITS[2 * part + 1].to_bytes(8, "little")
    out = np.zeros(n // 2 + 1, np.uint64)
    kernels.prg_fill_words(out, seed, 0)
    return out.view(np.uint32)[:n].astype(np.uint64)


def convolution(part: int, k: int) -> np.ndarray:
    """The matrix A, lower triangular: row i says which blocks make y_i."""
    words = stream(part, k, k)
    matrix = np.zeros((k, k), np.uint8)
    for i in range(k):
        matrix[i, i] = 1
        first = 4 * (i // 4 - 6)
        for bit in range(28):
            distance = i - (first + bit)
            if distance == 24 or (1 <= distance < 24 and int(words[i]) >> bit & 1):
                at = first + bit
                if at >= 0:
                    matrix[i] ^= matrix[at]
    return matrix


def expander(k: int) -> np.ndarray:
    words = stream(2, k, 7 * k).reshape(k, 7)
    width = k // 7
    widths = np.array([width] * 6 + [k - 6 * width], np.uint64)
    return (
        np.arange(7, dtype=np.uint64) * np.uint64(width) + (words * widths >> np.uint64(32))
    ).astype(int)


def generator(k: int) -> np.ndarray:
    """Row j says which of the 2k noisy bits make output j."""
    forwards = convolution(0, k)
    backwards = convolution(1, k)[::-1, ::-1]
    both = (backwards.astype(np.float32) @ forwards.astype(np.float32)).astype(np.int64) % 2
    tail = both[expander(k)].sum(axis=1) % 2
    return np.concatenate([np.eye(k, dtype=np.int64), tail], axis=1).astype(np.uint8)


@pytest.mark.parametrize("k", [64, 66, 128, 254, 1000])
def test_the_code_is_what_its_definition_says(k):
    head, tail = random_vectors("bits", k), random_vectors("bits", k)
    noisy = np.concatenate([bits_of(head, k), bits_of(tail, k)])
    expected = generator(k).astype(np.int64) @ noisy % 2
    assert (bits_of(_core.silent.compress_bits(head, tail, k), k) == expected).all()


@pytest.mark.parametrize("k", [64, 66, 1000, 24576, 100_002])
def test_blocks_pairs_and_bits_go_through_the_same_code_on_any_number_of_threads(k):
    head, tail = dealt.random_blocks(k), dealt.random_blocks(k)
    out = _core.silent.compress(head, tail)
    assert (_core.silent.compress(head, tail, 2) == out).all()
    lowest = [kernels.pack((x[:, 0] & np.uint64(1)).astype(np.uint8)) for x in (head, tail, out)]
    assert (_core.silent.compress_bits(*lowest[:2], k) == lowest[2]).all()
    other = dealt.random_blocks(k), dealt.random_blocks(k)
    both = _core.silent.compress_pairs(
        np.concatenate([head, other[0]]), np.concatenate([tail, other[1]])
    )
    assert (both[0] == out).all()
    assert (both[1] == _core.silent.compress(*other)).all()


def test_words_of_one_or_two_messages_are_dense():
    """A linear test of relative weight w has the bias (1 - 2w)^256; 0.146 is 2^-128."""
    k = 1024
    rows = generator(k)
    assert rows.sum(axis=1).min() > 0.2 * 2 * k
    others = np.random.default_rng(1).integers(0, k, (20_000, 2))
    pairs = rows[others[:, 0]] ^ rows[others[:, 1]]
    weights = pairs[others[:, 0] != others[:, 1]].sum(axis=1)
    assert weights.min() > 0.2 * 2 * k


@pytest.mark.parametrize("k", [0, 62, 65])
def test_sizes_that_the_code_does_not_have_are_refused(k):
    with pytest.raises(UsageError, match="wrong size"):
        _core.silent.compress(dealt.random_blocks(k), dealt.random_blocks(k))


def test_noise_is_at_least_256_places_for_every_number_of_outputs():
    for n in [1, 1000, 32_768, 32_769, 10**5, 10**6, 1_300_000, 256 << 13, (256 << 13) + 1, 2**24]:
        trees, depth = _core.silent.noise_for(n)
        assert trees >= 256
        assert trees % 2 == 0
        assert trees << depth >= 2 * n
        assert depth == 8 or (trees << depth) < 2 * n + (4 << depth)
        assert depth == 8 or trees <= 514
