"""Every target of the kernels behind oblivious transfer does what NumPy does."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from .links import random_words

kernels = _core.kernels
OT = kernels.ot_targets()
PRG = kernels.targets()["prg"]


def test_the_portable_target_is_always_there():
    assert OT[-1] == "portable"


@pytest.mark.parametrize("target", OT)
@pytest.mark.parametrize("n", [1, 64, 127, 128, 129, 255, 256, 1000, 1024])
@pytest.mark.parametrize("spare", [0, 2])
def test_rows_turn_into_blocks(target, n, spare):
    stride = (n + 127) // 128 * 2 + spare
    rows = random_words(128 * stride)
    bits = np.unpackbits(rows.view(np.uint8), bitorder="little").reshape(128, -1)[:, :n]
    wanted = np.packbits(np.ascontiguousarray(bits.T), axis=1, bitorder="little").view(np.uint64)
    assert (kernels.ot_turn(rows, n, target) == wanted).all()


@pytest.mark.parametrize("target", OT)
@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 33])
def test_shares_of_words_add_up_whatever_the_pads(target, n):
    w, c, x, y = random_words(n), random_words(n), random_words(64 * n), random_words(64 * n)
    chosen = np.unpackbits(c.view(np.uint8), bitorder="little").astype(bool)
    sent, wire = kernels.ot_send_words(w, x, y, target)
    taken = kernels.ot_take_words(c, np.where(chosen, y, x), wire, target)
    assert (sent + taken == w * c).all()
    portable = kernels.ot_send_words(w, x, y, "portable")
    assert all((a == b).all() for a, b in zip((sent, wire), portable, strict=True))


@pytest.mark.parametrize("target", PRG)
@pytest.mark.parametrize("k", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("num_blocks", [1, 7, 8, 17, 32, 33, 129])
@pytest.mark.parametrize("skip_first", [False, True])
def test_a_bundle_sums_its_streams(target, k, num_blocks, skip_first):
    seeds = [kernels.random_bytes(16) for _ in range(1 << k)]
    streams = np.zeros((1 << k, 2 * num_blocks), np.uint64)
    for x, seed in enumerate(seeds):
        if x or not skip_first:
            kernels.prg_fill_words(streams[x], seed, 2 * 5)
    made = kernels.prg_fold(seeds, skip_first, num_blocks, 5, target).reshape(k + 1, -1)
    numbers = np.arange(1 << k)
    assert (made[0] == np.bitwise_xor.reduce(streams, axis=0)).all()
    for j in range(k):
        chosen = streams[numbers >> j & 1 == 1]
        assert (made[j + 1] == np.bitwise_xor.reduce(chosen, axis=0)).all()


@pytest.mark.parametrize("count", [0, 1, 3, 512])
def test_a_bundle_has_a_power_of_two_of_seeds(count):
    with pytest.raises(UsageError, match="bundle"):
        kernels.prg_fold([bytes(16)] * count, False, 1)


@pytest.mark.parametrize("target", PRG)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 100])
def test_low_words_are_those_of_the_hash_of_shifted_blocks(target, n):
    blocks, offset = random_words(2 * n).reshape(n, 2), random_words(2).reshape(1, 2)
    shifted = (blocks ^ offset).view(np.uint8).ravel()
    whole = kernels.crh(shifted, 3, 2**64 - 2, target="portable")
    wanted = np.frombuffer(whole.tobytes(), np.uint64).reshape(n, 2)[:, 0]
    assert (kernels.crh_low_words(blocks, offset, 3, 2**64 - 2, target) == wanted).all()
