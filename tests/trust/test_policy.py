"""The policy: asked before the log is written, and before anything is sent."""

import pytest

from petcore.config import Rule
from petcore.errors import DisclosureRefused
from petcore.mpc.disclosure import DisclosureSink
from petcore.trust import chain
from petcore.trust.log import DisclosureLog
from petcore.trust.policy import LoggedPolicy, Policy

NETS = Rule("net position of *", ("wallet",), "CLEARING-7")
AUC = Rule("held-out AUC", ("*",), "DPA-2025-01")


def test_without_rules_everything_is_allowed_as_it_is(disclosure):
    assert Policy().allow(disclosure()) == disclosure()


def test_with_an_empty_list_of_rules_nothing_is_allowed(disclosure):
    with pytest.raises(DisclosureRefused, match="held-out AUC"):
        Policy(()).allow(disclosure())


def test_a_rule_allows_its_labels_to_its_recipients(disclosure):
    asked = disclosure(label="net position of acme", recipients=("wallet",), agreement="")
    assert Policy((AUC, NETS)).allow(asked).agreement == "CLEARING-7"


def test_every_recipient_needs_a_rule(disclosure):
    asked = disclosure(label="net position of acme", recipients=("wallet", "gateway"), agreement="")
    with pytest.raises(DisclosureRefused, match=r"'net position of acme' to gateway;.*add a"):
        Policy((NETS,)).allow(asked)


def test_a_disclosure_that_cites_another_agreement_is_refused(disclosure):
    with pytest.raises(DisclosureRefused, match="under agreement 'verbal'"):
        Policy((AUC,)).allow(disclosure(agreement="verbal"))


def test_the_star_means_any_recipient_also_one_outside_the_session(disclosure):
    Policy((AUC,)).allow(disclosure(recipients=("an edge",)))


@pytest.mark.parametrize(
    ("pattern", "label", "fits"),
    [
        ("*", "anything", True),
        ("net*", "net of 7", True),
        ("net*", "a net of 7", False),
        ("*AUC", "held-out AUC", True),
        ("a*c", "abc", True),
        ("a.c", "abc", False),
        ("a?c", "abc", False),
        ("[abc]", "a", False),
        ("[abc]", "[abc]", True),
        ("two *", "two \n lines", True),
        ("AUC", "auc", False),
    ],
)
def test_only_the_star_is_special_in_a_label_pattern(disclosure, pattern, label, fits):
    policy = Policy((Rule(pattern, ("*",)),))
    asked = disclosure(label=label, agreement="")
    if fits:
        assert policy.allow(asked) == asked
    else:
        with pytest.raises(DisclosureRefused):
            policy.allow(asked)


def test_the_log_holds_what_was_allowed_with_its_agreement_and_not_what_was_refused(
    tmp_path, disclosure
):
    path = tmp_path / "log.jsonl"
    with DisclosureLog(path, "gateway") as log:
        sink = LoggedPolicy(Policy((NETS,)), log)
        assert isinstance(sink, DisclosureSink)
        sink.record(disclosure(label="net position of a", recipients=("wallet",), agreement=""))
        with pytest.raises(DisclosureRefused):
            sink.record(disclosure(label="salary"))
    (record,) = chain.read(path)
    assert (record["label"], record["agreement"]) == ("net position of a", "CLEARING-7")
