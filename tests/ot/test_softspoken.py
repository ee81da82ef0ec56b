"""q = t ^ c delta, from base transfers to the last block; and receivers that cheat."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import BadFrame, CorrelationError, HandshakeMismatch, UsageError

from .links import STEP, at_once, bits_of, channels, outcomes, random_words

BLOCK = (1 << 14) - 128
KS = range(2, 9)


class Transfers:
    """Both ends of an extension."""

    def __init__(self, k: int = 4, checked: bool = True, **receiver: object) -> None:
        self.channels = channels()
        self.sender = _core.SoftSpokenSender(self.channels[0], k, checked)
        self.receiver = _core.SoftSpokenReceiver(self.channels[1], k, checked, **receiver)

    def extend(self, n: int, choices: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        choices = random_words((n + 63) // 64) if choices is None else choices
        q, t = at_once(
            lambda: self.sender.extend(*STEP, n),
            lambda: self.receiver.extend(*STEP, choices, n),
        )
        return q, t, bits_of(choices, n).astype(bool)

    def check(self, n: int) -> None:
        q, t, chosen = self.extend(n)
        assert ((q ^ t)[chosen] == self.sender.delta()).all()
        assert (q ^ t)[~chosen].sum() == 0


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("k", KS)
def test_the_relation_holds_around_every_border(k, checked):
    transfers = Transfers(k, checked)
    for n in (1, 63, 64, 65, 127, 128, 129, 2047, 2048, 2049, BLOCK - 1, BLOCK, BLOCK + 1):
        transfers.check(n)


def test_an_empty_extension_only_runs_the_base_transfers():
    transfers = Transfers()
    transfers.extend(0)
    transfers.check(1)


def test_several_threads_make_the_same_relation():
    transfers = Transfers(threads=3)
    transfers.check(3 * BLOCK + 5)


def test_blocks_of_different_calls_differ():
    transfers = Transfers()
    made = np.concatenate([transfers.extend(1000, np.zeros(16, np.uint64))[0] for _ in range(3)])
    assert len(np.unique(made, axis=0)) == 3000


def test_two_extensions_have_different_deltas():
    assert (Transfers().sender.delta() != Transfers().sender.delta()).any()


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("k", KS)
def test_the_receiver_sends_the_bytes_it_declares(k, checked):
    transfers = Transfers(k, checked)
    transfers.extend(0)
    before = transfers.channels[1].counters()["payload_sent"]
    for n in (1, 200, BLOCK, 2 * BLOCK + 77):
        transfers.extend(n)
        now = transfers.channels[1].counters()["payload_sent"]
        assert now - before == _core.softspoken_bytes(n, k, checked)
        before = now
    trees = -(-128 // k)
    assert _core.softspoken_bytes(BLOCK, k, False) == BLOCK * trees // 8


def test_sixteen_streams_a_tree_cost_32_bits_a_transfer_and_two_per_cent():
    n = 1 << 20
    assert 4 * n < _core.softspoken_bytes(n) < 4.09 * n


@pytest.mark.parametrize("k", KS)
def test_a_receiver_with_two_minds_is_caught_and_named(k):
    # It gets away with a tree whose bits of delta are zero: all of these with chance 2^-64.
    trees = list(range(-(-64 // k)))
    transfers = Transfers(k, cheat=trees)
    caught, _ = outcomes(
        lambda: transfers.sender.extend(*STEP, 300),
        lambda: transfers.receiver.extend(*STEP, random_words(5), 300),
    )
    assert isinstance(caught, CorrelationError)
    assert "wallet" in str(caught)
    assert caught.party == "wallet"


def test_a_receiver_with_two_minds_is_caught_in_a_later_block_too():
    transfers = Transfers()
    transfers.check(100)
    cheat = Transfers(cheat=list(range(32)))
    caught = outcomes(
        lambda: cheat.sender.extend(*STEP, 3 * BLOCK),
        lambda: cheat.receiver.extend(*STEP, random_words(3 * BLOCK // 64), 3 * BLOCK),
    )[0]
    assert isinstance(caught, CorrelationError)


def test_without_the_check_nobody_notices():
    transfers = Transfers(checked=False, cheat=list(range(32)))
    q, t, chosen = transfers.extend(300)
    assert ((q ^ t)[~chosen][1:] == 0).all()


@pytest.mark.parametrize("other", [(5, True), (4, False)])
def test_parties_with_different_options_refuse_each_other(other):
    ends = channels()
    sender = _core.SoftSpokenSender(ends[0], 4, True)
    receiver = _core.SoftSpokenReceiver(ends[1], *other)

    def send() -> None:
        sender.prepare(*STEP)

    _, refused = outcomes(send, lambda: receiver.extend(*STEP, random_words(1), 64))
    assert isinstance(refused, HandshakeMismatch)
    assert "same k" in str(refused)


@pytest.mark.parametrize("k", [0, 1, 9, 128])
def test_k_out_of_bounds_is_refused_at_once(k):
    end = channels()[0]
    with pytest.raises(UsageError, match="2 to 8"):
        _core.SoftSpokenSender(end, k)
    with pytest.raises(UsageError, match="2 to 8"):
        _core.SoftSpokenReceiver(end, k)


def test_choices_that_do_not_fit_are_refused():
    receiver = _core.SoftSpokenReceiver(channels()[1])
    with pytest.raises(UsageError):
        receiver.extend(*STEP, random_words(2), 64)


OFFER_TERMS = b"sso1" + (4).to_bytes(4, "little") + (1).to_bytes(4, "little")


def test_points_off_the_curve_are_refused_by_the_receiver():
    ends = channels()
    receiver = _core.SoftSpokenReceiver(ends[1])
    off = b"\x02" + b"\xff" * 32  # its x is no element of the field

    def lie() -> None:
        ends[0].send(*STEP, OFFER_TERMS + off * 256)

    _, refused = outcomes(lie, lambda: receiver.extend(*STEP, random_words(1), 64))
    assert isinstance(refused, BadFrame)


def test_a_point_off_the_curve_is_refused_by_the_sender():
    ends = channels()
    sender = _core.SoftSpokenSender(ends[0])
    tree_bytes = 128 * 32 + 33 * 32

    def lie() -> None:
        ends[1].recv(*STEP, 12 + 256 * 33)
        ends[1].send(*STEP, OFFER_TERMS + b"\x03" + b"\xff" * 32 + bytes(tree_bytes))

    refused, _ = outcomes(lambda: sender.extend(*STEP, 64), lie)
    assert isinstance(refused, BadFrame)


def test_seeds_that_form_no_trees_are_refused_and_named():
    ends = channels()
    sender = _core.SoftSpokenSender(ends[0])
    generator = bytes.fromhex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")

    def lie() -> None:
        ends[1].recv(*STEP, 12 + 256 * 33)
        ends[1].send(*STEP, OFFER_TERMS + generator + bytes(128 * 32 + 33 * 32))

    refused, _ = outcomes(lambda: sender.extend(*STEP, 64), lie)
    assert isinstance(refused, CorrelationError)
    assert refused.party == "wallet"
