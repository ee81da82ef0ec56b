"""Random, correlated and chosen transfers of strings."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from .links import STEP, at_once, bits_of, channels, random_vectors, random_words


class Transfers:
    def __init__(self) -> None:
        ends = channels()
        self.sender = _core.TransferSender(ends[0], _core.SoftSpokenSender(ends[0]))
        self.receiver = _core.TransferReceiver(ends[1], _core.SoftSpokenReceiver(ends[1]))

    def run(self, method: str, sent: tuple, choices: np.ndarray, n: int, width: int) -> list:
        return at_once(
            lambda: getattr(self.sender, method)(*STEP, *sent, width),
            lambda: getattr(self.receiver, method)(*STEP, choices, n, width),
        )


@pytest.fixture(scope="module")
def transfers():
    return Transfers()


def strings(n: int, width: int) -> np.ndarray:
    return random_words(n) & np.uint64(2**width - 1)


SIZES = [0, 1, 64, 65, 8191, 8193]
WIDTHS = [1, 7, 63, 64]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("width", WIDTHS)
def test_random_strings_are_the_chosen_ones(transfers, n, width):
    choices = random_vectors("bits", n)
    (x0, x1), got = transfers.run("random", (n,), choices, n, width)
    assert (got == np.where(bits_of(choices, n), x1, x0)).all()
    assert not (np.concatenate([x0, x1]) >> np.uint64(width - 1) > 1).any()
    if n > 1000 and width == 64:
        assert len(np.unique(np.concatenate([x0, x1]))) == 2 * n


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("width", WIDTHS)
def test_correlated_strings_differ_by_what_the_sender_says(transfers, n, width):
    choices, d = random_vectors("bits", n), strings(n, width)
    x, got = transfers.run("correlated", (d,), choices, n, width)
    wanted = x + d * bits_of(choices, n) & np.uint64(2**width - 1)
    assert (got == wanted).all()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("width", WIDTHS)
def test_chosen_strings_arrive(transfers, n, width):
    choices, x0, x1 = random_vectors("bits", n), strings(n, width), strings(n, width)
    _, got = transfers.run("chosen", (x0, x1), choices, n, width)
    assert (got == np.where(bits_of(choices, n), x1, x0)).all()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("width", WIDTHS)
def test_one_of_sixteen_arrives(transfers, n, width):
    indices, all_of_them = random_vectors("bits", n, 4), strings(16 * n, width)
    _, got = transfers.run("chosen_of_16", (all_of_them,), indices, n, width)
    slices = indices.reshape(4, -1)
    index = sum(bits_of(slices[b].copy(), n).astype(int) << b for b in range(4))
    assert (got == all_of_them.reshape(n, 16)[np.arange(n), index]).all()


@pytest.mark.parametrize("width", [0, 65])
def test_strings_have_1_to_64_bits(transfers, width):
    with pytest.raises(UsageError, match="1 to 64 bits"):
        transfers.sender.chosen(*STEP, random_words(1), random_words(1), width)


def test_sizes_that_do_not_fit_are_refused(transfers):
    with pytest.raises(UsageError, match="sizes differ"):
        transfers.sender.chosen(*STEP, random_words(1), random_words(2), 8)
    with pytest.raises(UsageError, match="sizes differ"):
        transfers.receiver.random(*STEP, random_words(2), 64, 8)
    with pytest.raises(UsageError, match="sizes differ"):
        transfers.sender.chosen_of_16(*STEP, random_words(15), 8)
