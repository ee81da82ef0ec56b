"""A peer that fails ends in a typed error that names it, on time."""

import struct

import pytest

from petcore import _core, errors

QUICK = _core.Limits(deadline_s=0.3, silence_s=0.2, heartbeat_s=0.05)
PATIENT = _core.Limits(deadline_s=20, silence_s=20, heartbeat_s=1)
STEP = "step 17: mul int64 (1000,)"
DATA, MESSAGE, HEARTBEAT, ABORT, GOODBYE = 1, 2, 3, 4, 5


def test_an_unknown_frame_type_is_refused(raw, frame, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(9, 0))
    error = within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), "unknown type 9")
    assert error.party == "wallet"
    assert error.step == STEP


def test_padding_must_be_zero(raw, frame, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(DATA, 0, b"12345678", tag=1, pad=1))
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), "padding")


@pytest.mark.parametrize("sequence", [1, 7, 2**64 - 1])
def test_a_frame_out_of_sequence_is_refused(raw, frame, within, sequence):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(DATA, sequence, b"12345678", tag=1))
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), f"frame {sequence} arrived where")


def test_a_replayed_frame_is_refused(raw, frame, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(DATA, 0, b"12345678", tag=1))
    assert channel.recv(1, STEP, 8) == b"12345678"
    wallet.write(frame(DATA, 0, b"12345678", tag=1))
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), "frame 0 arrived where frame 1")


@pytest.mark.parametrize(
    ("kind", "length"),
    [
        (DATA, (1 << 20) + 1),
        (DATA, 2**32 - 1),
        (DATA, 0),
        (MESSAGE, (1 << 16) + 1),
        (HEARTBEAT, 1),
        (GOODBYE, 1),
        (ABORT, 2049),
    ],
)
def test_a_length_that_its_type_does_not_allow_is_refused(raw, frame, within, kind, length):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(kind, 0, length=length, tag=1))
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), f"claims {length} bytes")


def test_rubbish_is_refused(raw, within):
    channel, wallet = raw(PATIENT)
    wallet.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), "no petcore frame")


@pytest.mark.parametrize("payload", [b"", b"\xff" * 40, struct.pack("<I", 2**31) + b"x"])
def test_an_abort_that_cannot_be_read_is_a_bad_frame(raw, frame, within, payload):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(ABORT, 0, payload))
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8))


def test_a_frame_after_the_goodbye_is_refused(raw, frame, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(GOODBYE, 0) + frame(DATA, 1, b"12345678", tag=1))
    within(1, errors.BadFrame, lambda: channel.recv(1, STEP, 8), "followed the goodbye")


def test_a_link_cut_within_a_frame_is_closed(raw, frame, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(DATA, 0, b"1234", tag=1, length=8))
    wallet.close()
    error = within(1, errors.PeerClosed, lambda: channel.recv(1, STEP, 8), "look at its log")
    assert error.party == "wallet"
    assert error.step == STEP


def test_what_arrived_before_the_cut_is_still_received(raw, frame, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(DATA, 0, b"12345678", tag=1))
    wallet.close()
    assert channel.recv(1, STEP, 8) == b"12345678"
    within(1, errors.PeerClosed, lambda: channel.recv(1, STEP, 8))


def test_sending_to_a_peer_that_left_is_an_error_and_no_signal(raw, within):
    channel, wallet = raw(PATIENT)
    wallet.close()

    def send():
        for _ in range(100):
            channel.send(1, STEP, bytes(1 << 20))

    within(1, errors.PeerClosed, send)


def test_an_abort_explains_a_broken_pipe(raw, frame, notice, within):
    channel, wallet = raw(PATIENT)
    wallet.write(frame(ABORT, 0, notice(b"usage", b"step 3: open", b"NaN in the salary")))
    wallet.close()

    def send():
        for _ in range(100):
            channel.send(1, STEP, bytes(1 << 20))

    within(1, errors.PeerAborted, send, "NaN in the salary")


def test_the_text_of_an_abort_is_stripped_of_control_characters(raw, frame, notice, within):
    channel, wallet = raw(PATIENT)
    text = b"\x1b[2Jevil\r\n" + b"x" * 1000
    wallet.write(frame(ABORT, 0, notice(b"usage", b"step\x00 3", text)))
    error = within(1, errors.PeerAborted, lambda: channel.recv(1, STEP, 8), "evil")
    assert str(error).isprintable()
    assert len(str(error)) < 2000


def test_an_abort_tells_the_peer_why(pair, within):
    gateway, wallet = pair(PATIENT)
    wallet.abort("usage", "the salary has 3 rows, not 4", "step 5: input")
    error = within(1, errors.PeerAborted, lambda: gateway.recv(1, STEP, 8), "3 rows, not 4")
    assert "step 5: input" in str(error)
    assert error.party == "wallet"


def test_a_goodbye_while_data_are_due_is_a_step_mismatch(pair, within):
    gateway, wallet = pair(PATIENT)
    wallet.close()
    within(1, errors.StepMismatch, lambda: gateway.recv(1, STEP, 8), "wallet .*ended its program")


def test_a_peer_at_another_step_is_named_at_both_ends(pair, at_once):
    gateway, wallet = pair(PATIENT)

    def mul():
        gateway.send(17, "step 17: mul int64 (3,)", bytes(24))
        gateway.recv(17, "step 17: mul int64 (3,)", 24)

    def add():
        wallet.send(18, "step 18: msb int64 (3,)", bytes(24))
        wallet.recv(18, "step 18: msb int64 (3,)", 24)

    for error in at_once(mul, add):
        assert isinstance(error, errors.StepMismatch)
        assert "step 17: mul int64 (3,)" in str(error)
        assert "step 18: msb int64 (3,)" in str(error)


def test_a_peer_at_another_step_is_named_in_the_middle_of_large_vectors(pair, at_once):
    gateway, wallet = pair(PATIENT)
    size = 20 << 20
    for error in at_once(
        lambda: gateway.exchange(1, "step 1: mul", bytes(size), size),
        lambda: wallet.exchange(2, "step 2: add", bytes(size), size),
    ):
        assert isinstance(error, errors.StepMismatch)
        assert "step 1: mul" in str(error)
        assert "step 2: add" in str(error)


def test_a_message_where_data_are_due_is_a_step_mismatch(pair, at_once):
    gateway, wallet = pair(PATIENT)
    gateway.send_message(1, "step 1: input", b"meta")
    _, error = at_once(lambda: gateway.recv(1, "step 1", 1), lambda: wallet.recv(1, "step 1", 4))
    assert isinstance(error, errors.StepMismatch)


def test_a_peer_that_only_beats_is_late(pair, at_once):
    gateway, wallet = pair(QUICK, _core.Limits(heartbeat_s=0.02, deadline_s=0.6))

    def idle():
        with pytest.raises(errors.PeerLate):
            wallet.recv(1, STEP, 8)

    error, _ = at_once(lambda: gateway.recv(1, STEP, 8), idle)
    assert isinstance(error, errors.PeerLate)
    assert "wallet" in str(error)
    assert STEP in str(error)


def test_a_peer_without_heartbeats_is_silent(raw, within):
    channel, _wallet = raw(QUICK)
    error = within(1, errors.PeerSilent, lambda: channel.recv(1, STEP, 8), "heartbeat")
    assert error.party == "wallet"
    assert error.retryable


def test_a_server_between_requests_notices_a_silent_peer(raw, within):
    channel, _wallet = raw(QUICK)
    within(1, errors.PeerSilent, lambda: channel.next_message("idle"))


def test_data_that_keep_coming_push_the_deadline_back(raw, frame, at_once):
    channel, wallet = raw(_core.Limits(deadline_s=0.3, silence_s=0.2, heartbeat_s=0.1))

    def trickle():
        # Each heartbeat of the gateway is answered with a byte: 6 of them outlast the deadline.
        wallet.write(frame(DATA, 0, b"0", tag=1))
        seen = sequence = 1
        while sequence < 7:
            channel_sent = channel.counters()["frames_sent"]
            if channel_sent >= seen:
                wallet.write(frame(DATA, sequence, b"0", tag=1))
                seen, sequence = channel_sent + 1, sequence + 1

    assert at_once(lambda: channel.recv(1, STEP, 7), trickle)[0] == b"0000000"


def test_two_parties_that_both_only_send_are_told_to_take_turns(pair, at_once):
    limits = _core.Limits(inbox_bytes_max=1 << 20, deadline_s=0.5)
    gateway, wallet = pair(limits)
    data = bytes(32 << 20)
    results = at_once(lambda: gateway.send(1, STEP, data), lambda: wallet.send(1, STEP, data))
    assert any(isinstance(e, errors.PeerLate) and "in turns" in str(e) for e in results)
    assert all(isinstance(e, errors.PetcoreError) for e in results)


def test_a_failed_link_stays_failed_and_remembers_why(pair, within):
    gateway, wallet = pair(PATIENT)
    wallet.abort("usage", "first cause", "step 5: input")
    within(1, errors.PeerAborted, lambda: gateway.recv(1, STEP, 8))
    error = within(0.5, errors.SessionBroken, lambda: gateway.send(2, "step 18", b"x"))
    assert "first cause" in str(error)
    assert error.party == "wallet"


def test_a_failure_seen_while_the_owner_computes_is_raised_by_the_next_call(pair, within):
    gateway, wallet = pair(PATIENT)
    gateway.send(1, STEP, b"x")
    wallet.abort("usage", "first cause", "step 5: input")
    while gateway.counters()["frames_received"] < 1:
        gateway.serve()
    within(0.5, errors.PeerAborted, lambda: gateway.send(2, "step 18", b"x"), "first cause")


def test_a_message_longer_than_agreed_is_not_sent(pair, within):
    gateway, _wallet = pair(PATIENT)
    within(1, errors.UsageError, lambda: gateway.send_message(1, STEP, bytes(70_000)), "longer")


@pytest.mark.parametrize(
    "wrong",
    [
        {"deadline_s": 0},
        {"deadline_s": -1},
        {"heartbeat_s": float("nan")},
        {"silence_s": 0.1, "heartbeat_s": 0.1},
        {"frame_bytes_max": 0},
        {"inbox_bytes_max": 10},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(errors.UsageError):
        _core.memory_channels("gateway", "wallet", _core.Limits(**wrong))
