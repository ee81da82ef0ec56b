"""Peers in processes of their own, that work, die or stand still."""

import signal

import pytest

from petcore import _core, errors

pytestmark = pytest.mark.processes
STEP = "step 1: stream"
LIMITS = _core.Limits(deadline_s=20)


@pytest.fixture
def meet(identities, tls, process):
    """Start the wallet's process and take its call."""

    def run(behaviour, limits=LIMITS):
        listener = tls.listen(identities.gateway)
        child = process(behaviour, listener.port)
        pins = [("wallet", identities.wallet.fingerprint)]
        return listener.accept(pins, 20, limits), child

    return run


def test_two_processes_swap_64_mib_at_once(meet):
    channel, child = meet("swap")
    size = 64 << 20
    pattern = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert channel.exchange(1, "step 1: swap", pattern, size) == pattern
    assert channel.recv(2, "step 2: echo", size) == pattern
    assert channel.next_message("idle") is None
    assert child.wait() == 0


def test_a_peer_killed_in_the_middle_of_a_transfer_is_closed(meet, at_once, within):
    channel, child = meet("stream")
    channel.recv(1, STEP, 20 << 20)
    child.send_signal(signal.SIGKILL)

    def drain():
        while True:
            channel.recv(1, STEP, 1 << 20)

    error = within(2, errors.PeerClosed, drain, "wallet at 127.0.0.1")
    assert error.step == STEP


def test_a_peer_killed_while_this_party_sends_is_closed(meet, within):
    channel, child = meet("stream")
    channel.recv(1, STEP, 1 << 20)
    child.send_signal(signal.SIGKILL)

    def fill():
        while True:
            channel.send(1, STEP, bytes(1 << 20))

    within(2, errors.PeerClosed, fill)


def test_a_peer_that_dies_without_a_word_is_closed(meet, within):
    channel, _child = meet("die")
    channel.recv(1, STEP, 100)
    within(2, errors.PeerClosed, lambda: channel.recv(1, STEP, 1))


def test_a_peer_that_stands_still_is_silent(meet, within):
    channel, _child = meet("stop", _core.Limits(deadline_s=20, silence_s=0.8))
    channel.recv(1, STEP, 100)
    error = within(2, errors.PeerSilent, lambda: channel.recv(1, STEP, 1))
    assert error.party == "wallet"


def test_a_peer_that_stands_still_while_this_party_sends_is_silent(meet, within):
    channel, _child = meet("stop", _core.Limits(deadline_s=20, silence_s=0.8))
    channel.recv(1, STEP, 100)

    def fill():
        while True:
            channel.send(1, STEP, bytes(1 << 20))

    within(3, errors.PeerSilent, fill)
