"""Peers of a silent extension that lie, die or ask for something else."""

import pytest

from petcore import _core
from petcore.errors import PeerAborted, PeerLate, SessionBroken, StepMismatch

from . import dealt
from .links import channels, outcomes, random_vectors

LIMITS = _core.Limits(deadline_s=0.5, silence_s=5)
N = 1000


def silent_receiver(channel, delta):
    return _core.SilentReceiver(channel, dealt.Receiver(delta))


def vole_receiver(channel, delta):
    return _core.VoleReceiver(channel, dealt.Receiver(delta))


def extend(receiver):
    if isinstance(receiver, _core.SilentReceiver):
        return receiver.extend(1, "silent", random_vectors("bits", N), N)
    return receiver.extend(1, "silent", N)


@pytest.fixture(params=[silent_receiver, vole_receiver])
def met(request):
    """The channel of a sender that may do anything, and an honest receiver."""
    sender, receiver = channels(LIMITS)
    return sender, request.param(receiver, dealt.random_blocks(1))


def test_a_sender_whose_trees_have_another_form_is_found_out(met):
    channel, receiver = met
    channel.send(1, "silent", bytes(16) + (2**60).to_bytes(8, "little") + bytes(16))
    with pytest.raises(StepMismatch, match="another number"):
        extend(receiver)


def test_a_sender_that_ends_its_program_instead_is_noticed(met):
    channel, receiver = met
    channel.close()
    with pytest.raises(StepMismatch, match="ended its program"):
        extend(receiver)


def test_a_sender_that_gives_up_is_noticed(met):
    channel, receiver = met
    channel.abort("entropy", "no randomness", "silent")
    with pytest.raises(PeerAborted):
        extend(receiver)


def test_a_sender_that_stops_in_the_middle_of_its_trees_is_late(met):
    channel, receiver = met
    channel.send(1, "silent", bytes(20))
    outcome = outcomes(lambda: extend(receiver), lambda: channel.recv(1, "silent", 1))[0]
    assert isinstance(outcome, PeerLate)


@pytest.mark.parametrize(("sender_n", "receiver_n"), [(1000, 300_000), (300_000, 1000)])
def test_parties_that_reserve_different_numbers_are_told(sender_n, receiver_n):
    delta = dealt.random_blocks(1)
    links = channels(LIMITS)
    sender = _core.SilentSender(links[0], dealt.Sender(delta))
    receiver = silent_receiver(links[1], delta)
    _, told = outcomes(
        lambda: sender.reserve(1, "silent", sender_n),
        lambda: receiver.reserve(1, "silent", receiver_n),
    )
    assert isinstance(told, StepMismatch)


def test_an_extension_that_failed_stays_broken_so_that_nothing_is_used_twice():
    delta = dealt.random_blocks(1)
    links = channels(LIMITS)
    sender = _core.SilentSender(links[0], dealt.Sender(delta))
    receiver = silent_receiver(links[1], delta)
    outcomes(
        lambda: sender.reserve(1, "silent", N),
        lambda: receiver.reserve(1, "silent", N),
    )
    links[0].close()
    with pytest.raises(StepMismatch):
        extend(receiver)
    with pytest.raises(SessionBroken, match="failed earlier"):
        extend(receiver)
    with pytest.raises(SessionBroken):
        sender.extend(1, "silent", N)
    with pytest.raises(SessionBroken, match="failed earlier"):
        sender.reserve(1, "silent", 1)
