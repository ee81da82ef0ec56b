"""The dealer's service: accepts parties, matches the halves of sessions, deals to each on a thread."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

import petcore._core as _core
from petcore.config import DEALER, Config
from petcore.config_service import Pair
from petcore.dealing.clients import Clients
from petcore.dealing.health import Health
from petcore.dealing.lobby import Lobby, refuse
from petcore.errors import (
    ConfigError,
    DealerFull,
    LinkError,
    PeerLate,
    PeerUnreachable,
    PetcoreError,
)
from petcore.linking import (
    Report,
    core_limits,
    listen,
    own_address,
    pins,
    read_identity,
    shaped,
    tell,
)
from petcore.stock import PROTOCOL
from petcore.threads import thread_count

_SLICE = 0.5  # seconds between looks at a stop flag and at a pressed Ctrl-C
_JOIN = 10.0  # seconds for a session that was told to stop


@dataclass
class _Running:
    """The sessions that run, and how the service learns of their ends."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: dict[threading.Thread, _core.Stop] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    error: PetcoreError | None = None


class Service:
    """One dealer, from its configuration until `run` returns.

    Parameters
    ----------
    config : Config
        The dealer's, validated.
    once : bool
        End after the first session.
    on_event : callable, optional
        Called with one line of text per event, from any thread.
    """

    def __init__(self, config: Config, once: bool, on_event: Report | None) -> None:
        if config.name != DEALER:
            raise ConfigError(
                f"{config.source}: is the configuration of {config.name}, not of the dealer; "
                "'petcore keygen --name dealer' starts one"
            )
        self._config, self._once, self._on_event = config, once, on_event
        self._pairs = config.pairs or (Pair(tuple(config.names), config.session),)
        self._offers = [
            (list(pair.parties), [("session", pair.session)] if pair.session else [])
            for pair in self._pairs
        ]
        self._clients = Clients((n for pair in self._pairs for n in pair.parties), config.service)
        self._running = _Running()
        self._threads = thread_count(config.threads)
        self._ending = False

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set, or, with ``once``, until the first session has ended."""
        config = self._config
        listener = listen(config, read_identity(config))
        health, lobby = (
            self._open_health(),
            Lobby(config.service.meeting, self._introduce, self._leave),
        )
        self._lobby = lobby
        try:
            tell(f"listening on {own_address(config)}", self._on_event)
            while not stop.is_set() and not (self._once and self._running.ended.is_set()):
                self._accept(listener)
        finally:
            self._ending = True
            listener.close()
            lobby.close("leaving", "the dealer ends its service")
            self._drain()
            if health is not None:
                health.close()
        if self._once and self._running.error is not None:
            raise self._running.error

    def _open_health(self) -> Health | None:
        service = self._config.service
        if service.health_port is None:
            return None
        health = Health(
            service.health_host,
            service.health_port,
            self._clients.snapshot,
            lambda: not self._ending,
        )
        tell(f"health at http://{service.health_host}:{health.port}/health", self._on_event)
        return health

    def _accept(self, listener: _core.TlsListener) -> None:
        config, known = (
            self._config,
            [p for p in self._config.parties if p.name in self._clients.names],
        )
        wait = _SLICE if not self._once else _SLICE / 5
        try:
            channel = listener.accept(pins(known), wait, core_limits(config))
            channel = shaped(channel, config)
        except (PeerUnreachable, PeerLate):
            return
        except LinkError as error:  # a stranger, or someone who left: the others still come
            tell(f"refused a connection: {error}", self._on_event, logging.WARNING)
            return
        name = channel.peer_name
        try:
            self._clients.arrive(name)
        except DealerFull as error:
            tell(f"refused {name}: {error.message}", self._on_event, logging.WARNING)
            refuse(channel, error, "connecting to the dealer")
            return
        tell(f"{name} connected from {channel.peer_address}", self._on_event)
        self._lobby.admit(channel)

    def _leave(self, name: str, why: str) -> None:
        self._clients.leave(name)
        if why:
            tell(f"{name} {why}", self._on_event)

    def _introduce(self, channel: _core.Channel) -> None:
        threading.Thread(
            target=self._meet, args=(channel,), name="petcore visitor", daemon=True
        ).start()

    def _meet(self, channel: _core.Channel) -> None:
        """Hear which session a party means; the thread of its second half deals."""
        name = channel.peer_name
        try:
            visitor = _core.meet(channel, self._offers, PROTOCOL)
        except PetcoreError as error:
            refuse(channel, error, "meeting the dealer")
            self._leave(name, "")
            self._clients.fail(name)
            self._failed(error)
            return
        both = self._lobby.match(visitor)
        if both is None:
            return
        for half in both:
            self._clients.leave(half.channel.peer_name)
        names = self._pairs[visitor.pair].parties
        try:
            self._clients.begin(names)
        except DealerFull as error:
            tell(f"refused {' and '.join(names)}: {error.message}", self._on_event, logging.WARNING)
            for half in both:
                refuse(half.channel, error, "meeting the dealer")
            return
        self._deal(names, both)

    def _deal(self, names: tuple[str, ...], both: tuple[_core.Visitor, _core.Visitor]) -> None:
        stop, service, began = _core.Stop(), self._config.service, time.monotonic()
        with self._running.lock:
            self._running.threads[threading.current_thread()] = stop
            if self._ending:
                stop.set()
        result = "failed"
        try:
            served = _core.deal(
                *both,
                threads=self._threads,
                work_per_message=service.work_per_message,
                memory=service.memory_per_session,
                accounts=[self._clients.accounts[name] for name in names],
                stop=stop,
            )
            result = "served"
        except PetcoreError as error:
            self._failed(error)
        else:
            tell(
                f"session served: {time.monotonic() - began:.1f} s, {served['requests']:,} "
                f"requests, {served['bytes_sent']:,} bytes sent",
                self._on_event,
            )
        finally:
            for half in both:
                half.channel.close()
            self._clients.end(names, result)
            with self._running.lock:
                del self._running.threads[threading.current_thread()]
            self._running.ended.set()

    def _failed(self, error: PetcoreError) -> None:
        tell(f"session failed: {error}", self._on_event, logging.ERROR)
        with self._running.lock:
            self._running.error = self._running.error or error
        self._running.ended.set()

    def _drain(self) -> None:
        """Give the sessions a while to end, then drop them in such a way that they can go on."""
        end = time.monotonic() + self._config.service.drain
        with self._running.lock:
            threads = dict(self._running.threads)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        for stop in threads.values():
            stop.set()
        for thread in threads:
            thread.join(_JOIN)
