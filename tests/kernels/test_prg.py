import multiprocessing

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import reference
from .reference import LENGTHS, octets

kernels = _core.kernels
TARGETS = kernels.targets()["prg"]
SEED = bytes(range(16))

# FIPS 197, appendix B and C.1; SP 800-38A, F.1.1 (first and last block).
AES_VECTORS = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3243f6a8885a308d313198a2e0370734",
        "3925841d02dc09fbdc118597196a0b32",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "69c4e0d86a7b0430d8cdb78070b4c55a",
    ),
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "6bc1bee22e409f96e93d7e117393172a",
        "3ad77bb40d7a3660a89ecaf32466ef97",
    ),
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "f69f2445df4f9b17ad2b417be66c3710",
        "7b0c785e27e8ad3f8223207104725dd4",
    ),
]
# SP 800-38A, F.5.1: counters, plaintext, ciphertext.
CTR_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
CTR_COUNTERS = "".join(f"f0f1f2f3f4f5f6f7f8f9fafbfcfd{low:04x}" for low in range(0xFEFF, 0xFF03))
CTR_PLAIN = (
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
CTR_CIPHER = (
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
)


def blocks(text: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), np.uint8)


def fill(size: int, first_block: int = 0, target: str = "", seed: bytes = SEED) -> bytes:
    out = np.zeros(size, np.uint8)
    kernels.prg_fill(out, seed, first_block, target)
    return out.tobytes()


def stream_words(size: int) -> np.ndarray:
    return np.frombuffer(reference.keystream(SEED, 8 * size), np.uint64)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("key", "plain", "cipher"), AES_VECTORS)
def test_a_published_block_encrypts_to_its_published_ciphertext(target, key, plain, cipher):
    assert kernels.aes(blocks(plain), bytes.fromhex(key), target).tobytes().hex() == cipher


@pytest.mark.parametrize("target", TARGETS)
def test_counter_mode_gives_the_published_ciphertext(target):
    stream = kernels.aes(blocks(CTR_COUNTERS), bytes.fromhex(CTR_KEY), target)
    assert (stream ^ blocks(CTR_PLAIN)).tobytes().hex() == CTR_CIPHER


@pytest.mark.parametrize("target", TARGETS)
def test_encryption_of_any_number_of_blocks_matches_the_reference(target):
    for num_blocks in [*range(70), 127, 128, 129]:
        plain = octets(16 * num_blocks, num_blocks)
        assert kernels.aes(plain, SEED, target).tobytes() == reference.aes(SEED, plain.tobytes())


@pytest.mark.parametrize("target", TARGETS)
def test_keystream_of_any_length_matches_the_reference(target):
    for size in LENGTHS:
        assert fill(size, 0, target) == reference.keystream(SEED, size)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("first", [1, 255, 256, 2**32 - 3, 2**63, 2**64 - 41])
def test_keystream_starts_at_any_block(target, first):
    assert fill(16 * 40, first, target) == reference.keystream(SEED, 16 * 40, first)


@pytest.mark.parametrize("target", TARGETS)
def test_pieces_of_the_keystream_join_seamlessly(target):
    whole = fill(4096, 0, target)
    assert b"".join(fill(16 * 32, 32 * i, target) for i in range(8)) == whole


@pytest.mark.parametrize("target", TARGETS)
def test_keystream_into_an_unaligned_array_touches_nothing_around_it(target):
    for start in range(17):
        memory = np.full(700, 0xA5, np.uint8)
        kernels.prg_fill(memory[start : start + 650], SEED, 3, target)
        assert memory[start : start + 650].tobytes() == reference.keystream(SEED, 650, 3)
        assert (memory[:start] == 0xA5).all()
        assert (memory[start + 650 :] == 0xA5).all()


@pytest.mark.parametrize("target", TARGETS)
def test_words_are_the_keystream_read_little_endian(target):
    out = np.zeros(33, np.uint64)
    kernels.prg_fill_words(out, SEED, 6, target)
    assert out.tobytes() == reference.keystream(SEED, 33 * 8, 3)


@pytest.mark.parametrize("target", TARGETS)
def test_words_are_read_from_any_position(target):
    stream = stream_words(80)
    for first in range(6):
        for size in (0, 1, 2, 3, 70):
            out = np.zeros(size, np.uint64)
            kernels.prg_fill_words(out, SEED, first, target)
            assert (out == stream[first : first + size]).all()


# Lengths and positions around the table of differences: runs of 256 blocks, from 2048 blocks on.
LONG = [(2048 + d, first) for d in (-1, 0, 1, 255, 256, 257) for first in (0, 1, 2, 255, 256, 257)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("num_blocks", "first"), [*LONG, (3000, 2**32 - 1001), (2**13, 2**48 - 77)]
)
def test_long_keystream_matches_the_reference(target, num_blocks, first):
    assert fill(16 * num_blocks, first, target) == reference.keystream(SEED, 16 * num_blocks, first)


@pytest.mark.parametrize("target", TARGETS)
def test_keystream_beyond_the_cache_matches_the_reference_at_every_alignment(target):
    size = (16 << 20) + 1000
    expected = np.frombuffer(reference.keystream(SEED, size, 77), np.uint8)
    memory = np.empty(size + 200, np.uint8)
    for start in (0, 8, 16, 32, 48, 64, 1):
        memory[:start], memory[start + size :] = 0xA5, 0xA5
        kernels.prg_fill(memory[start : start + size], SEED, 77, target)
        assert (memory[start : start + size] == expected).all()
        assert (memory[:start] == 0xA5).all()
        assert (memory[start + size :] == 0xA5).all()


MIXES = {
    kernels.prg_add: np.add,
    kernels.prg_subtract: np.subtract,
    kernels.prg_exclusive_or: np.bitwise_xor,
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.__name__)
@pytest.mark.parametrize("first", [0, 1, 6])
def test_words_are_mixed_with_the_keystream_where_it_is_made(target, mix, first):
    stream = stream_words(5300)
    for size in (0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 4500, 5201):
        x = reference.words(size)
        expected = MIXES[mix](x, stream[first : first + size])
        assert (mix(x, SEED, first, target=target) == expected).all()
        assert mix(x, SEED, first, x, target) is x
        assert (x == expected).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("size", [0, 1, 2, 129, 5201, (1 << 20) + 3])
def test_a_share_is_keystream_and_the_other_one_the_rest(target, size):
    x = reference.words(size)
    share0, share1 = kernels.share(x, seed=SEED, target=target)
    assert (share0 == stream_words(size)).all()
    assert (share0 + share1 == x).all()


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_shares_are_written_into_the_arrays_that_are_passed(offset):
    x = reference.words((1 << 20) + 7)
    memory = np.zeros((2, x.size + 2), np.uint64)
    share0, share1 = memory[0, : x.size], memory[1, offset : offset + x.size]
    returned = kernels.share(x, share0, share1)
    assert returned[0] is share0
    assert returned[1] is share1
    assert (share0 + share1 == x).all()
    assert memory.any(axis=0)[[x.size - 1]].all()
    assert not memory[0, x.size :].any()
    assert not memory[1, offset + x.size :].any()


def test_shares_without_a_seed_never_repeat():
    x = np.zeros(2, np.uint64)
    drawn = {kernels.share(x)[0].tobytes() for _ in range(1000)}
    assert len(drawn) == 1000  # a repeat by chance: below 2^-108


def test_outputs_of_another_size_raise():
    x = reference.words(4)
    with pytest.raises(UsageError, match="size"):
        kernels.prg_add(x, SEED, 0, np.zeros(3, np.uint64))
    with pytest.raises(UsageError, match="size"):
        kernels.share(x, np.zeros(4, np.uint64), np.zeros(5, np.uint64))
    with pytest.raises(UsageError, match="size"):
        kernels.share(x, np.zeros(5, np.uint64), np.zeros(5, np.uint64))


@pytest.mark.parametrize("target", TARGETS)
def test_a_counter_that_would_wrap_raises(target):
    with pytest.raises(UsageError, match="wrap"):
        fill(64, 2**64 - 3, target)


def test_a_seed_of_another_length_raises():
    with pytest.raises(UsageError, match="16 bytes"):
        fill(16, seed=b"short")


def test_a_derived_seed_is_the_cbc_mac_of_its_label():
    label = [1, 2**64 - 1, 3, 0, 5, 6]
    state = bytes(16)
    for i in range(0, 6, 2):
        block = b"".join(word.to_bytes(8, "little") for word in label[i : i + 2])
        state = reference.aes(SEED, reference.exclusive_or(state, block))
    assert kernels.derive(SEED, label) == state


def test_labels_that_differ_in_one_bit_give_different_seeds():
    labels = [[0] * 6] + [[(i == j) << bit for j in range(6)] for i in range(6) for bit in (0, 63)]
    assert len({kernels.derive(SEED, label) for label in labels}) == len(labels)


def test_random_bytes_do_not_repeat():
    drawn = {kernels.random_bytes(16) for _ in range(1000)}
    assert len(drawn) == 1000  # a repeat by chance: below 2^-108
    assert len(kernels.random_bytes(100_000)) == 100_000


def draw(connection) -> None:
    connection.send_bytes(kernels.random_bytes(16))


@pytest.mark.processes
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_draw_different_bytes():
    context = multiprocessing.get_context("fork")
    drawn = {kernels.random_bytes(16)}
    for _ in range(2):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=draw, args=(sender,))
        child.start()
        drawn.add(receiver.recv_bytes())
        child.join(10)
    assert len(drawn) == 3
