"""Calls to members: HTTP/1.1 on lines that are kept, each to one member and by its pinned key.

A call is one write and the answer's bytes through a compiled parser: between processes that call
each other all the time, a general client would cost more than what is said. No redirects, no proxies,
no compression, no cookies; nobody is called but members.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from typing import Any, Final, TypedDict, cast
from urllib.parse import urlsplit

import httptools

from petcore.errors import (
    BadFrame,
    PeerClosed,
    PeerLate,
    PeerUnreachable,
    PeerUntrusted,
    PetcoreError,
    UsageError,
    error_class,
)
from petcore.network.directory import Directory, Participant
from petcore.network.tls import client_context, load_pins
from petcore.trust.identity import Identity

ANSWER_BYTES_MAX: Final = 16 << 20
ERROR_BYTES_MAX: Final = 4096
_HEAD_BYTES_MAX: Final = 16 << 10
_LINES: Final = 64
_IDLE: Final = 20.0  # seconds that an idle line is kept: less than a server keeps it
_STRANGE: Final = (httptools.HttpParserError, httptools.HttpParserUpgrade)
_PATH: Final = re.compile(r"/[!-~]*")


class Peers:
    """Calls to members by their names; errors are those of petcore's tree.

    Parameters
    ----------
    identity : Identity
        The own one.
    directory : Directory
        Who is reached where, and by which certificate.
    timeout : float
        Seconds that a call may take where it does not say otherwise.
    itself : bool
        Whether the process that serves under the own name can be called too, by its operator.

    Raises
    ------
    ConfigError
        A certificate is not the pinned one.
    """

    def __init__(
        self,
        identity: Identity,
        directory: Directory,
        *,
        timeout: float = 10.0,
        itself: bool = False,
    ) -> None:
        self._timeout = timeout
        pins = load_pins(directory)
        self._exchanges = {
            member.name: _Exchange(member, client_context(identity, pins, member.name))
            for member in directory.participants
            if member.url and (itself or member.name != identity.name)
        }

    async def post(
        self,
        name: str,
        path: str,
        body: bytes,
        *,
        timeout: float | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> bytes:
        """Send ``body`` to a member; return its answer.

        Raises
        ------
        UsageError
            There is no other member of this name.
        PeerUnreachable, PeerLate, PeerClosed, PeerUntrusted, BadFrame
            The member is absent, too slow, went away, shows another key, or says too much.
        PetcoreError
            What the member refused with, as the class of its code.
        """
        return await self._call("POST", name, path, body, timeout, answer_bytes_max)

    async def get(
        self,
        name: str,
        path: str,
        *,
        timeout: float | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> bytes:
        """Ask a member; as `post`."""
        return await self._call("GET", name, path, b"", timeout, answer_bytes_max)

    async def close(self) -> None:
        """Close all lines; calls that run fail."""
        for exchange in self._exchanges.values():
            exchange.close()
        await asyncio.sleep(0)

    async def _call(
        self, method: str, name: str, path: str, body: bytes, timeout: float | None, most: int
    ) -> bytes:
        exchange = self._exchanges.get(name)
        if exchange is None:
            raise UsageError(f"{name} is no other member of the network that can be called")
        if not _PATH.fullmatch(path):
            raise UsageError("a path has printable ASCII characters only; quote the others")
        where = _Where(party=name, address=exchange.url, step=path.split("?")[0])
        wait = self._timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(wait):
                status, content = await exchange.call(method, path, body, most)
        except TimeoutError as error:
            raise PeerLate(f"{name} did not answer within {wait:g} s", **where) from error
        except _Long as long:
            raise BadFrame(f"{name} answered more than {long} bytes", **where) from None
        except (OSError, EOFError, *_STRANGE) as error:
            raise _lost(error, name, where) from error
        if status != 200:
            raise _refusal(content, status, where)
        return content


class _Where(TypedDict):
    party: str
    address: str
    step: str


class _Long(Exception):
    """An answer has more bytes than may come."""


class _Away(OSError):
    """No line to a member could be made."""


class _Line(asyncio.Protocol):
    """One connection: a question is written, then its answer is parsed as it comes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._parts: list[bytes] = []
        self._most = self._left = self._head = 0

    @property
    def good(self) -> bool:
        """Whether another question may be asked."""
        return self.transport is not None and not self.transport.is_closing()

    async def ask(self, question: bytes, most: int) -> tuple[int, bytes]:
        """Return status and body of the answer to a question."""
        if self.transport is None:
            raise EOFError
        self._answer = asyncio.get_running_loop().create_future()
        self._parts, self._most, self._left, self._head = [], most, 0, _HEAD_BYTES_MAX
        self.transport.write(question)
        try:
            return await self._answer
        except BaseException:
            self.drop()  # what would come later must not be the answer to something else
            raise

    def drop(self) -> None:
        """Close the line at once."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; called by the loop."""
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits; called by the loop."""
        self.transport = None
        self._fail(error or EOFError())

    def data_received(self, data: bytes) -> None:
        """Parse what came; called by the loop."""
        try:
            self._parser.feed_data(data)
        except _STRANGE as error:
            self._fail(error)
            self.drop()
        self._head -= len(data)
        if self._head < 0 and not self._left:
            self._fail(httptools.HttpParserError("a head without an end"))

    def on_message_begin(self) -> None:
        """Refuse an answer to nothing; called by the parser."""
        if self._answer is None or self._answer.done():
            self.drop()

    def on_headers_complete(self) -> None:
        """Bound what may follow; called by the parser."""
        if self._parser.get_status_code() != 200:
            self._most = ERROR_BYTES_MAX
        self._left = self._most + 1

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the answer; called by the parser."""
        self._left -= len(body)
        if self._left <= 0:
            self._fail(_Long(self._most))
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Give the answer to who asked; called by the parser."""
        self._left = 0
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), b"".join(self._parts)))
        if not self._parser.should_keep_alive():
            self.drop()

    def _fail(self, error: BaseException) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


class _Exchange:
    """The lines to one member: as many as calls at the same time, up to a bound; then they wait."""

    def __init__(self, member: Participant, context: ssl.SSLContext) -> None:
        parts = urlsplit(member.url)
        self.url = member.url
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._prefix, self._netloc = parts.path.rstrip("/"), parts.netloc
        self._context = context
        self._idle: list[_Line] = []
        self._busy: set[_Line] = set()
        self._free = asyncio.Semaphore(_LINES)

    async def call(self, method: str, path: str, body: bytes, most: int) -> tuple[int, bytes]:
        """Ask on a line that is idle, or a new one."""
        head = (
            f"{method} {self._prefix}{path} HTTP/1.1\r\nhost: {self._netloc}\r\n"
            f"user-agent: petcore\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        async with self._free:
            line = self._kept() or await self._new()
            self._busy.add(line)
            try:
                answer = await line.ask(head.encode("ascii") + body, most)
            finally:
                self._busy.discard(line)
            if line.good:
                line.since = time.monotonic()
                self._idle.append(line)
            return answer

    def close(self) -> None:
        """Close all lines."""
        for line in (*self._idle, *self._busy):
            line.drop()
        self._idle.clear()

    def _kept(self) -> _Line | None:
        """Return the line that was used last; older ones may have been closed over there."""
        while self._idle:
            line = self._idle.pop()
            if line.good and time.monotonic() - line.since < _IDLE:
                return line
            line.drop()
        return None

    async def _new(self) -> _Line:
        loop = asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(
                _Line, self._host, self._port, ssl=self._context, server_hostname=self._host
            )
        except ssl.SSLError:
            raise
        except OSError as error:
            raise _Away from error
        return line


def _lost(error: BaseException, name: str, where: _Where) -> PetcoreError:
    if isinstance(error, ssl.SSLError):
        return PeerUntrusted(
            f"the key at the address of {name} is not the pinned one, or {name} refused ours",
            **where,
        )
    if isinstance(error, _Away):
        return PeerUnreachable(f"{name} cannot be reached", **where)
    return PeerClosed(
        f"{name} went away before it answered; where it always does, it may not know our key",
        **where,
    )


def _refusal(content: bytes, status: int, where: _Where) -> PetcoreError:
    name = where["party"]
    try:
        said: dict[str, Any] = json.loads(content)
        code, retryable = str(said["code"])[:40], bool(said["retryable"])
        message = str(said["message"])[:500]
    except (ValueError, KeyError, TypeError, RecursionError):
        retryable = status >= 500
        return PeerClosed(f"{name} answered with status {status}", retryable=retryable, **where)
    kind = error_class(code)
    return kind(f"{name} refused: {message}", code=code, retryable=retryable, **where)
