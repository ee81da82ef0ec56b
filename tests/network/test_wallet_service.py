"""The wallet's answers to real messages of acquirers and nodes, good and forged."""

import json

import numpy as np
import pytest

from petcore.network.envelope import Envelope
from petcore.network.errors import (
    DecisionUnclear,
    EnvelopeMalformed,
    RecipientWrong,
    SignatureWrong,
)
from petcore.network.keyring import now_ms
from petcore.network.ledger import check_invariants
from petcore.network.node.replies import Reply
from petcore.network.wallet.edge import is_given_up
from tests.network.wallets import CASHIER, DAY, Around, Wallet


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    return Around(tmp_path_factory.mktemp("around"))


@pytest.fixture
def wallet(tmp_path, around):
    wallet = Wallet(tmp_path, around)
    yield wallet
    assert check_invariants(wallet.database, clear=True) == []
    wallet.database.close()


def one(answers):
    (answer,) = answers
    return answer


def code_of(answer):
    assert answer.startswith(b"{")
    return json.loads(answer)["code"]


def test_a_check_gives_shares_to_the_nodes_and_its_reason_to_the_acquirer_only(around, wallet):
    asked = around.pay(payment_token=wallet.code())
    answer = one(wallet.service.checks([asked]))
    envelope, told = around.read(answer)
    assert envelope.header.type == "check"
    assert envelope.header.clear == {
        "acqp": "shop-bank",
        "request": Envelope.from_bytes(asked).digest,
        "payer_currency": "EUR",
        "rate": "sgd-eur",
    }
    assert (told["reason"], told["debit_amount"]) == ("accepted", 200)
    numbers = {
        name: around.added(answer, name)
        for name in ("seen", "debit", "available", "count_left", "sum_left")
    }
    assert numbers == {
        "seen": 300,
        "debit": 200,
        "available": 5_000,
        "count_left": 100,
        "sum_left": 1_000_000,
    }
    shares = [around.read(answer, node)[1]["features"] for node in ("node-a", "node-b")]
    assert (shares[0] + shares[1]).astype(np.int64).tolist() == [7, -3]
    assert wallet.balance == (5_000, 4_800)


def test_a_declined_request_has_a_check_of_the_same_form_and_length(around, wallet):
    good = around.pay("p1", payment_token=wallet.code())
    poor = around.pay("p2", payment_token=wallet.code(), amount=9_000)
    nobody = around.pay("p3", payment_token="28" + "0" * 16)
    answers = wallet.service.checks([good, poor, nobody])
    read = [around.read(answer) for answer in answers]
    assert [told["reason"] for _, told in read] == ["accepted", "balance", "token"]
    assert len({envelope.for_recipient("node-a").size for envelope, _ in read}) == 1
    assert len({json.dumps(sorted(envelope.header.clear)) for envelope, _ in read}) == 1
    assert around.added(answers[2], "available") < 0


def test_both_nodes_shares_together_post_or_void(around, wallet):
    asked = [around.pay(f"p{i}", payment_token=wallet.code()) for i in range(2)]
    wallet.service.checks(asked)
    decisions = around.decide({"p0": 1, "p1": 0})
    for _ in range(2):
        states = wallet.service.decisions(decisions)
        assert states == {"shop-bank/p0": "posted", "shop-bank/p1": "voided"}
        assert wallet.balance == (4_800, 4_800)


def test_decisions_are_carried_out_however_late_they_come(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    old = around.decide({"p1": 1}, now=now_ms() - 3 * DAY)
    assert wallet.service.decisions(old) == {"shop-bank/p1": "posted"}


def test_decisions_of_requests_that_are_unknown_here_are_passed_over(around, wallet):
    assert wallet.service.decisions(around.decide({"consult-1": 1})) == {}


@pytest.mark.parametrize("keep", [0, 1])
def test_one_nodes_word_decides_nothing(around, wallet, keep):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    with pytest.raises(DecisionUnclear, match="only one node"):
        wallet.service.decisions(around.decide({"p1": 1})[keep : keep + 1])
    assert wallet.balance == (5_000, 4_800)


def test_the_same_nodes_word_twice_decides_nothing(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    first, _ = around.decide({"p1": 1})
    with pytest.raises(DecisionUnclear, match="only one node"):
        wallet.service.decisions([first, first])


def test_shares_that_do_not_fit_decide_nothing(around, wallet):
    wallet.service.checks([around.pay(f"p{i}", payment_token=wallet.code()) for i in range(2)])
    states = wallet.service.decisions(around.decide({"p0": 1, "p1": 1}, spoil=7))
    assert states["shop-bank/p1"] == "posted"
    assert isinstance(states["shop-bank/p0"], DecisionUnclear)
    assert wallet.balance == (4_800, 4_600)


def test_halves_of_different_batches_are_not_added(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    first, _ = around.decide({"p1": 1}, batch=1)
    _, second = around.decide({"p1": 1}, batch=2)
    with pytest.raises(DecisionUnclear, match="only one node"):
        wallet.service.decisions([first, second])


def test_two_batches_that_contradict_each_other_decide_nothing(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    both = around.decide({"p1": 1}, batch=1) + around.decide({"p1": 0}, batch=2)
    (state,) = wallet.service.decisions(both).values()
    assert isinstance(state, DecisionUnclear)
    assert wallet.balance == (5_000, 4_800)


def test_an_acquirer_cannot_decide(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    values = {"batch": 1, "senders": ["shop-bank"], "ids": ["p1"]}
    forged = around.message(
        "decision",
        "batch-1",
        values | {"decisions": np.ones(1, np.uint64)},
        sender="shop-bank",
        to={"mpp": "purse"},
    )
    with pytest.raises(SignatureWrong):
        wallet.service.decisions([forged])
    with pytest.raises(EnvelopeMalformed):
        wallet.service.decisions([around.pay()])
    assert wallet.balance == (5_000, 4_800)


def test_a_decision_with_more_ids_than_shares_is_malformed(around, wallet):
    values = {"batch": 1, "senders": ["shop-bank"] * 2, "ids": ["p1", "p2"]}
    short = around.message(
        "decision",
        "batch-1",
        values | {"decisions": np.ones(1, np.uint64)},
        sender="node-a",
        to={"mpp": "purse"},
    )
    with pytest.raises(EnvelopeMalformed, match="share for every id"):
        wallet.service.decisions([short])


def test_a_message_for_another_wallet_is_not_opened(around, wallet):
    decisions = around.decide({"p1": 1})
    wallet.service._ring = around.rings["shop-bank"]
    with pytest.raises(RecipientWrong):
        wallet.service.decisions(decisions)


def test_what_is_wrong_with_one_message_does_not_hold_up_the_others(around, wallet):
    good = around.pay("p1", payment_token=wallet.code())
    changed = bytearray(around.pay("p2", payment_token=wallet.code()))
    changed[-1] ^= 1  # the sealed part
    forged = around.pay("p3", sender="stranger")
    old = around.pay("p4", now=now_ms() - DAY)
    decision = around.decide({"p1": 1})[0]
    answers = wallet.service.checks([good, bytes(changed), forged, old, decision, b"{}", b""])
    assert around.read(answers[0])[1]["reason"] == "accepted"
    codes = [code_of(answer) for answer in answers[1:]]
    assert codes == ["malformed", "signature", "expired", "malformed", "malformed", "malformed"]
    assert wallet.balance == (5_000, 4_800)


def test_a_retry_by_a_fresh_message_gets_the_same_numbers(around, wallet):
    code = wallet.code()
    messages = [around.pay(payment_token=code) for _ in range(2)]
    first, second = (one(wallet.service.checks([message])) for message in messages)
    ids = [around.read(answer)[1]["payment_id"] for answer in (first, second)]
    assert ids[0] == ids[1]
    digests = [around.read(answer)[0].header.clear["request"] for answer in (first, second)]
    assert digests == [Envelope.from_bytes(message).digest for message in messages]
    assert wallet.balance == (5_000, 4_800)


def test_another_content_under_the_same_id_is_refused(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    answer = one(
        wallet.service.checks([around.pay(payment_token=wallet.code(), content="00" * 32)])
    )
    assert code_of(answer) == "inconsistent"


def test_a_payment_without_a_code_is_answered_by_where_its_payer_agrees(around, wallet):
    envelope, told = around.read(one(wallet.service.checks([around.pay()])))
    assert envelope.header.type == "awaiting"
    assert told["normal_url"] == f"{CASHIER}/cashier/{told['payment_id']}"
    assert not envelope.has_part("node-a")
    agreed = wallet.payments.agree("shop-bank/p1", wallet.book.users.get(["alice"])["alice"])
    assert agreed.id == told["payment_id"]


def test_a_payment_in_the_payers_own_currency_has_no_rate(around, wallet):
    asked = around.pay(payment_token=wallet.code(), merchant_currency="EUR", currency="EUR")
    envelope, told = around.read(one(wallet.service.checks([asked])))
    assert (envelope.header.clear["rate"], told["debit_amount"]) == ("-", 300)
    assert "quote" not in told


def test_a_wallet_without_a_page_refuses_payments_without_a_code(around, wallet):
    wallet.service._cashier = ""
    assert code_of(one(wallet.service.checks([around.pay()]))) == "field"


def test_a_refund_goes_the_whole_way(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    assert code_of(one(wallet.service.checks([around.refund("r0")]))) == "refund_busy"
    wallet.service.decisions(around.decide({"p1": 1}))
    answer = one(wallet.service.checks([around.refund()]))
    envelope, told = around.read(answer)
    assert (envelope.header.type, told["reason"]) == ("refund_check", "accepted")
    assert (around.added(answer, "seen"), around.added(answer, "debit")) == (100, 67)
    wallet.service.decisions(around.decide({"r1": 1}, batch=2))
    assert wallet.balance == (4_867, 4_867)
    too_much = around.refund("r2", amount=201, content="01" * 32)
    answer = one(wallet.service.checks([too_much]))
    assert around.read(answer)[1]["reason"] == "amount"
    assert around.added(answer, "seen") == 0  # so that the circuit declines it too


def test_a_cancel_is_answered_to_the_acquirer_alone(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    cancel = around.cancel()
    for _ in range(2):
        envelope, told = around.read(one(wallet.service.cancels([cancel])))
        assert envelope.header.type == "cancelled"
        assert told["done"] == "voided"
        assert not envelope.has_part("node-a")
    assert wallet.balance == (5_000, 5_000)
    late = one(wallet.service.checks([around.pay("p9", payment_token=wallet.code())]))
    assert around.read(late)[1]["reason"] == "accepted"


def test_a_cancel_of_what_never_came_forbids_it(around, wallet):
    assert around.read(one(wallet.service.cancels([around.cancel()])))[1]["done"] == "tombstoned"
    answer = one(wallet.service.checks([around.pay(payment_token=wallet.code())]))
    assert code_of(answer) == "cancelled"


def test_a_cancel_that_was_made_in_time_is_carried_out_however_late_it_comes(around, wallet):
    wallet.skew = -3 * DAY
    wallet.service.checks([around.pay(payment_token=wallet.code(seconds=1e6))])
    wallet.service.decisions(around.decide({"p1": 1}))
    wallet.skew = 0
    on_time = around.cancel(now=now_ms() - 3 * DAY + 1000)
    too_late = around.cancel(number="c2")
    answers = wallet.service.cancels([too_late, on_time])
    assert [around.read(answer)[1]["done"] for answer in answers] == ["too_late", "reversed"]
    assert wallet.balance == (5_000, 5_000)


def test_a_node_cannot_cancel_and_a_cancel_is_no_request(around, wallet):
    wallet.service.checks([around.pay(payment_token=wallet.code())])
    values = {"payment": "p1", "mpp": "purse", "content": "ef" * 32}
    forged = around.message("cancel", "c1", values, sender="node-a")
    assert code_of(one(wallet.service.cancels([forged]))) == "signature"
    assert code_of(one(wallet.service.cancels([around.pay("p2")]))) == "malformed"
    assert code_of(one(wallet.service.checks([around.cancel()]))) == "malformed"
    assert wallet.balance == (5_000, 4_800)


def test_a_consult_holds_nothing(around, wallet):
    values = {"token_tag": "11" * 32, "payment_token": wallet.code()}
    pay = Envelope.from_bytes(around.pay()).header.clear
    consult = around.message(
        "consult",
        "q1",
        pay | values | {"amount": 300, "fee": 1, "currency": "SGD"},
    )
    answers = [one(wallet.service.checks([consult])) for _ in range(4)]
    reasons = [around.read(answer)[1]["reason"] for answer in answers]
    assert reasons == ["accepted", "accepted", "accepted", "token"]
    assert wallet.balance == (5_000, 5_000)


def test_a_refund_of_a_payment_that_is_unknown_is_refused(around, wallet):
    assert code_of(one(wallet.service.checks([around.refund()]))) == "field"


@pytest.mark.parametrize(
    ("status", "state", "over"),
    [
        ("unknown", "", True),
        ("refused", "expired", True),
        ("cancelled", "voided", True),
        ("decided", "voided", False),
        ("decided", "posted", False),
        ("pending", "reserved", False),
    ],
)
def test_a_hold_is_not_released_where_a_decision_is_still_to_come(status, state, over):
    assert is_given_up(Reply(status, "shop-bank", "p1", "pay", state)) is over
