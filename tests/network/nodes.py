"""Nodes A and B and a dealer as processes, with a wallet and an acquirer that the test scripts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from petcore.config import Config, Limits, Peer
from petcore.config_text import to_toml
from petcore.errors import PetcoreError
from petcore.network.envelope import Envelope, compose, open_part, pack, unpack, verify
from petcore.network.http import Peers, Server, caller, on_error, read_body
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.node.replies import Reply, read_replies
from petcore.network.replay import Counter
from petcore.trust.identity import make_identity
from tests.conftest import free_ports
from tests.network.members import Members, make_members

NODES = ("node-a", "node-b")
WALLET, ACQUIRER = "purse", "shop-bank"
LIMITS = Limits(deadline=5.0, silence=1.5, heartbeat=0.3, dealer_restart=4.0)


class Network:
    """The processes of a network in a folder; `start` and `kill` them by name."""

    def __init__(self, folder: Path, *, limits: str = "", **members: Any) -> None:
        self.folder = folder
        self.members: Members = make_members(folder, **members)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in self.members.identities:
            KeyRing.make(folder / "keys", name)
        self.keys = PublicKeys.load(folder / "keys")
        self._sessions()
        for name in NODES:
            self._node(name, limits)

    def start(self, *names: str) -> None:
        """Start processes; a node is ready when it answers /health."""
        for name in names:
            command = "dealer" if name == "dealer" else "node"
            path = self.folder / f"{name}.toml"
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                [
                    *(sys.executable, "-m", "petcore.cli.tethered", str(os.getpid())),
                    *(command, "--config", str(path)),
                ],
                stderr=log,
            )
            log.close()

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; return the exit status."""
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(20)

    def end(self) -> None:
        """Kill what runs."""
        for name in list(self.processes):
            self.kill(name)

    def log(self, name: str) -> str:
        """Return what a process said."""
        return (self.folder / f"{name}.log").read_text()

    def _sessions(self) -> None:
        a, b, dealer = free_ports(3)
        identities = {**self.members.identities, "dealer": make_identity("dealer")}
        identities["dealer"].save(self.folder)
        parties = tuple(
            Peer(name, f"127.0.0.1:{port}", identities[name].fingerprint)
            for name, port in zip(NODES, (a, b), strict=True)
        )
        for name, path in (
            ("dealer", "dealer.toml"),
            *((node, f"{node}.session.toml") for node in NODES),
        ):
            config = Config(
                name=name,
                certificate=self.folder / f"{name}.cert.pem",
                key=self.folder / f"{name}.key.pem",
                parties=parties,
                dealer=Peer("dealer", f"127.0.0.1:{dealer}", identities["dealer"].fingerprint),
                log=self.folder / f"{name}.disclosures.jsonl",
                limits=LIMITS,
                threads=1,
            )
            (self.folder / path).write_text(to_toml(config, self.folder))

    def _node(self, name: str, limits: str) -> None:
        (self.folder / f"{name}.toml").write_text(
            f"""
name = "{name}"
network = "network.toml"
listen = "{self.members.listen[name]}"
database = "{name}.db"
keys = "keys"
session = "{name}.session.toml"

[identity]
certificate = "{name}.cert.pem"
key = "{name}.key.pem"

[limits]
{limits}
"""
        )


class Edge:
    """What both edges have: keys, a counter, a client."""

    name: str

    def __init__(self, network: Network) -> None:
        self.network = network
        self.directory = network.members.directory
        self.ring = KeyRing.load(network.folder / "keys", self.name)
        self.keys, self.counter = network.keys, Counter()

    def compose(
        self, kind: str, request_id: str, values: dict[str, Any], **options: Any
    ) -> Envelope:
        to = {"node_a": "node-a", "node_b": "node-b"}
        to |= {"acqp": ACQUIRER} if self.name == WALLET else {"mpp": WALLET}
        if kind == "awaiting":
            to = {"acqp": ACQUIRER}
        options = {"expires_in": 60.0, "counter": self.counter.next(), **options}
        return compose(kind, request_id, values, ring=self.ring, keys=self.keys, to=to, **options)

    def decision(self, decisions: Sequence[bytes], sender: str, request_id: str) -> int:
        """Add the two nodes' shares of a decision."""
        total, nodes = 0, set()
        for content in decisions:
            envelope = Envelope.from_bytes(content)
            verify(envelope, self.keys, directory=self.directory, recipient=self.name)
            nodes.add(envelope.header.sender)
            clear = envelope.header.clear
            place = list(zip(clear["senders"], clear["ids"], strict=True)).index(
                (sender, request_id)
            )
            total += int(open_part(envelope, self.ring)["decisions"][place])
        assert nodes == set(NODES)
        return total % 2**64


class Wallet(Edge):
    """A scripted wallet edge: one user with a balance; it remembers what it said and heard."""

    name = WALLET

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.available = 10_000
        self.payer_currency = "EUR"
        self.changes: dict[str, Any] = {}  # what it says instead of the truth
        self.cashier = False
        self.checks: dict[str, bytes] = {}
        self.decisions: dict[tuple[str, str], list[int]] = {}
        self.cancelled: dict[str, bytes] = {}
        self.calls = 0
        self.answers: Callable[[], Awaitable[None]] | None = None

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer node A."""
        app = Starlette(
            routes=[
                Route("/v1/checks", self._on_checks, methods=["POST"]),
                Route("/v1/decisions", self._on_decisions, methods=["POST"]),
                Route("/v1/cancels", self._on_cancels, methods=["POST"]),
            ],
            exception_handlers={PetcoreError: on_error},
        )
        async with serving(self, app):
            yield

    def check(self, asked: Envelope) -> Envelope:
        """Return the check of a request."""
        told = open_part(asked, self.ring)
        currency, kind = asked.header.clear["merchant_currency"], asked.header.type
        rate = self.directory.rate(currency, self.payer_currency)
        today = kind == "refund" and asked.header.clear["fx_mode"] == "current"
        debit = (rate.give_back if today else rate.convert)(told["amount"])
        values: dict[str, Any] = {
            "acqp": ACQUIRER,
            "request": asked.digest,
            "payer_currency": self.payer_currency,
            "rate": rate.id or "-",
            "seen": told["amount"],
            "debit": debit,
            "reason": "accepted",
        }
        if kind == "refund":
            values |= {"refund_id": "r-1", "refund_time": now_ms()}
        else:
            values |= {"available": self.available, "count_left": 9, "sum_left": 10**9}
            values |= {"features": [], "payment_id": "p-1", "payment_time": now_ms()}
        values |= {k: v for k, v in self.changes.items() if k in values}
        answer = "refund_check" if kind == "refund" else "check"
        return self.compose(answer, asked.header.request_id, values)

    async def _on_checks(self, request: Request) -> Response:
        caller(request, self.directory, "node_a")
        if self.answers is not None:
            await self.answers()
        found = []
        for content in unpack(await read_body(request)):
            self.calls += 1
            asked = Envelope.from_bytes(content)
            verify(asked, self.keys, directory=self.directory, recipient=self.name)
            request_id = asked.header.request_id
            if self.cashier:
                values = {"acqp": ACQUIRER, "request": asked.digest}
                values |= {"payment_id": "p-1", "normal_url": "https://purse.example/pay"}
                found.append(self.compose("awaiting", request_id, values).to_bytes())
                self.asked = asked
                continue
            if request_id not in self.checks:
                self.checks[request_id] = self.check(asked).to_bytes()
            found.append(self.checks[request_id])
        return Response(pack(found))

    async def _on_decisions(self, request: Request) -> Response:
        caller(request, self.directory, "node_a")
        for content in unpack(await read_body(request)):
            envelope = Envelope.from_bytes(content)
            verify(envelope, self.keys, directory=self.directory, recipient=self.name)
            clear, shares = envelope.header.clear, open_part(envelope, self.ring)["decisions"]
            for sender, request_id, share in zip(
                clear["senders"], clear["ids"], shares.tolist(), strict=True
            ):
                heard = self.decisions.setdefault((envelope.header.sender, request_id), [])
                heard.append(share)
                assert sender == ACQUIRER
        return Response()

    async def _on_cancels(self, request: Request) -> Response:
        caller(request, self.directory, "node_a")
        found = []
        for content in unpack(await read_body(request)):
            asked = Envelope.from_bytes(content)
            values = {"payment": asked.header.clear["payment"], "acqp": ACQUIRER}
            values |= {"done": "reversed", "cancel_time": now_ms()}
            if asked.header.request_id not in self.cancelled:
                answer = self.compose("cancelled", asked.header.request_id, values)
                self.cancelled[asked.header.request_id] = answer.to_bytes()
            found.append(self.cancelled[asked.header.request_id])
        return Response(pack(found))

    def heard(self, request_id: str) -> int | None:
        """Return the decision that the wallet was told; None as long as one share is missing."""
        shares = [self.decisions.get((node, request_id)) for node in NODES]
        if None in shares:
            return None
        for told in shares:
            assert len(set(told)) == 1, "a final decision changed"
        return sum(told[0] for told in shares) % 2**64


class Acquirer(Edge):
    """A scripted acquirer edge: it sends requests and reads what came of them."""

    name = ACQUIRER

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.peers = Peers(network.members.identities[self.name], self.directory, timeout=30.0)
        self.notices: list[Reply] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Take notifications."""

        async def notified(request: Request) -> Response:
            caller(request, self.directory, "node_a")
            self.notices += read_replies(unpack(await read_body(request)))
            return Response()

        app = Starlette(routes=[Route("/v1/notifications", notified, methods=["POST"])])
        try:
            async with serving(self, app):
                yield
        finally:
            await self.peers.close()

    def pay(
        self, request_id: str, amount: int = 600, kind: str = "pay", **changes: Any
    ) -> Envelope:
        agreement = self.directory.agreement_by_id("purse-shop")
        options = {k: changes.pop(k) for k in ("expires_in", "counter", "now") if k in changes}
        values: dict[str, Any] = {
            "merchant_currency": "SGD",
            "mpp": WALLET,
            "agreement": "purse-shop",
            "content": f"{amount:064x}",
            "amount": amount,
            "fee": agreement.fee(amount),
            "currency": "SGD",
            **({} if kind == "refund" else {"payment_token": "281"}),
            **changes,
        }
        return self.compose(kind, request_id, values, **options)

    def consult(self, request_id: str, amount: int = 600) -> Envelope:
        return self.pay(request_id, amount, "consult", token_tag="ab" * 32)

    def refund(self, request_id: str, payment: str, amount: int, **changes: Any) -> Envelope:
        changes = {"payment": payment, "fx_mode": "original", **changes}
        return self.pay(request_id, amount, "refund", **changes)

    def cancel(self, request_id: str, payment: str) -> Envelope:
        values = {"payment": payment, "mpp": WALLET, "content": "0c" * 32}
        return self.compose("cancel", request_id, values)

    async def send(self, *envelopes: Envelope | bytes) -> list[Reply]:
        """Send messages to node A; return what became of them."""
        contents = [e if isinstance(e, bytes) else e.to_bytes() for e in envelopes]
        answer = await self.peers.post("node-a", "/v1/messages", pack(contents))
        return read_replies(unpack(answer), len(contents))

    async def send_until(self, *envelopes: Envelope) -> list[Reply]:
        """Send again and again, as a caller does while node A is away."""
        while True:
            try:
                return await self.send(*envelopes)
            except PetcoreError:
                await asyncio.sleep(0.05)

    async def inquire(self, request_id: str, sender: str = ACQUIRER) -> Reply:
        path = f"/v1/requests/{sender}/{quote(request_id, safe='')}"
        return read_replies(unpack(await self.peers.get("node-a", path)), 1)[0]

    async def decided(self, request_id: str) -> Reply:
        """Ask until a request is decided."""
        while True:
            with contextlib.suppress(PetcoreError):
                reply = await self.inquire(request_id)
                if reply.status == "decided":
                    return reply
            await asyncio.sleep(0.05)

    def result(self, reply: Reply) -> int:
        """Return what a decided reply says: 1 or 0."""
        assert reply.status == "decided", reply
        return self.decision(reply.envelopes[:2], reply.sender, reply.id)


@contextlib.asynccontextmanager
async def serving(edge: Edge, app: Starlette) -> AsyncIterator[None]:
    """Serve an edge's application for as long as the block runs."""
    members, stop = edge.network.members, asyncio.Event()
    server = Server(
        app, members.listen[edge.name], members.identities[edge.name], members.directory
    )
    running = asyncio.create_task(server.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that happens elsewhere."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def scenario(
    network: Network, act: Callable[[Acquirer, Wallet], Awaitable[None]], *processes: str
) -> None:
    """Start processes (all where none is named), serve both edges, and act."""

    async def whole() -> None:
        wallet, acquirer = Wallet(network), Acquirer(network)
        async with wallet.serving(), acquirer.serving():
            await act(acquirer, wallet)

    if not network.processes:
        network.start(*(processes or ("dealer", "node-b", "node-a")))
    asyncio.run(whole())
