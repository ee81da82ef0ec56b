"""Reconciliation: an edge's records against what the nodes opened, and every kind of break."""

import pytest

from petcore.network.ledger import Accounts, Database, EdgeJournal, Kind, Opening, Request, Transfer
from petcore.network.settlement import Break, Entry, Statement, reconcile
from petcore.network.settlement.nets import REVERSED
from petcore.network.settlement.reconcile import edge_entries, known_requests

AT = 1_790_000_000_000
ITEMS = ("shop-bank/p-1", "shop-bank/p-2", "shop-bank/p-3")
KNOWN = set(ITEMS)


def statement(net, items=ITEMS):
    return Statement("shop-bank", "SGD", 1, 1, len(items), net, items)


def entries(**amounts):
    return [Entry(f"shop-bank/{n.replace('_', '-')}", a, AT) for n, a in amounts.items()]


def test_records_that_add_up_to_the_net_have_no_break():
    done = reconcile(statement(12), entries(p_1=5, p_3=7), known=KNOWN)
    assert done.breaks == ()
    assert done.unmoved == 1
    assert [entry.amount for entry in done.entries] == [5, 7]


def test_a_difference_is_a_break_with_its_amount():
    done = reconcile(statement(13), entries(p_1=5, p_3=7), known=KNOWN)
    assert done.breaks == (Break("sum", difference=-1),)


def test_a_request_that_the_edge_never_had_is_a_break():
    done = reconcile(statement(5), entries(p_1=5), known={"shop-bank/p-1", "shop-bank/p-2"})
    assert done.breaks == (Break("unknown", "shop-bank/p-3"),)


def test_an_entry_that_no_window_has_is_a_break_once_its_cut_off_is_over():
    records = entries(p_1=5, p_9=4)
    assert reconcile(statement(5), records, known=KNOWN).breaks == ()
    assert reconcile(statement(5), records, known=KNOWN, cut_off=AT).breaks == ()
    done = reconcile(statement(5), records, known=KNOWN, cut_off=AT + 1)
    assert done.breaks == (Break("missing", "shop-bank/p-9"),)
    earlier = {"shop-bank/p-9"}
    assert not reconcile(statement(5), records, known=KNOWN, cut_off=AT + 1, earlier=earlier).breaks


def test_an_item_that_settled_before_is_a_break():
    done = reconcile(statement(5), entries(p_1=5), known=KNOWN, earlier={"shop-bank/p-2"})
    assert done.breaks == (Break("twice", "shop-bank/p-2"),)


@pytest.fixture
def database(tmp_path):
    with_clock = Database.open(tmp_path / "edge.db", clock=lambda: AT)
    yield with_clock
    with_clock.close()


def test_an_acquirers_ledger_gives_entries_with_cancellations_as_reversals(database):
    accounts = Accounts(database)
    network, own = accounts.open(
        [Opening("network", "counterpart", "SGD"), Opening("shop-bank", "position", "SGD")]
    )
    accounts.transfer(
        [
            Transfer("shop-bank/p-1", 0, network, own, 100),
            Transfer("shop-bank/p-2", 0, network, own, 30),
            Transfer("shop-bank/p-1", 1, own, network, 100),
            Transfer("shop-bank/r-1", 0, own, network, 10),
        ]
    )
    records = edge_entries(database, own)
    found = {entry.item: entry.amount for entry in records}
    assert found == {
        "shop-bank/p-1": 100,
        "shop-bank/p-2": 30,
        "shop-bank/p-1" + REVERSED: -100,
        "shop-bank/r-1": -10,
    }
    items = tuple(sorted([*found, "shop-bank/c-9"]))
    done = reconcile(statement(20, items), records, known=())
    assert done.breaks == (Break("unknown", "shop-bank/c-9"),)


def test_requests_that_an_edge_had_are_known_whatever_became_of_them(database):
    arriving = Request("shop-bank/p-1", Kind.PAY, tag=b"t", expires=AT + 10)
    EdgeJournal(database).accept([arriving])
    assert known_requests(database) == {"shop-bank/p-1"}


def test_a_wallets_ledger_gives_what_was_posted_and_not_what_is_held_or_void(database):
    accounts = Accounts(database)
    user, network = accounts.open([Opening("u", "user", "SGD"), Opening("network", "own", "SGD")])
    pays = [Transfer(f"shop-bank/p-{i}", 0, user, network, 10 * i) for i in (1, 2, 3)]
    accounts.hold(pays, expires=AT + 1000)
    accounts.post([("shop-bank/p-1", 0)])
    accounts.void([("shop-bank/p-2", 0)])
    accounts.transfer([Transfer("shop-bank/p-1", 1, network, user, 4)])
    accounts.transfer([Transfer("shop-bank/p-1", 2, network, user, 6)])
    assert edge_entries(database, network, owes=True) == [
        Entry("shop-bank/p-1", -10, AT),
        Entry("shop-bank/p-1" + REVERSED, 10, AT),
    ]


def test_nodes_and_edges_reconcile_whatever_was_declined_or_taken_back(world, tmp_path):
    database = Database.open(tmp_path / "edge.db", clock=lambda: AT)
    accounts = Accounts(database)
    network, own = accounts.open(
        [Opening("network", "counterpart", "KWD"), Opening("shop-bank", "position", "KWD")]
    )
    for i in range(12):
        request, amount = f"shop-bank/p-{i}", 1000 + i if i % 3 else 0
        world.pay(request, "KWD", amount, fee=i if amount else 0)
        if amount:
            accounts.transfer([Transfer(request, 0, network, own, amount - i)])
        if i % 5 == 4:
            world.take_back(request, "KWD", amount, fee=i if amount else 0)
            if amount:
                accounts.transfer([Transfer(request, 1, own, network, amount - i)])
    opened = world.statement("shop-bank", world.cut(), "KWD")
    known = {f"shop-bank/p-{i}" for i in range(12)}
    done = reconcile(opened, edge_entries(database, own), known=known, cut_off=AT + 1)
    assert done.breaks == ()
    assert opened.net == world.moves["shop-bank", "KWD"] > 0
    accounts.transfer([Transfer("shop-bank/p-4", 2, own, network, 1)])
    wrong = reconcile(opened, edge_entries(database, own), known=known)
    assert wrong.breaks == (Break("sum", difference=-1),)
    database.close()
