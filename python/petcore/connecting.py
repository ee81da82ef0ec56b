"""From a configuration to a running session over TLS, and the dealer's service.

Every party connects to the dealer, and the party with the higher index connects to the lower one;
where the two make their correlations themselves, it connects twice: the second link is for that.
Each link is TLS 1.3 with both keys pinned; the session's terms are agreed on over it before any
data.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, SupportsIndex, SupportsInt

import petcore._core as _core
from petcore.config import DEALER, STORE, Config, Peer, load_config, split_address
from petcore.errors import ConfigError, LinkError, PeerLate, PeerUnreachable, PetcoreError
from petcore.mpc import DisclosureSink, Session
from petcore.stock import PROTOCOL, Plan, load_plan, open_store, store_of
from petcore.threads import thread_count
from petcore.trust.identity import Identity, load_identity
from petcore.trust.log import DisclosureLog
from petcore.trust.policy import LoggedPolicy, Policy

CONNECT_WAIT = 2.0  # seconds; what a library may block unasked

_ORIGINS = {
    "dealer": "dealer process",
    "ot": "oblivious transfer between the parties",
    "store": "stock made ahead",
}
_SLICE = 0.5  # seconds between looks at a stop flag and at a pressed Ctrl-C

Report = Callable[[str], None]
_log = logging.getLogger("petcore")


def connect(
    config: Config | str | Path,
    *,
    program: str = "",
    connect_wait: float | None = None,
    threads: int | None = None,
    sink: DisclosureSink | None = None,
    on_event: Report | None = None,
) -> Session:
    """Meet the peers and the dealer that a configuration names; return the session.

    Parameters
    ----------
    config : Config, str or Path
        The configuration of this party, or the file it is in.
    program : str
        What the parties are going to run; they and the configuration must agree on it.
    connect_wait : float, optional
        Seconds to wait for absent peers in all; the configuration's where left out, else 2.
    threads : int, optional
        How many threads share large local work, 1 to 1024; the configuration's where left out,
        else one for each core that this process may use. Results do not depend on it.
    sink : DisclosureSink, optional
        Takes every disclosure before it happens; the configuration's rules and log where left out.
    on_event : callable, optional
        Called with one line of text whenever the wait is for someone else.

    Raises
    ------
    ConfigError
        The configuration, the key files or the address to listen on cannot be used.
    DisclosureError
        The disclosure log cannot be opened or does not verify.
    PeerUnreachable, PeerUntrusted, HandshakeMismatch
        A peer is absent, shows another key, or has other terms.
    UsageError
        ``threads`` is out of bounds.
    """
    config = _ready(config)
    threads = thread_count(config.threads if threads is None else threads)
    if config.name == DEALER:
        raise ConfigError(f"{config.source}: is the dealer's; run it with 'petcore dealer'")
    if program and config.program not in ("", program):
        raise ConfigError(f"{config.source}: program is {config.program!r}; this is {program!r}")
    identity = _identity(config)
    wait = next(w for w in (connect_wait, config.connect_wait, CONNECT_WAIT) if w is not None)
    meeting = _Meeting(config, identity, time.monotonic() + wait, on_event)
    with ExitStack() as undo:
        own = ExitStack()  # what the session closes in the end
        undo.callback(own.close)
        if sink is None:  # before anyone is met: a log that does not verify is no peer's trouble
            log = DisclosureLog(config.log, config.name, session=config.session)
            own.callback(log.close)
            sink = LoggedPolicy(Policy(config.rules), log)
        store = open_store(config, on_event) if config.correlations == STORE else None
        if store is not None:
            own.callback(store.close)
        links = meeting.links(undo)
        core = _open(config, links, _terms(config, program), threads, store)
        session = Session(
            core, sink=sink, correlations=_ORIGINS[config.correlations], on_close=own.close
        )
        undo.pop_all()
    return session


def prepare(
    config: Config | str | Path,
    plan: Plan | str | Path,
    *,
    connect_wait: float | None = None,
    threads: int | None = None,
    on_event: Report | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Fill the stores of both parties up to what a plan asks for; return what is there then.

    Both parties call it, with the same plan; what is there already is not made again.

    Parameters
    ----------
    config : Config, str or Path
        The configuration of this party, which names its store, or the file it is in.
    plan : Plan, str or Path
        What to have in stock, or the file that says so: see `petcore.stock.load_plan`.
    connect_wait, threads, on_event
        As for `connect`.
    progress : callable, optional
        Called with units made and units to make, after every lot.

    Raises
    ------
    ConfigError
        The configuration or the plan cannot be used.
    StoreError
        The store cannot be used; what was made before stays.
    HandshakeMismatch
        The parties have other plans, or stores that do not belong together.
    """
    config = _ready(config)
    settings = store_of(config)
    plan = plan if isinstance(plan, Plan) else load_plan(plan, settings.maker)
    config = replace(config, correlations=settings.maker).validate()
    threads = thread_count(config.threads if threads is None else threads)
    identity = _identity(config)
    wait = next(w for w in (connect_wait, config.connect_wait, CONNECT_WAIT) if w is not None)
    meeting = _Meeting(config, identity, time.monotonic() + wait, on_event)
    with ExitStack() as own:
        store = open_store(config, on_event)
        own.callback(store.close)
        links = meeting.links(own)
        terms = [*_terms(config, "petcore prepare"), ("plan", plan.term)]
        core = _open(config, links, terms, threads, store)
        own.callback(core.close)
        core.stock_up(plan.tuples, progress)
        status: dict[str, Any] = store.status()
    return status


def run_dealer(
    config: Config | str | Path,
    *,
    once: bool = False,
    on_event: Report | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve correlated randomness to session after session; a failed one does not end the service.

    Parameters
    ----------
    config : Config, str or Path
        The dealer's configuration, or the file it is in.
    once : bool
        Return after the first session; its error, if any, is raised.
    on_event : callable, optional
        Called with one line of text per event; the same lines go to the logger ``petcore``.
    stop : threading.Event, optional
        Set it to end the service before the next session; noticed within half a second.

    Raises
    ------
    ConfigError
        The configuration, the key files or the address to listen on cannot be used.
    PetcoreError
        With ``once``: what ended the session.
    """
    config = _ready(config)
    if config.name != DEALER:
        raise ConfigError(
            f"{config.source}: is the configuration of {config.name}, not of the dealer; "
            "'petcore keygen --name dealer' starts one"
        )
    stop = stop or threading.Event()
    listener = _listen(config, _identity(config))
    try:
        _tell(f"listening on {_own_address(config)}", on_event)
        while not stop.is_set():
            channels = _gather(listener, config, stop, on_event)
            if channels is not None:
                _serve(config, channels, once, on_event)
            if once:
                return
    finally:
        listener.close()


@dataclass
class _Links:
    """The links of one session."""

    dealer: _core.Channel | None = None
    offline: _core.Channel | None = None
    peers: dict[SupportsInt | SupportsIndex, _core.Channel] = field(default_factory=dict)


class _Meeting:
    """One party's way to its links, under one common deadline."""

    def __init__(
        self, config: Config, identity: Identity, end: float, on_event: Report | None
    ) -> None:
        self._config, self._identity = config, identity
        self._end, self._on_event = end, on_event

    def links(self, undo: ExitStack) -> _Links:
        """Return the links that the configuration asks for; ``undo`` closes them."""
        config, party = self._config, self._config.party
        higher = config.parties[party + 1 :]
        links, twice = _Links(), config.maker == "ot"
        listener = _listen(config, self._identity) if higher else None
        try:
            if config.dealer is not None and config.maker == DEALER:
                links.dealer = self._reach(config.dealer, undo)
            for i, peer in enumerate(config.parties[:party]):
                links.peers[i] = self._reach(peer, undo)
                if twice:
                    links.offline = self._reach(peer, undo)
            while listener and len(links.peers) < len(config.parties) - 1:
                absent = [p for p in higher if config.names.index(p.name) not in links.peers]
                channel = self._admit(listener, absent, undo)
                links.peers[config.names.index(channel.peer_name)] = channel
            if listener and twice:
                links.offline = self._admit(listener, list(higher), undo)
        finally:
            if listener:
                listener.close()
        return links

    def _reach(self, peer: Peer, undo: ExitStack) -> _core.Channel:
        _tell(f"connecting to {peer.name} at {peer.address}", self._on_event)
        channel = _core.connect_tls(
            *peer.host_port(),
            self._identity.certificate_pem.decode(),
            self._identity.private_key_pem.decode(),
            peer.name,
            peer.fingerprint,
            self._left(),
            _limits(self._config),
        )
        undo.callback(channel.close)
        return _shaped(channel, self._config)

    def _admit(
        self, listener: _core.TlsListener, absent: list[Peer], undo: ExitStack
    ) -> _core.Channel:
        names = " and ".join(peer.name for peer in absent)
        _tell(f"waiting for {names} to connect to {_own_address(self._config)}", self._on_event)
        channel = listener.accept(_pins(absent), self._left(), _limits(self._config))
        undo.callback(channel.close)
        return _shaped(channel, self._config)

    def _left(self) -> float:
        return max(0.05, self._end - time.monotonic())


def _gather(
    listener: _core.TlsListener, config: Config, stop: threading.Event, on_event: Report | None
) -> list[_core.Channel] | None:
    """Accept parties until all are there; None if stopped. A party that comes again starts anew."""
    waiting: dict[str, _core.Channel] = {}
    while len(waiting) < len(config.parties):
        try:
            channel = listener.accept(_pins(config.parties), _SLICE, _limits(config))
            channel = _shaped(channel, config)
        except (PeerUnreachable, PeerLate):
            channel = None
        except LinkError as error:  # a stranger, or someone who left: the others still come
            _tell(f"refused a connection: {error}", on_event, logging.WARNING)
            continue
        for name in [name for name, link in waiting.items() if link.left()]:
            _tell(f"{name} left before the session began", on_event)
            waiting.pop(name).close()
        if channel is not None:
            _tell(f"{channel.peer_name} connected from {channel.peer_address}", on_event)
            if channel.peer_name in waiting:
                waiting.pop(channel.peer_name).close()
            waiting[channel.peer_name] = channel
        if stop.is_set():
            for link in waiting.values():
                link.close()
            return None
    return [waiting[name] for name in config.names]


def _serve(
    config: Config, channels: list[_core.Channel], once: bool, on_event: Report | None
) -> None:
    began = time.monotonic()
    try:
        served = _core.serve_dealer(
            config.names,
            channels,
            [("session", config.session)],
            PROTOCOL,
            thread_count(config.threads),
        )
    except PetcoreError as error:
        _tell(f"session failed: {error}", on_event, logging.ERROR)
        if once:
            raise
    else:
        _tell(
            f"session served: {time.monotonic() - began:.1f} s, {served['requests']:,} requests, "
            f"{served['bytes_sent']:,} bytes sent",
            on_event,
        )
    finally:
        for channel in channels:
            channel.close()


def _ready(config: Config | str | Path) -> Config:
    return config.validate() if isinstance(config, Config) else load_config(config)


def _identity(config: Config) -> Identity:
    identity = load_identity(config.certificate, config.key)
    pinned = config.own.fingerprint
    if identity.fingerprint != pinned:
        raise ConfigError(
            f"{config.source}: the fingerprint of {config.name} is {pinned}, but {config.key} has "
            f"{identity.fingerprint}; peers would refuse this party: correct one of the two"
        )
    return identity


def _own_address(config: Config) -> str:
    return config.listen or config.own.address


def _listen(config: Config, identity: Identity) -> _core.TlsListener:
    host, port = split_address(_own_address(config), "the address to listen on")
    certificate, key = identity.certificate_pem.decode(), identity.private_key_pem.decode()
    return _core.TlsListener(host, port, certificate, key)


def _pins(peers: tuple[Peer, ...] | list[Peer]) -> list[tuple[str, str]]:
    return [(peer.name, peer.fingerprint) for peer in peers]


def _limits(config: Config) -> _core.Limits:
    limits = config.limits
    return _core.Limits(
        frame_bytes_max=limits.frame_bytes_max,
        message_bytes_max=limits.message_bytes_max,
        inbox_bytes_max=limits.inbox_bytes_max,
        deadline_s=limits.deadline,
        silence_s=limits.silence,
        heartbeat_s=limits.heartbeat,
    )


def _shaped(channel: _core.Channel, config: Config) -> _core.Channel:
    """Slow the link down where the configuration asks for it."""
    link = config.link
    channel.shape(
        round_trip_s=link.round_trip_ms / 1e3, bandwidth_bits_per_s=link.bandwidth_mbit * 1e6
    )
    return channel


def _open(
    config: Config, links: _Links, terms: list[tuple[str, str]], threads: int, store: Any
) -> _core.Session:
    settings = config.store
    return _core.Session(
        PROTOCOL,
        config.party,
        config.names,
        links.peers,
        links.dealer,
        terms,
        threads,
        config.correlations,
        links.offline,
        store,
        settings.maker if settings is not None else DEALER,
        settings.at_zero if settings is not None else "refuse",
    )


def _terms(config: Config, program: str) -> list[tuple[str, str]]:
    """Return what the parties must agree on, in the order they compare it.

    The core adds protocol, ring and parties; the dealer is shown the session name only.
    """
    limits = config.limits
    return [
        ("petcore", version("petcore")),
        ("session", config.session),
        ("program", program or config.program),
        ("deadline", f"{limits.deadline:g} s"),
        ("silence", f"{limits.silence:g} s"),
        ("heartbeat", f"{limits.heartbeat:g} s"),
        ("frame_bytes_max", str(limits.frame_bytes_max)),
        ("message_bytes_max", str(limits.message_bytes_max)),
    ]


def _tell(event: str, on_event: Report | None, level: int = logging.INFO) -> None:
    _log.log(level, event)
    if on_event is not None:
        on_event(event)
