"""Two ends of a link: both of petcore, or one of petcore and one that misbehaves."""

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from petcore import _core
from petcore.trust.identity import Identity, make_identity

GREETING = b"petcore1"
HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("identities")
    made = {name: make_identity(name) for name in ("gateway", "wallet", "stranger")}
    for identity in made.values():
        identity.save(folder)
        (folder / f"{identity.name}.both").write_bytes(
            identity.certificate_pem + identity.private_key_pem
        )
    return SimpleNamespace(folder=folder, **made)


@pytest.fixture
def at_once() -> Iterator[Callable]:
    """Run functions in threads; the list of what each returned or raised."""
    with ThreadPoolExecutor(8) as pool:

        def run(*functions: Callable) -> list:
            futures = [pool.submit(function) for function in functions]
            return [future.exception() or future.result() for future in futures]

        yield run


@pytest.fixture
def within() -> Callable:
    """Expect an error of this class before the time is up; give the error."""

    def run(seconds: float, error: type, function: Callable, match: str | None = None) -> Exception:
        started = time.perf_counter()
        with pytest.raises(error, match=match) as caught:
            function()
        assert time.perf_counter() - started < seconds
        return caught.value

    return run


@pytest.fixture
def frame() -> Callable:
    """The bytes of one frame, right or wrong."""

    def make(kind: int, sequence: int, payload: bytes = b"", tag: int = 0, **wrong: int) -> bytes:
        length = wrong.get("length", len(payload))
        return (
            struct.pack("<IIQQ", length, kind | wrong.get("pad", 0) << 8, sequence, tag) + payload
        )

    return make


@pytest.fixture
def notice() -> Callable:
    """The payload of an abort frame."""

    def make(*texts: bytes) -> bytes:
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)

    return make


def call(identity: Identity, peer: Identity, port: int, limits: _core.Limits, timeout: float = 5):
    """Connect as one party to another."""
    return _core.connect_tls(
        HOST, port, identity.certificate_pem, identity.private_key_pem,
        peer.name, peer.fingerprint, timeout, limits,
    )  # fmt: skip


def listen(identity: Identity) -> _core.TlsListener:
    """Listen as a party."""
    return _core.TlsListener(HOST, 0, identity.certificate_pem, identity.private_key_pem)


@pytest.fixture
def tls(identities: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(call=call, listen=listen, host=HOST)


@pytest.fixture(params=["memory", "tls"])
def pair(request: pytest.FixtureRequest, identities: SimpleNamespace, at_once: Callable):
    """Make a link: the end the gateway holds, then the end the wallet holds."""
    gateway, wallet = identities.gateway, identities.wallet

    def make(limits: _core.Limits | None = None, other: _core.Limits | None = None):
        limits = limits or _core.Limits()
        if request.param == "memory":
            ends = _core.memory_channels("gateway", "wallet", limits)
            ends[1].set_limits(other or limits)
            return ends
        listener = listen(gateway)
        pins = [("wallet", wallet.fingerprint)]
        return at_once(
            lambda: listener.accept(pins, 5, limits),
            lambda: call(wallet, gateway, listener.port, other or limits),
        )

    return make


class RawTls:
    """The wallet as a TLS server that sends whatever bytes a test wants."""

    def __init__(self, identities: SimpleNamespace) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identities.folder / "wallet.both")
        self.server = socket.create_server((HOST, 0))
        self.port = self.server.getsockname()[1]

    def greet(self) -> None:
        plain, _ = self.server.accept()
        self.link = self.context.wrap_socket(plain, server_side=True)
        self.link.sendall(GREETING)
        assert self.link.recv(len(GREETING)) == GREETING

    def write(self, data: bytes) -> None:
        self.link.sendall(data)

    def read(self, size: int) -> bytes:
        return self.link.recv(size)

    def close(self) -> None:
        self.link.close()


@pytest.fixture(params=["memory", "tls"])
def raw(request: pytest.FixtureRequest, identities: SimpleNamespace) -> Iterator[Callable]:
    """Make a link whose other end is raw: the gateway's channel, and the wallet's bytes."""
    with ExitStack() as stack:

        def make(limits: _core.Limits | None = None):
            limits = limits or _core.Limits()
            if request.param == "memory":
                return _core.memory_channel_with_raw_peer("wallet", limits)
            peer = RawTls(identities)
            stack.callback(peer.server.close)
            greeting = threading.Thread(target=peer.greet)
            greeting.start()
            channel = call(identities.gateway, identities.wallet, peer.port, limits)
            greeting.join()
            stack.callback(peer.close)
            return channel, peer

        yield make


@pytest.fixture
def process(identities: SimpleNamespace) -> Iterator[Callable]:
    """Start peer.py as the wallet, which connects to the gateway's port and behaves as told."""
    with ExitStack() as stack:

        def start(behaviour: str, port: int) -> subprocess.Popen:
            wallet, gateway = identities.wallet, identities.gateway
            told = {
                "port": port,
                "certificate": wallet.certificate_pem.decode(),
                "key": wallet.private_key_pem.decode(),
                "fingerprint": gateway.fingerprint,
                "behaviour": behaviour,
            }
            script = Path(__file__).with_name("peer.py")
            child = subprocess.Popen(
                [sys.executable, str(script)], stdin=subprocess.PIPE, text=True
            )
            stack.callback(child.wait)
            stack.callback(child.kill)
            assert child.stdin is not None
            child.stdin.write(json.dumps(told))
            child.stdin.close()
            return child

        yield start
