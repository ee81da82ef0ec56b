"""What goes in at one end comes out at the other."""

import hashlib

import pytest

from petcore import _core

# Lengths around the border of a first TLS record, of a sent frame, and of the staging buffer.
BORDERS = [16384 - 24, 16384, 65536, 65536 - 24, 256 << 10, (256 << 10) + 16360, 1 << 20]


def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", sorted({0, 1, 23, *(b + d for b in BORDERS for d in (-1, 0, 1))}))
def test_a_vector_arrives_whatever_its_length(pair, at_once, size):
    gateway, wallet = pair()
    data = pattern(size)
    assert at_once(lambda: gateway.send(1, "", data), lambda: wallet.recv(1, "", size))[1] == data


def test_small_frames_keep_their_borders_to_themselves(pair, at_once):
    gateway, wallet = pair(_core.Limits(frame_bytes_max=1000))
    data = pattern(100_000)

    def send():
        for start in range(0, len(data), 777):
            gateway.send(1, "", data[start : start + 777])

    def recv():
        parts = [wallet.recv(1, "", min(3333, len(data) - at)) for at in range(0, len(data), 3333)]
        return b"".join(parts)

    assert at_once(send, recv)[1] == data


def test_what_the_inbox_holds_and_what_comes_later_stay_in_order(pair, at_once):
    gateway, wallet = pair()
    data = pattern(5 << 20)
    gateway.send(1, "", data[:3000])
    while wallet.counters()["wire_received"] < 3000:
        wallet.serve()
    sent = at_once(lambda: gateway.send(1, "", data[3000:]), lambda: wallet.recv(1, "", len(data)))
    assert sent[1] == data


def test_the_peer_may_be_a_step_ahead(pair):
    gateway, wallet = pair()
    gateway.send(1, "step 1", b"one")
    gateway.send(2, "step 2", b"two")
    gateway.send_message(3, "step 3", b"three")
    assert wallet.recv(1, "step 1", 3) == b"one"
    assert wallet.recv(2, "step 2", 3) == b"two"
    assert wallet.recv_message(3, "step 3") == b"three"


def test_both_directions_carry_64_mib_at_once(pair, at_once):
    gateway, wallet = pair()
    size = 64 << 20
    there, back = pattern(size), pattern(size)[::-1]
    got = at_once(
        lambda: gateway.exchange(1, "swap", there, size),
        lambda: wallet.exchange(1, "swap", back, size),
    )
    assert hashlib.sha256(got[0]).digest() == hashlib.sha256(back).digest()
    assert hashlib.sha256(got[1]).digest() == hashlib.sha256(there).digest()


def test_both_sides_may_send_first_as_long_as_the_inbox_has_room(pair, at_once):
    gateway, wallet = pair()
    data = pattern(12 << 20)

    def swap(channel):
        channel.send(1, "", data)
        return channel.recv(1, "", len(data))

    assert at_once(lambda: swap(gateway), lambda: swap(wallet)) == [data, data]


@pytest.mark.parametrize("size", [0, 1, 100, 65536])
def test_a_message_keeps_its_length(pair, at_once, size):
    gateway, wallet = pair()
    sent = at_once(
        lambda: gateway.send_message(4, "", pattern(size)), lambda: wallet.recv_message(4, "")
    )
    assert sent[1] == pattern(size)


def test_a_server_takes_messages_of_any_step_until_the_goodbye(pair):
    gateway, wallet = pair()
    gateway.send_message(7, "", b"a")
    gateway.send_message(9, "", b"")
    gateway.close()
    assert wallet.next_message("idle") == (7, b"a")
    assert wallet.next_message("idle") == (9, b"")
    assert wallet.next_message("idle") is None


def test_counters_tell_payload_from_headers(pair):
    gateway, wallet = pair(_core.Limits(heartbeat_s=30, silence_s=90))
    gateway.send(1, "", bytes(600_000))  # frames of 256 KiB, so three
    gateway.send_message(1, "", bytes(10))
    assert wallet.recv(1, "", 600_000) == bytes(600_000)
    wallet.recv_message(1, "")
    sent, got = gateway.counters(), wallet.counters()
    assert sent["payload_sent"] == got["payload_received"] == 600_010
    assert sent["frames_sent"] == got["frames_received"] == 4
    assert sent["wire_sent"] == got["wire_received"] == 600_010 + 4 * 24
    assert sent["wire_received"] == got["wire_sent"] == 0


def test_a_served_link_stays_alive_while_its_owners_compute(pair):
    gateway, wallet = pair(_core.Limits(heartbeat_s=0.01, silence_s=0.2))
    while wallet.counters()["frames_received"] < 30:  # 0.3 s: longer than the silence limit
        gateway.serve()
        wallet.serve()
    gateway.send(1, "", b"x")
    assert wallet.recv(1, "", 1) == b"x"


def test_both_ends_see_one_binding_and_every_link_its_own(pair):
    (gateway, wallet), (other, _) = pair(), pair()
    assert gateway.binding() == wallet.binding() != other.binding()
    assert len(gateway.binding()) == 32
    assert gateway.peer_name == "wallet"
    assert wallet.transport in {"memory", "TLSv1.3 TLS_AES_128_GCM_SHA256"}
