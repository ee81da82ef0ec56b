import json
from pathlib import Path

import pytest

from petcore import _core
from petcore.errors import UsageError

from . import reference as ref

group = _core.group
RFC9380 = json.loads((Path(__file__).parent / "rfc9380.json").read_text())
CURVE = RFC9380["P256_XMD:SHA-256_SSWU_RO_"]
EXPAND = RFC9380["expand_message_xmd_SHA256"]
TAG = b"petcore tests"


def number(text: str) -> int:
    return int(text, 16)


@pytest.mark.parametrize("vector", CURVE["vectors"], ids=lambda v: f"{len(v['msg'])} bytes")
def test_hashing_to_the_curve_gives_the_vectors_of_rfc_9380(vector):
    point = vector["P"]
    expected = ref.encode((number(point["x"]), number(point["y"])))
    assert group.hash_to_curve(vector["msg"].encode(), CURVE["dst"].encode()) == expected


@pytest.mark.parametrize("vector", CURVE["vectors"], ids=lambda v: f"{len(v['msg'])} bytes")
def test_the_reference_gives_every_step_of_the_vectors(vector):
    uniform = ref.expand(vector["msg"].encode(), CURVE["dst"].encode(), 96)
    for at, u, q in ((0, 0, "Q0"), (48, 1, "Q1")):
        drawn = int.from_bytes(uniform[at : at + 48], "big") % ref.P
        assert drawn == number(vector["u"][u])
        assert ref.map_to_curve(drawn) == tuple(number(vector[q][c]) for c in "xy")


@pytest.mark.parametrize("vector", EXPAND["tests"], ids=lambda v: f"{len(v['msg'])}")
def test_expanding_a_message_gives_the_vectors_of_rfc_9380(vector):
    size = number(vector["len_in_bytes"])
    expanded = group.expand_message(vector["msg"].encode(), EXPAND["DST"].encode(), size)
    assert expanded.hex() == vector["uniform_bytes"]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 96, 8160])
def test_expanding_agrees_with_the_reference_at_every_border(size):
    for message in (b"", bytes(55), bytes(56), bytes(64), bytes(1000)):
        assert group.expand_message(message, TAG, size) == ref.expand(message, TAG, size)


def test_hashing_agrees_with_the_reference_on_many_messages():
    for i in range(60):
        message = i.to_bytes(2, "big") * (i % 7)
        assert group.hash_to_curve(message, TAG) == ref.encode(ref.hash_to_curve(message, TAG))
        assert group.hash_to_scalar(message, TAG) == ref.scalar(ref.hash_to_scalar(message, TAG))


def test_another_tag_gives_another_point():
    assert group.hash_to_curve(b"id", b"a") != group.hash_to_curve(b"id", b"b")
    assert group.hash_to_curve(b"x", b"y" * 255) == ref.encode(ref.hash_to_curve(b"x", b"y" * 255))


@pytest.mark.parametrize("tag", [b"", b"y" * 256])
def test_a_tag_that_is_empty_or_too_long_is_refused(tag):
    with pytest.raises(UsageError, match="tag"):
        group.hash_to_curve(b"id", tag)


def test_no_more_is_expanded_than_the_counter_counts():
    with pytest.raises(UsageError, match="8,160"):
        group.expand_message(b"", TAG, 8161)
