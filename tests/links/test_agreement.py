"""The parties agree on the terms of a session, or learn what differs."""

import pytest

from petcore import _core, errors

LIMITS = _core.Limits(deadline_s=5)
TERMS = [("version", "0.1.0"), ("protocol", "semi2k"), ("program", "train")]
STEP = "step 0: handshake"


def agree(at_once, ends, terms):
    return at_once(
        *(lambda e=e, t=t: _core.agree(e, t, STEP) for e, t in zip(ends, terms, strict=True))
    )


def test_equal_terms_are_agreed_in_whatever_order(pair, at_once):
    ends = pair(LIMITS)
    assert agree(at_once, ends, [TERMS, TERMS[::-1]]) == [None, None]
    assert at_once(lambda: ends[0].send(1, "", b"x"), lambda: ends[1].recv(1, "", 1))[1] == b"x"


def test_no_terms_are_agreed(pair, at_once):
    assert agree(at_once, pair(LIMITS), [[], []]) == [None, None]


def test_both_parties_learn_the_first_term_that_differs(pair, at_once):
    other = [("version", "0.1.0"), ("protocol", "rep3"), ("program", "predict")]
    results = agree(at_once, pair(LIMITS), [TERMS, other])
    for error, peer in zip(results, ("wallet", "gateway"), strict=True):
        assert isinstance(error, errors.HandshakeMismatch)
        assert error.party == peer
        for word in ("protocol", "'semi2k'", "'rep3'"):
            assert word in str(error)
        assert "predict" not in str(error)


def test_a_term_that_only_one_party_has_is_named(pair, at_once):
    for error in agree(at_once, pair(LIMITS), [TERMS, TERMS[:2]]):
        assert isinstance(error, errors.HandshakeMismatch)
        assert "'program'" in str(error)
        assert "nothing" in str(error)


def test_a_term_given_twice_is_refused(pair, within):
    within(1, errors.UsageError, lambda: _core.agree(pair(LIMITS)[0], [*TERMS, *TERMS], STEP))


@pytest.mark.parametrize("terms", [[("a", "x" * 1025)], [("a" * 65, "")]])
def test_terms_are_bounded(pair, within, terms):
    within(1, errors.UsageError, lambda: _core.agree(pair(LIMITS)[0], terms, STEP))


@pytest.mark.parametrize("message", [b"", b"\x01\x00\x00\x00", b"\xff\xff\xff\xff", bytes(99)])
def test_terms_that_cannot_be_read_are_a_bad_frame(pair, within, message):
    gateway, wallet = pair(LIMITS)
    wallet.send_message(0, STEP, message)
    within(1, errors.BadFrame, lambda: _core.agree(gateway, TERMS, STEP), "terms|fields|spare")


def test_terms_of_another_connection_are_refused(pair, at_once):
    # A party in the middle forwards every message between two links, whatever it says.
    (gateway, left), (right, wallet) = pair(LIMITS), pair(LIMITS)

    def forward():
        for _ in range(2):
            right.send_message(0, STEP, left.recv_message(0, STEP))
            left.send_message(0, STEP, right.recv_message(0, STEP))

    results = at_once(
        lambda: _core.agree(gateway, TERMS, STEP), lambda: _core.agree(wallet, TERMS, STEP), forward
    )
    for error in results[:2]:
        assert isinstance(error, errors.HandshakeMismatch)
        assert "another connection" in str(error)


def test_a_party_that_never_sends_its_terms_is_late(raw, frame, within):
    channel, wallet = raw(_core.Limits(deadline_s=0.2, silence_s=0.15, heartbeat_s=0.05))
    wallet.write(frame(3, 0))
    within(1, (errors.PeerLate, errors.PeerSilent), lambda: _core.agree(channel, TERMS, STEP))
