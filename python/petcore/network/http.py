"""HTTP between members: uvicorn as server, mutual TLS with pinned certificates; `Peers` calls.

An application finds the name of the member that calls under `PEER` in its scope. Bodies and answers
are bounded before they are read. An error travels as JSON with its code, and comes out at the
caller as the same class of `petcore.errors`.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Final

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from petcore.config import split_address
from petcore.errors import (
    BadFrame,
    ConfigError,
    PeerClosed,
    PeerUntrusted,
    PetcoreError,
    UsageError,
)
from petcore.network.calling import Peers
from petcore.network.directory import Directory, Role
from petcore.network.tls import Pins, load_pins, server_context
from petcore.trust.identity import Identity

__all__ = [
    "PEER",
    "Peers",
    "Server",
    "caller",
    "error_answer",
    "on_error",
    "read_body",
    "run",
    "serve",
]

PEER: Final = "petcore.peer"
BODY_BYTES_MAX: Final = 16 << 20
_KEEP: Final = 60
_DRAIN: Final = 10  # seconds for requests that run when the server is told to end

_STATUS: Final = {
    "usage": 400,
    "frame": 413,
    "untrusted": 403,
    "inconsistent": 409,
    "unreachable": 502,
    "closed": 502,
    "late": 504,
}


class Server:
    """One HTTP server of a process; the address is bound when it is made.

    Parameters
    ----------
    app : ASGI application
    listen : str
        ``host:port``.
    identity : Identity, optional
        The own certificate and key; without it the server speaks plain HTTP, for metrics and health on
        the loopback address only.
    directory : Directory, optional
        Whose members may call; needed with an identity.
    public : ssl.SSLContext, optional
        Instead of an identity: TLS for everybody (`petcore.network.tls.public_context`).

    Raises
    ------
    ConfigError
        The address cannot be bound, or a certificate is not the pinned one.
    """

    def __init__(
        self,
        app: Any,
        listen: str,
        identity: Identity | None = None,
        directory: Directory | None = None,
        *,
        public: ssl.SSLContext | None = None,
    ) -> None:
        host, port = split_address(listen, "listen")
        factory: Callable[..., ssl.SSLContext] | None = None
        pins = None
        if identity is not None:
            if directory is None:
                raise UsageError("a server with an identity needs the directory of its callers")
            pins = load_pins(directory)
            context = server_context(identity, pins)
            factory = lambda *_: context  # noqa: E731
        elif public is not None:
            factory = lambda *_: public  # noqa: E731
        elif host not in ("127.0.0.1", "::1", "localhost"):
            raise ConfigError(f"{listen}: plain HTTP is for the loopback address only")
        self._socket = _bind(host, port)
        config = uvicorn.Config(
            app,
            http=_protocol(pins, lambda: self._server.should_exit),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP,
            timeout_graceful_shutdown=_DRAIN,
            backlog=256,
            ssl_context_factory=factory,
        )
        self._server = _Quiet(config)

    @property
    def started(self) -> bool:
        """Whether callers are answered."""
        return bool(self._server.started)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set; then answer what runs, and return."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        waiting = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._server.should_exit = True
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def serve(
    app: Any,
    listen: str,
    identity: Identity,
    directory: Directory,
    *,
    stop: asyncio.Event,
) -> None:
    """Serve ``app`` to the members of the directory until ``stop`` is set; see `Server`."""
    await Server(app, listen, identity, directory).run(stop)


async def read_body(request: Request, most: int = BODY_BYTES_MAX) -> bytes:
    """Return the body of a request; raises BadFrame before more than ``most`` bytes are held."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced[:12]) > most:
        raise BadFrame(f"a body of more than {most} bytes is not read; send less at once")
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise BadFrame(f"a body of more than {most} bytes is not read; send less at once")
            parts.append(part)
    except ClientDisconnect as error:
        raise PeerClosed("the caller went away in the middle of its request") from error
    return b"".join(parts)


def caller(request: Request, directory: Directory, *roles: Role) -> str:
    """Return the member that calls; raises PeerUntrusted where it has none of the roles."""
    name: str = request.scope.get(PEER, "")
    if not name or (roles and directory.member(name).role not in roles):
        raise PeerUntrusted(
            f"{name or 'an unknown caller'} may not call {request.url.path}", party=name
        )
    return name


def error_answer(error: PetcoreError) -> Response:
    """Return an error as what travels: its code, message and whether to try again."""
    status = _STATUS.get(error.code, 503 if error.retryable else 422)
    return JSONResponse(
        {"code": error.code, "retryable": error.retryable, "message": error.message[:500]},
        status_code=status,
    )


async def on_error(_: Request, error: Exception) -> Response:
    """Answer what a handler raised; for Starlette's ``exception_handlers``, under PetcoreError."""
    if isinstance(error, PetcoreError):
        return error_answer(error)
    return JSONResponse({"code": "internal", "retryable": True, "message": ""}, status_code=500)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process to its end, on uvloop where that is installed."""
    gc.collect()
    gc.freeze()  # what was imported stays: looking through it for garbage would halt every caller
    try:
        from uvloop import new_event_loop
    except ImportError:
        new_event_loop = asyncio.new_event_loop  # type: ignore[assignment]
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)


class _Quiet(uvicorn.Server):
    """Leaves the signals to the process, which may have more than a server."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def _protocol(pins: Pins | None, ending: Callable[[], bool]) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol, with the name of the member put into every scope.

    uvicorn ends the connections that it has; one whose handshake ends later, ends itself.
    """
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Http
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol as Http  # type: ignore[assignment]

    class Protocol(Http):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if ending():
                transport.abort()
                return
            tls = transport.get_extra_info("ssl_object")
            shown = tls.getpeercert(binary_form=True) if tls is not None else None
            name = pins.name_of(shown) if pins is not None else ""
            app = self.app

            async def with_peer(scope: Any, receive: Any, send: Any) -> None:
                scope[PEER] = name
                await app(scope, receive, send)

            self.app = with_peer

        def shutdown(self) -> None:
            cycle: Any = self.cycle
            if cycle is None or cycle.response_complete:
                self.transport.abort()  # TLS would wait for an idle caller to say goodbye
            else:
                super().shutdown()

    return Protocol


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
        )
    except OSError as error:
        raise ConfigError(
            f"{host}:{port}: cannot be listened on ({error.strerror}); end what uses it, or choose "
            "another address"
        ) from error
