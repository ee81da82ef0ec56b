"""What a party is told before it starts: who it is, whom it meets, what it may disclose.

One TOML file per process. The order of ``[[parties]]`` is the party index; every party of a session
and its dealer list the same parties in the same order. Relative paths are relative to the file.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from petcore.config_service import Pair, Service, check_service, read_pairs, read_service
from petcore.errors import ConfigError
from petcore.tables import Table
from petcore.threads import THREADS_MAX
from petcore.transfers import Transfers

DEALER = "dealer"
VERIFIED_SHARE = 0.5
# Where correlations come from: a third process, or oblivious transfer between the two parties.
MAKERS = (DEALER, "ot")
# Or what one of the two made earlier.
STORE = "store"
_AT_ZERO = ("refuse", "make", "restock")
CORRELATIONS = (*MAKERS, STORE)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Peer:
    """One process of a session: its name, where it listens, and the key it must show.

    ``address`` is ``host:port`` (``[::1]:7001`` for IPv6); the last party listens to nobody and may
    leave it empty. ``fingerprint`` is the hex SHA-256 of its public key (SubjectPublicKeyInfo DER).
    """

    name: str
    address: str
    fingerprint: str

    def host_port(self) -> tuple[str, int]:
        """Return host and port; raises ConfigError if ``address`` is not ``host:port``."""
        return split_address(self.address, f"the address of {self.name}")


@dataclass(frozen=True)
class Rule:
    """A permission: labels that match ``label`` (``*`` stands for any text) may go to ``to``."""

    label: str
    to: tuple[str, ...]
    agreement: str = ""


@dataclass(frozen=True)
class Limits:
    """Bounds on every wait (seconds) and on every length that a peer announces (bytes).

    ``dealer_restart``: how long a running session waits for a dealer that went away, at most 0.8
    of the deadline; 0: not at all.
    """

    deadline: float = 30.0
    silence: float = 1.5
    heartbeat: float = 0.3
    frame_bytes_max: int = 1 << 20
    message_bytes_max: int = 1 << 16
    inbox_bytes_max: int = 16 << 20
    dealer_restart: float = 20.0


@dataclass(frozen=True)
class Link:
    """A slower line to imitate, for testing: what this process sends arrives later.

    Every process of the session sets the same: each delays its own direction by half of
    ``round_trip_ms`` (0 to 20,000) and sends at most ``bandwidth_mbit`` megabits per second to
    each peer (0: no bound).
    """

    round_trip_ms: float = 0.0
    bandwidth_mbit: float = 0.0


@dataclass(frozen=True)
class StoreConfig:
    """Correlations made ahead: where they are kept, and what happens when they run out.

    ``path`` is a directory of this pair of parties alone. The key, 64 hexadecimal digits, is in
    ``key_file`` or in the environment variable ``key_env``. ``maker`` makes the stock, "dealer" or
    "ot", and at zero what is missing, where ``at_zero`` is "make"; "restock" makes more of it and keeps
    the rest; "refuse" refuses. A pool is
    low below the part ``low`` of what the last plan asked for. ``trace`` gets a line for every use.
    """

    path: Path
    key_file: Path | None = None
    key_env: str = ""
    maker: str = DEALER
    at_zero: str = "refuse"
    low: float = 0.25
    trace: Path | None = None


@dataclass(frozen=True)
class Config:
    """Everything `petcore.connect` and `petcore dealer` need to know.

    ``verify_dealer`` is the probability with which the dealer's words for an operation are checked
    and made anew (``true`` in the file: one half); all parties must agree on it. 0: never.
    ``pairs`` and ``service`` are the dealer's own (`petcore.config_service`).

    ``rules`` None allows every labelled disclosure (and logs it); an empty tuple allows none.
    ``connect_wait`` bounds the wait for absent peers; None leaves it to the caller. ``listen``
    is the address to bind where it differs from the one that peers use (``0.0.0.0:7001``).
    ``threads`` share large local work; None means one for each core that this process may use.
    ``correlations`` says where they come from: "dealer", or "ot", by oblivious transfer between the
    parties over a second connection, by ``transfers``; then ``dealer`` may be None; or "store",
    out of ``store``.
    """

    name: str
    certificate: Path
    key: Path
    parties: tuple[Peer, ...]
    dealer: Peer | None = None
    correlations: str = DEALER
    session: str = "session"
    program: str = ""
    listen: str = ""
    connect_wait: float | None = None
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    link: Link = field(default_factory=Link)
    transfers: Transfers = field(default_factory=Transfers)
    log: Path = Path("disclosures.jsonl")
    rules: tuple[Rule, ...] | None = None
    store: StoreConfig | None = None
    verify_dealer: float = 0.0
    pairs: tuple[Pair, ...] = ()
    service: Service = field(default_factory=Service)
    source: str = "this configuration"

    @property
    def party(self) -> int:
        """The index of this party; the dealer's is the number of parties."""
        return [*self.names, DEALER].index(self.name)

    @property
    def names(self) -> list[str]:
        """The names of the parties, by index."""
        return [peer.name for peer in self.parties]

    @property
    def everyone(self) -> tuple[Peer, ...]:
        """The parties and the dealer, if there is one."""
        return self.parties if self.dealer is None else (*self.parties, self.dealer)

    @property
    def own(self) -> Peer:
        """What the peers know of this process."""
        return next(peer for peer in self.everyone if peer.name == self.name)

    @property
    def maker(self) -> str | None:
        """Who makes correlations while the session runs: "dealer", "ot", or nobody."""
        if self.correlations != STORE:
            return self.correlations
        if self.store is None or self.store.at_zero == "refuse":
            return None
        return self.store.maker

    def validate(self) -> Config:
        """Return self, or raise ConfigError for the first thing that cannot work."""
        known = [*self.names, DEALER]
        if self.correlations not in CORRELATIONS:
            words = _one_of(CORRELATIONS)
            raise self._error("correlations", f"is {self.correlations!r}; write {words}")
        if len(self.parties) < 2:
            raise self._error("parties", "must list at least two, in the order all agree on")
        if len(set(known)) < len(known):
            raise self._error("parties", f"must have distinct names, none of them {DEALER!r}")
        if self.name not in known:
            raise self._error("name", f"{self.name!r} is none of {', '.join(known)}; correct it")
        if self.dealer is None and self.name == DEALER:
            raise self._error("dealer", "is missing (a table), in the dealer's own file")
        self._check_store()
        if self.dealer is None and self.maker == DEALER:
            raise self._error("dealer", 'is missing (a table); or set correlations = "ot"')
        for peer in self.everyone:
            self._check_peer(peer)
        if any(not rule.to for rule in self.rules or ()):
            raise self._error("disclosure.rules", "must name a recipient in 'to', or \"*\"")
        if self.limits.heartbeat * 2 > self.limits.silence:
            raise self._error("limits.silence", "must be at least twice limits.heartbeat")
        self._check_link()
        if (fault := self.transfers.fault()) is not None:
            raise self._error(f"transfers.{fault[0]}", fault[1])
        if not 0 <= self.verify_dealer < 1:
            raise self._error("verify_dealer", "must be true, false or a number between 0 and 1")
        if self.verify_dealer > 0 and self.dealer is None:
            raise self._error("verify_dealer", "needs a dealer (a table)")
        check_service(self.pairs, self.service, self.names, self.source)
        if (self.pairs or self.service != Service()) and self.name != DEALER:
            raise self._error("pairs and service", "belong into the dealer's own file")
        if self.threads is not None and not 1 <= self.threads <= THREADS_MAX:
            raise self._error("threads", f"must be between 1 and {THREADS_MAX}, or left out")
        return self

    def _check_store(self) -> None:
        store = self.store
        if store is None:
            if self.correlations == STORE:
                raise self._error("store", 'is missing (a table), and correlations is "store"')
            return
        if (store.key_file is None) == (not store.key_env):
            raise self._error("store", "must have either key_file or key_env")
        if store.maker not in MAKERS:
            raise self._error("store.maker", f"is {store.maker!r}; write {_one_of(MAKERS)}")
        if store.at_zero not in _AT_ZERO:
            policies = _one_of(_AT_ZERO)
            raise self._error("store.at_zero", f"is {store.at_zero!r}; write {policies}")
        if not 0 <= store.low <= 1:
            raise self._error("store.low", "must be between 0 and 1")

    def _check_peer(self, peer: Peer) -> None:
        if not _NAME.fullmatch(peer.name):
            raise self._error(
                "name",
                f"{peer.name!r} must be 1 to 63 of a-z 0-9 . _ - and start with a letter or digit",
            )
        if not _FINGERPRINT.fullmatch(peer.fingerprint):
            raise self._error(
                f"the fingerprint of {peer.name}",
                f"must be 64 hex digits; ask {peer.name} for its {peer.name}.cert.pem and run "
                "'petcore pin'",
            )
        unlisted = peer is self.parties[-1] or bool(self.pairs)  # nobody calls them here
        if peer.address or not unlisted:
            split_address(peer.address, f"{self.source}: the address of {peer.name}")
        if self.listen and peer.name == self.name:
            split_address(self.listen, f"{self.source}: listen")

    def _check_link(self) -> None:
        trip, rate = self.link.round_trip_ms, self.link.bandwidth_mbit
        if not 0 <= trip <= 20_000:
            raise self._error("link.round_trip_ms", "must be between 0 and 20000")
        if rate != 0 and not 0.01 <= rate <= 1e6:
            raise self._error("link.bandwidth_mbit", "must be between 0.01 and 1000000, or 0")
        if trip / 1000 >= self.limits.silence:
            raise self._error("limits.silence", "must be longer than link.round_trip_ms")

    def _error(self, key: str, what: str) -> ConfigError:
        return ConfigError(f"{self.source}: {key} {what}")


def _one_of(words: tuple[str, ...]) -> str:
    return " or ".join(f'"{word}"' for word in words)


def split_address(address: str, what: str) -> tuple[str, int]:
    """Split ``host:port``; raises ConfigError, which begins with ``what``, for anything else."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(
            f"{what} is {address!r}, not host:port with a port from 1 to 65535; "
            "write for example '127.0.0.1:7001' or '[::1]:7001'"
        )
    return host, int(port)


def load_config(path: str | Path, *, draft: bool = False) -> Config:
    """Read a configuration file; a draft may still lack fingerprints and addresses.

    Raises ConfigError, naming file, key and remedy: no such file, not TOML, a key that is missing,
    unknown or of the wrong type, a value that cannot work.
    """
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{file}: cannot be read ({error.strerror}); 'petcore keygen' writes one to start from"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error
    config = _read(Table(file, values), file)
    return config if draft else config.validate()


def _read(top: Table, file: Path) -> Config:
    name = top.text("name")
    identity, dealer = top.table("identity", required=True), top.table("dealer")
    rows, disclosure = top.tables("parties", required=True), top.table("disclosure")
    waits = "connect_wait" in top
    wait = top.number("connect_wait", 60.0)
    last = len(rows) - 1
    config = Config(
        name=name,
        certificate=file.parent / identity.text("certificate"),
        key=file.parent / identity.text("key"),
        parties=tuple(
            _peer(row, row.text("name"), i == last or "pairs" in top) for i, row in enumerate(rows)
        ),
        dealer=_peer(dealer, DEALER) if "dealer" in top else None,
        correlations=top.text("correlations", DEALER),
        session=top.text("session", "session"),
        program=top.text("program", ""),
        listen=top.text("listen", ""),
        connect_wait=wait if waits else None,
        threads=top.whole("threads", 1) if "threads" in top else None,
        limits=_limits(top.table("limits")),
        link=_link(top.table("link")),
        transfers=_transfers(top.table("transfers")),
        log=file.parent / disclosure.text("log", f"{name}.disclosures.jsonl"),
        rules=_rules(disclosure),
        store=_store(top.table("store"), file) if "store" in top else None,
        verify_dealer=top.share("verify_dealer", VERIFIED_SHARE),
        pairs=read_pairs(top.tables("pairs")),
        service=read_service(top.table("service")),
        source=str(file),
    )
    for table in (top, identity, dealer, disclosure, *rows):
        table.done()
    return config


def _peer(row: Table, name: str, last: bool = False) -> Peer:
    address = row.text("address", "" if last else None)
    return Peer(name, address, row.text("fingerprint").lower())


def _limits(table: Table) -> Limits:
    default = Limits()
    limits = Limits(
        deadline=table.number("deadline", default.deadline),
        silence=table.number("silence", default.silence),
        heartbeat=table.number("heartbeat", default.heartbeat),
        frame_bytes_max=table.whole("frame_bytes_max", default.frame_bytes_max),
        message_bytes_max=table.whole("message_bytes_max", default.message_bytes_max),
        inbox_bytes_max=table.whole("inbox_bytes_max", default.inbox_bytes_max),
        dealer_restart=table.number("dealer_restart", default.dealer_restart, zero=True),
    )
    table.done()
    return limits


def _link(table: Table) -> Link:
    link = Link(
        table.number("round_trip_ms", 0.0, zero=True),
        table.number("bandwidth_mbit", 0.0, zero=True),
    )
    table.done()
    return link


def _transfers(table: Table) -> Transfers:
    usual = Transfers()
    method: Any = table.text("method", usual.method)
    transfers = Transfers(
        method,
        table.number("link_mbit", usual.link_mbit),
        table.flag("checked", default=usual.checked),
    )
    table.done()
    return transfers


def _store(table: Table, file: Path) -> StoreConfig:
    store = StoreConfig(
        path=file.parent / table.text("path"),
        key_file=file.parent / table.text("key_file") if "key_file" in table else None,
        key_env=table.text("key_env", ""),
        maker=table.text("maker", DEALER),
        at_zero=table.text("at_zero", "refuse"),
        low=table.number("low", 0.25, zero=True),
        trace=file.parent / table.text("trace") if "trace" in table else None,
    )
    table.done()
    return store


def _rules(disclosure: Table) -> tuple[Rule, ...] | None:
    rows = disclosure.tables("rules")
    if "rules" not in disclosure:
        return None
    rules = tuple(
        Rule(row.text("label"), row.texts("to"), row.text("agreement", "")) for row in rows
    )
    for row in rows:
        row.done()
    return rules
