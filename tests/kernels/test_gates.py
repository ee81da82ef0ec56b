"""The gates compute shares of what plain comparisons of plain numbers give."""

from __future__ import annotations

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from .reference import words

kernels = _core.kernels
TARGETS = kernels.targets()["bits"]
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33]  # words of a slice
ALL = ~np.uint64(0)


def slices(values: np.ndarray, num_bits: int, num_words: int) -> np.ndarray:
    """Give the slices of values, repeated until they fill so many words of every slice."""
    filled = np.resize(values.astype(np.uint64), 64 * num_words)
    return kernels.to_slices(filled, "portable", num_bits)


def shared(x: np.ndarray, seed: int) -> list[np.ndarray]:
    mask = words(x.size, seed)
    return [mask, x.ravel() ^ mask]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("num_bits", [1, 2, 3, 4])
def test_a_group_compares_every_pair_of_numbers_without_an_opening(target, num_bits):
    c, r = (v.ravel() for v in np.mgrid[: 2**num_bits, : 2**num_bits])
    for size in SIZES:
        public, secret = slices(c, num_bits, size), slices(r, num_bits, size)
        dealt = kernels.deal_group(secret.ravel(), size, target)
        assert dealt.size == (2**num_bits - 1) * size
        results = [
            kernels.compare_group(public.ravel(), share, size, party == 0, "both", target)
            for party, share in enumerate(shared(dealt, size))
        ]
        less, equal = (a ^ b for a, b in zip(*results, strict=True))
        assert (less == slices(c < r, 1, size)).all()
        assert (equal == slices(c == r, 1, size)).all()


@pytest.mark.parametrize("target", TARGETS)
def test_a_group_that_asks_for_equality_alone_gets_the_same_equality(target):
    public, dealt = words(4 * 9), words(15 * 9, 2)
    for first in (False, True):
        both = kernels.compare_group(public, dealt, 9, first, "both", target)
        none, equal = kernels.compare_group(public, dealt, 9, first, "equal", target)
        assert none.size == 0
        assert (equal == both[1]).all()


def fold(g: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    less, equal = g[0], p[0]
    for high_g, high_p in zip(g[1:], p[1:], strict=True):
        less, equal = high_g ^ (high_p & less), high_p & equal
    return less, equal


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("parts", ["both", "less", "equal"])
@pytest.mark.parametrize("fan_in", [2, 3, 4])
def test_a_node_folds_its_pairs_in_one_opening(target, fan_in, parts):
    for size in SIZES:
        g, p = words(fan_in * size, 3), words(fan_in * size, 4)
        opened = kernels.opened_slices(fan_in, parts) * size
        masks = [words(opened, 5), words(opened, 6)]
        dealt = shared(kernels.deal_node(fan_in, parts, masks[0] ^ masks[1], size, target), 7)
        pairs = list(zip(shared(g, 8), shared(p, 9), strict=True))
        if parts == "equal":
            pairs = [(np.empty(0, np.uint64), p_share) for _, p_share in pairs]
        own = [mask.copy() for mask in masks]
        for (g_share, p_share), opening in zip(pairs, own, strict=True):
            kernels.mask_node(fan_in, parts, opening, g_share, p_share, size, target)
        results = [
            kernels.close_node(fan_in, parts, *pairs[i], own[i], own[1 - i], dealt[i], size, target)
            for i in (0, 1)
        ]
        less, equal = fold(g.reshape(fan_in, size), p.reshape(fan_in, size))
        if parts != "equal":
            assert (results[0][0] ^ results[1][0] == less).all()
        if parts != "less":
            assert (results[0][1] ^ results[1][1] == equal).all()


@pytest.mark.parametrize("fan_in", [2, 3, 4])
def test_a_node_opens_every_value_under_a_mask_of_its_own(fan_in):
    for parts in ("both", "less", "equal"):
        count = kernels.opened_slices(fan_in, parts)
        opening = np.zeros(count, np.uint64)
        # Value v sits at bit v alone: with zero masks the opening shows what goes where.
        values = np.uint64(1) << np.arange(2 * fan_in, dtype=np.uint64)
        g = values[:fan_in] if parts != "equal" else values[:0]
        kernels.mask_node(fan_in, parts, opening, g, values[fan_in:], 1)
        assert len(set(opening.tolist())) == count
        assert all(word.bit_count() == 1 for word in opening.tolist())


def test_slices_of_a_wrong_size_are_refused():
    with pytest.raises(UsageError, match="slices"):
        kernels.compare_group(words(6), words(6), 3, True)
    with pytest.raises(UsageError, match="slices"):
        kernels.deal_node(3, "both", words(14), 3)
    for fan_in in (0, 1, 5):
        with pytest.raises(UsageError, match="2 to 4"):
            kernels.deal_node(fan_in, "both", words(5), 1)
