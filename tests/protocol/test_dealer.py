"""The dealer answers what it was asked, once, to one party, and trusts no length."""

from __future__ import annotations

import struct
import threading

import numpy as np
import pytest

from petcore import _core
from petcore.errors import BadFrame, CorrelationError, PetcoreError

from .conftest import NAMES, Links
from .operations import U64, share

KINDS = {
    "multiplication": 1,
    "dabit": 5,
    "edabit": 7,
    "tree_layer": 9,
    "matrix": 10,
    "mask": 11,
    "masked_matrix": 12,
    "cross_bit": 8,
    "digits": 14,
    "waves": 15,
    "half_select": 16,
    "bit_bytes": 18,
}
BASE_TERMS = [
    ("wire version", "3"),
    ("protocol", "semi2k"),
    ("ring", "Z_2^64"),
    ("parties", "gateway, wallet"),
]


def request(kind: int, *, units=4, chunk=32768, dims=(), counter=1) -> bytes:
    padded = (*dims, *[0] * (7 - len(dims)))
    return struct.pack("<I2Q7QQ", kind, units, chunk, *padded, counter)


def step_tag(text: str) -> int:
    tag = 0xCBF29CE484222325
    for byte in text.encode():
        tag = ((tag ^ byte) * 0x100000001B3) % 2**64
    return tag


def ask_dealer(
    *messages: bytes, expect_bytes: int = 0, asking: int = 1
) -> tuple[bytes, BaseException | None]:
    """Play both parties by hand towards a real dealer; return its last answer and its error."""
    links = Links(_core.Limits(deadline_s=1.0))
    failure: list[BaseException] = []

    def serve() -> None:
        try:
            _core.serve_dealer(NAMES, links.dealer_ends(), [])
        except PetcoreError as error:
            failure.append(error)

    dealer = threading.Thread(target=serve)
    dealer.start()
    answer = b""
    ends = [pair[1] for pair in links.dealer]
    for seed, end in enumerate(ends):
        _core.agree(end, BASE_TERMS, "handshake")
        mark = bytes(16)  # of the session: the same from both
        hello = bytes([seed]) * 16 + mark + b"\0"  # not here again
        end.send(step_tag("exchanging seeds"), "exchanging seeds", hello)
    for end in ends:
        assert end.recv_message(step_tag("exchanging seeds"), "exchanging seeds") == b""
    try:
        for number, message in enumerate(messages):
            ends[asking].send_message(number, "asking", message)
        answer = ends[asking].recv(len(messages) - 1, "asking", expect_bytes)
    except PetcoreError:
        pass
    for end in ends:
        end.close()
    dealer.join(10)
    assert not dealer.is_alive()
    return answer, failure[0] if failure else None


def test_the_dealer_sends_eight_bytes_a_product_and_answers_each_request_anew():
    first, error = ask_dealer(request(KINDS["multiplication"], counter=1), expect_bytes=32)
    assert error is None
    second, _ = ask_dealer(request(KINDS["multiplication"], counter=2), expect_bytes=32)
    again, _ = ask_dealer(request(KINDS["multiplication"], counter=1), expect_bytes=32)
    assert len(first) == 32
    assert first == again  # the same seeds and counter stand for the same words ...
    assert first != second  # ... and another counter for others


def test_kind_and_size_are_bound_to_the_words():
    product, _ = ask_dealer(request(KINDS["multiplication"], units=4), expect_bytes=32)
    longer, _ = ask_dealer(request(KINDS["multiplication"], units=5), expect_bytes=40)
    bits, _ = ask_dealer(request(KINDS["edabit"], dims=(6, 2, 1)), expect_bytes=80)
    other, _ = ask_dealer(request(KINDS["edabit"], dims=(7, 1, 1)), expect_bytes=64)
    layer, _ = ask_dealer(
        request(KINDS["tree_layer"], dims=(4, 2, 0, 1), chunk=512), expect_bytes=128
    )
    joined, _ = ask_dealer(
        request(KINDS["tree_layer"], dims=(4, 2, 1, 1), chunk=512), expect_bytes=96
    )
    assert len({x[:32] for x in (product, longer, bits, other, layer, joined)}) == 6


def test_every_size_of_a_table_is_bound_to_the_words():
    """Two requests that differ in one number only share no word of what is dealt."""
    tables = [
        (kind, tuple(d + (j == i) for j, d in enumerate(dims)))
        for kind, dims in (
            (KINDS["edabit"], (6, 2, 8)),
            (KINDS["digits"], (3, 3, 8)),
            (KINDS["waves"], (3, 3, 8, 20, 8, 1, 64)),
        )
        for i in range(-1, min(len(dims), 6))  # -1: as it is
    ]
    answers = [
        ask_dealer(request(kind, units=100, dims=dims), expect_bytes=64) for kind, dims in tables
    ]
    assert [error for _, error in answers if isinstance(error, BadFrame)] == []
    words = [first[i : i + 8] for first, _ in answers for i in range(0, 64, 8)]
    assert all(len(word) == 8 for word in words)
    assert len(set(words)) == len(words)


def test_a_counter_that_does_not_grow_is_refused_as_reuse():
    same = request(KINDS["multiplication"], counter=3)
    _, error = ask_dealer(same + same, expect_bytes=64)
    assert isinstance(error, CorrelationError)
    assert "twice" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        b"\x01",
        request(0),
        request(99),
        request(KINDS["multiplication"], units=0),
        request(KINDS["multiplication"], units=2**33),
        request(KINDS["multiplication"], chunk=0),
        request(KINDS["multiplication"], chunk=2**40),
        request(KINDS["multiplication"], units=2**20, chunk=2**17),
        request(KINDS["multiplication"], units=100, chunk=3),
        request(KINDS["dabit"], units=1000, chunk=64),
        request(KINDS["mask"], units=1000),
        request(KINDS["edabit"]),
        request(KINDS["edabit"], dims=(0, 3, 0)),
        request(KINDS["edabit"], dims=(8, 0, 0)),
        request(KINDS["edabit"], dims=(8, 5, 0)),
        request(KINDS["edabit"], dims=(60, 3, 5)),
        request(KINDS["edabit"], dims=(2, 3, 2**64 - 1)),
        request(KINDS["tree_layer"], chunk=512),
        request(KINDS["tree_layer"], chunk=512, dims=(1, 2, 0, 1)),
        request(KINDS["tree_layer"], chunk=512, dims=(65, 2, 0, 1)),
        request(KINDS["tree_layer"], chunk=512, dims=(4, 1, 0, 1)),
        request(KINDS["tree_layer"], chunk=512, dims=(4, 5, 0, 1)),
        request(KINDS["tree_layer"], chunk=512, dims=(4, 2, 3, 1)),
        request(KINDS["tree_layer"], chunk=512, dims=(4, 2, 0, 0)),
        request(KINDS["tree_layer"], chunk=512, dims=(4, 2, 0, 2**62)),
        request(KINDS["tree_layer"], chunk=1024, units=4096, dims=(4, 2, 0, 1)),
        request(KINDS["matrix"], units=1, chunk=1, dims=(2**32, 2**32, 1)),
        request(KINDS["matrix"], units=1, chunk=1, dims=(2**14, 2**14, 1)),
        request(KINDS["matrix"], units=1, chunk=1, dims=(0, 1, 1)),
        request(KINDS["matrix"], units=2, chunk=1, dims=(1, 1, 1)),
        request(KINDS["masked_matrix"], units=1, chunk=1, dims=(1, 4, 4, 3, 5, 0, 1)),
        request(KINDS["masked_matrix"], units=1, chunk=1, dims=(1, 4, 4, 3, 3, 0, 1)),
        request(KINDS["cross_bit"], dims=(16,)),
        request(KINDS["digits"], dims=(0, 4, 0)),
        request(KINDS["digits"], dims=(0, 5, 2)),
        request(KINDS["digits"], dims=(4, 4, 15)),
        request(KINDS["digits"], dims=(2**40, 4, 1)),
        request(KINDS["waves"], dims=(0, 4, 1, 65, 1, 1, 64)),
        request(KINDS["waves"], dims=(0, 4, 1, 20, 33, 1, 64)),
        request(KINDS["waves"], dims=(0, 4, 1, 20, 1, 3, 64)),
        request(KINDS["waves"], dims=(0, 4, 1, 20, 1, 1, 16)),
        request(KINDS["half_select"], dims=(2,)),
        request(KINDS["bit_bytes"], dims=(0,)),
        request(KINDS["bit_bytes"], dims=(9,)),
        request(KINDS["multiplication"]) + b"tail",
    ],
)
def test_a_request_out_of_bounds_is_refused_before_anything_is_allocated(message):
    _, error = ask_dealer(message)
    assert isinstance(error, BadFrame)


@pytest.mark.parametrize("correlations", ["dealer"])
def test_only_the_second_party_receives_adjustments(parties):
    def program(session):
        x = share(session, np.arange(1000, dtype=U64), 0)
        before = session.cost()["links"]["dealer"]["payload_received"]
        session.mul(x, x)
        return session.cost()["links"]["dealer"]["payload_received"] - before

    gateway, wallet = parties(program).values()
    assert gateway == 0
    assert wallet == 8000


@pytest.mark.stat
def test_what_the_parties_send_each_other_looks_uniform(parties):
    # 64 x 256 cells of a chi-square test; a bound of six standard deviations gives a false alarm
    # with probability below 1e-8.
    constant = np.full(1 << 16, 12345, dtype=U64)

    def program(session):
        return share(session, constant, 0)

    for seen in parties(program).values():
        counts = np.bincount(seen.view(np.uint8), minlength=256)
        expected = seen.nbytes / 256
        chi_square = ((counts - expected) ** 2 / expected).sum()
        assert abs(chi_square - 255) < 6 * np.sqrt(2 * 255)
