"""Keys of comparisons and point functions: every target against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petcore import _core
from petcore.errors import UsageError

kernels = _core.kernels
U64 = np.uint64
FORMS = {"below": np.less, "point": np.equal}


def roots(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(0, 2**64, 2 * n, dtype=U64)


def unpacked(words: np.ndarray, n: int) -> np.ndarray:
    return np.unpackbits(words.view(np.uint8), bitorder="little")[:n].astype(bool)


class Keys:
    """The keys of a batch, as their dealer makes them, and what the parties get from them."""

    def __init__(self, alpha, width, form, *, seed=1, first=0, target=""):
        rng = np.random.default_rng(seed)
        self.alpha, self.shape = alpha, (width, form)
        self.numbers = np.arange(alpha.size, dtype=U64) + U64(first)
        self.roots = [roots(rng, alpha.size), roots(rng, alpha.size)]
        self.keys = kernels.make_keys(alpha, *self.roots, self.numbers, *self.shape, target)

    def shares(self, x, target=""):
        return [
            kernels.evaluate_keys(x, i, self.roots[i], self.keys, self.numbers, *self.shape, target)
            for i in (0, 1)
        ]

    def values(self, x, target=""):
        first, second = self.shares(x, target)
        return unpacked(first ^ second, x.size)


def held(values, width):
    return values & U64(2**width - 1)


@pytest.mark.parametrize("target", kernels.targets()["fss"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", range(1, 9))
def test_a_small_domain_is_right_for_every_number_and_every_secret(width, form, target):
    grid = np.arange(2 ** (2 * width), dtype=U64)
    alpha, x = grid >> U64(width), held(grid, width)
    keys = Keys(alpha, width, form, target=target)
    np.testing.assert_array_equal(keys.values(x, target), FORMS[form](x, alpha))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", [9, 10, 16, 31, 32, 39, 40, 63, 64])
def test_a_wide_domain_is_right_near_the_secret_and_at_its_borders(width, form):
    rng = np.random.default_rng(width)
    alpha = held(rng.integers(0, 2**64, 257, dtype=U64), width)
    alpha[:4] = [0, 1, 2**width - 1, 2 ** (width - 1)]
    keys = Keys(alpha, width, form)
    flips = [U64(1) << U64(i) for i in range(width)]
    for x in (alpha, *(alpha ^ flip for flip in flips), alpha + U64(1), alpha - U64(1)):
        np.testing.assert_array_equal(keys.values(x), FORMS[form](held(x, width), alpha))


@pytest.mark.parametrize("target", kernels.targets()["fss"])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 200])
def test_every_target_makes_and_reads_the_keys_of_the_portable_one(n, target):
    rng = np.random.default_rng(n)
    alpha, x = (rng.integers(0, 2**64, n, dtype=U64) for _ in range(2))
    for width, form in ((5, "below"), (40, "below"), (64, "point")):
        made = Keys(alpha, width, form, first=2**40, target=target)
        plain = Keys(alpha, width, form, first=2**40, target="portable")
        np.testing.assert_array_equal(made.keys, plain.keys)
        for mine, portable in zip(
            plain.shares(x, target), plain.shares(x, "portable"), strict=True
        ):
            np.testing.assert_array_equal(mine, portable)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), width=st.integers(1, 64), form=st.sampled_from(sorted(FORMS)))
def test_any_numbers_compare_as_they_do_in_clear(data, width, form):
    below = st.integers(0, 2**width - 1)
    pairs = data.draw(st.lists(st.tuples(below, below), min_size=1, max_size=70))
    x, alpha = (np.array(column, U64) for column in zip(*pairs, strict=True))
    np.testing.assert_array_equal(Keys(alpha, width, form).values(x), FORMS[form](x, alpha))


@pytest.mark.parametrize(("bits", "figure"), [(32, 438), (40, 568), (64, 958)])
def test_a_key_is_as_short_as_the_published_figure(bits, figure):
    """A sign in ``bits`` bits compares the bits below the top one, and shares one bit more."""
    one = np.zeros(1, U64)
    keys = Keys(one, bits - 1, "below")
    for held_by_a_party in (
        keys.keys.nbytes + 16 + 1 / 8,
        Keys(one, bits, "point").keys.nbytes + 16,
    ):
        assert held_by_a_party <= 1.05 * figure


def test_a_key_is_bound_to_its_number():
    """Under other numbers about half of 256 points are wrong; the top bit is free for other use."""
    alpha, x = np.full(256, 2**30, U64), np.arange(256, dtype=U64) << U64(22)
    keys = Keys(alpha, 32, "below", first=5)
    keys.numbers = keys.numbers + U64(1)
    assert (keys.values(x) != (x < alpha)).sum() > 64
    keys.numbers = (keys.numbers - U64(1)) | U64(2**63)
    np.testing.assert_array_equal(keys.values(x), x < alpha)


def test_the_corrections_and_shares_of_two_secrets_look_alike():
    """Each bit of a key is one half of the time: 6 standard deviations of 2^14 keys."""
    n = 1 << 14
    for alpha in (0, 2**40 - 1):
        keys = Keys(np.full(n, alpha, U64), 40, "below", seed=alpha + 3)
        levels = keys.keys.view(np.uint8).reshape(34, n, 16)
        ones = np.unpackbits(levels, axis=-1).sum(axis=1)
        assert np.abs(ones.astype(float) - n / 2).max() < 6 * np.sqrt(n) / 2
        share = unpacked(keys.shares(np.full(n, 77, U64))[0], n)
        assert abs(share.sum() - n / 2) < 6 * np.sqrt(n) / 2


def test_no_block_of_keys_for_equal_secrets_repeats():
    n = 2000
    keys = Keys(np.zeros(n, U64), 64, "below").keys.reshape(-1, 2)
    assert np.unique(keys, axis=0).shape[0] == keys.shape[0]


@pytest.mark.parametrize("width", [0, 65])
def test_a_width_without_a_domain_is_refused(width):
    one, two = np.zeros(1, U64), np.zeros(2, U64)
    with pytest.raises(UsageError, match="1 to 64 bits"):
        kernels.make_keys(one, two, two, one, width, "below")


def test_sizes_that_do_not_fit_are_refused():
    one, two = np.zeros(1, U64), np.zeros(2, U64)
    with pytest.raises(UsageError, match="do not fit"):
        kernels.make_keys(one, two, one, one, 8, "below")
    with pytest.raises(UsageError, match="do not fit"):
        kernels.make_keys(one, two, two, two, 8, "below")
    with pytest.raises(UsageError, match="do not fit"):
        kernels.evaluate_keys(one, 0, two, two, one, 8, "below")
    with pytest.raises(UsageError, match="party 0 or 1"):
        kernels.evaluate_keys(one, 2, two, np.zeros(4, U64), one, 8, "below")
    with pytest.raises(UsageError, match=r"below.*point"):
        kernels.make_keys(one, two, two, one, 8, "above")
