"""From a configuration to a running session over TLS, and the dealer's service.

Every party connects to the dealer, and the party with the higher index connects to the lower one;
where the two make their correlations themselves, it connects twice: the second link is for that.
Each link is TLS 1.3 with both keys pinned. On their first link two parties agree where correlations
come from, so that both expect the same other links; over all of them they then agree on the session's
terms, before any data.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, SupportsIndex, SupportsInt

import petcore._core as _core
from petcore.config import DEALER, STORE, Config, Peer
from petcore.dealing.service import Service
from petcore.errors import ConfigError
from petcore.linking import (
    Report,
    core_limits,
    listen,
    own_address,
    pins,
    read_identity,
    ready,
    shaped,
    tell,
)
from petcore.mpc import DisclosureSink, Session
from petcore.mpc.extension import core_transfers
from petcore.stock import PROTOCOL, Plan, load_plan, open_store, store_of
from petcore.threads import thread_count
from petcore.trust.identity import Identity
from petcore.trust.log import DisclosureLog
from petcore.trust.policy import LoggedPolicy, Policy

CONNECT_WAIT = 2.0  # seconds; what a library may block unasked

_ORIGINS = {
    "dealer": "dealer process",
    "ot": "oblivious transfer between the parties",
    "store": "stock made ahead",
}


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
    config = ready(config)
    threads = thread_count(config.threads if threads is None else threads)
    if config.name == DEALER:
        raise ConfigError(f"{config.source}: is the dealer's; run it with 'petcore dealer'")
    if program and config.program not in ("", program):
        raise ConfigError(f"{config.source}: program is {config.program!r}; this is {program!r}")
    identity = read_identity(config)
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
        core = _open(config, links, _terms(config, program), threads, store, meeting)
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
    config = ready(config)
    settings = store_of(config)
    plan = plan if isinstance(plan, Plan) else load_plan(plan, settings.maker)
    config = replace(config, correlations=settings.maker).validate()
    threads = thread_count(config.threads if threads is None else threads)
    identity = read_identity(config)
    wait = next(w for w in (connect_wait, config.connect_wait, CONNECT_WAIT) if w is not None)
    meeting = _Meeting(config, identity, time.monotonic() + wait, on_event)
    with ExitStack() as own:
        store = open_store(config, on_event)
        own.callback(store.close)
        links = meeting.links(own)
        terms = [*_terms(config, "petcore prepare"), ("plan", plan.term)]
        core = _open(config, links, terms, threads, store, meeting)
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
    """Serve correlated randomness to many sessions at once; a failed one disturbs no other.

    The configuration lists the pairs served, their limits and where health is shown
    (`petcore.config_service`); without pairs, the two parties are the only one. A session whose
    connection goes away, or whose dealer was started anew, goes on when both parties came again.

    Parameters
    ----------
    config : Config, str or Path
        The dealer's configuration, or the file it is in.
    once : bool
        Return after the first session; its error, if any, is raised.
    on_event : callable, optional
        Called with one line of text per event; the same lines go to the logger ``petcore``.
    stop : threading.Event, optional
        Set it to end the service; noticed within half a second. Sessions that run have the
        configuration's ``drain`` seconds to end.

    Raises
    ------
    ConfigError
        The configuration, the key files or the address to listen on cannot be used.
    PetcoreError
        With ``once``: what ended the session.
    """
    Service(ready(config), once, on_event).run(stop or threading.Event())


_Redial = Callable[[float, "_core.Stop"], "_core.Channel"]


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
        listener = listen(config, self._identity) if higher else None
        try:
            if config.dealer is not None and config.maker == DEALER:
                links.dealer = self._reach(config.dealer, undo)
            for i, peer in enumerate(config.parties[:party]):
                links.peers[i] = self._agreed(self._reach(peer, undo))
                if twice:
                    links.offline = self._reach(peer, undo)
            while listener and len(links.peers) < len(config.parties) - 1:
                absent = [p for p in higher if config.names.index(p.name) not in links.peers]
                channel = self._agreed(self._admit(listener, absent, undo))
                links.peers[config.names.index(channel.peer_name)] = channel
            if listener and twice:
                links.offline = self._admit(listener, list(higher), undo)
        finally:
            if listener:
                listener.close()
        return links

    def redial(self, links: _Links) -> tuple[_Redial | None, float]:
        """Return how the session reaches its dealer again, and for how long it tries."""
        limits, dealer = self._config.limits, self._config.dealer
        # A peer that waits for this party must hear of the dealer before its own deadline.
        patience = min(limits.dealer_restart, 0.8 * limits.deadline)
        if links.dealer is None or dealer is None or patience == 0:
            return None, 0.0

        def again(seconds: float, stop: _core.Stop) -> _core.Channel:
            tell(f"connecting to {dealer.name} again at {dealer.address}", self._on_event)
            return self._dial(dealer, seconds, stop)

        return again, patience

    def _reach(self, peer: Peer, undo: ExitStack) -> _core.Channel:
        tell(f"connecting to {peer.name} at {peer.address}", self._on_event)
        channel = self._dial(peer, self._left())
        undo.callback(channel.close)
        return channel

    def _dial(self, peer: Peer, seconds: float, stop: _core.Stop | None = None) -> _core.Channel:
        channel = _core.connect_tls(
            *peer.host_port(),
            self._identity.certificate_pem.decode(),
            self._identity.private_key_pem.decode(),
            peer.name,
            peer.fingerprint,
            seconds,
            core_limits(self._config),
            stop,
        )
        return shaped(channel, self._config)

    def _admit(
        self, listener: _core.TlsListener, absent: list[Peer], undo: ExitStack
    ) -> _core.Channel:
        names = " and ".join(peer.name for peer in absent)
        tell(f"waiting for {names} to connect to {own_address(self._config)}", self._on_event)
        channel = listener.accept(pins(absent), self._left(), core_limits(self._config))
        undo.callback(channel.close)
        return shaped(channel, self._config)

    def _agreed(self, channel: _core.Channel) -> _core.Channel:
        """Return a first link whose ends expect the same other links.

        Where they did not, one would wait for a connection that the other never makes, and neither
        would learn why.
        """
        _core.agree(channel, _source_terms(self._config), "handshake")
        return channel

    def _left(self) -> float:
        return max(0.05, self._end - time.monotonic())


def _open(
    config: Config,
    links: _Links,
    terms: list[tuple[str, str]],
    threads: int,
    store: Any,
    meeting: _Meeting,
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
        *meeting.redial(links),
        config.verify_dealer,
        core_transfers(config.transfers),
    )


def _source_terms(config: Config) -> list[tuple[str, str]]:
    """Return where correlations come from, in the words of the core's handshake."""
    terms = [("petcore", version("petcore")), ("correlations", config.correlations)]
    if config.correlations == STORE and config.store is not None:
        policy, maker = config.store.at_zero, config.store.maker
        terms.append(("at zero", policy if policy == "refuse" else f"{policy} by {maker}"))
    return terms


def _terms(config: Config, program: str) -> list[tuple[str, str]]:
    """Return what the parties must agree on, in the order they compare it.

    The core adds protocol, ring and parties; the dealer is shown the session name only.
    """
    limits = config.limits
    return [
        ("petcore", version("petcore")),
        ("session", config.session),
        ("program", program or config.program),
        ("verify_dealer", f"{config.verify_dealer:g}"),
        ("deadline", f"{limits.deadline:g} s"),
        ("silence", f"{limits.silence:g} s"),
        ("heartbeat", f"{limits.heartbeat:g} s"),
        ("frame_bytes_max", str(limits.frame_bytes_max)),
        ("message_bytes_max", str(limits.message_bytes_max)),
    ]
