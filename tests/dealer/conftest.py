"""A dealer with many clients over TLS on loopback: its service in a thread, or as a process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from petcore.config import Config, Limits, Peer
from petcore.config_service import Pair, Service
from petcore.connecting import connect, run_dealer
from petcore.mpc import MemorySink, Session
from petcore.trust.identity import make_identity

LONG = 30.0  # seconds: never reached unless something hangs
CLIENTS = ("gateway", "wallet-a", "wallet-b")
QUICK = Limits(deadline=5.0, silence=1.0, heartbeat=0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Events(list[str]):
    """The lines that a service reports; tests wait for one of them."""

    def __init__(self) -> None:
        self._more = threading.Condition()

    def __call__(self, text: str) -> None:
        with self._more:
            self.append(text)
            self._more.notify_all()

    def wait_for(self, words: str, times: int = 1) -> bool:
        def there() -> bool:
            return sum(words in text for text in self) >= times

        with self._more:
            return self._more.wait_for(there, LONG)


class Town:
    """Identities of all clients and the dealer; configurations of pairs of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files, self.peers = {}, {}
        for name in (*CLIENTS, "dealer"):
            identity = make_identity(name)
            self.files[name] = identity.save(folder)
            self.peers[name] = Peer(name, f"127.0.0.1:{free_port()}", identity.fingerprint)
        self.pool = ThreadPoolExecutor(16)
        self.running: list[tuple[threading.Event, Future[None]]] = []

    def dealer(
        self,
        *pairs: tuple[str, ...],
        limits: Limits = QUICK,
        names: tuple[str, ...] = CLIENTS,
        **service: Any,
    ) -> Config:
        certificate, key = self.files["dealer"]
        return Config(
            name="dealer",
            certificate=certificate,
            key=key,
            parties=tuple(
                replace(self.peers[name], address="" if pairs else self.peers[name].address)
                for name in names
            ),
            dealer=self.peers["dealer"],
            pairs=tuple(Pair(tuple(pair)) for pair in pairs),
            service=Service(**service),
            limits=limits,
        ).validate()

    def pair(self, first: str, second: str, limits: Limits = QUICK, **fields: Any) -> list[Config]:
        """The two configurations of one session; each call takes a port of its own."""
        parties = (
            replace(self.peers[first], address=f"127.0.0.1:{free_port()}"),
            replace(self.peers[second], address=""),
        )
        return [
            Config(
                name=name,
                certificate=self.files[name][0],
                key=self.files[name][1],
                parties=parties,
                dealer=self.peers["dealer"],
                connect_wait=10.0,
                limits=limits,
                threads=1,
                **fields,
            )
            for name in (first, second)
        ]

    def serve(self, config: Config) -> Events:
        """Run the service in a thread until the test ends."""
        events, stop = Events(), threading.Event()
        future = self.pool.submit(run_dealer, config, on_event=events, stop=stop)
        self.running.append((stop, future))
        assert events.wait_for("listening")
        return events

    def start(self, configs: list[Config], program: Callable[[Session], Any]) -> list[Future[Any]]:
        def run(config: Config) -> Any:
            with connect(config, sink=MemorySink()) as session:
                return program(session)

        return [self.pool.submit(run, config) for config in configs]

    def end(self) -> None:
        for stop, _ in self.running:
            stop.set()
        for _, future in self.running:
            future.exception(LONG)
        self.pool.shutdown()


def outcomes(futures: list[Future[Any]]) -> list[Any]:
    """What each returned or raised."""
    return [future.exception(LONG) or future.result() for future in futures]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.end()
