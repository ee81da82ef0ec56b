"""Where the demo happens: a folder per party with fresh keys, certificates and configurations."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from petcore.config import DEALER, Config, Peer, Rule
from petcore.config_text import to_toml
from petcore.errors import ConfigError
from petcore.payments import SealingKey
from petcore.payments.routes import ACQUIRERS, WALLETS
from petcore.trust.identity import identity_files, make_identity

PARTIES = ("gateway", "wallet")
_AGREEMENT = "demo agreement"


@dataclass(frozen=True)
class Place:
    """The demo's folders below `root`."""

    root: Path

    def party(self, name: str) -> Path:
        """The folder that only this party's process uses."""
        return self.root / name

    def log(self, name: str) -> Path:
        """The party's disclosure log."""
        return self.party(name) / f"{name}.disclosures.jsonl"

    @property
    def keys(self) -> Path:
        """Everybody's public sealing keys."""
        return self.root / "public-keys"

    @property
    def edges(self) -> Path:
        """What the participants' edges hold: private sealing keys and payments in clear."""
        return self.root / "edges"


@contextmanager
def open_place(keep: Path | None) -> Iterator[Place]:
    """Give an empty place: `keep`, or one that vanishes afterwards.

    Raises
    ------
    ConfigError
        `keep` exists and is not empty, or cannot be made.
    """
    if keep is None:
        with TemporaryDirectory(prefix="petcore-demo-") as folder:
            yield _prepare(Path(folder))
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigError(f"--keep {keep} exists and is not an empty folder; name another one")
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--keep {keep} cannot be made ({error.strerror})") from error
    yield _prepare(keep.resolve())


def _prepare(root: Path) -> Place:
    """Make identities, pin their fingerprints in everybody's configuration, make sealing keys."""
    place = Place(root)
    everyone = (*PARTIES, DEALER)
    fingerprints = {}
    for name in everyone:
        identity = make_identity(name)
        identity.save(place.party(name))
        fingerprints[name] = identity.fingerprint
    dealer_port, gateway_port = _free_ports(2)
    addresses = {"gateway": f"127.0.0.1:{gateway_port}", "wallet": ""}
    parties = tuple(Peer(name, addresses[name], fingerprints[name]) for name in PARTIES)
    dealer = Peer(DEALER, f"127.0.0.1:{dealer_port}", fingerprints[DEALER])
    for name in everyone:
        certificate, key = identity_files(place.party(name), name)
        config = Config(
            name=name,
            certificate=certificate,
            key=key,
            parties=parties,
            dealer=dealer,
            session="petcore demo",
            connect_wait=30.0,
            log=place.log(name),
            rules=_rules(),
        )
        text = to_toml(config, place.party(name))
        (place.party(name) / f"{name}.toml").write_text(text, encoding="utf-8")
    _sealing_keys(place)
    return place


def _rules() -> tuple[Rule, ...]:
    """What the parties agree to disclose, and nothing else: another label stops the session."""
    return (
        Rule("row identifiers are equal", PARTIES, _AGREEMENT),
        Rule("size of each table and who holds the labels", PARTIES, _AGREEMENT),
        Rule("held-out probabilities", ("wallet",), _AGREEMENT),
        *(Rule(f"net position of {name}", (name,), _AGREEMENT) for name in (*WALLETS, *ACQUIRERS)),
    )


def _sealing_keys(place: Place) -> None:
    place.keys.mkdir()
    folders = {name: place.party(name) for name in PARTIES}
    folders |= dict.fromkeys((*WALLETS, *ACQUIRERS), place.edges)
    for name, folder in folders.items():
        public, _ = SealingKey.make(name).save(folder)
        public.rename(place.keys / public.name)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
