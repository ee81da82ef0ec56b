import copy
import json
import multiprocessing
import os
import pickle  # noqa: TID251 - NumPy's generators are pickled, so this one is
import subprocess
import sys
import threading

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import petcore
from petcore import _core
from petcore.errors import UsageError
from petcore.random import AesCtr

KEY = bytes(range(16))
WORDS = 544  # what the generator makes at a time


def keystream(key: bytes, num_words: int, position: int = 0) -> np.ndarray:
    """Words of AES-128-CTR by `cryptography`, from any word on."""
    skip = position % 2
    counter = (position // 2).to_bytes(16, "big")
    stream = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return np.frombuffer(stream.update(bytes(8 * (num_words + skip))), "<u8")[skip:]


def at(position: int, key: bytes = KEY) -> AesCtr:
    return AesCtr(key=key).advance(position)


def test_it_is_found_under_petcore():
    assert petcore.random.AesCtr is AesCtr
    assert issubclass(AesCtr, np.random.BitGenerator)


def test_raw_words_are_the_keystream_of_the_key():
    assert (AesCtr(key=KEY).random_raw(2000) == keystream(KEY, 2000)).all()


@pytest.mark.parametrize("position", [0, 1, 2, WORDS - 1, WORDS, 2**64 - 3, 2**65 - 5, 2**127 + 7])
def test_words_from_any_position_are_the_keystream(position):
    assert (at(position).random_raw(1500) == keystream(KEY, 1500, position)).all()
    filled = np.empty(1500, np.uint64)
    at(position).fill(filled)
    assert (filled == keystream(KEY, 1500, position)).all()


def test_after_the_last_word_the_first_one_comes_again():
    assert (at(2**128 - 3).random_raw(6)[3:] == keystream(KEY, 3)).all()
    assert (at(-3).random_raw(6)[3:] == keystream(KEY, 3)).all()


def test_a_seed_becomes_the_key_through_numpys_seed_sequence():
    key = np.random.SeedSequence([2026, 7]).generate_state(2, np.uint64).tobytes()
    assert AesCtr([2026, 7]).state["state"]["key"] == key.hex()
    assert (AesCtr([2026, 7]).random_raw(5) == keystream(key, 5)).all()


def test_without_a_seed_the_key_is_new_each_time():
    assert len({AesCtr().state["state"]["key"] for _ in range(100)}) == 100  # by chance: 2^-115


def test_halves_of_a_word_are_given_out_low_first_unless_a_word_is_drawn_in_between():
    rng = np.random.Generator(AesCtr(key=KEY))
    halves = keystream(KEY, 5000).view(np.uint32)
    assert (rng.integers(0, 2**32, 3001, dtype=np.uint32) == halves[:3001]).all()
    assert rng.bit_generator.random_raw() == keystream(KEY, 1502)[1501]
    assert (rng.integers(0, 2**32, 3001, dtype=np.uint32) == halves[3004:6005]).all()


def test_reals_are_the_53_high_bits_of_a_word():
    drawn = np.random.Generator(AesCtr(key=KEY)).random(1000)
    assert (drawn == (keystream(KEY, 1000) >> np.uint64(11)) / 2**53).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.integers(0, 2**64, 700, dtype=np.uint64),
        lambda rng: rng.integers(-5, 6, 701),
        lambda rng: rng.integers(0, 256, 702, dtype=np.uint8),
        lambda rng: rng.random(703),
        lambda rng: rng.random(704, dtype=np.float32),
        lambda rng: rng.standard_normal(705),
        lambda rng: rng.permutation(706),
        lambda rng: rng.bytes(707),
    ],
)
def test_a_state_that_is_set_again_gives_the_same_numbers_again(draw):
    rng = np.random.Generator(AesCtr(1))
    rng.integers(0, 10, 3, dtype=np.uint32)  # leaves half a word
    state = json.loads(json.dumps(rng.bit_generator.state))
    first = draw(rng)
    rng.bit_generator.state = state
    assert np.array_equal(draw(rng), first)
    other = np.random.Generator(AesCtr(2))
    other.bit_generator.state = state
    assert np.array_equal(draw(other), first)


def pickled(x):
    return pickle.loads(pickle.dumps(x))  # noqa: S301


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_copies_go_on_where_the_original_was_and_spawn_the_same_children(copied):
    bits = AesCtr(5)
    np.random.Generator(bits).integers(0, 10, 3, dtype=np.uint32)
    bits.spawn(2)
    other = copied(bits)
    assert other.state == bits.state
    assert (other.random_raw(9) == bits.random_raw(9)).all()
    assert other.spawn(1)[0].state == bits.spawn(1)[0].state
    rng = np.random.Generator(bits)
    assert copied(rng).random() == rng.random()


def test_advance_moves_by_words_and_passes_over_a_half():
    bits = AesCtr(key=KEY)
    np.random.Generator(bits).integers(0, 2**32, dtype=np.uint32)
    assert bits.state["has_uint32"] == 1
    assert bits.advance(10) is bits
    assert bits.state["has_uint32"] == 0
    assert bits.random_raw() == keystream(KEY, 1, 11)[0]
    assert bits.advance(-12).random_raw() == keystream(KEY, 1, 0)[0]


def test_a_jump_is_two_to_the_sixty_four_words():
    bits = AesCtr(key=KEY)
    bits.random_raw(5)
    assert (bits.jumped().random_raw(700) == keystream(KEY, 700, 2**64 + 5)).all()
    assert bits.jumped(3).state == bits.jumped().jumped(2).state
    assert bits.random_raw() == keystream(KEY, 1, 5)[0]


def test_a_seed_spawns_as_numpys_seed_sequence_does():
    children = AesCtr(11).spawn(3)
    keys = [AesCtr(s).state["state"]["key"] for s in np.random.SeedSequence(11).spawn(3)]
    assert [child.state["state"]["key"] for child in children] == keys
    assert [g.bit_generator.state for g in np.random.Generator(AesCtr(11)).spawn(3)] == [
        child.state for child in children
    ]


def test_a_key_spawns_the_same_children_each_time_and_other_ones_for_another_key():
    keys = [[c.state["state"]["key"] for c in AesCtr(key=KEY[::s]).spawn(2)] for s in (1, 1, -1)]
    assert keys[0] == keys[1]
    assert len({KEY.hex(), *keys[0], *keys[2]}) == 5


@pytest.mark.stat
def test_spawned_and_jumped_streams_are_not_correlated():
    size = 1 << 17
    root = AesCtr(3)
    streams = [root, root.jumped(), root.jumped(2), *root.spawn(3)]
    signs = [np.where(np.random.Generator(s).random(size) < 0.5, -1.0, 1.0) for s in streams]
    for i, x in enumerate(signs):
        for y in signs[:i]:
            assert abs(x @ y) < 7 * size**0.5  # false alarm: 15 pairs * 3e-12


@pytest.mark.stat
def test_every_bit_of_a_word_is_fair_and_independent_of_its_neighbour():
    size = 1 << 16
    words = AesCtr(4).random_raw(size)
    bits = np.unpackbits(words.view(np.uint8)).reshape(size, 64) * 2.0 - 1
    limit = 7 * size**0.5  # false alarm: 3e-12 each, 64 + 4096 + 64 times
    assert (np.abs(bits.sum(axis=0)) < limit).all()
    assert (np.abs(bits.T @ bits - size * np.eye(64)) < limit).all()
    assert (np.abs((bits[1:] * bits[:-1]).sum(axis=0)) < limit).all()


@pytest.mark.stat
def test_small_integers_are_uniform():
    counts = np.bincount(np.random.Generator(AesCtr(6)).integers(0, 100, 10**6), minlength=100)
    chi_squared = ((counts - 1e4) ** 2 / 1e4).sum()
    assert 25 < chi_squared < 220  # 99 degrees of freedom; false alarm below 1e-10


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64, ">u4", np.uint64])
@pytest.mark.parametrize("shape", [(), 0, 1, 7, (3, 5), 5000])
def test_fill_writes_the_next_words_into_integers_of_any_width_and_shape(dtype, shape):
    bits, out = at(2), np.zeros(shape, dtype)
    bits.fill(out)
    assert out.tobytes() == keystream(KEY, 5000, 2).tobytes()[: out.nbytes]
    assert bits.random_raw() == keystream(KEY, 1, 2 + -(-out.nbytes // 8))[0]


def test_fill_takes_buffers_of_bytes():
    out = bytearray(21)
    AesCtr(key=KEY).fill(out)
    AesCtr(key=KEY).fill(memoryview(out)[3:])
    stream = keystream(KEY, 3).tobytes()
    assert bytes(out) == stream[:3] + stream[:18]


def test_filling_in_pieces_of_whole_words_joins_seamlessly():
    bits, out = AesCtr(key=KEY), np.zeros(9000, np.uint64)
    at = 0
    for size in (1, 2, 541, 1, 543, 544, 545, 3000, 0, 1088, 7, 2728):
        bits.fill(out[at : at + size])
        at += size
    assert at == out.size
    assert (out == keystream(KEY, out.size)).all()


READ_ONLY = np.zeros(4, np.uint64)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (np.zeros(4), "Generator"),
        (np.zeros(4, bool), "integers"),
        (np.zeros(4, object), "integers"),
        (np.zeros(8, np.int64)[::2], "contiguous"),
        (READ_ONLY, "read-only"),
        (bytes(4), "read-only"),
    ],
)
def test_what_cannot_be_filled_raises_and_uses_no_word(out, words):
    bits = AesCtr(key=KEY)
    with pytest.raises(UsageError, match=words):
        bits.fill(out)
    assert bits.state["state"]["position"] == 0


@pytest.mark.parametrize("seed", ["text", 1.5, -1, [1, -2], object()])
def test_a_bad_seed_raises_what_numpys_generators_raise(seed):
    with pytest.raises((TypeError, ValueError)) as theirs:
        np.random.PCG64(seed)
    with pytest.raises(type(theirs.value), match=r"seed|entropy|int|negative"):
        AesCtr(seed)


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17), "0123456789abcdef", 5, bytearray(16)])
def test_a_key_of_another_form_raises(key):
    with pytest.raises(UsageError, match="16 bytes"):
        AesCtr(key=key)


def test_seed_and_key_at_once_raise():
    with pytest.raises(UsageError, match="not both"):
        AesCtr(1, key=KEY)


GOOD = AesCtr(1).state
BAD_STATES = [
    None,
    {},
    np.random.PCG64(1).state,
    {**GOOD, "state": {}},
    {**GOOD, "state": {"key": "00", "position": 0}},
    {**GOOD, "state": {"key": "zz" * 16, "position": 0}},
    {**GOOD, "state": {"key": "00" * 16, "position": -1}},
    {**GOOD, "state": {"key": "00" * 16, "position": 2**128}},
    {**GOOD, "has_uint32": 2},
    {"bit_generator": "AesCtr"},
]


@pytest.mark.parametrize("state", BAD_STATES, ids=range(len(BAD_STATES)))
def test_a_bad_state_raises_and_changes_nothing(state):
    bits = AesCtr(1)
    with pytest.raises(UsageError, match=r"state|key|uint32"):
        bits.state = state
    assert bits.state == GOOD


@pytest.mark.parametrize("tier", ["portable", "aesni", "avx2", "avx512", "neon"])
@pytest.mark.processes
def test_every_target_gives_the_same_numbers(tier):
    program = (
        "import numpy as np; from petcore.random import AesCtr; b = AesCtr(9)\n"
        "out = np.empty(70000, np.uint64); r = np.random.Generator(b)\n"
        "d = [r.integers(0, 99, 5).tolist(), r.random(900).sum()]; b.fill(out)\n"
        "print(d, np.bitwise_xor.reduce(out), b.state)"
    )
    features = _core.kernels.cpu()
    if not features.get(tier, tier == "portable"):
        pytest.skip(f"this processor has no {tier}")
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PETCORE_TARGET": target},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for target in (tier, "")
    ]
    assert runs[0] == runs[1]


def test_threads_that_share_a_generator_draw_every_word_once():
    rng = np.random.Generator(AesCtr(key=KEY))
    drawn: list[np.ndarray] = []

    def draw(i: int) -> None:
        for _ in range(50):
            out = np.empty(97, np.uint64)
            if i % 2:
                rng.bit_generator.fill(out)
            else:
                out = rng.integers(0, 2**64, 97, dtype=np.uint64)
            drawn.append(out)

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = keystream(KEY, 4 * 50 * 97)
    assert np.array_equal(np.sort(np.concatenate(drawn)), np.sort(expected))


def send_words(connection, rng) -> None:
    connection.send_bytes(rng.bit_generator.random_raw(600).tobytes())


@pytest.mark.processes
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_goes_on_with_the_same_words_and_a_spawned_generator_with_others():
    rng = np.random.Generator(AesCtr(key=KEY))
    (child_rng,) = rng.spawn(1)
    received = []
    context = multiprocessing.get_context("fork")
    for given in (rng, child_rng):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=send_words, args=(sender, given))
        process.start()
        received.append(receiver.recv_bytes())
        process.join(10)
    own = rng.bit_generator.random_raw(600).tobytes()
    assert received[0] == own
    assert received[1] != own


def test_a_generator_keeps_its_stream_alive():
    rng = np.random.Generator(AesCtr(key=KEY))
    held = [np.random.Generator(AesCtr(i)).random(3) for i in range(100)]
    assert len(held) == 100
    assert (rng.integers(0, 2**64, 1000, dtype=np.uint64) == keystream(KEY, 1000)).all()


def test_only_the_capsule_of_a_bit_generator_is_taken():
    stream = _core.WordStream(KEY)
    with pytest.raises((UsageError, TypeError)):
        stream.install(np._core.multiarray._ARRAY_API)
