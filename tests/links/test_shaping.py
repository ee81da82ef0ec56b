"""A shaped link is slower by what was asked for, and otherwise the same link."""

import os
import resource
import time

import pytest

from petcore import _core, errors

STEP = "step 1: measure"


@pytest.fixture
def shaped(identities, tls, at_once):
    """Make a link over TLS that is shaped alike at both ends."""

    def make(limits=None, **shape):
        limits = limits or _core.Limits()
        listener = tls.listen(identities.gateway)
        pins = [("wallet", identities.wallet.fingerprint)]
        ends = at_once(
            lambda: listener.accept(pins, 5, limits),
            lambda: tls.call(identities.wallet, identities.gateway, listener.port, limits),
        )
        for end in ends:
            assert isinstance(end, _core.Channel), end
            end.shape(**shape)
        return ends

    return make


def swap(at_once, ends, tag, size=1):
    """Exchange at both ends at once; give the seconds it took."""
    data = os.urandom(size)
    began = time.perf_counter()
    got = at_once(*(lambda end=end: end.exchange(tag, STEP, data, size) for end in ends))
    assert got == [data, data]
    return time.perf_counter() - began


def round_trip(at_once, ends, tag):
    def ask():
        began = time.perf_counter()
        ends[0].send(tag, STEP, b"?")
        ends[0].recv(tag + 1, STEP, 1)
        return time.perf_counter() - began

    def answer():
        ends[1].recv(tag, STEP, 1)
        ends[1].send(tag + 1, STEP, b"!")

    return at_once(ask, answer)[0]


def test_a_question_and_its_answer_take_the_round_trip(shaped, at_once):
    ends = shaped(round_trip_s=0.1)
    taken = min(round_trip(at_once, ends, tag) for tag in (1, 3, 5))
    assert 0.1 <= taken < 0.2


def test_sending_does_not_wait_for_the_delay(shaped):
    ends = shaped(round_trip_s=1.0)
    began = time.perf_counter()
    for tag in range(10):
        ends[0].send(tag, STEP, bytes(1000))
    assert time.perf_counter() - began < 0.4
    for tag in range(10):
        ends[1].recv(tag, STEP, 1000)
    assert 0.5 <= time.perf_counter() - began < 1.5  # they travelled together


def test_data_travel_while_the_sender_is_busy_elsewhere(shaped):
    ends = shaped(round_trip_s=0.1)
    ends[0].send(1, STEP, bytes(100_000))
    assert ends[1].recv(1, STEP, 100_000) == bytes(100_000)


def test_a_bandwidth_bounds_the_rate(shaped, at_once):
    ends = shaped(bandwidth_bits_per_s=80e6)
    assert 0.2 <= swap(at_once, ends, 1, 2_000_000) < 1.0


def test_a_shaped_link_holds_no_more_than_the_line_carries(shaped, within):
    limits = _core.Limits(deadline_s=1.0)
    ends = shaped(limits, bandwidth_bits_per_s=80_000)  # 10 kB a second
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    within(30, errors.PetcoreError, lambda: ends[0].send(1, STEP, bytes(64 << 20)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10  # KiB


def test_large_vectors_pass_unchanged_both_ways_at_once(shaped, at_once):
    ends = shaped(round_trip_s=0.02)
    swap(at_once, ends, 1, 8 << 20)


def test_heartbeats_keep_a_slow_link_alive(shaped, at_once):
    limits = _core.Limits(silence_s=0.8, heartbeat_s=0.1)
    ends = shaped(limits, round_trip_s=0.3)
    meshes = [_core.Mesh({1 - i: end}) for i, end in enumerate(ends)]
    until = time.monotonic() + 1.6
    while time.monotonic() < until:
        for mesh in meshes:
            mesh.check()
        round_trip(at_once, ends, 1)
    for mesh in meshes:
        mesh.close_all()


def test_the_goodbye_arrives_after_the_delay(shaped):
    ends = shaped(round_trip_s=0.2)
    ends[0].send_message(1, STEP, b"last")
    ends[0].close()
    assert ends[1].next_message(STEP) == (1, b"last")
    assert ends[1].next_message(STEP) is None


def test_why_a_peer_gave_up_arrives_through_a_shaped_link(shaped):
    ends = shaped(round_trip_s=0.1)
    ends[0].abort("usage", "wrong shape", STEP)
    with pytest.raises(errors.PeerAborted, match="wrong shape"):
        ends[1].recv(1, STEP, 1)


def test_a_link_is_shaped_once(shaped):
    ends = shaped(round_trip_s=0.01)
    with pytest.raises(errors.UsageError, match="already"):
        ends[0].shape(round_trip_s=0.01)


def test_a_link_in_memory_cannot_be_shaped():
    end, _ = _core.memory_channels("gateway", "wallet", _core.Limits())
    with pytest.raises(errors.UsageError, match="TLS"):
        end.shape(round_trip_s=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"round_trip_s": -1.0},
        {"round_trip_s": 1e3},
        {"round_trip_s": float("nan")},
        {"bandwidth_bits_per_s": -1.0},
        {"bandwidth_bits_per_s": 100.0},
        {"bandwidth_bits_per_s": float("inf")},
    ],
)
def test_a_shape_that_makes_no_sense_is_refused_and_the_link_goes_on(shaped, at_once, wrong):
    ends = shaped()
    with pytest.raises(errors.UsageError):
        ends[0].shape(**wrong)
    swap(at_once, ends, 1)


def test_a_send_returns_as_soon_as_the_link_has_taken_its_last_byte(shaped, at_once):
    ends, size, times = shaped(round_trip_s=0.002), 300_000, 30  # more than a socket's buffer

    def send():
        began = time.perf_counter()
        for tag in range(times):
            ends[0].send(tag, STEP, bytes(size))
        return time.perf_counter() - began

    def receive():
        for tag in range(times):
            ends[1].recv(tag, STEP, size)

    assert at_once(send, receive)[0] < 0.02 * times  # an idle wait is one of 0.05 s
