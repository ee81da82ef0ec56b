"""Intersection by Diffie-Hellman: against plain sets, against a peer in Python, against bad peers."""

import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from petcore import _core
from petcore.errors import (
    BadFrame,
    PeerAborted,
    PeerLate,
    PetcoreError,
    StepMismatch,
    UsageError,
)

group = _core.group
TAG, STEP = 0x65636468, "intersect (ecdh)"
HASH_TAG = b"petcore-PSI-ECDH-v1-P256_XMD:SHA-256_SSWU_RO_"


def ids(*numbers: int) -> list[bytes]:
    return [f"customer {number}".encode() for number in numbers]


def at_once(*functions):
    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(function) for function in functions]
        return [future.exception() or future.result() for future in futures]


def channels(**limits):
    return _core.memory_channels("gateway", "wallet", _core.Limits(**limits))


def intersect(own: list[bytes], other: list[bytes], **options):
    """What both parties get; options of the second are the mirror image of the first's."""
    mirrored = dict(options)
    mirrored["mine"], mirrored["theirs"] = options.get("theirs", True), options.get("mine", True)
    a, b = channels()
    results = at_once(
        lambda: _core.intersect_ecdh(a, own, **options),
        lambda: _core.intersect_ecdh(b, other, **mirrored),
    )
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results, (a.counters(), b.counters())


def common(own: list[bytes], other: list[bytes]) -> list[int]:
    return [i for i, item in enumerate(own) if item in set(other)]


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (ids(*range(40)), ids(*range(20, 70))),
        (ids(1, 2, 3), ids(3, 2, 1)),
        (ids(1, 2, 3), ids(4, 5)),
        (ids(1), ids(1)),
        ([], ids(1, 2)),
        (ids(1), []),
        ([], []),
        ([b""], [b"", b"\0", b"\0\0"]),
        ([b"\xff" * 5000, "Łódź".encode()], ["Łódź".encode(), b"Lodz"]),
    ],
    ids=["some", "all", "none", "one", "empty own", "empty other", "both empty", "zeros", "bytes"],
)
def test_both_parties_learn_the_positions_of_their_common_items(own, other):
    (mine, theirs), _ = intersect(own, other)
    assert sorted(mine[0].tolist()) == common(own, other)
    assert sorted(theirs[0].tolist()) == common(other, own)
    assert mine[1] == theirs[1] == len(common(own, other))
    assert (mine[2], theirs[2]) == (len(other), len(own))


def test_row_k_at_both_parties_is_the_same_item():
    own, other = ids(*range(60)), ids(*range(99, 10, -1))
    (mine, theirs), _ = intersect(own, other)
    assert [own[i] for i in mine[0]] == [other[i] for i in theirs[0]]


@pytest.mark.parametrize(("mine", "theirs"), [(True, False), (False, True)])
@pytest.mark.parametrize("answer", ["positions", "cardinality"])
def test_only_who_is_to_learn_learns(mine, theirs, answer):
    own, other = ids(*range(30)), ids(*range(10, 50))
    results, counters = intersect(own, other, answer=answer, mine=mine, theirs=theirs)
    for learns, result in zip((mine, theirs), results, strict=True):
        assert result[1] == (20 if learns else 0)
        assert len(result[0]) == (20 if learns and answer == "positions" else 0)
    tags = _core.ecdh_tag_bytes(30, 40)
    assert counters[0]["payload_sent"] == 33 * 30 + (tags * 40 if theirs else 0) + 11
    assert counters[1]["payload_sent"] == 33 * 40 + (tags * 30 if mine else 0) + 11


def test_the_cardinality_comes_without_positions():
    results, _ = intersect(ids(*range(30)), ids(*range(25, 50)), answer="cardinality")
    for positions, cardinality, _, _ in results:
        assert cardinality == 5
        assert positions.size == 0


@pytest.mark.parametrize("size", [255, 256, 257, 520])
def test_sets_around_a_chunk_intersect(size):
    own, other = ids(*range(size)), ids(*range(size - 1, size + 300))
    (mine, theirs), _ = intersect(own, other, threads=2)
    assert mine[0].tolist() == [size - 1]
    assert theirs[0].tolist() == [0]
    assert mine[3] == theirs[3] == len(own) + len(other)


def test_a_set_so_much_larger_that_chunks_run_ahead_intersects():
    own, other = ids(*range(25 * 256)), ids(7, 10**9, 6000)
    (mine, theirs), _ = intersect(own, other, threads=2)
    assert sorted(mine[0].tolist()) == [7, 6000]
    assert sorted(theirs[0].tolist()) == [0, 2]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((1, 1), 5), ((0, 0), 5), ((2, 1), 6), ((256, 256), 7), ((257, 256), 8), ((2**28, 2**28), 12)],
)
def test_tags_are_long_enough_for_one_in_2_to_the_40(sizes, expected):
    assert _core.ecdh_tag_bytes(*sizes) == expected


class PeerInPython:
    """The other end, from the header's text alone; keeps what it saw."""

    def __init__(self, channel, items: list[bytes]) -> None:
        self.channel, self.items = channel, items
        self.secret = group.random_scalar()

    def run(self, answer: int = 0):
        link = self.channel
        link.send_message(TAG, STEP, struct.pack("<QBBB", len(self.items), answer, 1, 1))
        size, *_ = struct.unpack("<QBBB", link.recv_message(TAG, STEP))
        own = b"".join(
            group.multiply(self.secret, group.hash_to_curve(item, HASH_TAG)) for item in self.items
        )
        self.seen = link.exchange(TAG, STEP, own, 33 * size)
        width = _core.ecdh_tag_bytes(size, len(self.items))
        doubled = group.multiply_all(self.seen, self.secret)
        ends = [doubled[i + 33 - width : i + 33] for i in range(0, len(doubled), 33)]
        back = link.exchange(TAG, STEP, b"".join(ends), width * len(self.items))
        self.back = [back[i : i + width] for i in range(0, len(back), width)]
        return {i for i, end in enumerate(self.back) if end in set(ends)}


def against_python(own: list[bytes], other: list[bytes], answer: str = "positions"):
    a, b = channels()
    peer = PeerInPython(b, other)
    result, found = at_once(
        lambda: _core.intersect_ecdh(a, own, answer=answer),
        lambda: peer.run(int(answer == "cardinality")),
    )
    if isinstance(result, Exception) or isinstance(found, Exception):
        raise AssertionError((result, found))
    return result, found, peer


def test_a_peer_written_from_the_header_alone_gets_the_same():
    own, other = ids(*range(30)), ids(*range(20, 45))
    result, found, _ = against_python(own, other)
    assert sorted(result[0].tolist()) == list(range(20, 30))
    assert found == set(range(10))


def test_the_secret_and_the_order_are_fresh_in_every_run():
    own = ids(*range(50))
    first, second = (against_python(own, ids(1))[2].seen for _ in "ab")
    points = [{seen[i : i + 33] for i in range(0, len(seen), 33)} for seen in (first, second)]
    assert points[0].isdisjoint(points[1])


def test_items_travel_in_an_order_that_says_nothing():
    """The place of item 0 among 8 over 160 runs; chi-square beyond 50 comes by chance in 10^-8."""
    own = ids(*range(8))
    places = np.zeros(8)
    for _ in range(160):
        _, _, peer = against_python(own, own[:1])
        doubled = group.multiply_all(peer.seen, peer.secret)
        width = len(peer.back[0])
        ends = [doubled[i + 33 - width : i + 33] for i in range(0, len(doubled), 33)]
        places[ends.index(peer.back[0])] += 1
    assert ((places - 20) ** 2 / 20).sum() < 50


@pytest.mark.parametrize("answer", ["positions", "cardinality"])
def test_the_ends_of_a_cardinality_and_only_they_come_back_in_another_order(answer):
    """Forty ends of two kinds stay apart by chance in 1 of 7 * 10^10 orders."""
    _, _, peer = against_python(ids(1), ids(*[1] * 20, *[2] * 20), answer)
    kinds = [{*peer.back[:20]}, {*peer.back[20:]}]
    assert all(len(kind) == (1 if answer == "positions" else 2) for kind in kinds)


def misbehave(script, expected: type[PetcoreError], match: str, **limits):
    a, b = channels(**limits)
    result, _ = at_once(lambda: _core.intersect_ecdh(a, ids(1, 2)), lambda: script(b))
    assert isinstance(result, expected), repr(result)
    assert match in str(result)


def greet(link, size: int = 1, answer: int = 0, mine: int = 1, theirs: int = 1) -> None:
    link.send_message(TAG, STEP, struct.pack("<QBBB", size, answer, mine, theirs))
    link.recv_message(TAG, STEP)


def test_a_size_that_no_set_has_is_refused():
    misbehave(lambda link: greet(link, size=2**28 + 1), BadFrame, "2^28")


def test_a_short_or_long_greeting_is_refused():
    misbehave(lambda link: link.send_message(TAG, STEP, b"\1"), BadFrame, "ends before")
    misbehave(lambda link: link.send_message(TAG, STEP, bytes(12)), BadFrame, "to spare")


@pytest.mark.parametrize("wishes", [(1, 1, 1), (0, 1, 0), (0, 0, 1), (7, 1, 1)])
def test_parties_that_want_different_answers_find_out(wishes):
    def script(link):
        link.send_message(TAG, STEP, struct.pack("<QBBB", 1, *wishes))

    misbehave(script, StepMismatch, "different answers")


GOOD = group.generator()


@pytest.mark.parametrize(
    "point", [b"\0" * 33, b"\2" + b"\xff" * 32, b"\4" + GOOD[1:], b"\2" + bytes(31) + b"\7"]
)
def test_a_point_that_is_none_is_refused(point):
    def script(link):
        greet(link)
        link.exchange(TAG, STEP, point, 66)

    misbehave(script, BadFrame, "point of P-256")


def test_a_peer_that_leaves_is_noticed():
    def script(link):
        greet(link)
        link.close()

    misbehave(script, StepMismatch, "ended its program")


def test_a_peer_that_gives_up_is_noticed():
    def script(link):
        greet(link)
        link.abort("usage", "I do not like this", STEP)

    misbehave(script, PeerAborted, "do not like")


def test_a_peer_that_stays_behind_is_late():
    def script(link):
        greet(link)
        link.exchange(TAG, STEP, GOOD, 66)

    misbehave(script, PeerLate, "", deadline_s=0.3, silence_s=5)


def test_an_intersection_that_nobody_learns_is_refused():
    a, _ = channels()
    with pytest.raises(UsageError, match="nobody"):
        _core.intersect_ecdh(a, ids(1), mine=False, theirs=False)
    with pytest.raises(UsageError, match="answer"):
        _core.intersect_ecdh(a, ids(1), answer="sum")
