"""A demo network's folder: keys, certificates, agreements, configurations, users and merchants.

::

    DIR/network.toml        the directory that everybody agreed on
    DIR/public/             everybody's certificates and public keys
    DIR/NAME/               what only that member has: configuration, keys, database, log
    DIR/client/             a merchant's system: its RSA key, and the acquirer's public key
"""

from __future__ import annotations

import secrets
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from petcore.config import DEALER, Config, Limits, Link, Peer
from petcore.config_service import Service
from petcore.config_text import to_toml
from petcore.errors import ConfigError
from petcore.network.keyring import KeyRing
from petcore.network.ledger import Database, create_database
from petcore.network.wallet.book import Book, User
from petcore.network.wallet.config import WalletConfig
from petcore.network.wallet.pins import hash_pin
from petcore.trust.identity import Identity, identity_files, make_identity

NODE_A, NODE_B, ACQUIRER, WALLET = "node-a", "node-b", "shop-bank", "purse"
NODES = (NODE_A, NODE_B)
CLIENT_ID = "SHOP_0001"
PIN = "246810"
USER_CURRENCIES = {"alice": "EUR", "bob": "JPY", "carol": "KWD"}
CURRENCIES = ("SGD", "EUR", "JPY", "KWD")
_PORTS = range(10_240, 32_768)

_ROLES = {
    NODE_A: ("node_a", "Gateway Ltd"),
    NODE_B: ("node_b", "Trustee AG"),
    WALLET: ("mpp", "Purse Inc"),
    ACQUIRER: ("acqp", "Shop Bank"),
    DEALER: ("dealer", "Randomness Oy"),
}
# Minor units of the second for one of the first: SGD and EUR have 2 decimals, JPY 0, KWD 3.
_RATES = {
    ("SGD", "EUR"): (68, 100),
    ("SGD", "JPY"): (114, 100),
    ("SGD", "KWD"): (238, 100),
    ("EUR", "JPY"): (168, 100),
    ("EUR", "KWD"): (351, 100),
    ("JPY", "EUR"): (100, 168),
    ("JPY", "KWD"): (209, 100),
    ("KWD", "EUR"): (100, 351),
    ("KWD", "JPY"): (100, 209),
}


@dataclass(frozen=True)
class Place:
    """The folder of a demo network, and where its parts are."""

    root: Path

    def member(self, name: str) -> Path:
        """Return the folder of what only this member has."""
        return self.root / name

    def config(self, name: str) -> Path:
        """Return the configuration of a member."""
        return self.root / name / f"{name}.toml"

    @property
    def public(self) -> Path:
        """The folder of what everybody may know of everybody."""
        return self.root / "public"

    @property
    def directory(self) -> Path:
        """The directory's file."""
        return self.root / "network.toml"

    @property
    def client(self) -> Path:
        """The folder of the merchant's system."""
        return self.root / "client"


def make_place(
    root: str | Path,
    *,
    balance: int = 1_000_000,
    users: int = 0,
    database: str = "sqlite",
    round_trip_ms: float = 0.0,
) -> Place:
    """Make a demo network in a folder.

    Parameters
    ----------
    root
        The folder; new or empty.
    balance
        What every user has to begin with, in minor units of the user's currency.
    users
        How many users there are besides the three with a name, for load: ``user-0`` and so on.
    database
        "sqlite", or the URL of a PostgreSQL server, ``postgresql://user@host/postgres``: every
        member gets a database there, made now.
    round_trip_ms
        Of the line to imitate between the nodes.

    Raises
    ------
    ConfigError
        The folder is not empty or cannot be written; the server's URL is none, or the server has
        such databases already.
    LedgerError
        The server cannot be reached.
    """
    place = Place(Path(root).resolve())
    _make_empty(place.root)
    databases = _databases(database)
    place.public.mkdir()
    ports = iter(free_ports(16))
    urls = {name: f"127.0.0.1:{next(ports)}" for name in _ROLES}
    identities = {}
    for name in _ROLES:
        identities[name] = make_identity(name)
        certificate, _ = identities[name].save(place.member(name))
        shutil.copy(certificate, place.public)
        if name != DEALER:
            ring = KeyRing.make(place.member(name) / "keys", name)
            (place.public / f"{name}.keys.json").write_bytes(ring.public())
    place.directory.write_text(_directory(identities, urls))
    meet = f"127.0.0.1:{next(ports)}", urls[DEALER]
    _write_sessions(place, identities, meet, next(ports), round_trip_ms)
    health = {name: f"127.0.0.1:{next(ports)}" for name in _ROLES if name != DEALER}
    for name in NODES:
        _write(place.config(name), _node(name, urls[name], health[name], databases[name]))
    _write(
        place.config(WALLET),
        _wallet(urls[WALLET], health[WALLET], f"127.0.0.1:{next(ports)}", databases[WALLET]),
    )
    _make_merchant(place)
    _write(
        place.config(ACQUIRER),
        _acquirer(
            urls[ACQUIRER], health[ACQUIRER], f"127.0.0.1:{next(ports)}", databases[ACQUIRER]
        ),
    )
    _add_users(place, balance, users)
    return place


def existing(root: str | Path) -> Place:
    """Return the demo network in a folder; ConfigError where there is no whole one."""
    place = Place(Path(root).resolve())
    for file in (place.directory, *map(place.config, _ROLES)):
        if not file.exists():
            raise ConfigError(
                f"{place.root}: holds no whole network ({file.name} is missing); make one in an empty "
                "folder with 'petcore network init'"
            )
    return place


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody uses at the moment.

    They lie below those that the system gives to outgoing connections: a port of that range may be
    taken by any of them while its member starts again.
    """
    found: dict[int, None] = {}
    for _ in range(100 * count):
        if len(found) == count:
            return list(found)
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            found[port] = None
    raise ConfigError(f"{count} free ports from {_PORTS.start} to {_PORTS.stop - 1} were not found")


def _make_empty(root: Path) -> None:
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ConfigError(f"{root} exists and is not an empty folder; name another one")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{root} cannot be made ({error.strerror})") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _directory(identities: dict[str, Identity], urls: dict[str, str]) -> str:
    parts = ['name = "demo"', "min_count = 10", 'cancel_until = "00:15+08:00"']
    for name, (role, entity) in _ROLES.items():
        url = f'url = "https://{urls[name]}"\n' if name != DEALER else ""
        parts.append(
            f'\n[[participants]]\nname = "{name}"\nrole = "{role}"\nlegal_entity = "{entity}"\n{url}'
            f'certificate = "public/{name}.cert.pem"\nfingerprint = "{identities[name].fingerprint}"'
        )
    codes = ", ".join(f'"{code}"' for code in CURRENCIES)
    parts.append(
        f'\n[[agreements]]\nid = "{WALLET}-{ACQUIRER}-1"\nmpp = "{WALLET}"\nacqp = "{ACQUIRER}"\n'
        f"currencies = [{codes}]\nfee_num = 6\nfee_den = 1000\nrefund_fee = true"
    )
    for code in sorted(set(USER_CURRENCIES.values())):
        parts.append(
            f'\n[[prefunding]]\nmpp = "{WALLET}"\ncurrency = "{code}"\namount = 100_000_000_000'
        )
    for (source, target), (num, den) in _RATES.items():
        parts.append(
            f'\n[[rates]]\nid = "{source}-{target}-1"\nsource = "{source}"\ntarget = "{target}"\n'
            f"num = {num}\nden = {den}"
        )
    return "\n".join(parts) + "\n"


def _write_sessions(
    place: Place,
    identities: dict[str, Identity],
    addresses: tuple[str, str],
    health: int,
    round_trip_ms: float,
) -> None:
    """Write what nodes A and B, and their dealer, need to meet for the circuit."""
    meet, dealer = addresses
    parties = (
        Peer(NODE_A, meet, identities[NODE_A].fingerprint),
        Peer(NODE_B, "", identities[NODE_B].fingerprint),
    )
    own = Peer(DEALER, dealer, identities[DEALER].fingerprint)
    for name in (*NODES, DEALER):
        certificate, key = identity_files(place.member(name), name)
        config = Config(
            name=name,
            certificate=certificate,
            key=key,
            parties=parties,
            dealer=own,
            session="petcore network",
            connect_wait=10.0,
            limits=Limits(dealer_restart=8.0, deadline=10.0),
            link=Link(round_trip_ms=round_trip_ms),
            log=place.member(name) / "disclosures.jsonl",
            service=Service(health_port=health) if name == DEALER else Service(),
        )
        file = place.config(name) if name == DEALER else place.member(name) / "session.toml"
        _write(file, to_toml(config, place.member(name)))


def _node(name: str, listen: str, health: str, database: str) -> str:
    return (
        f'name = "{name}"\nnetwork = "../network.toml"\nlisten = "{listen}"\n'
        f'health_listen = "{health}"\ndatabase = "{database}"\n'
        'keys = "keys"\npublic = "../public"\nsession = "session.toml"\n\n'
        f'[identity]\ncertificate = "{name}.cert.pem"\nkey = "{name}.key.pem"\n'
    )


def _edge(name: str, listen: str, health: str, database: str) -> str:
    return (
        f'name = "{name}"\nlisten = "{listen}"\nhealth = "{health}"\n'
        f'database = "{database}"\ndirectory = "../network.toml"\n'
        f'certificate = "{name}.cert.pem"\nkey = "{name}.key.pem"\n'
        'keys = "keys"\npublic = "../public"\n'
    )


def _wallet(listen: str, health: str, cashier: str, database: str) -> str:
    return _edge(WALLET, listen, health, database) + (
        f'\n[cashier]\nlisten = "{cashier}"\nurl = "https://{cashier}"\n'
    )


def _acquirer(listen: str, health: str, merchants: str, database: str) -> str:
    return _edge(ACQUIRER, listen, health, database) + (
        f'cashier = "{WALLET}"\n\n[merchants]\nlisten = "{merchants}"\n'
        'certificate = "merchants.cert.pem"\nkey = "merchants.key.pem"\n'
        f'signing_key = "answers.rsa.pem"\n\n[[merchants.clients]]\nid = "{CLIENT_ID}"\n\n'
        f'[[merchants.clients.keys]]\nversion = "1"\nfile = "{CLIENT_ID}.rsa.pub.pem"\n'
    )


def _databases(server: str) -> dict[str, str]:
    """Return what members say of their databases; on a server they are made."""
    members = [name for name in _ROLES if name != DEALER]
    if server == "sqlite":
        return {name: f"{name}.db" for name in members}
    return {name: create_database(server, f"petcore_{name.replace('-', '_')}") for name in members}


def _make_merchant(place: Place) -> None:
    """Make the keys between a merchant's system and the acquirer: RSA for messages, TLS."""
    place.client.mkdir()
    acquirer = place.member(ACQUIRER)
    pairs = (
        (place.client / f"{CLIENT_ID}.rsa.pem", acquirer / f"{CLIENT_ID}.rsa.pub.pem"),
        (acquirer / "answers.rsa.pem", place.client / "answers.rsa.pub.pem"),
    )
    for private, public in pairs:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private.touch(0o600)
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        public.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    certificate, _ = make_identity("merchants").save(acquirer)
    shutil.copy(certificate, place.client)


def _add_users(place: Place, balance: int, users: int) -> None:
    config = WalletConfig.load(place.config(WALLET))
    with Database.open(config.database) as database:
        book = Book(database, WALLET)
        pin = hash_pin(PIN)
        names = dict(USER_CURRENCIES) | {f"user-{i}": "EUR" for i in range(users)}
        with database.write():
            for name, currency in names.items():
                user = User(name, currency, count_limit=1_000_000, sum_limit=10**12, pin=pin)
                book.add_user(user, balance=balance)
