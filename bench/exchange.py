"""What the links alone can do: bytes both ways at once, and a round trip.

petcore's channel is raced by Python's own TLS and by TCP in clear, between the same two processes:
what an operation sends cannot arrive faster than the bytes alone.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from petcore import _core
from petcore.config import Config, Peer
from petcore.trust.identity import load_identity

STEP = "step 1: bench"
PIECE = 256 << 10  # offered to the system at once
PATIENCE = 20.0  # seconds for the other process to come
Swap = Callable[[int], None]


def lines(config: Config, ports: list[int]) -> dict[str, Swap]:
    """Open one line of each kind to the other party; each sends n bytes and takes as many."""
    first = config.party == 0
    other = config.parties[1 - config.party]
    plain = meet(first, ports[1])
    return {
        "Python ssl": by_socket(protect(meet(first, ports[0]), config, first)),
        "petcore": by_channel(channel(config, other, ports[2], first)),
        "TCP in clear": by_socket(plain),
    }


def meet(first: bool, port: int) -> socket.socket:
    if first:
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(PATIENCE)
            line, _ = server.accept()
    else:
        line = call(port)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.settimeout(PATIENCE)
    return line


def call(port: int) -> socket.socket:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def protect(line: socket.socket, config: Config, first: bool) -> ssl.SSLSocket:
    """TLS 1.3 as Python gives it; nothing secret travels, so nobody is checked."""
    if first:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(config.certificate, config.key)
        return context.wrap_socket(line, server_side=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(line)


def channel(config: Config, other: Peer, port: int, first: bool) -> Any:
    identity = load_identity(Path(config.certificate), Path(config.key))
    keys = identity.certificate_pem.decode(), identity.private_key_pem.decode()
    if first:
        listener = _core.TlsListener("127.0.0.1", port, *keys)
        return listener.accept([(other.name, other.fingerprint)], PATIENCE)
    return _core.connect_tls("127.0.0.1", port, *keys, other.name, other.fingerprint, PATIENCE)


def by_channel(line: Any) -> Swap:
    data: dict[int, bytes] = {}

    def swap(n: int) -> None:
        line.exchange(1, STEP, data.setdefault(n, bytes(n)), n)

    return swap


def by_socket(line: socket.socket) -> Swap:
    """Send and receive in turns without blocking: both sides send more than buffers hold.

    One thread, since OpenSSL allows no second one on the same connection.
    """
    line.setblocking(False)
    data: dict[int, tuple[memoryview, memoryview]] = {}

    def swap(n: int) -> None:
        sent, into = data.setdefault(n, (memoryview(bytes(n)), memoryview(bytearray(n))))
        out = got = 0
        end = time.monotonic() + PATIENCE
        while out < n or got < n:
            moved = 0
            if out < n:
                moved += (put := some(line.send, sent[out : out + PIECE]))
                out += put
            if got < n:
                moved += (took := some(line.recv_into, into[got:]))
                got += took
            if moved:
                continue
            if time.monotonic() > end:
                raise TimeoutError("the other process moves no bytes")
            select.select([line], [line] if out < n else [], [], 1.0)

    return swap


def some(move: Callable[[memoryview], int], view: memoryview) -> int:
    """Move bytes if that is possible now."""
    try:
        return move(view)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return 0
