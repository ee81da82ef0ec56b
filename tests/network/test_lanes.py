"""Lanes: one encapsulation for many parts, each of which still opens by itself."""

import threading

import pytest

from petcore.network import lanes
from petcore.network.lanes import OVERHEAD, Lanes
from petcore.payments.sealing import Opener, Sealer, SealingKey


class Counting(Opener):
    """A key that counts how often it was used."""

    used = 0

    def open(self, envelope, info):
        self.used += 1
        return super().open(envelope, info)


@pytest.fixture(scope="module")
def key():
    return SealingKey.make("node-a")


@pytest.fixture
def opener(key):
    return Counting(key.opener()._key)


@pytest.fixture
def seal(key):
    sender, sealer = Lanes("shop-bank"), Sealer(key.public)

    def seal(content=b"content", bound=b"bound", by=sender, key_id="1-k"):
        return by.seal("node-a", key_id, sealer, content, bound)

    return seal


def test_parts_of_one_lane_open_with_one_decapsulation_whatever_their_order(seal, opener):
    parts = [seal(b"%d" % i, b"bound %d" % i) for i in range(5)]
    receiver = Lanes("node-a")
    for i in (4, 0, 2, 2):
        opened = receiver.open("shop-bank", "1-k", opener, parts[i], b"bound %d" % i)
        assert opened == b"%d" % i
    assert opener.used == 1


def test_a_part_opens_after_a_restart_of_its_receiver(seal, opener):
    part = seal()
    for _ in range(2):
        assert Lanes("node-a").open("shop-bank", "1-k", opener, part, b"bound") == b"content"
    assert len(part) == len(b"content") + OVERHEAD


def test_the_same_content_is_sealed_under_another_key_every_time(seal):
    one, two = seal(), seal()
    assert one[: -len(b"content") - 48] == two[: -len(b"content") - 48]
    assert one[-len(b"content") - 16 :] != two[-len(b"content") - 16 :]
    assert one[-len(b"content") - 48 :][:32] != two[-len(b"content") - 48 :][:32]


def test_a_lane_ends_with_its_time_or_its_parts(seal, monkeypatch):
    first = seal()[:1000]
    assert seal()[:1000] == first
    monkeypatch.setattr(lanes, "LANE_PARTS_MAX", 2)
    now = lanes.time.monotonic()
    monkeypatch.setattr(lanes.time, "monotonic", lambda: now + 61)
    second = [seal()[:1000] for _ in range(3)]
    assert second[0] == second[1] != first
    assert second[2] != second[1]


def test_a_new_epoch_of_the_recipient_begins_a_new_lane(seal):
    assert seal()[:1000] != seal(key_id="2-k")[:1000]


def test_two_senders_have_different_lanes(seal, opener):
    part = seal(by=Lanes("other-bank"))
    with pytest.raises(ValueError, match="another"):
        Lanes("node-a").open("shop-bank", "1-k", opener, part, b"bound")


def test_a_lane_that_another_sender_copied_does_not_open_as_his(seal, opener):
    receiver, part = Lanes("node-a"), seal()
    receiver.open("shop-bank", "1-k", opener, part, b"bound")
    with pytest.raises(ValueError, match="another"):
        receiver.open("other-bank", "1-k", opener, part, b"bound")


@pytest.mark.parametrize("place", [0, 1000, 1167, 1168, 1190, 1200, -1])
def test_a_changed_part_does_not_open_also_when_its_lane_is_known(seal, opener, place):
    receiver, part = Lanes("node-a"), seal()
    receiver.open("shop-bank", "1-k", opener, part, b"bound")
    changed = bytearray(part)
    changed[place] ^= 1
    with pytest.raises(ValueError, match="changed"):
        receiver.open("shop-bank", "1-k", opener, bytes(changed), b"bound")


def test_a_part_does_not_open_for_another_binding_or_when_it_is_cut(seal, opener):
    receiver, part = Lanes("node-a"), seal()
    with pytest.raises(ValueError, match="something else"):
        receiver.open("shop-bank", "1-k", opener, part, b"bound to this")
    for length in (0, 100, OVERHEAD - 1, OVERHEAD, len(part) - 1):
        with pytest.raises(ValueError, match=r"cut short|changed"):
            receiver.open("shop-bank", "1-k", opener, part[:length], b"bound")


def test_what_is_remembered_of_lanes_is_bounded_and_can_be_forgotten(seal, opener, monkeypatch):
    monkeypatch.setattr(lanes, "LANES_MAX", 3)
    receiver = Lanes("node-a")
    parts = [seal(by=Lanes("shop-bank")) for _ in range(5)]
    for part in parts:
        receiver.open("shop-bank", "1-k", opener, part, b"bound")
    assert len(receiver._receiving) == 3
    receiver.forget()
    receiver.open("shop-bank", "1-k", opener, parts[-1], b"bound")
    assert opener.used == 6


def test_threads_share_a_lane(seal, opener):
    parts = []
    threads = [threading.Thread(target=lambda: parts.append(seal())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    receiver = Lanes("node-a")
    assert {receiver.open("shop-bank", "1-k", opener, p, b"bound") for p in parts} == {b"content"}
    assert opener.used == 1
