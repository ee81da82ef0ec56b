"""The wallet edge as a process: what node A calls, the users' page, and what goes on by itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from petcore.errors import ConfigError, LinkError, PetcoreError
from petcore.network import http
from petcore.network.directory import Directory
from petcore.network.envelope import pack, unpack
from petcore.network.errors import DecisionUnclear
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Database, split_key
from petcore.network.logs import Log
from petcore.network.metrics import Metrics
from petcore.network.node.replies import Reply, read_replies
from petcore.network.tls import public_context
from petcore.network.wallet.book import Book
from petcore.network.wallet.cashier import Cashier, message_of
from petcore.network.wallet.config import WalletConfig
from petcore.network.wallet.payments import Payments
from petcore.network.wallet.service import WalletService
from petcore.trust.identity import load_identity

SWEEP_SECONDS = 15.0
TIDY_SECONDS = 3600.0
SWEEP_MOST = 64
_LOG = Log("wallet")
_ENDED = ("voided", "expired", "tombstoned")


class WalletEdge:
    """One wallet's edge; `run` serves until ``stop`` is set.

    Parameters
    ----------
    config
        What it was told.

    Raises
    ------
    ConfigError
        A file of the configuration cannot be used, or an address cannot be bound.
    LedgerError
        The database cannot be opened.
    """

    def __init__(self, config: WalletConfig) -> None:
        self.config = config
        self.directory = Directory.load(config.directory)
        if self.directory.member(config.name).role != "mpp":
            raise ConfigError(f"{config.source}: {config.name} is no wallet of the network")
        self._identity = load_identity(config.certificate, config.key)
        self.database = Database.open(config.database)
        self.book = Book(self.database, config.name)
        self.payments = Payments(self.book, self.directory, features=config.features)
        self._ring = KeyRing.load(config.keys, config.name)
        url = config.cashier.url if config.cashier is not None else ""
        self.service = WalletService(
            self.payments,
            self.directory,
            self._ring,
            PublicKeys.load(config.public),
            cashier=url,
            consults=config.consults,
        )
        self.metrics = Metrics(config.name, "mpp")
        self._answered = self.metrics.counter(
            "wallet_requests", "Requests that were answered.", ["message"]
        )
        self._decided = self.metrics.counter("wallet_decisions", "Requests decided.", ["state"])
        self._brought = self.metrics.counter(
            "wallet_consents", "Checks that users' consents made, brought to node A.", ["outcome"]
        )
        self._held = self.metrics.gauge("wallet_held", "Requests that wait for a decision.")
        self._peers = http.Peers(self._identity, self.directory)
        self._work = asyncio.Lock()  # the database has one writer: waiting threads would not help

    async def run(self, stop: asyncio.Event) -> None:
        """Serve node A and users; release what expired."""
        server = http.Server(self.app(), self.config.listen, self._identity, self.directory)
        servers = [server]
        if self.config.cashier is not None:
            page = Cashier(
                self.book,
                self.payments,
                self.service,
                self._ring,
                lambda check: self._bring([check]),
                self.config.code_seconds,
            )
            certificate = self._identity.certificate_pem, self._identity.private_key_pem
            public = public_context(*certificate)
            servers.append(http.Server(page.app(), self.config.cashier.listen, public=public))
        if self.config.health:
            health = Starlette(routes=self.metrics.routes())
            servers.append(http.Server(health, self.config.health))
        try:
            async with asyncio.TaskGroup() as tasks:
                for one in servers:
                    tasks.create_task(one.run(stop))
                tasks.create_task(self._every(SWEEP_SECONDS, self._release_late, stop))
                tasks.create_task(self._every(TIDY_SECONDS, self._tidy, stop))
        finally:
            await self._peers.close()
            self.database.close()

    def app(self) -> Starlette:
        """Return the application that node A calls."""
        routes = [
            Route("/v1/checks", self._checks, methods=["POST"]),
            Route("/v1/decisions", self._decisions, methods=["POST"]),
            Route("/v1/cancels", self._cancels, methods=["POST"]),
            *self.metrics.health_routes(),
        ]
        return Starlette(routes=routes, exception_handlers={PetcoreError: http.on_error})

    async def _checks(self, request: Request) -> Response:
        items = await self._items(request)
        async with self._work:
            answers = await run_in_threadpool(self.service.checks, items)
        self._answered.labels("check").inc(len(items))
        return Response(pack(answers))

    async def _decisions(self, request: Request) -> Response:
        return JSONResponse({"done": await self._decide(await self._items(request))})

    async def _decide(self, items: Sequence[bytes]) -> int:
        """Carry out decisions; return how many requests they were about."""
        async with self._work:
            states = await run_in_threadpool(self.service.decisions, items)
        for state in states.values():
            if isinstance(state, DecisionUnclear):
                _LOG.failure("a decision is unclear", state)
                state = "unclear"
            self._decided.labels(state).inc()
        return len(states)

    async def _cancels(self, request: Request) -> Response:
        items = await self._items(request)
        async with self._work:
            answers = await run_in_threadpool(self.service.cancels, items)
        self._answered.labels("cancel").inc(len(items))
        return Response(pack(answers))

    async def _items(self, request: Request) -> list[bytes]:
        http.caller(request, self.directory, "node_a")
        return unpack(await http.read_body(request))

    async def _bring(self, checks: Sequence[bytes]) -> None:
        """Bring node A checks that users' consents made; the sweep repeats them if need be."""
        node = self.directory.node_a.name
        try:
            answer = await self._peers.post(node, "/v1/messages", pack(list(checks)))
            for reply in read_replies(unpack(answer), len(checks)):
                self._brought.labels(reply.status).inc()
        except PetcoreError as error:
            _LOG.failure("checks could not be brought", error)

    def _unsettled(self, waiting: Sequence[str]) -> list[bytes]:
        """Return the checks that users agreed to and that are not decided."""
        payments = self.book.payments.get(waiting)
        agreed = {p.id: p for p in payments.values() if p.state in ("held", "voided")}
        return [
            self.service.check_of(message_of(order), agreed[number])
            for number, order in self.book.orders.get(agreed).items()
        ]

    async def _every(
        self, seconds: float, work: Callable[[], Awaitable[None]], stop: asyncio.Event
    ) -> None:
        """Do something again and again until ``stop`` is set; a failure is for the next time."""
        while not stop.is_set():
            try:
                await work()
            except PetcoreError as error:
                _LOG.failure("a sweep failed", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)

    async def _tidy(self) -> None:
        async with self._work:
            await run_in_threadpool(self.payments.tidy)

    async def _release_late(self) -> None:
        """Ask node A what became of requests that are past their time, and end theirs."""
        waiting = await run_in_threadpool(self.payments.journal.waiting)
        self._held.set(len(waiting))
        now = self.database.clock()
        fresh = [record.request for record in waiting if record.expires > now]
        checks = await run_in_threadpool(self._unsettled, fresh[:SWEEP_MOST])
        if checks:
            await self._bring(checks)
        hold = int(self.config.hold_seconds * 1000)
        late = [record.request for record in waiting if record.expires + hold <= now]
        for request in late[:SWEEP_MOST]:
            try:
                await self._end_late(request)
            except LinkError:
                raise
            except PetcoreError as error:  # it must not keep others from their end
                _LOG.failure("a late request cannot be ended", error, request=request)

    async def _end_late(self, request: str) -> None:
        """Ask node A about a request: do as it was decided, or release it if it never was."""
        sender, request_id = split_key(request)
        path = f"/v1/requests/{quote(sender, safe='')}/{quote(request_id, safe='')}"
        answer = await self._peers.get(self.directory.node_a.name, path)
        (reply,) = read_replies(unpack(answer), 1)
        if reply.status == "decided":
            await self._decide(reply.envelopes[:2])
        elif is_given_up(reply):
            async with self._work:
                await run_in_threadpool(self.payments.release, request)
            self._decided.labels("released").inc()


def is_given_up(reply: Reply) -> bool:
    """Say whether the nodes ended a request without a decision."""
    # What was decided and then cancelled is void too, but it has a decision.
    return reply.status == "unknown" or (reply.status != "decided" and reply.state in _ENDED)


def run_wallet(path: str | Path, stop: asyncio.Event | None = None) -> None:
    """Run a wallet's edge in this process until SIGTERM or SIGINT; errors as `WalletEdge`."""
    edge = WalletEdge(WalletConfig.load(path))

    async def main() -> None:
        ending = asyncio.Event() if stop is None else stop
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
        _LOG.info("the edge begins")
        await edge.run(ending)
        _LOG.info("the edge has ended")

    http.run(main())
