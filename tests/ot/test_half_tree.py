"""Punctured trees: the receiver's leaves are the sender's, but for one of each tree."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import dealt
from .links import bits_of, random_vectors

kernels = _core.kernels
NONE = np.zeros((0, 2), np.uint64)


def transfers(n: int, choices: np.ndarray, delta: np.ndarray):
    """q, and t = q ^ c delta."""
    q = dealt.random_blocks(n)
    return q, q ^ bits_of(choices, n).astype(np.uint64).reshape(n, 1) * delta


def places_of(choices: np.ndarray, trees: int, depth: int) -> list[int]:
    """The path turns where the choice is 0, first turn first."""
    turns = 1 - bits_of(choices, trees * depth).reshape(trees, depth).astype(int)
    return [int("".join(map(str, row)), 2) for row in turns]


def check(trees, depth, choices, correlated, threads=1):
    delta = dealt.random_blocks(1)
    q, t = transfers(trees * depth, choices, delta)
    offset = delta if correlated else dealt.random_blocks(trees)
    held = NONE if correlated else dealt.random_blocks(trees)
    owned = NONE if correlated else held ^ offset
    message, v = _core.silent.grow_trees(trees, depth, delta, q, owned, threads)
    w, places = _core.silent.regrow_trees(trees, depth, choices, t, held, message, threads)
    assert len(message) == trees * (depth if correlated else depth + 2)
    assert places == places_of(choices, trees, depth)
    differs = (v ^ w).reshape(trees, 1 << depth, 2)
    rows = np.arange(trees)
    assert (differs[rows, places] == offset).all()
    differs[rows, places] = 0
    assert not differs.any()
    assert len(np.unique(v, axis=0)) == len(v)


@pytest.mark.parametrize("correlated", [True, False])
@pytest.mark.parametrize("depth", range(2, 8))
def test_every_path_of_a_small_tree_is_punctured_right(depth, correlated):
    every = np.arange(1 << depth, dtype=np.uint64)
    bits = (every.reshape(-1, 1) >> np.arange(depth, dtype=np.uint64)) & np.uint64(1)
    choices = kernels.pack(bits.astype(np.uint8).ravel())
    check(1 << depth, depth, choices, correlated)


@pytest.mark.parametrize("correlated", [True, False])
@pytest.mark.parametrize(("trees", "depth"), [(1, 2), (1, 14), (17, 9), (40, 6)])
def test_leaves_agree_but_for_one_of_each_tree_on_any_number_of_threads(trees, depth, correlated):
    choices = random_vectors("bits", trees * depth)
    check(trees, depth, choices, correlated, threads=2)


def test_leaves_of_the_correlated_kind_add_up_to_delta():
    delta = dealt.random_blocks(1)
    _, v = _core.silent.grow_trees(5, 8, delta, dealt.random_blocks(40), NONE)
    assert (np.bitwise_xor.reduce(v.reshape(5, 256, 2), axis=1) == delta).all()


def test_places_are_uniform():
    """Chi-square of 8192 places in 32 cells: a false alarm once in 10^6 runs."""
    choices = random_vectors("bits", 8192 * 5)
    q, t = transfers(8192 * 5, choices, dealt.random_blocks(1))
    _, places = _core.silent.regrow_trees(8192, 5, choices, t, NONE, q)
    counts = np.bincount(places, minlength=32)
    assert ((counts - 256) ** 2 / 256).sum() < 87.7


@pytest.mark.parametrize("depth", [0, 1, 25])
def test_a_depth_out_of_bounds_is_refused(depth):
    with pytest.raises(UsageError, match="out of bounds"):
        _core.silent.grow_trees(1, depth, dealt.random_blocks(1), NONE, NONE)


def test_transfers_of_the_wrong_number_are_refused():
    with pytest.raises(UsageError, match="wrong size"):
        _core.silent.grow_trees(2, 8, dealt.random_blocks(1), dealt.random_blocks(15), NONE)
