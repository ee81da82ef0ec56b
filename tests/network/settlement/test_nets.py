"""Nets: opened to whom they belong, once they cover enough, and only if everything sums to zero."""

import pytest
from sqlalchemy import text

from petcore.network.envelope import Envelope, open_part
from petcore.network.errors import (
    EnvelopeExpired,
    EpochUnknown,
    NetsBroken,
    NetWithheld,
    RecipientWrong,
    SignatureWrong,
    WindowOpen,
)
from petcore.network.ledger import Windows, check_invariants
from petcore.network.settlement import Nets, items_digest, open_statement
from petcore.network.settlement.nets import REVERSED

CURRENCIES = ("JPY", "SGD", "KWD")  # 0, 2 and 3 decimals
EVERYONE = ("purse", "shop-bank", "node-a")


def busy(world, count=4):
    for currency in CURRENCIES:
        for i in range(count):
            world.pay(f"shop-bank/{currency}-{i}", currency, 1000 * (i + 1), fee=3 * i)


def test_every_participant_opens_its_own_net_and_all_nets_sum_to_zero(world):
    busy(world)
    window = world.cut()
    for currency in CURRENCIES:
        nets = {name: world.statement(name, window, currency).net for name in EVERYONE}
        assert nets == {name: world.moves[name, currency] for name in EVERYONE}
        assert sum(nets.values()) == 0


def test_declined_payments_move_nothing_and_count_as_any_other(world):
    for i, amount in enumerate([500, 0, 0, 700]):
        world.pay(f"shop-bank/p-{i}", "SGD", amount)
    statement = world.statement("shop-bank", world.cut(), "SGD")
    assert (statement.net, statement.count, len(statement.items)) == (1200, 4, 4)


def test_a_net_that_covers_too_few_payments_is_carried_into_the_next_window(world):
    world.pay("shop-bank/p-1", "SGD", 500)
    first = world.cut()
    with pytest.raises(NetWithheld, match="covers 1 requests"):
        world.statement("shop-bank", first, "SGD")
    world.pay("shop-bank/p-2", "SGD", 40)
    world.pay("shop-bank/p-3", "SGD", 3)
    second = world.cut()
    statement = world.statement("shop-bank", second, "SGD")
    assert (statement.first, statement.window) == (first, second)
    assert (statement.net, statement.count) == (543, 3)


def test_after_a_net_was_opened_the_next_one_begins_anew(world):
    busy(world)
    world.statement("purse", world.cut(), "JPY")
    before = dict(world.moves)
    world.pay("shop-bank/late", "JPY", 77)
    window = world.cut()
    with pytest.raises(NetWithheld):
        world.statement("purse", window, "JPY")
    world.pay("shop-bank/later", "JPY", 1)
    world.pay("shop-bank/latest", "JPY", 2)
    statement = world.statement("purse", world.cut(), "JPY")
    assert statement.net == world.moves["purse", "JPY"] - before["purse", "JPY"] == -80
    assert statement.first == window


def test_the_network_itself_waits_for_enough_payments_too(world):
    world.pay("shop-bank/p-1", "SGD", 500, fee=5)
    window = world.cut()
    with pytest.raises(NetWithheld, match="opened from 3 on"):
        world.statement("node-a", window, "SGD")


def test_a_window_that_runs_is_not_opened(world):
    busy(world)
    with pytest.raises(WindowOpen) as refused:
        world.statement("purse", world.window, "SGD")
    assert refused.value.retryable
    with pytest.raises(WindowOpen):
        world.statement("purse", world.window + 9, "SGD")


def test_a_payment_that_was_taken_back_is_listed_twice_and_nets_to_nothing(world):
    busy(world)
    world.take_back("shop-bank/SGD-3", "SGD", 4000, fee=9)
    statement = world.statement("shop-bank", world.cut(), "SGD")
    assert "shop-bank/SGD-3" in statement.items
    assert "shop-bank/SGD-3" + REVERSED in statement.items
    assert statement.net == world.moves["shop-bank", "SGD"] == 6000 - 9


def test_asking_again_gives_the_same_net(world):
    busy(world)
    window = world.cut()
    first = world.statement("purse", window, "SGD")
    world.pay("shop-bank/next", "SGD", 5)
    assert world.statement("purse", window, "SGD") == first
    world.cut()
    assert world.statement("purse", window, "SGD") == first


def test_one_nodes_share_of_a_net_tells_nothing_without_the_other(world):
    busy(world)
    window = world.cut()
    answer = Envelope.from_bytes(world.ask("node-a", "purse", window, "SGD"))
    share = open_part(answer, world.rings["purse"])["net"]
    other = open_part(
        Envelope.from_bytes(world.ask("node-b", "purse", window, "SGD")), world.rings["purse"]
    )["net"]
    assert (share + other) % 2**64 == world.moves["purse", "SGD"] % 2**64
    # each of the two is uniform: within 2^32 of zero with probability 2^-31
    assert all(2**32 < word < 2**64 - 2**32 for word in (share, other))


def test_a_net_is_sealed_to_the_participant_that_asked(world):
    busy(world)
    answer = Envelope.from_bytes(world.ask("node-a", "purse", world.cut(), "SGD"))
    with pytest.raises(RecipientWrong):
        open_part(answer, world.rings["shop-bank"])


def test_a_ledger_whose_shares_do_not_sum_to_zero_settles_nothing(world):
    busy(world)
    window = world.cut()
    with world.data["node-a"].write() as connection:
        connection.execute(text("UPDATE nets SET net = net + 1 WHERE account = 1"))
    with pytest.raises(NetsBroken, match="do not sum to zero"):
        world.ask("node-a", "purse", window, "SGD")
    assert check_invariants(world.data["node-a"], clear=False)
    assert world.ask("node-b", "purse", window, "SGD")


def opened(world, nets, items, name="purse"):
    return open_statement(
        nets, items, ring=world.rings[name], keys=world.keys, directory=world.directory
    )


def test_nodes_that_disagree_are_noticed_by_the_participant(world):
    busy(world)
    with world.data["node-b"].write() as connection:
        connection.execute(text("UPDATE nets SET payments = payments + 1"))
    window = world.cut()
    nets = [world.ask(node, "purse", window, "SGD") for node in ("node-a", "node-b")]
    with pytest.raises(NetsBroken, match="do not agree"):
        opened(world, nets, world.settler("node-a").items("purse", window, "SGD"))


def test_a_list_of_items_that_the_nodes_did_not_sign_is_refused(world):
    busy(world)
    window = world.cut()
    nets = [world.ask(node, "purse", window, "SGD") for node in ("node-a", "node-b")]
    items = world.settler("node-a").items("purse", window, "SGD")
    for wrong in (items[:-1], [*items, "x/y"], items[::-1], []):
        with pytest.raises(NetsBroken, match="not those of the net"):
            opened(world, nets, wrong)
    assert opened(world, nets[::-1], items).net == world.moves["purse", "SGD"]


def test_a_net_needs_one_share_of_each_node(world):
    busy(world)
    window = world.cut()
    a, b = (world.ask(node, "purse", window, "SGD") for node in ("node-a", "node-b"))
    items = world.settler("node-a").items("purse", window, "SGD")
    for wrong in ([a], [a, a], [b, b], [a, b, a], []):
        with pytest.raises(NetsBroken, match="two shares"):
            opened(world, wrong, items)
    other = world.ask("node-b", "purse", window, "JPY")
    with pytest.raises(NetsBroken, match="do not agree"):
        opened(world, [a, other], items)


def test_a_request_for_another_node_or_of_another_time_is_refused(world):
    busy(world)
    window = world.cut()
    with pytest.raises(EnvelopeExpired):
        world.ask("node-a", "purse", window, "SGD", now=1_000_000_000_000)
    request = world.ask("node-a", "purse", window, "SGD")
    with pytest.raises((RecipientWrong, SignatureWrong)):
        world.settler("node-b").answer(request)


def test_who_is_no_member_gets_no_net(world):
    from petcore.network.keyring import KeyRing

    world.rings["stranger"] = KeyRing.make(world.folder / "keys", "stranger")
    busy(world)
    with pytest.raises((SignatureWrong, EpochUnknown)):
        world.ask("node-a", "stranger", world.cut(), "SGD")


def test_every_net_is_in_the_disclosure_log_of_each_node_and_what_is_withheld_is_not(world):
    world.pay("shop-bank/p-1", "SGD", 500)
    with pytest.raises(NetWithheld):
        world.statement("shop-bank", world.cut(), "SGD")
    assert all(len(sink) == 0 for sink in world.sinks.values())
    busy(world)
    world.statement("shop-bank", world.cut(), "SGD")
    for sink in world.sinks.values():
        (disclosure,) = sink
        assert (disclosure.label, disclosure.recipients) == ("net of shop-bank", ("shop-bank",))
        assert (disclosure.kind, disclosure.purpose) == (
            "export",
            "settlement of SGD, windows 1 to 2",
        )


def test_items_are_listed_in_pages(world):
    busy(world, 7)
    window, settler = world.cut(), world.settler("node-b")
    whole = settler.items("purse", window, "KWD")
    pages, after = [], ""
    while page := settler.items("purse", window, "KWD", after=after, most=3):
        pages.append(page)
        after = page[-1]
    assert [len(page) for page in pages] == [3, 3, 1]
    listed = [item for page in pages for item in page]
    assert listed == whole == sorted(f"shop-bank/KWD-{i}" for i in range(7))


def test_both_nodes_carry_and_open_alike(world):
    for size in (1, 5, 2, 0, 2):
        for i in range(size):
            world.pay(f"shop-bank/{world.window}-{i}", "SGD", 10)
        world.cut()
    for window in range(1, world.window):
        found = [Nets(world.data[node], 3).due(window) for node in ("node-a", "node-b")]
        public = [([due._replace(word=0) for due in nets], withheld) for nets, withheld in found]
        assert public[0] == public[1]
    assert Windows(world.data["node-a"]).current() == world.window


def test_the_digest_of_items_tells_lists_apart():
    lists = ([], ["a"], ["a", "b"], ["b", "a"])
    digests = {items_digest(items) for items in lists}
    assert len(digests) == len(lists)
    assert all(len(digest) == 64 for digest in digests)
