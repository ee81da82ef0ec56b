"""Whatever is lost, repeated, late or dead: money is where it belongs, once."""

from __future__ import annotations

import asyncio
import os

import numpy as np
import pytest

from petcore.network.acquirer.orders import OPEN, PaymentRef, PayOrder, RefundOrder
from petcore.network.demo.place import make_place
from petcore.network.ledger import Database
from petcore.network.wallet.book import Book

from . import laws
from .world import World, copy_of, put_in_place

CLIENT = "SHOP_0001"
PAYMENTS = 12
BALANCE = 20_000
SEEDS = range(int(os.environ.get("PETCORE_STORMS", "2")))
SETTLE_SECONDS = 100


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("network") / "place", balance=BALANCE)


@pytest.fixture
def storm(network, tmp_path, monkeypatch):
    def make(seed, **weather):
        place = copy_of(network, tmp_path / f"world-{seed}")
        world = World(place, seed, **weather)
        put_in_place(monkeypatch, world)
        return world

    return make


class Merchant:
    """Pays, repeats, refunds and cancels; remembers every final answer that it got."""

    def __init__(self, world, seed):
        self.world = world
        self.rng = np.random.default_rng([seed, 1])
        self.final = {}
        with Database.open(laws.path_of(world.place, "purse")) as database:
            book = Book(database, "purse")
            self.codes = [
                code
                for user in ("alice", "bob")
                for code in book.new_codes(user, seconds=3600, count=PAYMENTS)
            ]

    async def call(self, method, *arguments):
        """Ask the acquirer until it says something that is not "ask again"."""
        while True:
            member = self.world.members["shop-bank"]
            if not member.dead:
                answer = await member.call(method, *arguments)
                if answer.code not in OPEN:
                    return answer
            await asyncio.sleep(0.1)

    def tell(self, name, code):
        """Remember a final answer; another one later is a broken law."""
        assert self.final.setdefault(name, code) == code, (
            f"{name} was {self.final[name]}, is {code}"
        )

    async def shop(self, number):
        code = self.codes[int(self.rng.integers(len(self.codes)))]
        amount = int(self.rng.integers(1, 4000))
        order = PayOrder(CLIENT, f"order-{number}", "SGD", amount, code, {}, f"{amount} {code}")
        await asyncio.sleep(float(self.rng.uniform(0, 1)))
        paid = await self.call("pay", order)
        self.tell(order.request, paid.code)
        ref = PaymentRef(CLIENT, order.request)
        await self.repeat(order, paid.code)
        if paid.code == "done" and number % 3 == 0:
            await self.give_back(number, ref, amount)
        elif number % 3 == 1:
            cancelled = await self.call("cancel", ref)
            assert cancelled.code in ("done", "absent")

    async def repeat(self, order, code):
        """The same request again, and the same id for another amount."""
        assert (await self.call("pay", order)).code == code
        other = PayOrder(CLIENT, order.request, "SGD", order.amount + 1, order.token, {}, "other")
        assert (await self.call("pay", other)).code in ("inconsistent", "cancelled")

    async def give_back(self, number, ref, amount):
        left = amount
        for part, take in enumerate((amount // 2, amount - amount // 2, amount)):
            if not take:
                continue
            order = RefundOrder(CLIENT, f"back-{number}-{part}", ref, "SGD", take, f"{take}")
            back = await self.call("refund", order)
            self.tell(order.request, back.code)
            left -= take * (back.code == "done")
            assert left >= 0, "more was refunded than was paid"


async def act(world, seed):
    merchant = Merchant(world, seed)
    await world.start()
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            work = [asyncio.create_task(merchant.shop(number)) for number in range(PAYMENTS)]
            await asyncio.wait(work, timeout=2)
            before = await asyncio.to_thread(laws.ends_of, world.place)
            await asyncio.gather(*work)
            world.calm = True
            await quiet(world)
    except TimeoutError:
        left = {name: left_over(member) for name, member in world.members.items()}
        dead = [member.name for member in world.members.values() if member.dead]
        pytest.fail(
            f"not at rest: {left}; dead: {dead}, {world.stillborn[-3:]}; {unfinished(world)}; "
            f"{dict(world.happened)}; {merchant.final}"
        )
    finally:
        await world.end()
    return merchant, before


async def quiet(world):
    """Wait until nobody has anything left to do."""
    while True:
        await asyncio.sleep(0.2)
        members = list(world.members.values())
        if any(member.dead for member in members):
            continue
        if not await asyncio.to_thread(lambda found=members: any(map(left_over, found))):
            return


def unfinished(world):
    """Return what the acquirer still waits for, and as what the others have it."""
    open_ones = laws.Journal(world.members["shop-bank"].database).waiting()
    keys = [record.request for record in open_ones]
    found = {
        name: laws.Journal(member.database).find(keys, parts=False)
        for name, member in world.members.items()
    }
    return {
        key: {name: records[key].state.name for name, records in found.items() if key in records}
        for key in keys
    }


def left_over(member):
    """Return what a member still has to do, by table; B waits for A's word about requests."""
    waiting = {
        "requests": "SELECT count(*) FROM requests WHERE state < 2",
        "batches": "SELECT count(*) FROM batches WHERE state < 2",
        "letters": "SELECT count(*) FROM outbox",
        "holds": "SELECT count(*) FROM holds",
    }
    if member.name == "node-b":
        del waiting["requests"]
    with member.database.read() as connection:
        counts = {what: connection.exec_driver_sql(text).scalar() for what, text in waiting.items()}
    return {what: count for what, count in counts.items() if count}


def play(world, seed):
    with asyncio.Runner() as runner:  # ends every task and thread, also after a test's timeout
        merchant, before = runner.run(act(world, seed))
    balances = {"alice": BALANCE, "bob": BALANCE, "carol": BALANCE}
    assert laws.broken_laws(world.place, balances, before) == []
    return merchant


@pytest.mark.timeout(180)
def test_in_calm_weather_every_payment_has_its_end(storm):
    merchant = play(storm(0, weather=0.0, deaths=0.0), 0)
    assert "done" in merchant.final.values()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_storm_no_payment_is_lost_and_none_is_doubled(storm, seed):
    world = storm(seed)
    merchant = play(world, seed)
    assert len(merchant.final) >= PAYMENTS
    assert sum(count for what, count in world.happened.items() if ":" in what) > 3
    assert {"lost", "unanswered", "twice", "late"} <= world.happened.keys()
