"""The process of an acquirer's edge: its two servers, its journal, what runs beside them."""

from __future__ import annotations

import asyncio
import gc
import signal
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from petcore.errors import ConfigError, PetcoreError
from petcore.network import http
from petcore.network.acquirer.alipayplus.app import AlipayPlus
from petcore.network.acquirer.alipayplus.notifying import Notifier
from petcore.network.acquirer.alipayplus.signing import SigningKey
from petcore.network.acquirer.config import AcquirerConfig
from petcore.network.acquirer.desk import Desk, content_secret
from petcore.network.acquirer.edge import Acquirer
from petcore.network.acquirer.letters import Letters
from petcore.network.acquirer.notices import Notices
from petcore.network.acquirer.relay import Relay
from petcore.network.acquirer.routing import Routing
from petcore.network.acquirer.watching import Watch
from petcore.network.directory import Directory
from petcore.network.envelope import unpack
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Database, Outbox
from petcore.network.logs import Log
from petcore.network.metrics import Metrics
from petcore.network.node.replies import read_replies
from petcore.network.tls import public_context
from petcore.trust.identity import load_identity

NOTIFY_SECONDS = 10.0
_LOG = Log("acquirer")


class AcquirerEdge:
    """An acquirer's edge; `run` serves until ``stop`` is set.

    Parameters
    ----------
    config
        What it was told.

    Raises
    ------
    ConfigError
        A file of the configuration cannot be used.
    LedgerError
        The database cannot be opened.
    """

    def __init__(self, config: AcquirerConfig) -> None:
        self.config = config
        self.directory = Directory.load(config.directory)
        if self.directory.member(config.name).role != "acqp":
            raise ConfigError(f"{config.source}: {config.name} is no acquirer of the network")
        self._identity = load_identity(config.certificate, config.key)
        routing = Routing(self.directory, config.name, config.codes, config.cashier)
        self._signer = SigningKey.load(
            config.merchants.signing_key, config.merchants.signing_key_version
        )
        self._public = public_context(
            _content(config.merchants.certificate), _content(config.merchants.key)
        )
        ring, keys = KeyRing.load(config.keys, config.name), PublicKeys.load(config.public)
        self.database = Database.open(config.database)
        letters = Letters(self.directory, ring, keys, content_secret(self.database))
        self.peers = http.Peers(self._identity, self.directory)
        relay = Relay(self.peers, self.directory.node_a.name, config.name)
        desk = Desk(self.database, letters)
        self.edge = Acquirer(
            self.directory,
            desk,
            relay,
            routing,
            times=config.times,
            gather=config.gather_ms / 1000,
        )
        self.metrics = Metrics(config.name, "acqp")
        self._open = self.metrics.gauge("acquirer_open", "Requests that are looked after.")
        self._seconds = self.metrics.histogram(
            "acquirer_seconds", "Seconds until a client is answered."
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve merchants and node A, look after what is open, notify; then close."""
        merchants = self.config.merchants
        servers = [
            http.Server(self.members(), self.config.listen, self._identity, self.directory),
            http.Server(self.dialect(), merchants.listen, public=self._public),
        ]
        if self.config.health:
            servers.append(http.Server(Starlette(routes=self.metrics.routes()), self.config.health))
        watch = Watch(self.edge.flow)
        self._open.set_function(lambda: len(watch))
        verify = _trust(merchants.ca)
        timeout = httpx.Timeout(NOTIFY_SECONDS)
        async with httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False) as merchant:
            notifier = Notifier(self.edge.told, self.config.name, self._signer)
            notices = Notices(Outbox(self.database), notifier, merchant)
            self.edge.flow.on_notice = notices.wake
            beside = [
                asyncio.create_task(work)
                for work in (watch.run(), notices.run(), self.edge.flow.tidy())
            ]
            try:
                async with asyncio.TaskGroup() as serving:
                    for server in servers:
                        serving.create_task(server.run(stop))
            finally:
                for task in beside:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                await self.edge.flow.close()
                await self.peers.close()
                self.database.close()

    def dialect(self) -> Callable[..., Awaitable[None]]:
        """Return what merchants' systems call."""
        merchants = self.config.merchants
        app = AlipayPlus(
            self.edge,
            self.config.name,
            merchants.clients,
            self._signer,
            skew=merchants.max_clock_skew,
        )

        async def measured(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
            with self._seconds.time():
                await app(scope, receive, send)

        return measured

    def members(self) -> Starlette:
        """Return what node A calls."""
        routes = [
            Route("/v1/notifications", self._notified, methods=["POST"]),
            *self.metrics.health_routes(),
        ]
        return Starlette(routes=routes, exception_handlers={PetcoreError: http.on_error})

    async def _notified(self, request: Request) -> Response:
        """Take what node A says of its own accord; 200 means that it is durable."""
        http.caller(request, self.directory, "node_a")
        await self.edge.flow.learn(read_replies(unpack(await http.read_body(request))))
        return Response(b"")


def run_acquirer(path: str | Path, stop: asyncio.Event | None = None) -> None:
    """Run an acquirer's edge in this process until SIGTERM or SIGINT; errors as `AcquirerEdge`."""
    edge = AcquirerEdge(AcquirerConfig.load(path))
    gc.collect()
    gc.freeze()  # what is here now stays: no collection has to look at it again

    async def main() -> None:
        ending = asyncio.Event() if stop is None else stop
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
        _LOG.info("the edge begins")
        await edge.run(ending)
        _LOG.info("the edge has ended")

    http.run(main())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error


def _trust(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{ca}: holds no certificates in PEM") from error
    return context
