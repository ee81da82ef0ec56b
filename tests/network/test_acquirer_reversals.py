"""Refunds, cancellations and restarts at an acquirer's edge."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from petcore.network.acquirer.book import Book
from petcore.network.acquirer.edge import Acquirer
from petcore.network.acquirer.orders import PaymentRef
from petcore.network.node.replies import Reply

from .acquirer_network import make_network, open_edge, shut, stored
from .acquirer_scenes import CLIENT, ended, order, play, ref, refund, until, watching


def position(edge: Acquirer) -> int:
    return Book(edge._desk.database, "shop-bank").positions().get("SGD", 0)


def test_refunds_in_parts_give_back_exactly_what_was_paid(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        earned = position(edge)
        replies = [
            await edge.refund(refund(f"back-{part}", amount))
            for part, amount in enumerate((333, 333, 334))
        ]
        return earned, replies, position(edge), await edge.inquire(ref()), network

    earned, replies, left, asked, network = play(tmp_path, scene)
    assert earned == 993
    assert [reply.code for reply in replies] == ["done"] * 3
    assert replies[0].entry.id == "R-back-0"
    assert left == 0
    fees = [network.requests[f"back-{part}"].fee for part in range(3)]
    assert sum(fees) == network.requests["pay-1"].fee  # each rounds, their sum does not
    assert [entry.amount for entry in asked.payment.entries] == [333, 333, 334]
    assert asked.payment.code == "done"


def test_refunds_at_the_current_rate_give_back_no_more_fee_than_was_taken(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        for part in range(20):
            await edge.refund(refund(f"back-{part}", 50, fx="current"))
        return network

    requests = play(tmp_path, scene).requests
    fees = [requests[f"back-{part}"].fee for part in range(20)]
    assert sum(fees) == requests["pay-1"].fee < len(fees)


@pytest.mark.parametrize("amount", [1001, 5000])
def test_a_refund_of_more_than_was_paid_is_refused_here(tmp_path, amount):
    async def scene(edge, network):
        await edge.pay(order())
        return await edge.refund(refund("back-1", amount)), network

    reply, network = play(tmp_path, scene)
    assert reply.code == "exceeds"
    assert network.calls == ["pay pay-1"]


def test_the_sum_of_refunds_is_bounded_however_many_come_at_once(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        replies = await asyncio.gather(*(edge.refund(refund(f"back-{i}", 300)) for i in range(8)))
        return sorted(reply.code for reply in replies), network

    codes, network = play(tmp_path, scene)
    assert codes == ["done"] * 3 + ["exceeds"] * 5
    assert sum(seen.amount for seen in network.requests.values() if seen.payment) == 900


def test_a_refund_that_the_network_declines_says_so_for_ever(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        network.vetoed.add("back-1")
        first = await edge.refund(refund("back-1", 300))
        network.vetoed.clear()
        return first, await edge.refund(refund("back-1", 300)), position(edge)

    first, again, left = play(tmp_path, scene)
    assert first.code == again.code == "rejected"
    assert left == 993


def test_the_same_refund_again_is_answered_from_the_journal(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        replies = [await edge.refund(refund("back-1", 1000)) for _ in range(2)]
        other = await edge.refund(refund("back-1", 999))
        return replies, other, network

    replies, other, network = play(tmp_path, scene)
    assert replies[0].entry == replies[1].entry
    assert replies[1].code == "done"
    assert other.code == "inconsistent"
    assert network.calls == ["pay pay-1", "refund pay-1"]


def test_the_id_of_a_payment_cannot_be_that_of_its_refund(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        return await edge.refund(refund("pay-1", 300))

    assert play(tmp_path, scene).code == "inconsistent"


def test_a_refund_in_another_currency_is_illegal(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        return await edge.refund(refund("back-1", 300, currency="JPY"))

    assert play(tmp_path, scene).code == "illegal"


def test_what_was_not_paid_cannot_be_refunded(tmp_path):
    async def scene(edge, network):
        network.balance = 10
        await edge.pay(order("poor"))
        await edge.pay(order("page", token=""))
        await edge.pay(order("gone", 5))
        await edge.cancel(ref("gone"))
        names = ("never", "poor", "page", "gone")
        return [(await edge.refund(refund(f"r-{of}", 5, of))).code for of in names]

    assert play(tmp_path, scene) == ["absent", "absent", "pending", "cancelled"]


def test_a_refund_without_an_answer_is_unknown_and_then_ends(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        network.mute = True
        async with watching(edge):
            first = await edge.refund(refund("back-1", 300))
            second = await edge.refund(refund("back-2", 300))
            network.mute = False
            await until(lambda: refunded(edge))
        return first, second, await edge.refund(refund("back-1", 300))

    async def refunded(edge):
        return (await edge.inquire(ref())).payment.entries[0].code == "done"

    first, second, again = play(tmp_path, scene, answer=0.05)
    assert (first.code, second.code, again.code) == ("pending", "unclear", "done")


def test_a_payment_is_cancelled_in_every_state(tmp_path):
    async def scene(edge, network):
        await edge.pay(order("done"))
        await edge.pay(order("page", token=""))
        await edge.pay(order("part"))
        await edge.refund(refund("back-1", 400, "part"))
        network.balance = 10
        await edge.pay(order("poor"))
        replies = [await edge.cancel(ref(name)) for name in ("done", "page", "part", "poor")]
        asked = [await edge.inquire(ref(name)) for name in ("done", "page", "part", "poor")]
        return replies, asked, position(edge), network

    replies, asked, left, network = play(tmp_path, scene)
    assert {reply.code for reply in replies} == {"done"}
    codes = [reply.payment.code for reply in asked]
    assert codes == ["cancelled", "cancelled", "cancelled", "balance"]
    assert [entry.kind for entry in asked[2].payment.entries] == ["refund", "cancel"]
    assert left == 0
    assert not any(seen.approved for seen in network.requests.values() if seen.kind == "pay")


def test_a_cancellation_is_idempotent_and_answers_from_the_journal(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        return [await edge.cancel(ref()) for _ in range(3)], network

    replies, network = play(tmp_path, scene)
    assert [reply.code for reply in replies] == ["done"] * 3
    assert network.calls == ["pay pay-1", "cancel pay-1"]


def test_a_cancelled_payment_that_is_asked_for_again_is_cancelled(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        await edge.cancel(ref())
        return await edge.pay(order()), await edge.refund(refund("back-1", 5))

    assert {reply.code for reply in play(tmp_path, scene)} == {"cancelled"}


def test_an_unknown_id_is_forbidden_so_that_a_late_payment_is_refused(tmp_path):
    async def scene(edge, network):
        reply = await edge.cancel(ref())
        return reply, await edge.pay(order()), await edge.inquire(ref()), network

    reply, late, asked, network = play(tmp_path, scene)
    assert reply.code == "done"
    assert late.code == asked.code == "cancelled"
    assert network.requests["pay-1"].cancelled  # and the network refuses it as well
    assert network.calls == ["cancel pay-1"]


def test_a_cancellation_is_done_only_after_the_wallet_said_so(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        network.away = True
        async with watching(edge):
            first = await edge.cancel(ref())
            before = await edge.inquire(ref())
            network.away = False
            await until(lambda: cancelled(edge))
        return first, before, await edge.cancel(ref())

    async def cancelled(edge):
        return (await edge.inquire(ref())).payment.code == "cancelled"

    first, before, again = play(tmp_path, scene, answer=0.05)
    assert first.code == "unclear"
    assert before.payment.code == "done"
    assert again.code == "done"


def test_a_payment_waits_no_longer_once_it_is_cancelled(tmp_path):
    async def scene(edge, network):
        network.slow.add("pay-1")
        paying = asyncio.create_task(edge.pay(order()))
        await until(lambda: arrived(network))
        reply = await edge.cancel(ref())
        return reply, await paying

    async def arrived(network):
        return "pay-1" in network.requests

    cancelled, paid = play(tmp_path, scene)
    assert (cancelled.code, paid.code) == ("done", "cancelled")


class Clock:
    """A clock that a test sets; milliseconds since 1970."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> int:
        return int(self.now.timestamp() * 1000)


def test_the_window_ends_at_a_quarter_past_midnight_of_the_next_day(tmp_path):
    clock = Clock(datetime(2026, 11, 22, 15, 59, tzinfo=UTC))  # 23:59 in UTC+8

    async def scene(edge, network):
        await edge.pay(order())
        await edge.pay(order("pay-2"))
        clock.now = datetime(2026, 11, 22, 16, 15, tzinfo=UTC)
        inside = await edge.cancel(ref())
        clock.now = datetime(2026, 11, 22, 16, 15, 1, tzinfo=UTC)
        return inside, await edge.cancel(ref("pay-2")), network

    inside, outside, network = play(tmp_path, scene, clock=clock)
    assert (inside.code, outside.code) == ("done", "too_late")
    assert network.calls.count("cancel pay-2") == 0


def test_a_window_that_the_network_closed_is_closed(tmp_path):
    async def scene(edge, network):
        await edge.pay(order())
        network.spoil = lambda reply: replace(reply, status="refused", code="window", envelopes=())
        return await edge.cancel(ref()), await edge.inquire(ref())

    cancelled, asked = play(tmp_path, scene)
    assert cancelled.code == "too_late"
    assert asked.payment.code == "done"


def test_after_a_crash_before_anything_was_sent_the_payment_is_made_once(tmp_path):
    network = make_network(tmp_path)

    async def crash() -> None:
        edge = open_edge(network, tmp_path, answer=0.02)
        network.away = True
        assert (await edge.pay(order())).code == "pending"
        edge._desk.database.close()  # nothing that ran is heard of again

    async def restart() -> list[str]:
        network.away = False
        edge = open_edge(network, tmp_path)
        async with watching(edge):
            await until(lambda: ended(edge))
        codes = [(await edge.pay(order())).code]
        await shut(edge)
        return codes

    asyncio.run(crash())
    assert asyncio.run(restart()) == ["done"]
    assert network.calls.count("pay pay-1") == 1


def test_after_a_crash_before_the_answer_was_kept_the_stored_one_is_fetched(tmp_path):
    network = make_network(tmp_path)

    async def crash() -> None:
        edge = open_edge(network, tmp_path, answer=0.02)
        network.mute = True
        assert (await edge.pay(order())).code == "pending"
        edge._desk.database.close()

    async def restart() -> str:
        network.mute = False
        edge = open_edge(network, tmp_path)
        async with watching(edge):
            await until(lambda: ended(edge))
        code = (await edge.pay(order())).code
        await shut(edge)
        return code

    asyncio.run(crash())
    assert asyncio.run(restart()) == "done"
    assert network.calls == ["pay pay-1", "ask pay-1"]


def test_a_second_edge_on_the_same_journal_is_refused(tmp_path):
    async def scene(edge, network):
        with pytest.raises(Exception, match="another process owns"):
            open_edge(network, tmp_path)

    play(tmp_path, scene)


def test_the_edge_itself_keeps_what_it_may_know(tmp_path):
    async def scene(edge, network):
        await edge.pay(order(details={"order_id": "order-1", "merchant_name": "CANARY-Kopi"}))

    play(tmp_path, scene)
    assert "CANARY-Kopi" in stored(tmp_path)


def test_a_reply_about_nothing_is_no_answer(tmp_path):
    async def scene(edge, network):
        network.spoil = lambda reply: Reply("unknown", reply.sender, reply.id)
        first = await edge.pay(order())
        return first, await edge.inquire(PaymentRef(CLIENT, "pay-1"))

    first, asked = play(tmp_path, scene, answer=0.05)
    assert first.code == asked.payment.code == "pending"


def test_two_edges_tag_equal_contents_differently(tmp_path):
    tags = set()
    for name in ("one", "two"):
        place = tmp_path / name
        place.mkdir()

        async def scene(edge, network):
            tags.add(edge.flow.tag("the same"))

        play(place, scene)
    assert len(tags) == 2
    assert isinstance(tmp_path, Path)


def test_a_refund_that_is_answered_after_a_cancellation_ends_and_moves_nothing_more(tmp_path):
    async def scene(edge, network):
        async with watching(edge):
            await edge.pay(order())
            network.slow.add("back-1")
            first = await edge.refund(refund("back-1", 300))
            await edge.cancel(ref())
            network.slow.clear()
            await until(lambda: over(edge))
        return first, await edge.refund(refund("back-1", 300)), position(edge)

    async def over(edge):
        return not await edge.flow.recover()

    first, again, left = play(tmp_path, scene, answer=0.05, poll=0.02)
    assert (first.code, again.code, left) == ("pending", "cancelled", 0)
