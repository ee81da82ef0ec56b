"""A whole network under load while its processes are killed: nothing lost, nothing done twice.

Merchants pay, refund and cancel; a seeded hand sends SIGKILL to nodes, dealer and edges, which are
started again. Afterwards what merchants were told is compared with the databases of both edges, and
these with the opened sums of the nodes' shares; once with SQLite, once with PostgreSQL.
``PETCORE_CRASH_PAYMENTS`` and ``PETCORE_CRASH_SEED`` make it longer or another one.
"""

import os
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest

from petcore.errors import PetcoreError
from petcore.network.acquirer.book import Book as AcquirerBook
from petcore.network.acquirer.config import AcquirerConfig
from petcore.network.demo.merchant import Merchant
from petcore.network.demo.phone import new_codes
from petcore.network.demo.place import ACQUIRER, NODES, WALLET, existing, make_place
from petcore.network.demo.running import MEMBERS, Running, health, is_healthy
from petcore.network.directory import Directory
from petcore.network.ledger import Database, check_invariants
from petcore.network.ledger.accounts import Accounts
from petcore.network.ledger.records import BatchState
from petcore.network.node.config import load_node
from petcore.network.wallet.book import Book
from petcore.network.wallet.config import WalletConfig

PAYMENTS = int(os.environ.get("PETCORE_CRASH_PAYMENTS", "24"))
SEED = int(os.environ.get("PETCORE_CRASH_SEED", "7"))
WORKERS = 8
BALANCE = 1_000_000
FEE = (6, 1000)
RATE = (68, 100)  # SGD to EUR, in the demo network
QUIET_SECONDS = 120 + PAYMENTS
WORD = 2**64

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300 + 4 * PAYMENTS)]


@dataclass
class Told:
    """What a merchant was told of one payment, and of what it did to it later."""

    request: str
    amount: int
    user: str
    code: str = ""
    result: str = ""
    refunds: dict[str, int] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def left(self):
        """What of the payment stands, in SGD cents."""
        if self.result != "SUCCESS" or self.cancelled:
            return 0
        return self.amount - sum(self.refunds.values())


def up_rounded(amount, num, den):
    return -(-amount * num // den)


def insist(call):
    """Make a call until its result is known; what is lost on the way is asked for again."""
    end = time.monotonic() + QUIET_SECONDS
    answer = None
    while time.monotonic() < end:
        try:
            answer = call()
        except PetcoreError:
            answer = None
        if answer is not None and answer["result"]["resultStatus"] != "U":
            return answer["result"]["resultCode"]
        time.sleep(0.1)  # a caller's pause between two attempts
    raise AssertionError(f"no result after {QUIET_SECONDS} s; the last answer was {answer}")


def pay(merchant, told):
    """Pay as the dialect asks for it: repeat the call until it was answered, then inquire."""
    answered = None
    while answered is None:
        try:
            answered = merchant.pay(told.request, told.amount, "SGD", told.code)
        except PetcoreError:
            time.sleep(0.1)
    result = answered["result"]

    def ask():
        return {"result": merchant.inquire(told.request).get("paymentResult", result)}

    told.result = result["resultCode"] if result["resultStatus"] != "U" else insist(ask)


def shop(merchant, told, seed):
    """One customer: a payment, and for some of them refunds or a cancellation."""
    pay(merchant, told)
    if told.result != "SUCCESS":
        return
    what = np.random.default_rng(seed).random()
    if what < 0.3:
        for part in range(1, 3):
            name, amount = f"{told.request}-r{part}", told.amount // 3
            code = insist(lambda n=name, a=amount: merchant.refund(told.request, n, a, "SGD"))
            if code == "SUCCESS":
                told.refunds[name] = amount
    elif what < 0.5:
        told.cancelled = insist(lambda: merchant.cancel(told.request)) == "SUCCESS"


def under_fire(running, waves):
    """Begin the waves one after the other, and kill one or two members in the middle of each.

    Everybody equally often. A wave begins when all are back: so that there is load to be killed under
    however slow or fast the machine is. Members are started by the thread that calls this: on Linux
    they end with the thread that did, not with the process.
    """
    chance, killed, order = np.random.default_rng(SEED), Counter(), []
    for begin in waves:
        busy = begin()
        wait(busy, chance.uniform(0.0, 0.5))
        order = order or [str(name) for name in chance.permutation(MEMBERS)]
        pair = PAYMENTS < 100 or chance.random() < 0.3  # the short form has few waves
        together = [order.pop() for _ in range(min(len(order), 1 + int(pair)))]
        for name in together:
            running.members[name].kill()
            killed[name] += 1
        wait(busy, chance.uniform(0.0, 0.5))
        for name in together:
            running.members[name].start()
        running.wait_ready(QUIET_SECONDS)
    return killed


def put_right(place, running):
    """Wait until all is well and nothing waits for anything."""
    running.wait_ready(QUIET_SECONDS)
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        if all(is_healthy(health(place, name)) for name in MEMBERS) and settled(place):
            return
        time.sleep(0.5)
    raise AssertionError("requests still wait for their end")


def databases(place):
    return {
        WALLET: WalletConfig.load(place.config(WALLET)).database,
        ACQUIRER: AcquirerConfig.load(place.config(ACQUIRER)).database,
        **{name: load_node(place.config(name)).database for name in NODES},
    }


def settled(place):
    """Say whether no journal has an open request, and no node owes anybody a message."""
    urls = databases(place)
    for name in (WALLET, ACQUIRER, NODES[0]):
        with Database.open(urls[name], reader=True) as database, database.read() as connection:
            open_ones = connection.exec_driver_sql(
                "SELECT count(*) FROM requests WHERE state < 2"
            ).scalar_one()
            owed = connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()
        if open_ones or (owed and name == NODES[0]):
            return False
    return True


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(tmp_path_factory, request):
    """Run the network, the merchants and the killer; return place, what was told, who was killed."""
    server = "sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres")
    folder = tmp_path_factory.mktemp("crashes") / "net"
    place = make_place(folder, users=6, balance=BALANCE, database=server)
    config = place.config(WALLET)
    config.write_text(config.read_text() + "\n[limits]\ncode_seconds = 86400\nhold_seconds = 5\n")
    told = []
    chance = np.random.default_rng(SEED)
    with Running(place) as running, Merchant(place, seconds=12.0) as merchant:
        for user in range(6):
            codes = []
            count = PAYMENTS // 6 + 1
            while len(codes) < count:
                codes += new_codes(place, f"user-{user}", min(100, count - len(codes)))
            told += [
                Told(f"p-{user}-{i}", int(chance.integers(3, 900)), f"user-{user}", code)
                for i, code in enumerate(codes)
            ]
        chance.shuffle(told)
        told = told[:PAYMENTS]
        with ThreadPoolExecutor(WORKERS) as shops:
            going = []

            def begin(wave):
                new = [shops.submit(shop, merchant, told[i], SEED + i) for i in wave]
                going.extend(new)
                return new

            size = max(8, PAYMENTS // 50)
            indices = range(len(told))
            waves = [partial(begin, indices[i : i + size]) for i in range(0, len(told), size)]
            killed = under_fire(running, waves)
        for one in going:
            one.result()
        put_right(place, running)
        again = {}
        for one in told:
            again[one.request] = insist(lambda o=one: final(merchant, o))
    return existing(place.root), told, killed, again


def final(merchant, one):
    return {"result": merchant.inquire(one.request)["paymentResult"]}


def test_everybody_was_killed_while_payments_were_made(story):
    _, told, killed, _ = story
    assert len(told) == PAYMENTS
    assert set(killed) == set(MEMBERS), f"only {dict(killed)} in {PAYMENTS} payments"
    assert sum(one.result == "SUCCESS" for one in told) > PAYMENTS // 2


def test_no_final_answer_changed(story):
    _, told, _, again = story
    for one in told:
        expected = "ORDER_IS_CANCELED" if one.cancelled else one.result
        assert again[one.request] == expected, one.request


@pytest.mark.parametrize("name", [WALLET, ACQUIRER, *NODES])
def test_the_invariants_of_every_database_hold(story, name):
    place = story[0]
    with Database.open(databases(place)[name], reader=True) as database:
        assert check_invariants(database, clear=name not in NODES) == []


def test_every_users_balance_is_what_merchants_were_told(story):
    """A lost payment would be too little, a doubled one too much."""
    place, told, _, _ = story
    paid = defaultdict(int)
    for one in told:
        paid[one.user] += up_rounded(one.amount, *RATE) if one.left else 0
        if one.left:
            paid[one.user] -= up_rounded(one.amount - one.left, *RATE)
    with Database.open(databases(place)[WALLET], reader=True) as database:
        book = Book(database, WALLET)
        users = book.users.all()
        for number in range(6):
            user = users[f"user-{number}"]
            (account,) = book.accounts.get([book.balance(user)]).values()
            assert (account.posted, account.held) == (BALANCE - paid[user.id], 0), user.id


def test_the_acquirers_position_is_what_merchants_were_told(story):
    place, told, _, _ = story
    due = 0
    for one in told:
        if one.left:
            due += one.left - up_rounded(one.amount, *FEE) + up_rounded(one.amount - one.left, *FEE)
    with Database.open(databases(place)[ACQUIRER], reader=True) as database:
        assert AcquirerBook(database, ACQUIRER).positions() == {"SGD": due}


def positions(place, owner, currency):
    """Return the opened sum of both nodes' shares of a participant's position, signed."""
    total = 0
    for name in NODES:
        with Database.open(databases(place)[name], reader=True) as database:
            total += sum(
                account.posted
                for account in Accounts(database).all()
                if account[1:4] == (owner, "position", currency)
            )
    return (total + WORD // 2) % WORD - WORD // 2


def test_the_nodes_shares_add_up_to_what_the_edges_know_in_clear(story):
    place = story[0]
    with Database.open(databases(place)[WALLET], reader=True) as database:
        book = Book(database, WALLET)
        owed = book.accounts.get([book.network("EUR")])[book.network("EUR")].posted
    with Database.open(databases(place)[ACQUIRER], reader=True) as database:
        due = AcquirerBook(database, ACQUIRER).positions()["SGD"]
    assert positions(place, WALLET, "EUR") == -owed
    assert positions(place, ACQUIRER, "SGD") == due


def test_both_nodes_committed_the_same_batches(story):
    committed = []
    for name in NODES:
        url = databases(story[0])[name]
        with Database.open(url, reader=True) as database, database.read() as connection:
            rows = connection.exec_driver_sql("SELECT batch, state, digest FROM batches").all()
        committed.append({row[0]: row[2] for row in rows if row[1] == BatchState.COMMITTED})
    assert committed[0] == committed[1]
    assert committed[0]


def test_the_terms_are_those_that_the_sums_above_assume(story):
    directory = Directory.load(story[0].directory)
    assert (directory.rate("SGD", "EUR").num, directory.rate("SGD", "EUR").den) == RATE
    assert (directory.agreements[0].fee_num, directory.agreements[0].fee_den) == FEE
