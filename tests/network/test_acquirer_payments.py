"""Payments at an acquirer's edge, against a network that answers, is slow, or is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from petcore.network.acquirer.book import Book
from petcore.network.acquirer.orders import PaymentRef
from petcore.network.node.replies import Reply

from .acquirer_network import NOW_MS
from .acquirer_scenes import CLIENT, ended, order, play, ref, refund, until, watching


def test_a_payment_that_the_network_approves_is_done(tmp_path):
    async def scene(edge, network):
        reply = await edge.pay(order())
        return reply, await edge.inquire(ref()), network

    paid, asked, network = play(tmp_path, scene)
    assert paid.code == "done"
    assert (paid.payment.id, paid.payment.mpp) == ("W-pay-1", "purse")
    assert paid.payment.time == NOW_MS / 1000
    assert asked.payment == paid.payment
    assert network.requests["pay-1"].fee == 7  # 0.7 % of 1000, rounded up
    assert network.calls == ["pay pay-1"]  # the inquiry read the journal


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("balance", "balance"),
        ("limit", "rejected"),
        ("risk", "rejected"),
        ("token", "illegal"),
        ("other", "rejected"),
    ],
)
def test_a_payment_that_is_declined_says_as_much_as_it_may(tmp_path, word, code):
    async def scene(edge, network):
        network.decide = lambda *_: word
        return await edge.pay(order()), await edge.inquire(ref())

    paid, asked = play(tmp_path, scene)
    assert paid.code == code
    assert asked.payment.code == code
    assert asked.code == "done"  # of the call: the inquiry itself succeeded


def test_what_the_nodes_decline_although_the_wallet_accepts_is_rejected(tmp_path):
    async def scene(edge, network):
        network.vetoed.add("pay-1")
        return await edge.pay(order())

    assert play(tmp_path, scene).code == "rejected"


def test_the_same_request_gets_the_stored_answer_and_takes_effect_once(tmp_path):
    async def scene(edge, network):
        replies = [await edge.pay(order()) for _ in range(3)]
        return replies, network

    replies, network = play(tmp_path, scene)
    assert replies[0] == replies[1] == replies[2]
    assert network.calls == ["pay pay-1"]


def test_the_same_request_many_times_at_once_takes_effect_once(tmp_path):
    async def scene(edge, network):
        return await asyncio.gather(*(edge.pay(order()) for _ in range(20))), network

    replies, network = play(tmp_path, scene)
    assert {reply.code for reply in replies} == {"done"}
    assert network.calls == ["pay pay-1"]


def test_an_id_with_other_parameters_is_inconsistent_and_changes_nothing(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        other = await edge.pay(order(amount=2000))
        stranger = await edge.pay(replace(order(), client="OTHER", key="other"))
        return other, stranger, await edge.inquire(ref())

    other, stranger, asked = play(tmp_path, scene)
    assert other.code == stranger.code == "inconsistent"
    assert asked.payment.amount == 1000


def test_a_payment_of_another_client_does_not_exist(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        strange = PaymentRef("OTHER", "pay-1")
        return [
            await edge.inquire(strange),
            await edge.cancel(strange),
            await edge.refund(replace(refund("r", 1), of=strange)),
            await edge.inquire(PaymentRef("OTHER", "", "W-pay-1")),
        ]

    assert {reply.code for reply in play(tmp_path, scene)} == {"absent"}


def test_a_payment_is_found_by_the_wallets_id_too(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        return await edge.inquire(PaymentRef(CLIENT, "", "W-pay-1"))

    assert play(tmp_path, scene).payment.request == "pay-1"


@pytest.mark.parametrize(
    "more",
    [
        {"currency": "EUR"},  # no agreement
        {"details": {"order_id": "x" * 65}},
        {"details": {"shoe_size": "44"}},
    ],
)
def test_an_order_that_cannot_be_sent_is_refused_before_it_is_kept(tmp_path, more):
    async def scene(edge, network):
        return await edge.pay(order(**more)), await edge.inquire(ref()), network

    paid, asked, network = play(tmp_path, scene)
    assert (paid.code, asked.code) == ("illegal", "absent")
    assert not network.calls


def test_a_request_that_has_expired_is_refused(tmp_path):
    async def scene(edge, network):
        return await edge.pay(order(expires=datetime.now(UTC) - timedelta(seconds=1))), network

    reply, network = play(tmp_path, scene)
    assert reply.code == "illegal"
    assert not network.calls


def test_a_network_that_is_away_leaves_a_payment_unknown_and_then_pays_it_once(tmp_path):
    async def scene(edge, network):
        network.away = True
        async with watching(edge):
            first = await edge.pay(order())
            assert (await edge.inquire(ref())).payment.code == "pending"
            network.away = False
            await until(lambda: ended(edge))
        return first, await edge.pay(order()), network

    first, second, network = play(tmp_path, scene, answer=0.05)
    assert (first.code, second.code) == ("pending", "done")
    assert network.calls.count("pay pay-1") == 1


def test_an_answer_that_was_lost_is_fetched_by_inquiry(tmp_path):
    async def scene(edge, network):
        network.mute = True
        async with watching(edge):
            first = await edge.pay(order())
            network.mute = False
            await until(lambda: ended(edge))
        return first, await edge.inquire(ref()), network

    first, asked, network = play(tmp_path, scene, answer=0.05)
    assert (first.code, asked.payment.code) == ("pending", "done")
    assert network.calls.count("pay pay-1") == 1  # asked about, not sent again


def test_a_payment_without_a_decision_is_cancelled_in_the_end(tmp_path):
    async def scene(edge, network):
        network.slow.add("pay-1")
        network.decide = lambda *_: "accepted"
        async with watching(edge):
            first = await edge.pay(order())
            await until(lambda: ended(edge))
        return first, await edge.inquire(ref()), await edge.pay(order()), network

    first, asked, again, network = play(tmp_path, scene, answer=0.02, give_up=0.1)
    assert first.code == "pending"
    assert asked.payment.code == again.code == "cancelled"
    assert network.requests["pay-1"].cancelled
    assert not network.requests["pay-1"].approved


def test_a_payment_counts_as_failed_only_after_its_cancellation_succeeded(tmp_path):
    async def scene(edge, network):
        network.away = True
        async with watching(edge):
            await edge.pay(order())
            await edge.flow.look_after(edge._desk.key_of("pay-1"))
            open_still = await edge.inquire(ref())
            network.away = False
            await until(lambda: ended(edge))
        return open_still, await edge.inquire(ref())

    before, after = play(tmp_path, scene, answer=0.02, give_up=0.02)
    assert before.payment.code == "pending"
    assert after.payment.code == "cancelled"


def test_a_payment_without_a_code_waits_for_its_payer(tmp_path):
    async def scene(edge, network):
        first = await edge.pay(order(token=""))
        again = await edge.pay(order(token=""))
        notice = replace(network.agree("pay-1"), number=1)
        taken = [await edge.flow.learn([notice]), await edge.flow.learn([notice])]
        return first, again, taken, await edge.inquire(ref()), network

    first, again, taken, asked, network = play(tmp_path, scene)
    assert first == again
    assert first.code == "pending"
    assert first.payment.normal_url == "https://purse.example/cashier/pay-1"
    assert first.payment.id == "W-pay-1"
    assert taken == [1, 0]
    assert asked.payment.code == "done"
    assert network.calls == ["pay pay-1"]


def test_a_notification_about_an_unknown_request_is_taken_and_nothing_happens(tmp_path):
    async def scene(edge, network):
        stranger = Reply("pending", "shop-bank", "never", number=1)
        return await edge.flow.learn([stranger]), await edge.inquire(ref("never"))

    taken, asked = play(tmp_path, scene)
    assert (taken, asked.code) == (1, "absent")


def test_a_consultation_asks_and_moves_nothing(tmp_path):
    async def scene(edge, network):
        network.balance = 500
        much = await edge.pay(order("ask-1", consult=True))
        little = await edge.pay(order("ask-2", 100, consult=True))
        return much, little, network, Book(edge._desk.database, "shop-bank").positions()

    much, little, network, positions = play(tmp_path, scene)
    assert (much.code, little.code) == ("balance", "done")
    assert {seen.kind for seen in network.requests.values()} == {"consult"}
    assert not any(positions.values())


def spoiled(name: str) -> Callable[[Reply], Reply]:
    def spoil(reply: Reply) -> Reply:
        if reply.status != "decided":
            return reply
        first, second, check = reply.envelopes
        cut = {
            "one share twice": (first, first, check),
            "no check": (first, second),
            "no shares": (check,),
            "a check for a share": (check, second, check),
            "a share for the check": (first, second, first),
            "changed bytes": (first, second, check[:-9] + bytes([check[-9] ^ 1]) + check[-8:]),
            "no envelope": (first, second, b"{}"),
        }
        if name == "another id":
            return replace(reply, id="pay-2")
        return replace(reply, envelopes=cut[name])

    return spoil


@pytest.mark.parametrize(
    "name",
    [
        "one share twice",
        "no check",
        "no shares",
        "a check for a share",
        "a share for the check",
        "changed bytes",
        "no envelope",
        "another id",
    ],
)
def test_an_answer_that_does_not_verify_decides_nothing(tmp_path, name):
    async def scene(edge, network):
        network.spoil = spoiled(name)
        first = await edge.pay(order())
        network.spoil = lambda reply: reply
        await edge.flow.look_after(edge._desk.key_of("pay-1"))
        return first, await edge.inquire(ref())

    first, asked = play(tmp_path, scene, answer=0.05)
    assert first.code == "pending"
    assert asked.payment.code == "done"


def test_shares_of_different_batches_do_not_add_up(tmp_path):
    async def scene(edge, network):
        await edge.pay(order("other"))
        theirs = network.requests["other"].reply.envelopes[1]
        network.spoil = lambda reply: replace(
            reply, envelopes=(reply.envelopes[0], theirs, reply.envelopes[2])
        )
        return await edge.pay(order())

    assert play(tmp_path, scene, answer=0.05).code == "pending"
