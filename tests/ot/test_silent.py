"""Silent correlated transfers: q = t ^ c delta, from seeds."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from . import dealt
from .links import at_once, bits_of, channels, random_vectors

REFILL_MIN, REFILL_MAX = 256 << 9, 256 << 13


class Pair:
    """Both parties in two threads, over base transfers that a test deals."""

    def __init__(self) -> None:
        self.delta = dealt.random_blocks(1)
        self.channels = channels()
        self.base = dealt.Sender(self.delta), dealt.Receiver(self.delta)
        self.sender = _core.SilentSender(self.channels[0], self.base[0])
        self.receiver = _core.SilentReceiver(self.channels[1], self.base[1])
        self.tag = 0

    def extend(self, n: int):
        """q, the choices as bits, and t."""
        self.tag += 1
        choices = random_vectors("bits", n)
        q, t = at_once(
            lambda: self.sender.extend(self.tag, "silent", n),
            lambda: self.receiver.extend(self.tag, "silent", choices, n),
        )
        return q, bits_of(choices, n), t

    def reserve(self, n: int) -> None:
        self.tag += 1
        at_once(
            lambda: self.sender.reserve(self.tag, "silent", n),
            lambda: self.receiver.reserve(self.tag, "silent", n),
        )

    def bytes_sent(self) -> tuple[int, int]:
        return tuple(channel.counters()["payload_sent"] for channel in self.channels)

    def holds(self, q, choices, t) -> bool:
        flips = choices.astype(np.uint64).reshape(-1, 1) * self.delta
        return bool((q == t ^ flips).all())


@pytest.fixture
def pair():
    return Pair()


@pytest.mark.parametrize("n", [1, 63, 64, 65, REFILL_MIN - 1, REFILL_MIN, REFILL_MIN + 1, 250_001])
def test_q_is_t_plus_the_choice_times_delta(pair, n):
    q, choices, t = pair.extend(n)
    assert q.shape == t.shape == (n, 2)
    assert pair.holds(q, choices, t)


def test_consecutive_extensions_of_odd_sizes_use_no_transfer_twice(pair):
    parts = [pair.extend(n) for n in (1, 2, 63, 1000, 7, REFILL_MIN, 64, 33)]
    assert all(pair.holds(*part) for part in parts)
    t = np.concatenate([part[2] for part in parts])
    assert len(np.unique(t, axis=0)) == len(t)


def test_reserved_transfers_take_one_flight_of_one_bit_each(pair):
    n = REFILL_MIN + 5
    pair.reserve(n)
    before = pair.bytes_sent()
    assert pair.holds(*pair.extend(n))
    sender, receiver = (a - b for a, b in zip(pair.bytes_sent(), before, strict=True))
    assert sender == 0
    assert (n + 7) // 8 <= receiver <= (n + 7) // 8 + 1


def test_the_largest_refill_takes_at_most_1_5_bits_a_transfer_with_its_choices(pair):
    pair.reserve(REFILL_MAX)
    base_bytes = 4 * pair.base[0].used  # SoftSpokenOT, k = 4
    assert pair.bytes_sent() == (40 + 256 * 14 * 16, 0)
    assert 8 * (sum(pair.bytes_sent()) + base_bytes) / REFILL_MAX + 1 < 1.3


def test_both_parties_reserve_in_both_directions_without_waiting_for_each_other():
    pairs = Pair(), Pair()
    links = channels()
    parties = []
    for number, channel in enumerate(links):
        sender = _core.SilentSender(channel, pairs[number].base[0])
        receiver = _core.SilentReceiver(channel, pairs[1 - number].base[1])
        parties.append((sender, receiver))

    def run(number):
        sender, receiver = parties[number]
        first, second = (receiver, sender) if number == 0 else (sender, receiver)
        first.reserve(1, "silent", 1000)
        second.reserve(1, "silent", 1000)
        choices = random_vectors("bits", 1000)
        t = receiver.extend(1, "silent", choices, 1000)
        return sender.extend(1, "silent", 1000), bits_of(choices, 1000), t

    results = at_once(lambda: run(0), lambda: run(1))
    assert pairs[0].holds(results[0][0], *results[1][1:])
    assert pairs[1].holds(results[1][0], *results[0][1:])


def test_more_than_the_stock_may_hold_is_refused(pair):
    for party in (pair.sender, pair.receiver):
        with pytest.raises(UsageError, match="2\\^24"):
            party.reserve(1, "silent", 2**24 + 1)


def test_choices_of_another_length_are_refused(pair):
    with pytest.raises(UsageError, match="packed"):
        pair.receiver.extend(1, "silent", np.zeros(2, np.uint64), 64)


def test_products_over_the_silent_extension_are_those_of_whole_numbers():
    channel_pair = channels()
    parties = [
        _core.OtProducts(channel, party, kind="silent")
        for party, channel in enumerate(channel_pair)
    ]
    n = 3000
    own = [(random_vectors("words", n), random_vectors("words", n)) for _ in parties]
    shares = at_once(
        *(
            lambda party=party, a=a, b=b: party.cross_words(1, "products", a, b)
            for party, (a, b) in zip(parties, own, strict=True)
        )
    )
    (a0, b0), (a1, b1) = own
    assert (shares[0] + shares[1] == a0 * b1 + a1 * b0).all()


def test_base_transfers_of_both_directions_can_be_prepared_before_the_first_products():
    parties = [
        _core.OtProducts(channel, party, kind="silent") for party, channel in enumerate(channels())
    ]
    at_once(*(lambda party=party: party.prepare(1, "prepare") for party in parties))
    bits = [random_vectors("bits", 100) for _ in parties]
    shares = at_once(
        *(
            lambda party=party, own=own: party.bit_products(2, "products", own, 100, "bits")
            for party, own in zip(parties, bits, strict=True)
        )
    )
    assert (shares[0] ^ shares[1] == bits[0] & bits[1]).all()
