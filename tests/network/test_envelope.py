"""Messages: what is opened by whom, and every way in which one is refused."""

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from petcore.errors import UsageError
from petcore.network.envelope import Envelope, compose, open_part, pack, unpack, verify
from petcore.network.errors import (
    ClockSkew,
    EnvelopeError,
    EnvelopeExpired,
    EnvelopeMalformed,
    EpochUnknown,
    FieldRefused,
    RecipientWrong,
    SealBroken,
    SignatureWrong,
)
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.packing import ENVELOPE_MAX

NOW = 1_790_000_000_000
TO = {"mpp": "purse", "node_a": "node-a", "node_b": "node-b"}
BACK = {"acqp": "shop-bank", "node_a": "node-a", "node_b": "node-b"}
PAY = {
    "merchant_currency": "SGD",
    "mpp": "purse",
    "agreement": "ag-1",
    "content": "ab" * 32,
    "amount": 1234,
    "fee": 12,
    "currency": "SGD",
    "payment_token": "28100000000000000000",
    "merchant_name": "Café Ωmega",
    "goods": [{"id": "g-1", "name": "coffee", "quantity": 2, "amount": 617}],
}
CHECK = {
    "acqp": "shop-bank",
    "request": "cd" * 32,
    "payer_currency": "JPY",
    "rate": "-",
    "seen": 1234,
    "debit": 10**12,
    "available": -5,
    "count_left": 0,
    "sum_left": 2**62,
    "features": [3, -1, 2**40],
    "payment_id": "wallet-1",
    "reason": "balance",
    "payment_time": NOW,
}


class World:
    def __init__(self, directory):
        names = ("shop-bank", "purse", "node-a", "node-b", "other")
        self.rings = {name: KeyRing.make(directory, name, now=lambda: NOW) for name in names}
        self.keys = PublicKeys.load(directory)
        self.directory = directory

    def compose(self, kind="pay", values=PAY, *, sender="shop-bank", to=TO, **options):
        defaults = {"expires_in": 60, "counter": 1, "now": NOW}
        return compose(
            kind,
            "req-1",
            values,
            ring=self.rings[sender],
            keys=self.keys,
            to=to,
            **{**defaults, **options},
        )

    def verify(self, envelope, **options):
        verify(envelope, self.keys, **{"now": NOW, **options})

    def open(self, envelope, name):
        return open_part(envelope, self.rings[name])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def content(world):
    return world.compose().to_bytes()


def patched(content, old, new):
    assert content.count(old) == 1
    return content.replace(old, new)


def test_a_wallet_reads_what_the_acquirer_sealed_to_it(world):
    envelope = Envelope.from_bytes(world.compose().to_bytes())
    world.verify(envelope, recipient="purse")
    opened = world.open(envelope, "purse")
    assert opened == {k: v for k, v in PAY.items() if k not in envelope.header.clear and k != "fee"}


def test_the_nodes_get_shares_that_sum_to_the_values(world):
    envelope = world.compose("check", CHECK, sender="purse", to=BACK)
    a, b = (world.open(envelope, name) for name in ("node-a", "node-b"))
    assert list(a) == ["seen", "debit", "available", "count_left", "sum_left", "features"]
    for name in a:
        total = np.asarray(a[name], np.uint64) + np.asarray(b[name], np.uint64)
        assert total.view(np.int64).tolist() == CHECK[name]


def test_shares_are_drawn_anew_for_every_message(world):
    drawn = {world.open(world.compose(), "node-a")["amount"] for _ in range(20)}
    assert len(drawn) == 20  # two of 20 words of 64 bits agree with probability 2^-56


def test_a_list_of_shares_travels_to_one_edge(world):
    shares = np.array([0, 2**64 - 1, 2**63], np.uint64)
    values = {"batch": 7, "senders": ["shop-bank"] * 3, "ids": ["a", "b", "c"], "decisions": shares}
    envelope = world.compose("decision", values, sender="node-a", to={"acqp": "shop-bank"})
    opened = world.open(Envelope.from_bytes(envelope.to_bytes()), "shop-bank")
    assert opened["decisions"].dtype == np.uint64
    assert (opened["decisions"] == shares).all()
    assert envelope.header.clear["ids"] == ["a", "b", "c"]


def test_no_value_of_a_sealed_or_shared_field_can_be_read_on_the_way(world, content):
    for secret in (
        "Café".encode(),
        b"28100000000000000000",
        b"coffee",
        (1234).to_bytes(8, "little"),
    ):
        assert secret not in content


def test_a_message_still_verifies_after_parts_were_taken_out(world, content):
    envelope = Envelope.from_bytes(content).for_recipient("node-b")
    again = Envelope.from_bytes(envelope.to_bytes())
    world.verify(again)
    assert again.size == 1024
    assert again.digest == Envelope.from_bytes(content).digest
    assert set(world.open(again, "node-b")) == {"amount", "fee"}
    assert len(again.to_bytes()) < len(content) / 2
    with pytest.raises(RecipientWrong):
        world.open(again, "purse")


def test_the_length_of_a_message_does_not_tell_the_length_of_its_texts(world):
    short = world.compose(values={**PAY, "merchant_name": "x"})
    long = world.compose(values={**PAY, "merchant_name": "x" * 200, "buyer_email": "a@b.example"})
    assert len(short.to_bytes()) == len(long.to_bytes())
    assert short.size == 1024


def test_a_wallets_answer_has_one_length_whether_it_would_accept_or_decline(world):
    lengths = {
        len(world.compose("check", {**CHECK, **change}, sender="purse", to=BACK).to_bytes())
        for change in ({"reason": "accepted"}, {"reason": "token", "debit": 0, "features": [0] * 3})
    }
    assert len(lengths) == 1


@pytest.mark.parametrize("change", [{"secret": 1}, {"node_b": 1}, {"Amount": 5}])
def test_a_field_that_is_not_declared_is_refused(world, change):
    with pytest.raises(FieldRefused, match=f"{next(iter(change))} is not declared"):
        world.compose(values={**PAY, **change})


def test_a_missing_field_is_refused(world):
    with pytest.raises(FieldRefused, match="amount is missing"):
        world.compose(values={k: v for k, v in PAY.items() if k != "amount"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", 10**12 + 1),
        ("amount", -1),
        ("amount", 12.0),
        ("amount", "12"),
        ("amount", True),
        ("merchant_currency", "sgd"),
        ("merchant_currency", "XXX"),
        ("content", "AB" * 32),
        ("mpp", "Purse!"),
        ("merchant_name", "x" * 257),
        ("merchant_name", "bell\x07"),
        ("merchant_name", "\ud800"),
        ("merchant_name", b"bytes"),
        ("goods", [{"price": 1}]),
        ("goods", [{}]),
        ("goods", [{"id": "x"}] * 33),
        ("goods", {"id": "x"}),
    ],
)
def test_a_wrong_value_is_refused_and_not_repeated(world, name, value):
    with pytest.raises(FieldRefused, match=name) as refused:
        world.compose(values={**PAY, name: value})
    assert repr(value) not in str(refused.value)


@pytest.mark.parametrize(
    "to",
    [
        {},
        {"mpp": "purse", "node_a": "node-a"},
        {**TO, "acqp": "shop-bank"},
        {**TO, "mpp": "node-a"},
    ],
)
def test_a_message_goes_to_the_roles_that_it_is_declared_for(world, to):
    with pytest.raises(UsageError, match="goes to each of mpp, node_a, node_b"):
        world.compose(to=to)


@pytest.mark.parametrize(
    "options", [{"expires_in": 0}, {"expires_in": 90_000}, {"counter": -1}, {"expires_in": -1}]
)
def test_a_lifetime_or_counter_out_of_bounds_is_refused(world, options):
    with pytest.raises(UsageError, match="lifetime"):
        world.compose(**options)


def test_every_cut_of_a_message_is_refused(content):
    for length in {*range(40), *range(40, len(content), 37), len(content) - 1}:
        with pytest.raises(EnvelopeMalformed):
            Envelope.from_bytes(content[:length])


def test_bytes_after_the_end_are_refused(content):
    with pytest.raises(EnvelopeMalformed, match="after its end"):
        Envelope.from_bytes(content + b"\0")


def test_an_oversized_message_is_refused_before_it_is_parsed(content):
    with pytest.raises(EnvelopeMalformed, match=str(ENVELOPE_MAX)):
        Envelope.from_bytes(content + bytes(ENVELOPE_MAX))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_every_changed_byte_is_noticed(world, content, place, flip):
    changed = bytearray(content)
    changed[int(place * len(content))] ^= flip
    with pytest.raises(EnvelopeError):
        world.verify(Envelope.from_bytes(bytes(changed)))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b'"counter":1', b'"counter": 1', "one form"),
        (b'"counter":1', b'"counter":1.0', "holds what"),
        (b'"counter":1', b'"counter":NaN', "one form"),
        (b'"counter":1,', b'"counter":1,"counter":1,', "one form"),
        (b'"counter":1,', b"", "other keys"),
        (b'"v":1', b'"v":2', "version"),
        (b'"type":"pay"', b'"type":"bet"', "no type"),
        (b'"type":"pay"', b'"type":"check"', "goes to each"),
        (b'"id":"req-1"', b'"id":""', "holds what"),
        (b'"agreement":"ag-1",', b'"agreement":"ag-1","amount":5,', "undeclared"),
        (b'"agreement":"ag-1",', b'"agreement":"ag-1","note":"x",', "undeclared"),
        (b'"agreement":"ag-1",', b"", "missing"),
        (b'"agreement":"ag-1",', b'"agreement":7,', "agreement must"),
        (b'"mpp":"purse","agreement":"ag-1"', b'"agreement":"ag-1","mpp":"purse"', "undeclared"),
    ],
)
def test_a_header_in_another_form_is_refused(content, old, new, complaint):
    size = int.from_bytes(content[6:10], "little")
    header = patched(content[10 : 10 + size], old, new)
    changed = content[:6] + len(header).to_bytes(4, "little") + header + content[10 + size :]
    with pytest.raises(EnvelopeError, match=complaint):
        Envelope.from_bytes(changed)


def test_deeply_nested_json_is_refused(content):
    size = int.from_bytes(content[6:10], "little")
    deep = b"[" * 100_000 + b"]" * 100_000
    changed = content[:6] + len(deep).to_bytes(4, "little") + deep + content[10 + size :]
    with pytest.raises(EnvelopeMalformed):
        Envelope.from_bytes(changed)


def test_swapped_parts_are_refused(world):
    envelope = world.compose()
    first, second, third = envelope._bodies
    envelope._bodies = (first, third, second)
    with pytest.raises(EnvelopeMalformed, match="not the one that was signed"):
        Envelope.from_bytes(envelope.to_bytes())


def test_a_part_of_another_message_is_refused(world):
    one, two = world.compose(), world.compose()
    one._bodies = (two._bodies[0], *one._bodies[1:])
    with pytest.raises(EnvelopeMalformed, match="not the one that was signed"):
        Envelope.from_bytes(one.to_bytes())


def test_a_lane_of_somebody_else_does_not_open_in_ones_own_message(world):
    stolen = world.compose()
    own = world.compose(sender="other")
    forged = resigned(world, "other", own, own, stolen._bodies)
    world.verify(forged)
    with pytest.raises(SealBroken, match="another"):
        world.open(forged, "node-a")


def resigned(world, sender, header, table, bodies):
    """A message whose parts are others', signed properly by a dishonest sender."""
    base = header._base
    signature = world.rings[sender].sign(
        b"petcore envelope 1\n" + hashlib.sha256(base).digest() + table._table
    )
    return Envelope(header.header, table.table, base, table._table, signature, bodies)


def test_a_part_that_was_sealed_for_another_request_does_not_open(world):
    one, two = world.compose(), world.compose(counter=2)
    forged = resigned(world, "shop-bank", one, two, two._bodies)
    world.verify(forged)
    with pytest.raises(SealBroken, match="another message"):
        world.open(forged, "purse")


def test_a_signature_of_somebody_else_is_refused(world):
    envelope = world.compose()
    header = envelope.header._replace(key=world.rings["shop-bank"].key_id)
    forged = resigned(world, "other", envelope, envelope, envelope._bodies)
    assert forged.header == header
    with pytest.raises(SignatureWrong, match="shop-bank"):
        world.verify(forged)


def test_a_sender_without_published_keys_is_refused(world, tmp_path):
    stranger = KeyRing.make(tmp_path, "stranger", now=lambda: NOW)
    envelope = compose(
        "pay", "r", PAY, ring=stranger, keys=world.keys, to=TO, expires_in=9, counter=1, now=NOW
    )
    with pytest.raises(EpochUnknown, match=r"stranger\.keys\.json"):
        world.verify(envelope)


def test_a_message_for_others_is_refused(world):
    with pytest.raises(RecipientWrong, match="not for other"):
        world.verify(world.compose(), recipient="other")
    with pytest.raises(RecipientWrong, match="no part for other"):
        world.open(world.compose(), "other")


def test_a_message_is_good_until_its_expiry_and_five_minutes_of_clock_skew(world):
    envelope, minute = world.compose(expires_in=60), 60_000
    world.verify(envelope, now=NOW + 6 * minute)
    with pytest.raises(EnvelopeExpired):
        world.verify(envelope, now=NOW + 6 * minute + 1)
    world.verify(envelope, now=NOW - 5 * minute)
    with pytest.raises(ClockSkew, match="compare the two clocks"):
        world.verify(envelope, now=NOW - 5 * minute - 1)


def test_packed_messages_come_out_as_they_went_in(content):
    assert unpack(pack([content, b"", content])) == [content, b"", content]
    assert unpack(pack([])) == []


@pytest.mark.parametrize("cut", [0, 3, 5, 9, -1])
def test_packed_messages_that_are_cut_short_are_refused(content, cut):
    with pytest.raises(EnvelopeMalformed):
        unpack(pack([content, content])[:cut])


def test_packed_messages_are_bounded(content):
    with pytest.raises(EnvelopeMalformed, match="more than 2"):
        unpack(pack([b""] * 3), most=2)
    with pytest.raises(EnvelopeMalformed, match="follow"):
        unpack(pack([content]) + b"\0")
    with pytest.raises(EnvelopeMalformed, match="cut short"):
        unpack((2**32 - 1).to_bytes(4, "little") + b"\xff" * 8, most=2**32)
    with pytest.raises(UsageError, match="at most"):
        pack([b""] * 5000)
