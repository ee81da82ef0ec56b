"""Flags act on their words as in NumPy, whatever the number of words."""

from __future__ import annotations

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import reference
from .reference import words

kernels = _core.kernels
TARGETS = kernels.targets()["bits"]
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200]


def flags(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give packed flags, with a tail that means nothing, and the same as words of 0 and 1."""
    packed = words(-(-size // 64), seed)
    return packed, reference.unpack(packed, size).astype(np.uint64)


@pytest.mark.parametrize("target", TARGETS)
def test_flags_expand_to_words_and_to_halves_of_words(target):
    for size in SIZES:
        packed, plain = flags(size, 1)
        assert (kernels.expand(packed, size, target) == plain).all()
        halves = kernels.expand_halves(packed, size, target).view(np.uint32)
        assert (halves[:size] == plain).all()


@pytest.mark.parametrize("target", TARGETS)
def test_words_are_kept_reflected_and_turned_where_their_flag_is_set(target):
    for size in SIZES:
        x, y = words(size, 2), words(size, 3)
        (packed, f), (plus, p), (minus, q) = (flags(size, seed) for seed in (4, 5, 6))
        assert (kernels.keep(x, packed, target) == x * f).all()
        assert (kernels.reflect(x, y, packed, target) == np.where(f, y - x, x)).all()
        turned = kernels.turn_add(x, packed, plus, minus, target)
        assert (turned == np.where(f, -x, x) + p - q).all()


@pytest.mark.parametrize("target", TARGETS)
def test_top_bits_of_shifted_words_are_collected_with_a_tail_of_zeros(target):
    for size in SIZES:
        x, offset = words(size, 7), np.uint64(2**62 + 12345)
        top = ((x + offset) >> np.uint64(63)).astype(np.uint8)
        assert (kernels.top_flags(x, int(offset), target) == reference.pack(top)).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("f", [1, 18, 32, 61, 62])
def test_a_share_is_divided_as_the_formula_says(target, f):
    for size in SIZES:
        x, wrap = words(size, 8), words(size, 9)
        known, round_up, offset = 987654321, 2**f - 1, 2**62
        s = x + np.uint64(offset)
        rest = ((s & np.uint64(2**f - 1)) + np.uint64(round_up)) >> np.uint64(f)
        expected = (s >> np.uint64(f)) + rest + (wrap << np.uint64(64 - f)) - np.uint64(known)
        got = kernels.quotient(x, wrap, f, offset, round_up, known, target)
        assert (got == expected).all()


def test_a_missing_flag_is_refused():
    for call in (
        lambda: kernels.keep(words(65), words(1)),
        lambda: kernels.reflect(words(3), words(4), words(1)),
        lambda: kernels.expand(words(2), 64),
        lambda: kernels.quotient(words(3), words(3), 63, 0, 0, 0),
    ):
        with pytest.raises(UsageError, match="bits:"):
            call()
