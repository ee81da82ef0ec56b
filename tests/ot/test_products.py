"""Shares of products: of words in every ring, bits with strings, matrices, tables of sixteen."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petcore.errors import CorrelationError, SessionBroken, StepMismatch, UsageError

from .links import STEP, Pair, elements, outcomes, random_vectors, random_words

MODULI = {"residue": 2**64 - 1, "wide": 2**128 - 1}


@pytest.fixture(scope="module")
def pair():
    return Pair()


def numbers(words: np.ndarray, modulus: str) -> list[int]:
    if modulus == "residue":
        return [int(word) for word in words]
    return [int(low) + (int(high) << 64) for low, high in words.reshape(-1, 2)]


@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 255, 256, 257, 511, 513, 3000])
def test_cross_words_are_both_products_of_what_the_parties_hold(pair, n):
    (a0, b0), (a1, b1) = ((random_words(n), random_words(n)) for _ in range(2))
    x, y = pair.call("cross_words", (a0, b0), (a1, b1))
    assert (x + y == a0 * b1 + a1 * b0).all()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 255, 256, 257, 513, 1025])
def test_word_products_are_party_0s_number_times_party_1s(pair, n):
    a, b = random_words(n), random_words(n)
    x, y = pair.call("word_products", (a,), (b,))
    assert (x + y == a * b).all()


@pytest.mark.parametrize("method", ["cross_words", "word_products"])
@pytest.mark.parametrize("modulus", ["residue", "wide"])
@pytest.mark.parametrize("n", [0, 1, 2, 127, 128, 129, 257])
def test_the_same_in_rings_where_powers_of_two_are_rotations(pair, method, modulus, n):
    words = n * (2 if modulus == "wide" else 1)
    count = 2 if method == "cross_words" else 1
    own = [[random_words(words) for _ in range(count)] for _ in range(2)]
    x, y = pair.call(method, (*own[0], modulus), (*own[1], modulus))
    p, q = ([numbers(each, modulus) for each in party] for party in own)
    for i, (left, right) in enumerate(zip(numbers(x, modulus), numbers(y, modulus), strict=True)):
        wanted = p[0][i] * q[-1][i] + (q[0][i] * p[-1][i] if count == 2 else 0)
        assert (left + right - wanted) % MODULI[modulus] == 0


@pytest.mark.parametrize("extreme", [0, 2**64 - 1, 2**63, 1])
def test_words_at_the_edges(pair, extreme):
    a = np.full(5, extreme, np.uint64)
    x, y = pair.call("cross_words", (a, a), (a, a))
    assert (x + y == np.uint64(2) * a * a).all()
    x, y = pair.call("word_products", (a, "residue"), (a, "residue"))
    for left, right in zip(x, y, strict=True):
        assert (int(left) + int(right) - extreme * extreme) % (2**64 - 1) == 0


@pytest.mark.parametrize("ring", ["bits", "bytes", "halves", "words"])
@pytest.mark.parametrize("strings", [1, 2, 3, 16, 17, 65, 129])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000])
def test_cross_bits_multiply_every_string_by_the_others_bit(pair, ring, strings, n):
    bits = [random_vectors("bits", n) for _ in range(2)]
    words = [random_vectors(ring, n, strings) for _ in range(2)]
    shares = pair.call("cross_bits", *((bits[p], words[p], n, ring, strings) for p in range(2)))
    c, w = [elements(b, "bits", n) for b in bits], [elements(x, ring, n, strings) for x in words]
    x, y = (elements(share, ring, n, strings) for share in shares)
    if ring == "bits":
        assert ((x ^ y) == (c[0] & w[1]) ^ (c[1] & w[0])).all()
    else:
        assert (x + y == c[0] * w[1] + c[1] * w[0]).all()


@pytest.mark.parametrize("ring", ["bits", "bytes", "halves", "words"])
@pytest.mark.parametrize("n", [0, 1, 64, 127, 128, 129, 16383, 16385, 40000])
def test_bit_products_are_numbers_of_the_ring(pair, ring, n):
    bits = [random_vectors("bits", n) for _ in range(2)]
    shares = pair.call("bit_products", *((bits[p], n, ring) for p in range(2)))
    c = [elements(b, "bits", n) for b in bits]
    x, y = (elements(share, ring, n) for share in shares)
    whole = x ^ y if ring == "bits" else x + y
    assert (whole == c[0] & c[1]).all()


@pytest.mark.parametrize("n", [16384, 16385, 40000])
def test_more_bits_than_a_block(pair, n):
    bits, words = ([random_vectors("bits", n) for _ in range(2)] for _ in range(2))
    x, y = pair.call("cross_bits", *((bits[p], words[p], n, "bits") for p in range(2)))
    assert ((x ^ y) == (bits[0] & words[1]) ^ (bits[1] & words[0])).all()


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (3, 4, 5), (5, 4, 3), (1, 300, 1), (7, 1, 7), (2, 1, 1025), (1025, 2, 1), (30, 20, 40)],
)  # fmt: skip
def test_cross_matrices_of_every_shape(pair, shape):
    m, k, n = shape
    a = [random_words(m * k) for _ in range(2)]
    b = [random_words(k * n) for _ in range(2)]
    x, y = pair.call("cross_matrices", *((a[p], b[p], m, k, n) for p in range(2)))
    left, right = [each.reshape(m, k) for each in a], [each.reshape(k, n) for each in b]
    assert (x + y == (left[0] @ right[1] + left[1] @ right[0]).ravel()).all()


@pytest.mark.parametrize("width", [1, 2, 7, 64])
@pytest.mark.parametrize("sizes", [(1, 0), (0, 70), (65, 3), (4096, 4097)])
def test_lookups_find_the_entry_of_the_index(pair, width, sizes):
    tables = [random_vectors("bits", n, 16 * width) for n in sizes]
    indices = [random_vectors("bits", n, 4) for n in sizes]
    gateway, wallet = pair.call(
        "lookups_16",
        (tables[0], sizes[0], indices[1], sizes[1], width),
        (tables[1], sizes[1], indices[0], sizes[0], width),
    )
    for which, shares in enumerate(((gateway[0], wallet[1]), (gateway[1], wallet[0]))):
        n = sizes[which]
        if n == 0:
            continue
        entries = elements(tables[which], "bits", n, 16 * width).reshape(16, width, n)
        index = np.array([1, 2, 4, 8]) @ elements(indices[which], "bits", n, 4)
        found = elements(shares[0] ^ shares[1], "bits", n, width)
        assert (found == entries[index, :, np.arange(n)].T).all()


@given(data=st.data())
@settings(max_examples=20)
def test_any_words_multiply(pair, data):
    words = st.lists(st.integers(0, 2**64 - 1), min_size=3, max_size=3)
    a0, b0, a1, b1 = (np.array(data.draw(words), np.uint64) for _ in range(4))
    x, y = pair.call("cross_words", (a0, b0), (a1, b1))
    assert (x + y == a0 * b1 + a1 * b0).all()


def test_shares_are_fresh_every_time(pair):
    a = np.zeros(100, np.uint64)
    first, second = (pair.call("cross_words", (a, a), (a, a))[0] for _ in range(2))
    assert len(np.unique(np.concatenate([first, second]))) == 200


def test_base_transfers_can_be_made_ahead():
    made = Pair()
    made.call("prepare", (), ())
    sent = [channel.counters()["payload_sent"] for channel in made.channels]
    a = random_words(4)
    x, y = made.call("cross_words", (a, a), (a, a))
    assert (x + y == np.uint64(2) * a * a).all()
    assert all(
        channel.counters()["payload_sent"] - before < 3000
        for channel, before in zip(made.channels, sent, strict=True)
    )


def test_a_triple_takes_at_most_1100_bytes_of_both_parties_together():
    made = Pair()
    made.call("prepare", (), ())
    sent = [channel.counters()["payload_sent"] for channel in made.channels]
    n = 4096
    a, b = random_words(n), random_words(n)
    made.call("cross_words", (a, b), (b, a))
    total = sum(channel.counters()["payload_sent"] for channel in made.channels) - sum(sent)
    assert 1032 <= total / n <= 1100


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("cross_words", (random_words(2), random_words(3))),
        ("cross_bits", (random_words(1), random_words(1), 65, "bits")),
        ("cross_bits", (random_words(1), random_words(1), 3, "nibbles")),
        ("cross_matrices", (random_words(2), random_words(2), 1, 3, 1)),
        ("lookups_16", (random_words(16), 1, random_words(3), 1, 1)),
        ("lookups_16", (random_words(0), 0, random_words(0), 0, 65)),
    ],
)
def test_sizes_that_do_not_fit_raise_at_once(pair, method, arguments):
    with pytest.raises(UsageError):
        getattr(pair.parties[0], method)(*STEP, *arguments)


def test_after_a_failure_products_refuse_to_go_on():
    made = Pair()
    a = random_words(3)
    made.channels[1].close()
    first = outcomes(lambda: made.parties[0].cross_words(*STEP, a, a))[0]
    assert isinstance(first, Exception)
    with pytest.raises(SessionBroken):
        made.parties[0].cross_words(*STEP, a, a)


@pytest.mark.parametrize(
    ("size", "error", "complaint"),
    [
        (1, StepMismatch, "wallet .* ended its program while this party is at step 7"),
        (33, StepMismatch, "wallet .* ended its program while this party is at step 7"),
        (600, StepMismatch, "wallet .* ended its program while this party is at step 7"),
        (5000, CorrelationError, "wallet extended oblivious transfers inconsistently"),
        (20_000, CorrelationError, "wallet extended oblivious transfers inconsistently"),
    ],
)
def test_rubbish_for_an_extension_is_cut_short_or_a_lie(size, error, complaint):
    made = Pair()
    made.call("prepare", (), ())
    a = random_words(3)

    def lie() -> None:
        made.channels[1].send(*STEP, bytes(size))
        made.channels[1].close()

    refused, _ = outcomes(lambda: made.parties[0].cross_words(*STEP, a, a), lie)
    assert type(refused) is error
    assert re.search(complaint, str(refused))


def of_other_lengths(mine: int, theirs: int) -> list[Exception]:
    """Both take so many words of their own at one step; the gateway then goes on to the next."""
    made = Pair()
    made.call("prepare", (), ())
    a, b = random_words(mine), random_words(theirs)

    def gateway() -> None:
        made.parties[0].cross_words(*STEP, a, a)
        made.parties[0].cross_words(8, "step 8: next", a, a)

    def wallet() -> None:
        try:
            made.parties[1].cross_words(*STEP, b, b)
        finally:
            made.channels[1].close()

    return outcomes(gateway, wallet)


def test_a_peer_whose_corrections_are_shorter_is_refused_at_that_step():
    mine, theirs = of_other_lengths(3, 2)
    assert type(mine) is StepMismatch
    assert re.search("wallet .* ended its program while this party is at step 7", str(mine))
    assert type(theirs) is CorrelationError
    assert "gateway extended oblivious transfers inconsistently" in str(theirs)


def test_a_peer_whose_corrections_are_longer_is_refused_at_the_next_step():
    mine, theirs = of_other_lengths(3, 4)
    assert type(mine) is type(theirs) is StepMismatch
    assert "at step 7: test while this party is at step 8" in str(mine)
    assert "at step 8: next while this party is at step 7" in str(theirs)


def test_a_peer_that_does_something_else_is_told_apart(pair):
    made = Pair()
    a = random_words(3)
    results = outcomes(
        lambda: made.parties[0].cross_words(7, "step 7: product", a, a),
        lambda: made.parties[1].cross_words(8, "step 8: another", a, a),
    )
    assert all(isinstance(each, StepMismatch) for each in results)
