"""A wallet among members with real keys: what an acquirer and the nodes send it, and get back."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import numpy as np

from petcore.network.envelope import Envelope, compose, open_part, verify
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.ledger import Database
from petcore.network.ledger.database import milliseconds
from petcore.network.replay import Counter
from petcore.network.wallet.book import Book, User
from petcore.network.wallet.payments import Payments
from petcore.network.wallet.pins import hash_pin
from petcore.network.wallet.service import WalletService
from tests.network.members import ROLES, Members, make_members

DAY = 24 * 3_600_000
TO = {"mpp": "purse", "node_a": "node-a", "node_b": "node-b"}
ALICE = User("alice", "EUR", 100, 1_000_000, features=(7, -3), pin=hash_pin("1234"))
PAY = {
    "merchant_currency": "SGD",
    "mpp": "purse",
    "agreement": "purse-shop",
    "content": "ab" * 32,
    "amount": 300,
    "fee": 1,
    "currency": "SGD",
    "payment_token": "",
    "merchant_name": "Tom & <Jerry>",
    "order_description": "two <b>mice</b>",
}
REFUND = {
    "payment": "p1",
    "merchant_currency": "SGD",
    "mpp": "purse",
    "agreement": "purse-shop",
    "content": "cd" * 32,
    "fx_mode": "original",
    "amount": 100,
    "fee": 1,
    "currency": "SGD",
}
CASHIER = "https://127.0.0.1:1"


class Around:
    """Everybody around a wallet: their rings, and the messages that they send it."""

    def __init__(self, folder: Path) -> None:
        self.members: Members = make_members(folder)
        public = folder / "public"
        public.mkdir()
        self.rings = {}
        for name in (*ROLES, "stranger"):
            KeyRing.make(folder / name / "keys", name, now=lambda: now_ms() - 10 * DAY)
            self.rings[name] = KeyRing.load(folder / name / "keys", name)
            (public / f"{name}.keys.json").write_bytes(self.rings[name].public())
        self.keys = PublicKeys.load(public)
        self._counter = Counter()
        self.empty = folder / "empty.db"  # tables are made once, and copied
        Database.open(self.empty).close()

    def message(self, kind, number, values, *, sender="shop-bank", to=TO, seconds=600.0, now=None):
        """Compose what a member sends; without the parts that the wallet does not get."""
        whole = compose(
            kind,
            number,
            values,
            ring=self.rings[sender],
            keys=self.keys,
            to=to,
            expires_in=seconds,
            counter=self._counter.next(),
            now=now,
        )
        return whole.for_recipient("purse").to_bytes()

    def pay(self, number="p1", *, now=None, seconds=600.0, sender="shop-bank", **values):
        """Compose a pay."""
        return self.message("pay", number, PAY | values, now=now, seconds=seconds, sender=sender)

    def refund(self, number="r1", **values):
        """Compose a refund."""
        return self.message("refund", number, REFUND | values)

    def cancel(self, payment="p1", number="c1", *, now=None):
        """Compose a cancel."""
        values = {"payment": payment, "mpp": "purse", "content": "ef" * 32}
        return self.message("cancel", number, values, now=now)

    def decide(self, bits, *, batch=1, now=None, spoil=0):
        """Compose both nodes' decisions about requests of the acquirer."""
        share = [secrets.randbits(64) for _ in bits]
        other = [(bit - word) % 2**64 for bit, word in zip(bits.values(), share, strict=True)]
        other[0] = (other[0] + spoil) % 2**64
        return [
            self.message(
                "decision",
                f"batch-{batch}",
                {
                    "batch": batch,
                    "senders": ["shop-bank"] * len(bits),
                    "ids": list(bits),
                    "decisions": np.array(words, np.uint64),
                },
                sender=node,
                to={"mpp": "purse"},
                seconds=3600,
                now=now,
            )
            for node, words in (("node-a", share), ("node-b", other))
        ]

    def read(self, item, name="shop-bank"):
        """Verify an answer of the wallet; return its envelope and what ``name`` reads of it."""
        envelope = Envelope.from_bytes(item)
        verify(envelope, self.keys, directory=self.members.directory, recipient=name)
        assert envelope.header.sender == "purse"
        return envelope, open_part(envelope, self.rings[name])

    def added(self, item, field):
        """Return what the nodes' shares of a field of a check add up to, signed."""
        words = [self.read(item, node)[1][field] for node in ("node-a", "node-b")]
        return int(np.uint64(sum(words) % 2**64).astype(np.int64))


class Wallet:
    """The wallet itself, without HTTP, over a database of its own."""

    def __init__(self, folder: Path, around: Around) -> None:
        self.skew = 0
        shutil.copy(around.empty, folder / "purse.db")
        self.database = Database.open(folder / "purse.db", clock=lambda: milliseconds() + self.skew)
        self.book = Book(self.database, "purse")
        self.book.add_user(ALICE, balance=5_000)
        self.payments = Payments(self.book, around.members.directory, features=2)
        self.ring = around.rings["purse"]
        self.service = WalletService(
            self.payments, around.members.directory, self.ring, around.keys, cashier=CASHIER
        )

    def code(self, seconds=60.0):
        """Return a code of alice."""
        return self.book.new_codes("alice", seconds=seconds)[0]

    @property
    def balance(self):
        """Of alice: what was posted, and what is available."""
        account = self.book.accounts.get([self.book.balance(ALICE)])[self.book.balance(ALICE)]
        return account.posted, account.available
