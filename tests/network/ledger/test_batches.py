"""Batches of two nodes: they count on both or on neither; shares add up to what happened."""

import numpy as np
import pytest

from petcore.errors import UsageError
from petcore.network.ledger import (
    Accounts,
    BatchState,
    Cancelled,
    Database,
    Kind,
    NodeJournal,
    Opening,
    Request,
    State,
    Windows,
    check_invariants,
    key,
    make_postings,
)
from petcore.payments.sharing import combine_shares, share_for_nodes

LATER = 1_750_000_600_000
OPENINGS = [
    Opening("purse", "position", "EUR", settles=True),
    Opening("gateway", "exchange", "EUR"),
    Opening("gateway", "exchange", "SGD"),
    Opening("shop-bank", "position", "SGD", settles=True),
    Opening("gateway", "fee", "SGD", settles=True),
]


class Nodes:
    """Both nodes' journals, in this process; what the circuit would give is made from clear values."""

    def __init__(self, databases):
        self.journals = [NodeJournal(database) for database in databases]
        self.accounts = [Accounts(database) for database in databases]
        for accounts in self.accounts:
            accounts.open(OPENINGS)
        self.window = 1

    def accept(self, *requests):
        return [journal.accept(requests) for journal in self.journals]

    def prepare(self, number, keys):
        for journal in self.journals:
            rows = dict.fromkeys(keys, b"check")
            journal.prepare(number, rows, digest=b"digest", window=self.window)

    def compute(self, number, clear, decisions, nodes=(0, 1), reverse=False):
        """`clear`: (n, 3) of seen, debit, fee; posted where the decision is 1."""
        shares = share_for_nodes(np.array(decisions))
        totals = share_for_nodes(np.array(clear) * np.array(decisions)[:, None])
        for node in nodes:
            slots = np.arange(len(clear))
            legs = [(0, 1, 2, 1), (1, 3, 4, 0), (2, 4, 5, 2)]  # leg, from, to, which total
            postings = [
                make_postings(
                    slots, leg, *((b, a) if reverse else (a, b)), totals[node][:, column].copy()
                )
                for leg, a, b, column in legs
            ]
            self.journals[node].computed(
                number,
                decisions=shares[node],
                totals=totals[node],
                postings=np.concatenate(postings),
                node=f"node-{'ab'[node]}",
                envelopes={"shop-bank": b"to acquirer", "purse": b"to wallet"},
            )

    def commit(self, number):
        return [journal.commit(number) for journal in self.journals]

    def run(self, number, keys, clear, decisions, **more):
        self.prepare(number, keys)
        self.compute(number, clear, decisions, **more)
        return self.commit(number)

    def balances(self):
        """The clear balances: the sums of both nodes' shares."""
        shares = [
            np.array([account.posted for account in accounts.all()], np.int64).view(np.uint64)
            for accounts in self.accounts
        ]
        return combine_shares(shares).tolist()

    def remaining(self, keys):
        return combine_shares([journal.remaining(keys) for journal in self.journals]).tolist()

    def broken(self):
        return [
            text
            for journal in self.journals
            for text in check_invariants(journal.database, clear=False)
        ]


@pytest.fixture
def nodes(database, tmp_path, clock):
    with Database.open(tmp_path / "other.db", clock=clock) as other:
        yield Nodes([database, other])


def pays(*names):
    return [Request(key("shop-bank", name), Kind.PAY, b"t", LATER, body=b"pay") for name in names]


def keys(*names):
    return [key("shop-bank", name) for name in names]


CLEAR = [[1000, 700, 10], [500, 350, 5], [10**12, 10**12, 1]]


def test_a_batch_posts_what_was_decided_and_the_shares_add_up(nodes):
    nodes.accept(*pays("A", "B", "C"))
    assert nodes.run(1, keys("A", "B", "C"), CLEAR, [1, 0, 1]) == [True, True]
    seen, debit, fee = 1000 + 10**12, 700 + 10**12, 11
    assert nodes.balances() == [-debit, debit, -seen, seen - fee, fee]
    assert nodes.remaining(keys("A", "B", "C")) == [CLEAR[0], [0, 0, 0], CLEAR[2]]
    assert nodes.broken() == []


def test_a_node_cannot_tell_a_declined_payment_from_an_approved_one(nodes):
    nodes.accept(*pays("A", "B"))
    nodes.run(1, keys("A", "B"), CLEAR[:2], [1, 0])
    for journal in nodes.journals:
        one, other = journal.find(keys("A", "B")).values()
        assert one.state is other.state is State.POSTED
        assert one.seen
        assert other.seen


def test_committing_twice_posts_once(nodes):
    nodes.accept(*pays("A"))
    nodes.run(1, keys("A"), CLEAR[:1], [1])
    before = nodes.balances()
    assert nodes.commit(1) == [False, False]
    assert nodes.balances() == before


def test_an_aborted_batch_posts_nothing_and_its_rows_run_again(nodes):
    nodes.accept(*pays("A", "B"))
    nodes.prepare(1, keys("A", "B"))
    nodes.compute(1, CLEAR[:2], [1, 1], nodes=[0])
    open_a, open_b = ([batch.state for batch in j.open_batches()] for j in nodes.journals)
    assert (open_a, open_b) == ([BatchState.COMPUTED], [BatchState.PREPARED])
    assert [journal.abort(1) for journal in nodes.journals] == [True, True]
    assert [journal.abort(1) for journal in nodes.journals] == [False, False]
    assert nodes.balances() == [0] * 5
    for journal in nodes.journals:
        assert journal.open_batches() == []
        assert journal.envelopes([1]) == {1: {}}
        assert [record.check for record in journal.waiting()] == [b"check"] * 2
    nodes.run(2, keys("B", "A"), [CLEAR[1], CLEAR[0]], [1, 1])
    assert nodes.remaining(keys("A", "B")) == CLEAR[:2]
    assert nodes.broken() == []


def test_what_was_computed_is_there_after_a_restart(nodes, url, clock):
    nodes.accept(*pays("A"))
    nodes.prepare(1, keys("A"))
    nodes.compute(1, CLEAR[:1], [1])
    nodes.journals[0].database.close()
    with Database.open(url, clock=clock) as reopened:
        journal = NodeJournal(reopened)
        [batch] = journal.open_batches()
        assert (batch.number, batch.state, batch.requests) == (
            1,
            BatchState.COMPUTED,
            ("shop-bank/A",),
        )
        assert batch.digest == b"digest"
        assert journal.commit(1, node="node-b", envelopes={"purse": b"from b"}) is True
        assert journal.envelopes([1, 7]) == {
            1: {
                ("node-a", "shop-bank"): b"to acquirer",
                ("node-a", "purse"): b"to wallet",
                ("node-b", "purse"): b"from b",
            },
            7: {},
        }
        found = journal.batch(1)
        assert found is not None
        assert (found.decisions.shape, found.totals.shape) == ((1,), (1, 3))


def test_refunds_reverse_and_what_remains_shrinks(nodes):
    nodes.accept(*pays("A"))
    nodes.run(1, keys("A"), CLEAR[:1], [1])
    for number, (name, decision) in enumerate([("R1", 1), ("R2", 0)], 2):
        request = Request(key("shop-bank", name), Kind.REFUND, b"t", LATER, payment=keys("A")[0])
        nodes.accept(request)
        nodes.run(number, keys(name), [[400, 280, 4]], [decision], reverse=True)
    assert nodes.remaining(keys("A")) == [[600, 420, 6]]
    assert nodes.remaining(keys("R1", "R2")) == [[400, 280, 4], [0, 0, 0]]
    paid = combine_shares([journal.paid(keys("A", "X")) for journal in nodes.journals])
    assert paid.tolist() == [CLEAR[0], [0, 0, 0]]
    assert nodes.balances() == [-420, 420, -600, 594, 6]
    assert nodes.broken() == []


def test_two_refunds_of_one_payment_do_not_run_at_once(nodes):
    nodes.accept(*pays("A"))
    nodes.run(1, keys("A"), CLEAR[:1], [1])
    for name in ("R1", "R2"):
        nodes.accept(
            Request(key("shop-bank", name), Kind.REFUND, b"t", LATER, payment=keys("A")[0])
        )
    with pytest.raises(UsageError, match="two refunds"):
        nodes.prepare(2, keys("R1", "R2"))
    nodes.prepare(2, keys("R1"))
    with pytest.raises(UsageError, match="two refunds"):
        nodes.prepare(3, keys("R2"))
    assert nodes.journals[0].cancel(keys("A")) == [Cancelled.OPEN]


def test_a_cancellation_gives_back_what_remains(nodes):
    nodes.accept(*pays("A", "B"))
    nodes.run(1, keys("A", "B"), CLEAR[:2], [1, 0])
    nodes.accept(Request(key("shop-bank", "R"), Kind.REFUND, b"t", LATER, payment=keys("A")[0]))
    nodes.run(2, keys("R"), [[400, 280, 4]], [1], reverse=True)
    for journal in nodes.journals:
        assert journal.cancel(keys("A", "B", "X")) == [
            Cancelled.REVERSED,
            Cancelled.REVERSED,
            Cancelled.TOMBSTONED,
        ]
        assert journal.cancel(keys("A", "A")) == [Cancelled.ALREADY] * 2
        assert journal.cancel(keys("R")) == [Cancelled.REFUSED]
    assert nodes.balances() == [0] * 5
    assert nodes.remaining(keys("A", "B")) == [[0, 0, 0], [0, 0, 0]]
    assert nodes.broken() == []


def test_a_payment_in_a_batch_is_not_cancelled_before_the_batch_ended(nodes):
    nodes.accept(*pays("A", "B"))
    nodes.prepare(1, keys("A"))
    journal = nodes.journals[0]
    assert journal.cancel(keys("A", "B")) == [Cancelled.OPEN, Cancelled.VOIDED]
    assert journal.expire(keys("A", "B")) == [False, False]
    journal.abort(1)
    assert journal.expire(keys("A")) == [True]
    assert journal.cancel(keys("A")) == [Cancelled.ALREADY]


def test_a_batch_takes_open_requests_and_a_new_number_only(nodes):
    journal = nodes.journals[0]
    nodes.accept(*pays("A", "B"))
    nodes.prepare(5, keys("A"))
    assert journal.last_batch() == 5
    with pytest.raises(UsageError, match="one batch at a time"):
        journal.prepare(6, {keys("A")[0]: None}, digest=b"d")
    with pytest.raises(UsageError, match="above all earlier"):
        journal.prepare(5, {keys("B")[0]: None}, digest=b"d")
    with pytest.raises(UsageError, match="has not ended"):
        journal.prepare(6, {keys("X")[0]: None}, digest=b"d")
    assert journal.last_batch() == 5
    with pytest.raises(UsageError, match="only a computed one"):
        journal.commit(5)
    with pytest.raises(UsageError, match="unknown"):
        journal.commit(9)
    nodes.compute(5, CLEAR[:1], [1])
    nodes.commit(5)
    with pytest.raises(UsageError, match="cannot be given up"):
        journal.abort(5)


def test_results_of_another_shape_are_refused(nodes):
    nodes.accept(*pays("A"))
    nodes.prepare(1, keys("A"))
    with pytest.raises(UsageError, match="has 1 rows"):
        nodes.compute(1, CLEAR[:2], [1, 1])
    assert nodes.journals[0].open_batches()[0].state is BatchState.PREPARED


def test_nets_of_a_window_count_payments_and_sum_to_the_positions(nodes):
    windows = [Windows(journal.database) for journal in nodes.journals]
    assert [window.current() for window in windows] == [1, 1]
    nodes.accept(*pays("A", "B", "C"))
    nodes.run(1, keys("A", "B"), CLEAR[:2], [1, 1])
    nodes.prepare(2, keys("C"))
    assert [window.cut(1) for window in windows] == [2, 2]
    assert [window.cut(1) for window in windows] == [2, 2]
    assert not windows[0].settled(1)
    nodes.compute(2, CLEAR[2:], [1])
    nodes.commit(2)
    assert windows[0].settled(1)
    assert not windows[0].settled(2)
    nets = [window.nets(1) for window in windows]
    assert [(net.owner, net.currency, net.payments) for net in nets[0]] == [
        ("purse", "EUR", 3),
        ("shop-bank", "SGD", 3),
        ("gateway", "SGD", 3),
    ]
    shares = [np.array([net.net for net in some], np.int64).view(np.uint64) for some in nets]
    assert combine_shares(shares).tolist() == [-1050 - 10**12, 1500 + 10**12 - 16, 16]
    assert windows[0].nets(2) == []
