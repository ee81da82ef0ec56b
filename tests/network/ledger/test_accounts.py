"""Transfers: double entry, in one phase or two, at most once; against a plain model."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import delete, update

from petcore.errors import LedgerError, UsageError
from petcore.network.ledger import (
    Accounts,
    Database,
    Ended,
    Held,
    Opening,
    Transfer,
    check_invariants,
)
from petcore.network.ledger.tables import accounts as stored
from petcore.network.ledger.tables import transfers

FOREVER = 1 << 60
ALICE, BOB, SHOP = "alice", "bob", "shop"


@pytest.fixture
def accounts(database):
    return Accounts(database)


def opened(accounts):
    bank, alice, shop = accounts.open(
        [
            Opening("bank", "cash", "EUR"),
            Opening(ALICE, "money", "EUR", floor=True),
            Opening(SHOP, "due", "EUR", settles=True),
        ]
    )
    assert accounts.transfer([Transfer("bank/1", 0, bank, alice, 100)]) == [Held.DONE]
    return bank, alice, shop


def test_an_account_is_opened_once_and_found_after_that(accounts):
    wanted = [Opening("a", "x", "EUR"), Opening("a", "x", "SGD"), Opening("a", "x", "EUR")]
    assert accounts.open(wanted) == [1, 2, 1]
    assert accounts.open([*wanted, Opening("b", "x", "EUR")]) == [1, 2, 1, 3]


def test_a_hold_reserves_and_its_post_moves(accounts):
    _, alice, shop = opened(accounts)
    assert accounts.hold([Transfer("s/1", 0, alice, shop, 60)], expires=FOREVER) == [Held.DONE]
    assert (accounts.get([alice])[alice].available, accounts.get([shop])[shop].posted) == (40, 0)
    assert accounts.post([("s/1", 0)], window=3) == [Ended.DONE]
    found = accounts.get([alice, shop])
    assert (found[alice].posted, found[alice].held, found[shop].posted) == (40, 0, 60)
    assert check_invariants(accounts.database, clear=True) == []


def test_holds_in_one_call_share_what_there_is(accounts):
    _, alice, shop = opened(accounts)
    wanted = [Transfer(f"s/{index}", 0, alice, shop, 40) for index in range(3)]
    assert accounts.hold(wanted, expires=FOREVER) == [Held.DONE, Held.DONE, Held.INSUFFICIENT]
    assert accounts.hold(wanted[:1], expires=FOREVER) == [Held.EXISTS]
    assert accounts.get([alice])[alice].available == 20


def test_a_hold_ends_once(accounts):
    _, alice, shop = opened(accounts)
    accounts.hold([Transfer("s/1", 0, alice, shop, 60)], expires=FOREVER)
    names = [("s/1", 0)]
    assert accounts.void(names + names) == [Ended.DONE, Ended.ALREADY]
    assert accounts.post(names) == [Ended.OTHERWISE]
    assert accounts.post([("s/2", 0)]) == [Ended.UNKNOWN]
    assert accounts.get([alice])[alice].available == 100


def test_a_hold_is_released_when_its_time_is_over(accounts, clock):
    _, alice, shop = opened(accounts)
    accounts.hold([Transfer("s/1", 0, alice, shop, 60)], expires=clock.now + 10)
    assert accounts.expire() == []
    clock.now += 10
    assert accounts.expire() == [("s/1", 0)]
    assert accounts.post([("s/1", 0)]) == [Ended.OTHERWISE]
    assert accounts.get([alice])[alice].available == 100


def test_the_same_name_for_another_transfer_is_refused(accounts):
    _, alice, shop = opened(accounts)
    accounts.hold([Transfer("s/1", 0, alice, shop, 60)], expires=FOREVER)
    for other in (Transfer("s/1", 0, alice, shop, 61), Transfer("s/1", 0, shop, alice, 60)):
        with pytest.raises(UsageError, match="used once"):
            accounts.hold([other], expires=FOREVER)
    with pytest.raises(UsageError, match="used once"):
        accounts.transfer([Transfer("s/1", 0, alice, shop, 60)])
    with pytest.raises(UsageError, match="not negative"):
        accounts.transfer([Transfer("s/2", 0, alice, shop, -1)])
    with pytest.raises(UsageError, match="never opened"):
        accounts.transfer([Transfer("s/2", 0, alice, 77, 1)])


def test_the_database_itself_refuses_to_change_or_forget_a_transfer(accounts):
    opened(accounts)
    for change in (update(transfers).values(amount=1), delete(transfers)):
        with pytest.raises(LedgerError), accounts.database.write() as connection:
            connection.execute(change)
    assert check_invariants(accounts.database, clear=True) == []


def test_the_rules_see_a_balance_that_was_tampered_with(accounts):
    _, alice, _ = opened(accounts)
    with accounts.database.write() as connection:
        connection.execute(update(stored).where(stored.c.account == alice).values(posted=99))
    broken = check_invariants(accounts.database, clear=True)
    assert any("is not the sum of its transfers" in text for text in broken)
    assert any("do not sum to zero" in text for text in broken)


class Ledger(RuleBasedStateMachine):
    """The ledger does what dictionaries do."""

    users = st.sampled_from([ALICE, BOB])
    names = st.integers(0, 12).map(lambda number: f"shop/{number}")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.database = Database.open(self.path)
        self.accounts = Accounts(self.database)
        openings = [Opening(ALICE, "m", "EUR", True), Opening(BOB, "m", "EUR", True)]
        self.number = dict(
            zip(
                (ALICE, BOB, SHOP, "bank"),
                self.accounts.open(
                    [*openings, Opening(SHOP, "m", "EUR"), Opening("bank", "m", "EUR")]
                ),
                strict=True,
            )
        )
        start = [
            Transfer(f"bank/{u}", 0, self.number["bank"], self.number[u], 50) for u in (ALICE, BOB)
        ]
        self.accounts.transfer(start)
        self.posted = {ALICE: 50, BOB: 50, SHOP: 0, "bank": -100}
        self.holds = {}
        self.ends = {}

    def available(self, user):
        open_ones = [
            a for name, (u, a) in self.holds.items() if u == user and name not in self.ends
        ]
        return self.posted[user] - sum(open_ones)

    @rule(name=names, user=users, amount=st.integers(0, 40))
    def hold(self, name, user, amount):
        wanted = Transfer(name, 0, self.number[user], self.number[SHOP], amount)
        if name in self.holds and self.holds[name] != (user, amount):
            with pytest.raises(UsageError):
                self.accounts.hold([wanted], expires=FOREVER)
            return
        expected = Held.EXISTS if name in self.holds else Held.DONE
        if name not in self.holds and self.available(user) < amount:
            expected = Held.INSUFFICIENT
        assert self.accounts.hold([wanted], expires=FOREVER) == [expected]
        if expected is Held.DONE:
            self.holds[name] = (user, amount)

    @rule(some=st.lists(names, max_size=4), good=st.booleans())
    def end(self, some, good):
        expected = []
        for name in some:
            if name not in self.holds:
                expected.append(Ended.UNKNOWN)
            elif name in self.ends:
                expected.append(Ended.ALREADY if self.ends[name] == good else Ended.OTHERWISE)
            else:
                expected.append(Ended.DONE)
                self.ends[name] = good
                user, amount = self.holds[name]
                self.posted[user] -= amount * good
                self.posted[SHOP] += amount * good
        end = self.accounts.post if good else self.accounts.void
        assert end([(name, 0) for name in some]) == expected

    @precondition(lambda self: self.holds)
    @rule()
    def reopen(self):
        self.database.close()
        self.database = Database.open(self.path)
        self.accounts = Accounts(self.database)

    @invariant()
    def balances_are_those_of_the_model(self):
        found = {account.owner: account for account in self.accounts.all()}
        assert {owner: account.posted for owner, account in found.items()} == self.posted
        assert [found[u].available for u in (ALICE, BOB)] == [
            self.available(ALICE),
            self.available(BOB),
        ]

    def teardown(self):
        assert check_invariants(self.database, clear=True) == []
        self.database.close()
        self.folder.cleanup()


TestLedgerAgainstAModel = Ledger.TestCase
TestLedgerAgainstAModel.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def test_nobody_else_can_read_a_database(tmp_path):
    with Database.open(tmp_path / "own.db") as database:
        Accounts(database).open([Opening("alice", "user", "EUR")])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert {"own.db", "own.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}
