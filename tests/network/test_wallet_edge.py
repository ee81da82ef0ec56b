"""The wallet's edge as a process, called over mutual TLS by a node A that the test plays."""

import asyncio
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import pytest

from petcore.errors import LinkError, PeerUntrusted
from petcore.network.envelope import Envelope, pack, unpack
from petcore.network.http import Peers, Server
from petcore.network.keyring import now_ms
from petcore.network.ledger import Database, EdgeJournal, check_invariants
from petcore.network.node.replies import Reply, write_replies
from petcore.network.wallet.book import Book
from petcore.network.wallet.payments import Asked, Payments
from tests.conftest import free_ports
from tests.network.wallets import ALICE, Around

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

SECONDS = 60
HOUR = 3_600_000


class Place:
    """A wallet's folder, and its process."""

    def __init__(self, folder):
        self.folder = folder
        self.around = Around(folder)
        self.health, self.page = (f"127.0.0.1:{port}" for port in free_ports(2))
        self.config = folder / "purse.toml"
        self.config.write_text(
            f'name = "purse"\nlisten = "{self.around.members.listen["purse"]}"\n'
            f'database = "sqlite:///purse.db"\ndirectory = "network.toml"\nhealth = "{self.health}"\n'
            'certificate = "purse.cert.pem"\nkey = "purse.key.pem"\nkeys = "purse/keys"\n'
            'public = "public"\nfeatures = 2\n'
            f'[cashier]\nlisten = "{self.page}"\nurl = "https://{self.page}"\n'
            "[limits]\nhold_seconds = 0.001\n"
        )
        self.codes = []
        with self.ledger() as database:
            book = Book(database, "purse")
            book.add_user(ALICE, balance=5_000)
            self.codes = book.new_codes("alice", seconds=3600, count=50)
        self.process = None

    def ledger(self, *, reader=False):
        return Database.open(self.folder / "purse.db", reader=reader)

    def start(self):
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "petcore",
                "edge",
                "--role",
                "mpp",
                "--config",
                str(self.config),
            ],
            stderr=subprocess.DEVNULL,
            env=os.environ | {"COLUMNS": "100"},
        )
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"http://{self.health}/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
        raise AssertionError("the edge did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(SECONDS) == 0

    def call(self, path, items, *, caller="node-a"):
        """Bring the wallet messages as a member; return its answers, or its JSON."""

        async def post():
            peers = Peers(self.around.members.identities[caller], self.around.members.directory)
            try:
                return await peers.post("purse", path, pack(items), timeout=20.0)
            finally:
                await peers.close()

        answer = asyncio.run(post())
        return answer if path == "/v1/decisions" else unpack(answer)

    def pay(self, number, **values):
        return self.around.pay(number, payment_token=self.codes.pop(), **values)

    @property
    def balance(self):
        with self.ledger(reader=True) as database:
            book = Book(database, "purse")
            account = book.accounts.get([book.balance(ALICE)])[book.balance(ALICE)]
            return account.posted, account.available


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("purse"))
    place.start()
    yield place
    place.stop()
    with place.ledger(reader=True) as database:
        assert check_invariants(database, clear=True) == []


def test_a_payment_from_check_to_decision(place):
    posted = place.balance[0]
    (answer,) = place.call("/v1/checks", [place.pay("p1")])
    assert place.around.read(answer)[1]["reason"] == "accepted"
    assert place.balance == (posted, posted - 200)
    decisions = place.around.decide({"p1": 1})
    for _ in range(2):
        assert place.call("/v1/decisions", decisions) == b'{"done":1}'
        assert place.balance == (posted - 200, posted - 200)


def test_only_node_a_asks_a_wallet(place):
    before = place.balance
    for caller in ("node-b", "shop-bank"):
        with pytest.raises(PeerUntrusted):
            place.call("/v1/checks", [place.pay("p2")], caller=caller)
    with pytest.raises(PeerUntrusted):
        place.call("/v1/decisions", place.around.decide({"p1": 1}), caller="node-b")
    assert place.balance == before


def test_a_cancel_and_metrics(place):
    place.call("/v1/checks", [place.pay("p3"), place.pay("p4", amount=9_000)])
    (answer,) = place.call("/v1/cancels", [place.around.cancel("p3", "c3")])
    assert place.around.read(answer)[1]["done"] == "voided"
    place.call("/v1/decisions", place.around.decide({"p4": 0}))
    text = httpx.get(f"http://{place.health}/metrics").text
    assert 'petcore_wallet_requests_total{message="cancel"} 1.0' in text
    assert 'petcore_wallet_decisions_total{state="voided"} 1.0' in text
    assert "alice" not in text


def test_a_hold_outlives_sigkill_and_what_was_answered_is_durable(place):
    posted = place.balance[0]
    asked = [place.pay(f"k{i}") for i in range(3)]
    first = place.call("/v1/checks", asked)
    place.kill()
    with pytest.raises(LinkError):
        place.call("/v1/checks", asked)
    assert place.balance == (posted, posted - 600)
    place.start()
    again = place.call("/v1/checks", asked)
    for one, other in zip(first, again, strict=True):
        assert place.around.read(one)[1] == place.around.read(other)[1]
    decisions = place.around.decide({"k0": 1, "k1": 0, "k2": 1}, batch=2)
    place.call("/v1/decisions", decisions)
    place.kill()
    assert place.balance == (posted - 400, posted - 400)
    place.start()
    place.call("/v1/decisions", decisions)
    assert place.balance == (posted - 400, posted - 400)


class NodeA:
    """Node A as far as a wallet that asks it can see: what it says of requests, what it is brought."""

    def __init__(self, around):
        self.members, self.brought, self.asked = around.members, [], []
        self.decisions = tuple(around.decide({"slow": 1}))
        self.served = asyncio.Event()

    async def __call__(self, scope, receive, send):
        message = await receive()
        path = scope["path"]
        if path == "/v1/messages":
            items = unpack(message["body"])
            self.brought += items
            ids = [Envelope.from_bytes(item).header.request_id for item in items]
            body = pack(write_replies([Reply("accepted", "shop-bank", one) for one in ids]))
        else:
            self.asked.append(path)
            state = "expired" if path.endswith("/late") else "posted"
            name = path.rpartition("/")[2]
            late = Reply("refused", "shop-bank", name, "pay", state)
            both = self.decisions[: 1 if name == "odd" else 2]  # of that one, B's word is missing
            slow = Reply("decided", "shop-bank", name, "pay", state, both)
            reply = late if state == "expired" else slow
            body = pack(write_replies([reply]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        self.served.set()

    def serve(self, until):
        """Serve until ``until()`` is true."""

        async def run():
            stop = asyncio.Event()
            listen = self.members.listen["node-a"]
            identity = self.members.identities["node-a"]
            server = Server(self, listen, identity, self.members.directory)
            running = asyncio.create_task(server.run(stop))
            async with asyncio.timeout(SECONDS):
                while not until():
                    self.served.clear()
                    await self.served.wait()
            stop.set()
            await running

        asyncio.run(run())


def test_after_a_crash_a_consent_is_brought_again_and_what_the_nodes_ended_long_ago_ends(tmp_path):
    place = Place(tmp_path)
    directory = place.around.members.directory
    with Database.open(tmp_path / "purse.db", clock=lambda: now_ms() - HOUR) as database:
        payments = Payments(Book(database, "purse"), directory)
        held = payments.check([long_ago(n, place.codes.pop()) for n in ("odd", "late", "slow")])
    assert [payment.state for payment in held] == ["held"] * 3
    place.start()
    (answer,) = place.call("/v1/checks", [place.around.pay("p1")])
    url = place.around.read(answer)[1]["normal_url"]
    agreed = httpx.post(url, data={"user": "alice", "pin": "1234"}, verify=False)  # noqa: S501
    assert agreed.status_code == 200  # though node A is away
    assert place.balance == (5_000, 4_200)
    place.kill()
    node = NodeA(place.around)
    place.start()
    node.serve(lambda: bool(node.brought) and len(node.asked) >= 3)
    place.stop()
    assert place.around.read(node.brought[0])[1]["reason"] == "accepted"
    assert place.balance == (4_800, 4_400)
    with place.ledger(reader=True) as database:
        waiting = [record.request for record in EdgeJournal(database).waiting()]
    assert waiting == ["shop-bank/odd", "shop-bank/p1"]


def long_ago(number, code):
    """A payment that was asked for an hour ago."""
    header = SimpleNamespace(
        type="pay",
        sender="shop-bank",
        request_id=number,
        expires=now_ms() - HOUR + 600_000,
        clear={"content": "aa" * 32, "merchant_currency": "SGD"},
    )
    fields = {"amount": 300, "currency": "SGD", "payment_token": code}
    return Asked(SimpleNamespace(header=header), fields)
