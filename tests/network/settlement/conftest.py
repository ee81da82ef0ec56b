"""Two nodes' ledgers in shares and the edges' ledgers in clear, moved alike; no processes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.network.members import make_members

from petcore.mpc.disclosure import MemorySink
from petcore.network.envelope import compose
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Accounts, Database, Opening, Transfer, Windows
from petcore.network.ledger.accounts import TransferKind, write_transfers
from petcore.network.ledger.postings import REVERSAL
from petcore.network.replay import Counter
from petcore.network.settlement import Settler, open_statement

NODES = ("node-a", "node-b")
FEE, NET, DEBIT = 2, 1, 0


@dataclass
class World:
    """A network in a folder.

    ``moves`` is what every participant should net, by (name, currency), per window.
    """

    folder: Path
    extra: str = ""
    moves: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        members = make_members(self.folder, extra=self.extra)
        self.directory = members.directory
        names = [p.name for p in self.directory.participants]
        self.rings = {name: KeyRing.make(self.folder / "keys", name) for name in names}
        self.keys = PublicKeys.load(self.folder / "keys")
        self.data = {n: Database.open(self.folder / f"{n}.db") for n in (*NODES, *names[2:])}
        self.numbers: dict[tuple[str, str, str], int] = {}
        self.window = 1
        self.counter = Counter()
        self.sinks = {name: MemorySink() for name in NODES}
        for name in NODES:
            Windows(self.data[name]).current()

    def close(self) -> None:
        for database in self.data.values():
            database.close()

    def account(self, owner: str, purpose: str, currency: str) -> int:
        name = (owner, purpose, currency)
        if name not in self.numbers:
            for node in NODES:
                opening = Opening(*name, settles=True)
                (self.numbers[name],) = Accounts(self.data[node]).open([opening])
        return self.numbers[name]

    def pay(self, request: str, currency: str, amount: int, fee: int = 0) -> None:
        """Move an amount from the wallet to the acquirer, less the fee; 0 if it was declined."""
        wallet, shop = (self.account(n, "position", currency) for n in ("purse", "shop-bank"))
        exchange, fees = (self.account("network", p, currency) for p in ("exchange", "fees"))
        legs = ((DEBIT, wallet, exchange, amount), (NET, exchange, shop, amount - fee))
        self._post(request, [*legs, (FEE, exchange, fees, fee)])
        self._count(currency, amount, fee)

    def take_back(self, request: str, currency: str, amount: int, fee: int = 0) -> None:
        """Reverse a payment."""
        wallet, shop = (self.account(n, "position", currency) for n in ("purse", "shop-bank"))
        exchange, fees = (self.account("network", p, currency) for p in ("exchange", "fees"))
        self._post(
            request,
            [
                (DEBIT + REVERSAL, exchange, wallet, amount),
                (NET + REVERSAL, shop, exchange, amount - fee),
                (FEE + REVERSAL, fees, exchange, fee),
            ],
        )
        self._count(currency, -amount, -fee)

    def cut(self) -> int:
        """End the window at both nodes; return its number."""
        for name in NODES:
            Windows(self.data[name]).cut(self.window)
        self.window += 1
        return self.window - 1

    def settler(self, node: str) -> Settler:
        return Settler(
            self.directory,
            node,
            ring=self.rings[node],
            keys=self.keys,
            database=self.data[node],
            counter=self.counter,
            sink=self.sinks[node],
        )

    def ask(self, node: str, name: str, window: int, currency: str, **options) -> bytes:
        role = "node_a" if node == "node-a" else "node_b"
        request = compose(
            "net_request",
            f"net-{window}",
            {"window": window, "currency": currency},
            ring=self.rings[name],
            keys=self.keys,
            to={role: node},
            **{"expires_in": 60, "counter": self.counter.next(), **options},
        )
        return self.settler(node).answer(request.to_bytes())

    def statement(self, name: str, window: int, currency: str):
        """Open a participant's net as its edge would."""
        nets = [self.ask(node, name, window, currency) for node in NODES if node != name]
        if name == "node-a":
            nets.append(self.settler(name).net(name, window, currency, "own"))
        items = self.settler("node-b").items(name, window, currency)
        return open_statement(
            nets, items, ring=self.rings[name], keys=self.keys, directory=self.directory
        )

    def _post(self, request: str, legs: list[tuple[int, int, int, int]]) -> None:
        shared = {"node-a": [], "node-b": []}
        for leg, debit, credit, amount in legs:
            mine = secrets.randbits(64)
            shared["node-a"].append(Transfer(request, leg, debit, credit, mine))
            theirs = (amount - mine) % 2**64
            shared["node-b"].append(Transfer(request, leg, debit, credit, theirs))
        for node, items in shared.items():
            with self.data[node].write() as connection:
                write_transfers(
                    connection,
                    items,
                    TransferKind.DIRECT,
                    window=self.window,
                    now=1_790_000_000_000,
                )

    def _count(self, currency: str, amount: int, fee: int) -> None:
        for name, gain in (("purse", -amount), ("shop-bank", amount - fee), ("node-a", fee)):
            self.moves[name, currency] = self.moves.get((name, currency), 0) + gain


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, "min_count = 3")
    yield made
    made.close()
