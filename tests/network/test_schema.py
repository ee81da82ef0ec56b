"""The declaration of messages: what it promises about who gets what in which form."""

import numpy as np
import pytest

from petcore.errors import UsageError
from petcore.network.errors import EnvelopeMalformed, FieldRefused
from petcore.network.fields import NODES, Field, Message
from petcore.network.kinds import AMOUNT, CURRENCY, ID, NAME, NUMBER, text, vector, words
from petcore.network.schema import MESSAGES, message

FIELDS = [(m, f) for m in MESSAGES.values() for f in m.fields]
NAMES = [f"{m.name}.{f.name}" for m, f in FIELDS]


def test_the_messages_of_the_network_are_declared():
    assert {"pay", "consult", "check", "refund", "refund_check", "decision"} <= set(MESSAGES)
    assert {"cancel", "cancelled", "notify", "awaiting", "net", "net_request"} <= set(MESSAGES)


def test_an_unknown_message_is_refused():
    with pytest.raises(EnvelopeMalformed, match="no type of message"):
        message("payment")


@pytest.mark.parametrize(("declared", "field"), FIELDS, ids=NAMES)
def test_nodes_see_only_what_is_operational(declared, field):
    for node in NODES:
        if field.forms.get(node, "share") != "share" and field.name != "net":
            assert field.cls == "operational"


def test_a_net_is_sealed_to_whom_it_belongs():
    assert set(MESSAGES["net"].by_name["net"].forms.values()) == {"sealed"}


@pytest.mark.parametrize(("declared", "field"), FIELDS, ids=NAMES)
def test_every_field_is_kept_for_a_stated_time(declared, field):
    assert 1 <= field.keep_days <= 3650
    assert field.cls != "personal" or field.keep_days <= 385


@pytest.mark.parametrize("name", ["amount", "fee", "seen", "debit", "available", "features"])
def test_a_number_of_a_payment_reaches_the_nodes_as_shares_only(name):
    found = [field for _, field in FIELDS if field.name == name]
    assert found
    for field in found:
        assert {field.forms.get(node) for node in NODES} == {"share"}


@pytest.mark.parametrize("message_name", ["decision", "cancelled", "check", "refund_check"])
def test_nothing_that_tells_approved_from_declined_reaches_a_node(message_name):
    for name in ("decisions", "done", "reason", "payment_id", "debit_amount", "refund_id"):
        field = MESSAGES[message_name].by_name.get(name)
        assert field is None or not set(field.forms) & set(NODES)


def test_a_token_is_sealed_and_its_tag_is_the_only_thing_in_the_open():
    forms = {field.name: field.forms for field in MESSAGES["consult"].fields}
    assert forms["payment_token"] == {"mpp": "sealed"}
    assert set(forms["token_tag"].values()) == {"token"}


@pytest.mark.parametrize(
    ("kind", "forms", "complaint"),
    [
        (AMOUNT, {"mpp": "clear", "node_a": "share", "node_b": "share"}, "all recipients or for"),
        (AMOUNT, {"mpp": "clear", "acqp": "sealed"}, "all recipients or for none"),
        (AMOUNT, {}, "all recipients or for none"),
        (AMOUNT, {"node_a": "share"}, "between both nodes"),
        (text(9), {"node_a": "share", "node_b": "share"}, "only a required number"),
        (AMOUNT, {"mpp": "share", "node_a": "share"}, "between both nodes"),
    ],
)
def test_a_field_that_contradicts_itself_cannot_be_declared(kind, forms, complaint):
    with pytest.raises(UsageError, match=complaint):
        Field("amount", kind, "financial", forms, 1)


def test_a_message_that_contradicts_itself_cannot_be_declared():
    field = Field("id", ID, "operational", {"mpp": "clear"}, 1)
    with pytest.raises(UsageError, match="twice"):
        Message("m", ("acqp",), ("mpp",), (field, field))
    with pytest.raises(UsageError, match="gets no such message"):
        Message("m", ("acqp",), ("node_a",), (field,))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (ID, ["a", "x" * 64, "Aa0-_.:/"], ["", "x" * 65, "a b", "ä", "a\n", 7, None]),
        (NAME, ["purse", "node-a", "7.x_y"], ["", "Purse", "-a", "a/b", "../a", "a" * 64, 1]),
        (CURRENCY, ["EUR", "JPY", "KWD"], ["eur", "EURO", "QQQ", "", None, 978]),
        (AMOUNT, [0, 1, 10**12, np.int64(5)], [-1, 10**12 + 1, 1.0, True, "1", None]),
        (NUMBER, [-(2**63), 2**63 - 1, 0], [2**63, -(2**63) - 1, 0.5, False]),
        (text(4), ["a", "äö", "a\nb"], ["", "abcde", "äöü", "a\0", "\x7f", b"a", 1]),
        (vector(3), [[], [1, -2], np.array([2**62])], [[1] * 4, [0.5], ["1"], [[1]], 7]),
        (words(2), [np.zeros(2, np.uint64)], [[1, 2], np.zeros(3, np.uint64), np.zeros(2)]),
    ],
    ids=["id", "name", "currency", "amount", "number", "text", "vector", "words"],
)
def test_a_kind_accepts_what_it_is_for_and_nothing_else(kind, good, bad):
    assert [kind.check(value) for value in good] == [""] * len(good)
    assert all(kind.check(value) for value in bad)


def test_a_complaint_names_the_message_and_the_field_but_not_the_value():
    values = {"payment": "p-4711", "mpp": "purse", "content": "not a digest"}
    with pytest.raises(FieldRefused, match="cancel: content must be 64") as refused:
        message("cancel").check(values)
    assert "not a digest" not in str(refused.value)


def test_words_do_not_decode_from_anything_else():
    kind = words(4)
    array = np.array([1, 2**64 - 1], np.uint64)
    assert (kind.decode(kind.encode(array)) == array).all()
    for wrong in ("AAAA", "%%%", "AAAAAAAAAAA", None, 5, "ä"):
        with pytest.raises(ValueError, match="no list of words"):
            kind.decode(wrong)
