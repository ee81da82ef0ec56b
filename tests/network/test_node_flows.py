"""Payments through nodes A and B: what edges are told, and what nodes know."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from petcore.errors import ConfigError, PetcoreError
from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, open_part
from petcore.network.errors import RequestUnknown
from petcore.network.node.receipts import verify_receipt
from tests.network.nodes import ACQUIRER, NODES, WALLET, Acquirer, Network, Wallet, scenario, until

pytestmark = pytest.mark.processes

Act = Callable[[Acquirer, Wallet], Awaitable[None]]


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Iterator[Network]:
    made = Network(tmp_path_factory.mktemp("network"), limits="answer_seconds = 2")
    scenario(made, meet)
    yield made
    made.end()


@pytest.fixture
def run(network) -> Callable[[Act], None]:
    return lambda act: scenario(network, act)


async def meet(acquirer: Acquirer, wallet: Wallet) -> None:
    """Let the nodes find each other, so that answers come within the call."""
    await acquirer.send_until(acquirer.pay("first"))
    await acquirer.decided("first")


async def pay(acquirer: Acquirer, request_id: str, amount: int = 600) -> None:
    (reply,) = await acquirer.send_until(acquirer.pay(request_id, amount))
    assert acquirer.result(reply) == 1


def positions(network: Network) -> dict[tuple[str, str, str], int]:
    """Add both nodes' shares of every account."""
    total: dict[tuple[str, str, str], int] = {}
    for node in NODES:
        with sqlite3.connect(network.folder / f"{node}.db") as db:
            for *name, posted in db.execute(
                "SELECT owner, purpose, currency, posted FROM accounts"
            ):
                total[tuple(name)] = (total.get(tuple(name), 0) + posted) % 2**64
        db.close()
    return {name: (n + 2**63) % 2**64 - 2**63 for name, n in total.items()}


async def settled(network: Network) -> dict[tuple[str, str, str], int]:
    """Return the positions once B has committed everything too."""

    def open_at_b() -> bool:
        with sqlite3.connect(network.folder / "node-b.db") as db:
            (count,) = db.execute("SELECT count(*) FROM batches WHERE state < 2").fetchone()
        db.close()
        return bool(count)

    await until(lambda: not open_at_b())
    return positions(network)


def moved(before: dict, after: dict) -> dict:
    return {name: n - before[name] for name, n in after.items() if n != before[name]}


def test_a_payment_is_approved_for_both_edges_and_another_declined(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        (good,) = await acquirer.send_until(acquirer.pay("order/1", 600))
        assert (good.status, good.state, good.kind) == ("decided", "posted", "pay")
        assert acquirer.result(good) == 1
        (bad,) = await acquirer.send(acquirer.pay("order/2", 60_000))
        assert acquirer.result(bad) == 0
        assert (bad.status, bad.state) == (good.status, good.state)
        told = open_part(Envelope.from_bytes(bad.envelopes[2]), acquirer.ring)
        assert told["reason"] == "accepted"  # as the wallet said; the nodes did not look
        await until(lambda: wallet.heard("order/2") is not None)
        assert [wallet.heard("order/1"), wallet.heard("order/2")] == [1, 0]

    run(act)


def test_what_is_posted_is_the_debit_the_net_amount_and_the_fee_and_sums_to_zero(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-1")
        before = await settled(network)
        await pay(acquirer, "posted-1", 601)
        (declined,) = await acquirer.send(acquirer.pay("posted-2", 70_000))
        assert acquirer.result(declined) == 0
        assert moved(before, await settled(network)) == {
            (WALLET, "position", "EUR"): -401,  # 601 * 2/3, rounded up
            ("network", "exchange", "EUR"): 401,
            ("network", "exchange", "SGD"): -601,
            (ACQUIRER, "position", "SGD"): 599,
            ("network", "fees", "SGD"): 2,  # 601 * 3/1000, rounded up
        }

    run(act)


def test_many_payments_sent_together_are_decided_each_for_itself(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        amounts = [100 * (i + 1) for i in range(20)]
        wallet.available = 1000  # of each: the debit is two thirds
        sent = [acquirer.pay(f"many-{i}", amount) for i, amount in enumerate(amounts)]
        replies = await acquirer.send_until(*sent)
        assert [reply.id for reply in replies] == [f"many-{i}" for i in range(20)]
        assert [acquirer.result(reply) for reply in replies] == [
            int(-(-amount * 2 // 3) <= 1000) for amount in amounts
        ]

    run(act)


def test_the_same_request_again_gets_the_stored_answer_and_moves_nothing(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        first = acquirer.pay("again-1")
        (reply,) = await acquirer.send_until(first)
        before, calls = await settled(network), wallet.calls
        for envelope in (first, acquirer.pay("again-1")):  # the same bytes, and sealed afresh
            (again,) = await acquirer.send(envelope)
            assert again.envelopes == reply.envelopes
        assert (await acquirer.inquire("again-1")).envelopes == reply.envelopes
        assert wallet.calls == calls
        assert await settled(network) == before

    run(act)


def test_an_id_with_another_content_is_refused(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "other-1", 600)
        (reply,) = await acquirer.send(acquirer.pay("other-1", 601))
        assert (reply.status, reply.code, reply.retryable) == ("refused", "inconsistent", False)

    run(act)


def test_two_copies_of_a_request_at_once_are_one_payment(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-2")
        before = await settled(network)
        one, two = await asyncio.gather(
            acquirer.send(acquirer.pay("twice-1")), acquirer.send(acquirer.pay("twice-1"))
        )
        assert one[0].envelopes == two[0].envelopes
        assert moved(before, await settled(network))[WALLET, "position", "EUR"] == -400

    run(act)


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("amount", {"seen": 599, "debit": 400}, ""),
        ("rate", {"debit": 399}, ""),
        ("velocity", {"count_left": 0}, ""),
        ("balance", {"available": 399}, ""),
        ("terms", {"rate": "-"}, "terms"),
        ("request", {"request": "00" * 32}, "terms"),
    ],
)
def test_a_wallet_whose_numbers_do_not_fit_gets_no_payment_through(run, name, changes, code):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        wallet.changes = changes
        (reply,) = await acquirer.send_until(acquirer.pay(f"unfit-{name}", 600))
        if code:
            assert (reply.status, reply.code) == ("refused", code)
        else:
            assert acquirer.result(reply) == 0

    run(act)


@pytest.mark.parametrize("fee", [1, 3])
def test_a_fee_that_is_not_the_agreed_one_is_declined(run, fee):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        (reply,) = await acquirer.send_until(acquirer.pay(f"fee-{fee}", 600, fee=fee))
        assert acquirer.result(reply) == 0

    run(act)


def test_a_consult_is_answered_moves_nothing_and_is_rationed(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-3")
        before = await settled(network)
        (reply,) = await acquirer.send(acquirer.consult("consult-0"))
        assert acquirer.result(reply) == 1
        replies = await acquirer.send(
            *(acquirer.consult(f"consult-{i}", 60_000) for i in range(1, 9))
        )
        assert [reply.code for reply in replies].count("quota") == 3
        assert {acquirer.result(r) for r in replies if not r.code} == {0}
        assert await settled(network) == before

    run(act)


def test_refunds_in_parts_give_back_exactly_what_was_paid_and_no_more(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-4")
        before = await settled(network)
        await pay(acquirer, "bought-1", 601)
        wallet.changes = {}
        paid, debited, fees = 0, 0, 0
        for index, part in enumerate((200, 200, 201)):
            paid += part
            debit = acquirer.directory.rate("SGD", "EUR").convert(paid) - debited
            fee = acquirer.directory.agreement_by_id("purse-shop").fee(paid) - fees
            debited, fees = debited + debit, fees + fee
            wallet.changes = {"debit": debit}
            refund = acquirer.refund(f"back-{index}", "bought-1", part, fee=fee)
            (reply,) = await acquirer.send(refund)
            assert acquirer.result(reply) == 1
        assert moved(before, await settled(network)) == {}
        assert (await acquirer.inquire("bought-1")).state == "partially_refunded"
        wallet.changes = {"debit": 1}
        (more,) = await acquirer.send(acquirer.refund("back-9", "bought-1", 1, fee=0))
        assert acquirer.result(more) == 0

    run(act)


def test_many_small_refunds_give_back_no_more_fee_than_was_taken(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "bought-6", 600)
        results = []
        for index in range(2):  # each fee is right for its own refund, both are not for their sum
            refund = acquirer.refund(f"crumb-{index}", "bought-6", 1, fee=1, fx_mode="current")
            (reply,) = await acquirer.send(refund)
            results.append(acquirer.result(reply))
        assert results == [1, 0]

    run(act)


def test_a_refund_at_todays_rate_is_rounded_down(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "bought-7", 600)
        before = await settled(network)
        results = []
        for index, debit in enumerate((67, 66)):  # of 100 * 2/3
            wallet.changes = {"debit": debit}
            refund = acquirer.refund(f"today-{index}", "bought-7", 100, fee=1, fx_mode="current")
            (reply,) = await acquirer.send(refund)
            results.append(acquirer.result(reply))
        assert results == [0, 1]
        assert moved(before, await settled(network))[WALLET, "position", "EUR"] == 66

    run(act)


def test_a_payment_is_refunded_at_its_own_rate_after_the_directory_has_another(tmp_path):
    network = Network(tmp_path, limits="answer_seconds = 2")
    path = tmp_path / "network.toml"
    new = (
        '\nretired = true\n[[rates]]\nid = "r2"\nsource = "SGD"\ntarget = "EUR"\nnum = 1\nden = 1\n'
    )

    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "dear", 600)
        await settled(network)

    async def later(acquirer: Acquirer, wallet: Wallet) -> None:
        before = await settled(network)
        results = []
        for request, rate, debit in (("at-r2", "r2", 100), ("at-r1", "sgd-eur", 67)):
            wallet.changes = {"rate": rate, "debit": debit}
            (reply,) = await acquirer.send_until(acquirer.refund(request, "dear", 100, fee=1))
            results.append(acquirer.result(reply) if reply.status == "decided" else reply.code)
        assert results == ["terms", 1]
        assert moved(before, await settled(network))[WALLET, "position", "EUR"] == 67
        wallet.changes = {}
        await pay(acquirer, "cheap", 600)
        paid = moved(before, await settled(network))
        assert paid[WALLET, "position", "EUR"] == 67 - 600

    try:
        scenario(network, act)
        network.end()
        path.write_text(path.read_text().rstrip() + new)
        network.members = replace(network.members, directory=Directory.load(path))
        scenario(network, later)
    finally:
        network.end()


def test_two_refunds_of_a_payment_at_once_cannot_give_back_more_than_was_paid(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "bought-2", 600)
        replies = await acquirer.send(
            acquirer.refund("both-1", "bought-2", 600), acquirer.refund("both-2", "bought-2", 600)
        )
        assert sorted(acquirer.result(reply) for reply in replies) == [0, 1]

    run(act)


def test_a_refund_of_an_unknown_or_a_declined_payment_gives_nothing(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        (reply,) = await acquirer.send_until(acquirer.refund("back-20", "never-made", 10))
        assert (reply.status, reply.code) == ("refused", "terms")
        (declined,) = await acquirer.send(acquirer.pay("declined-1", 60_000))
        assert acquirer.result(declined) == 0
        (reply,) = await acquirer.send(acquirer.refund("back-21", "declined-1", 10))
        assert acquirer.result(reply) == 0

    run(act)


def test_a_cancel_reverses_a_payment_at_both_nodes_and_again_does_nothing(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-5")
        before = await settled(network)
        await pay(acquirer, "regretted-1", 777)
        assert moved(before, await settled(network))
        for number in (1, 2):
            (reply,) = await acquirer.send(acquirer.cancel(f"cancel-{number}", "regretted-1"))
            assert reply.status == "cancelled"
            done = open_part(Envelope.from_bytes(reply.envelopes[0]), acquirer.ring)
            assert done["done"] == "reversed"
            assert moved(before, await settled(network)) == {}
        assert (await acquirer.inquire("regretted-1")).state == "voided"
        assert (await acquirer.inquire("cancel-1")).status == "cancelled"

    run(act)


def test_a_payment_that_was_cancelled_before_it_came_is_refused_for_ever(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        (reply,) = await acquirer.send_until(acquirer.cancel("cancel-10", "never-came"))
        assert reply.status == "cancelled"
        for _ in range(2):
            (late,) = await acquirer.send(acquirer.pay("never-came"))
            assert (late.status, late.code) == ("refused", "tombstoned")
        assert (await acquirer.inquire("never-came")).state == "tombstoned"

    run(act)


def test_a_payment_that_a_person_must_agree_to_is_decided_later_and_notified(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-6")
        wallet.cashier = True
        (reply,) = await acquirer.send(acquirer.pay("cashier-1"))
        assert reply.status == "awaiting"
        told = open_part(Envelope.from_bytes(reply.envelopes[0]), acquirer.ring)
        assert told["normal_url"] == "https://purse.example/pay"
        assert (await acquirer.inquire("cashier-1")).status == "awaiting"
        agreed = wallet.check(wallet.asked)
        peers = acquirer.peers.__class__(
            acquirer.network.members.identities[WALLET], acquirer.directory
        )
        acquirer_peers, acquirer.peers = acquirer.peers, peers
        (taken,) = await acquirer.send(agreed)  # the wallet brings it
        acquirer.peers = acquirer_peers
        await peers.close()
        assert taken.status == "accepted"
        await until(lambda: any(n.id == "cashier-1" for n in acquirer.notices))
        (notice,) = [n for n in acquirer.notices if n.id == "cashier-1"]
        assert notice.number >= 1
        signed = Envelope.from_bytes(notice.envelopes[0]).header
        assert (signed.type, signed.sender) == ("notify", "node-a")
        assert signed.clear == {"number": notice.number, "payment": "cashier-1", "state": "posted"}
        assert acquirer.decision(notice.envelopes[1:3], ACQUIRER, "cashier-1") == 1
        assert acquirer.result(await acquirer.inquire("cashier-1")) == 1

    run(act)


def test_a_wallet_that_answers_late_makes_a_payment_pending_and_then_decided(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-7")
        gate = asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        wallet.answers = wait
        (reply,) = await acquirer.send(acquirer.pay("late-1"))
        assert (reply.status, reply.state) == ("pending", "reserved")
        assert (await acquirer.inquire("late-1")).status == "pending"
        gate.set()
        assert acquirer.result(await acquirer.decided("late-1")) == 1
        await until(lambda: any(n.id == "late-1" for n in acquirer.notices))

    run(act)


def test_a_request_that_no_wallet_answers_expires(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "warm-8")

        async def refuse() -> None:
            raise PetcoreError("not now", code="busy", retryable=True)

        wallet.answers = refuse
        (reply,) = await acquirer.send(acquirer.pay("short-1", expires_in=0.5))
        assert (reply.status, reply.code) == ("refused", "expired")
        wallet.answers = None
        (again,) = await acquirer.send(acquirer.pay("short-1"))
        assert (again.status, again.state) == ("refused", "expired")

    run(act)


def test_an_unknown_request_and_one_of_somebody_else_look_the_same(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "mine-1")
        assert (await acquirer.inquire("nobody-made-this")).status == "unknown"
        assert (await acquirer.inquire("mine-1", sender="other-bank")).status == "unknown"
        with pytest.raises(PetcoreError):
            await acquirer.inquire("mine-1", sender="Other Bank")

    run(act)


def test_each_node_signs_that_it_opened_shares_only(run):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        (reply,) = await acquirer.send_until(acquirer.pay("receipt-1"))
        number = Envelope.from_bytes(reply.envelopes[0]).header.clear["batch"]
        told = {}
        for node in NODES:
            content = await acquirer.peers.get(node, f"/v1/receipts/{number}")
            told[node] = verify_receipt(content, acquirer.keys)
            assert told[node]["opened"] == {"share": 2}
            assert told[node]["separation"] == "nodes of two legal entities"
            assert not any("amount" in name for name in told[node]["clear"])
            with pytest.raises(ConfigError, match="did not sign"):
                verify_receipt(content.replace(b'"rows":1', b'"rows":2'), acquirer.keys)
        assert told["node-a"]["digest"] == told["node-b"]["digest"]
        assert told["node-a"]["carried"] == {"share": 2, "sealed": 2}
        assert told["node-b"]["carried"] == {}
        with pytest.raises(ConfigError, match="no receipt"):
            verify_receipt(b"[]", acquirer.keys)
        with pytest.raises(RequestUnknown):
            await acquirer.peers.get("node-b", "/v1/receipts/99999")

    run(act)


def test_nothing_in_the_logs_of_the_nodes_is_anything_but_operational_json(run, network):
    async def act(acquirer: Acquirer, wallet: Wallet) -> None:
        await pay(acquirer, "logged-1", 4242)

    run(act)
    for node in NODES:
        lines = [line for line in network.log(node).splitlines() if line.startswith("{")]
        assert lines
        for line in lines:
            assert set(json.loads(line)) >= {"time", "level", "participant", "event"}
        assert "logged-1" not in network.log(node)
        assert "library" not in network.log(node), network.log(node)
