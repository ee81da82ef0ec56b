"""The rest of the network, for tests of the acquirer's edge: two nodes and a wallet in one object.

It opens and answers real messages with real keys, keeps what a network keeps, and fails where a
test says so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import numpy as np

from petcore.errors import PeerLate, PeerUnreachable
from petcore.network.acquirer.desk import Desk, content_secret
from petcore.network.acquirer.edge import Acquirer
from petcore.network.acquirer.flow import Times
from petcore.network.acquirer.letters import Letters
from petcore.network.acquirer.relay import Relay
from petcore.network.acquirer.routing import Codes, Routing
from petcore.network.directory import Agreement, Directory, Participant
from petcore.network.envelope import Envelope, compose, open_part, pack, unpack, verify
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Database
from petcore.network.node.replies import Reply, write_replies
from petcore.network.replay import Counter

NAMES = {"shop-bank": "acqp", "purse": "mpp", "node-a": "node_a", "node-b": "node_b"}
NOW_MS = 1_795_348_800_000


def a_directory() -> Directory:
    members = tuple(
        Participant(name, role, f"le-{name}", f"https://127.0.0.1:{port}", Path("none"), "")
        for port, (name, role) in enumerate(NAMES.items(), 7001)
    )
    agreement = Agreement("agr-1", "purse", "shop-bank", ("SGD", "JPY", "KWD"), 7, 1000)
    return Directory("demo", members, (agreement,))


@dataclass
class Seen:
    """A request as the network keeps it."""

    kind: str
    content: str
    amount: int = 0
    fee: int = 0
    token: str = ""
    payment: str = ""
    reply: Reply | None = None
    approved: bool = False
    cancelled: bool = False


@dataclass
class Network:
    """Answers what node A would; ``requests`` is what took effect, by id."""

    rings: dict[str, KeyRing]
    keys: PublicKeys
    directory: Directory
    folder: Path  # of the keys
    balance: int = 100_000
    decide: Callable[[str, int], str] = lambda request, amount: "accepted"
    away: bool = False  # nothing arrives
    mute: bool = False  # it arrives, and the answer is lost
    vetoed: set[str] = field(default_factory=set)  # ids that the nodes decline by themselves
    slow: set[str] = field(default_factory=set)  # ids that are journalled and not decided
    requests: dict[str, Seen] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    spoil: Callable[[Reply], Reply] = lambda reply: reply
    batch: int = 0
    counter: Counter = field(default_factory=Counter)

    async def post(
        self, name: str, path: str, body: bytes, *, timeout: float | None = None
    ) -> bytes:
        assert (name, path) == ("node-a", "/v1/messages")
        if self.away:
            raise PeerUnreachable("node-a cannot be reached", party="node-a")
        replies = [self.spoil(self._message(Envelope.from_bytes(item))) for item in unpack(body)]
        if self.mute:
            raise PeerLate("node-a did not answer", party="node-a")
        return pack(write_replies(replies))

    async def get(self, name: str, path: str, *, timeout: float | None = None) -> bytes:
        if self.away:
            raise PeerUnreachable("node-a cannot be reached", party="node-a")
        _, _, _, sender, request = path.split("/")
        request = unquote(request)
        self.calls.append(f"ask {request}")
        seen = self.requests.get(request)
        reply = Reply("unknown", sender, request) if seen is None else self._state(request, seen)
        if self.mute:
            raise PeerLate("node-a did not answer", party="node-a")
        return pack(write_replies([self.spoil(reply)]))

    def agree(self, request: str) -> Reply:
        """The payer agrees at the wallet's page: the decision as node A would notify it."""
        seen = self.requests[request]
        self._decide(request, seen, seen.amount <= self.balance)
        assert seen.reply is not None
        return seen.reply

    def _message(self, envelope: Envelope) -> Reply:
        header = envelope.header
        verify(envelope, self.keys, directory=self.directory)
        self.calls.append(f"{header.type} {header.clear.get('payment', header.request_id)}")
        if header.type == "cancel":
            return self._cancel(envelope)
        seen = self.requests.get(header.request_id)
        if seen is None:
            seen = self.requests[header.request_id] = self._open(envelope)
            self._first(header.request_id, seen)
        elif seen.content != header.clear["content"]:
            return Reply("refused", header.sender, header.request_id, code="inconsistent")
        return self._state(header.request_id, seen)

    def _state(self, request: str, seen: Seen) -> Reply:
        if seen.reply is not None and request not in self.slow:
            return seen.reply
        if seen.cancelled:
            return Reply("refused", "shop-bank", request, code="tombstoned")
        return Reply("pending", "shop-bank", request, state="reserved")

    def _open(self, envelope: Envelope) -> Seen:
        header = envelope.header
        part = open_part(envelope, self.rings["purse"])
        halves = [open_part(envelope, self.rings[name]) for name in ("node-a", "node-b")]
        shared = {
            name: sum(int(half[name]) for half in halves) % 2**64 for name in ("amount", "fee")
        }
        assert shared["amount"] == part["amount"]
        return Seen(
            header.type,
            header.clear["content"],
            part["amount"],
            shared["fee"],
            part.get("payment_token", ""),
            header.clear.get("payment", ""),
        )

    def _first(self, request: str, seen: Seen) -> None:
        if seen.kind == "refund":
            paid = self.requests[seen.payment]
            back = sum(
                other.amount
                for other in self.requests.values()
                if other.payment == seen.payment and other.approved
            )
            self._decide(request, seen, paid.approved and back + seen.amount <= paid.amount)
        elif seen.token:
            self._decide(request, seen, seen.amount <= self.balance)
        else:
            values = {
                "acqp": "shop-bank",
                "request": "0" * 64,
                "payment_id": f"W-{request}",
                "normal_url": f"https://purse.example/cashier/{request}",
            }
            awaiting = self._compose("purse", "awaiting", request, values, {"acqp": "shop-bank"})
            seen.reply = Reply("awaiting", "shop-bank", request, envelopes=(awaiting,))

    def _decide(self, request: str, seen: Seen, enough: bool) -> None:
        word = self.decide(request, seen.amount) if enough else "balance"
        seen.approved = word == "accepted" and request not in self.vetoed
        self.batch += 1
        mask = int.from_bytes(np.random.default_rng().bytes(8), "little")
        shares = mask, (int(seen.approved) - mask) % 2**64
        both = [
            self._compose(
                node,
                "decision",
                f"batch-{self.batch}",
                {
                    "batch": self.batch,
                    "senders": ["shop-bank"],
                    "ids": [request],
                    "decisions": np.array([share], np.uint64),
                },
                {"acqp": "shop-bank"},
            )
            for node, share in zip(("node-a", "node-b"), shares, strict=True)
        ]
        check = self._check(request, seen, word)
        seen.reply = Reply("decided", "shop-bank", request, seen.kind, "posted", (*both, check))

    def _check(self, request: str, seen: Seen, word: str) -> bytes:
        values: dict[str, Any] = {
            "acqp": "shop-bank",
            "request": "0" * 64,
            "payer_currency": "SGD",
            "rate": "-",
            "seen": seen.amount,
            "debit": seen.amount,
            "reason": word,
        }
        if seen.kind == "refund":
            values |= {"refund_id": f"R-{request}", "refund_time": NOW_MS}
        else:
            values |= {
                "available": self.balance,
                "count_left": 5,
                "sum_left": 10**9,
                "features": [],
                "payment_id": f"W-{request}",
                "payment_time": NOW_MS,
            }
        type_ = "refund_check" if seen.kind == "refund" else "check"
        to = {"acqp": "shop-bank", "node_a": "node-a", "node_b": "node-b"}
        return self._compose("purse", type_, request, values, to)

    def _cancel(self, envelope: Envelope) -> Reply:
        header = envelope.header
        payment = header.clear["payment"]
        seen = self.requests.setdefault(payment, Seen("pay", ""))
        done = "reversed" if seen.approved else "voided" if seen.content else "tombstoned"
        seen.cancelled, seen.approved = True, False
        if seen.reply is None or seen.reply.status == "awaiting":
            seen.reply = None
            self.slow.discard(payment)
        values = {"payment": payment, "acqp": "shop-bank", "done": done, "cancel_time": NOW_MS}
        to = {"acqp": "shop-bank", "node_a": "node-a", "node_b": "node-b"}
        cancelled = self._compose("purse", "cancelled", header.request_id, values, to)
        return Reply("cancelled", header.sender, header.request_id, envelopes=(cancelled,))

    def _compose(
        self, sender: str, type_: str, request: str, values: dict[str, Any], to: dict[Any, str]
    ) -> bytes:
        return compose(
            type_,
            request,
            values,
            ring=self.rings[sender],
            keys=self.keys,
            to=to,
            expires_in=600,
            counter=self.counter.next(),
        ).to_bytes()


@cache
def _kept() -> TemporaryDirectory[str]:
    """A folder that lives as long as the tests: keys and an empty database, made once."""
    folder = TemporaryDirectory()
    for name in NAMES:
        KeyRing.make(Path(folder.name) / "keys", name)
    Database.open(Path(folder.name) / "empty.db").close()
    return folder


def make_network(place: Path) -> Network:
    keys = Path(_kept().name) / "keys"
    if not (place / "shop-bank.db").exists():
        shutil.copy(Path(_kept().name) / "empty.db", place / "shop-bank.db")
    rings = {name: KeyRing.load(keys, name) for name in NAMES}
    return Network(rings, PublicKeys.load(keys), a_directory(), keys)


def open_edge(network: Network, place: Path, *, clock: Any = None, **times: float) -> Acquirer:
    """Start an edge over a database of a folder, as after a start of its process."""
    more = {} if clock is None else {"clock": clock}
    database = Database.open(place / "shop-bank.db", **more)
    letters = Letters(
        network.directory, network.rings["shop-bank"], network.keys, content_secret(database)
    )
    relay = Relay(network, "node-a", "shop-bank")
    routing = Routing(network.directory, "shop-bank", (Codes("purse", ("28",)),))
    waits = {"answer": 5.0, "poll": 0.01, "give_up": 60.0, "awaiting": 0.01} | times
    return Acquirer(
        network.directory, Desk(database, letters), relay, routing, times=Times(**waits)
    )


async def shut(edge: Acquirer) -> None:
    await edge.flow.close()
    edge._desk.database.close()


def stored(place: Path) -> str:
    """Everything an edge's database holds, as text: for searches."""
    return json.dumps([p.read_bytes().decode("latin-1") for p in place.glob("shop-bank.db*")])
