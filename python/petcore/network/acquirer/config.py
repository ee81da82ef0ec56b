"""The configuration of an acquirer's edge: one TOML file.

::

    name = "shop-bank"                  # as in the directory
    listen = "127.0.0.1:9001"           # for node A
    database = "shop-bank.db"           # a file, or postgresql://user@host/name
    directory = "../network.toml"
    certificate = "shop-bank.cert.pem"
    key = "shop-bank.key.pem"
    keys = "keys"                       # this edge's ring of sealing and signing keys
    public = "../public"                # everybody's public keys
    health = "127.0.0.1:9201"           # /metrics and /health without TLS; optional
    cashier = "purse"                   # the wallet of payments without a code; optional
    gather_ms = 20                      # how long a payment waits for others; optional

    [[codes]]                           # whose payment codes begin how; optional
    mpp = "purse"
    prefixes = ["28"]

    [merchants]                         # where merchants' systems call: the Alipay+ dialect
    listen = "127.0.0.1:8443"
    certificate = "merchants.cert.pem"  # TLS with this server certificate only
    key = "merchants.key.pem"
    signing_key = "answers.rsa.pem"     # signs answers and notifications
    signing_key_version = "1"

    ca = "hooks.ca.pem"                 # who vouches for notify URLs; optional, else the system
    max_clock_skew = 300.0

    [[merchants.clients]]
    id = "SHOP_0001"
    notify = ["https://shop.example/hooks"]  # its own notify URLs begin so; optional
    [[merchants.clients.keys]]
    version = "1"
    file = "shop_0001.rsa.pub.pem"

    [times]                             # seconds; optional
    answer = 10.0                       # until a caller is told that the result is unknown
    poll = 3.0                          # between inquiries at node A
    give_up = 60.0                      # until a payment without a decision is cancelled
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from petcore.config import split_address
from petcore.errors import ConfigError
from petcore.network.acquirer.alipayplus.app import Client
from petcore.network.acquirer.alipayplus.signing import VerifyingKey
from petcore.network.acquirer.flow import Times
from petcore.network.acquirer.routing import Codes
from petcore.network.ledger import database_url
from petcore.tables import Table


@dataclass(frozen=True)
class Merchants:
    """Where and how merchants' systems are answered."""

    listen: str
    certificate: Path
    key: Path
    signing_key: Path
    signing_key_version: str
    clients: tuple[Client, ...]
    ca: Path | None = None
    max_clock_skew: float = 300.0


@dataclass(frozen=True)
class AcquirerConfig:
    """What the file says; see the module."""

    source: Path
    name: str
    directory: Path
    keys: Path
    public: Path
    certificate: Path
    key: Path
    listen: str
    database: str
    merchants: Merchants
    health: str = ""
    cashier: str = ""
    codes: tuple[Codes, ...] = ()
    times: Times = field(default_factory=Times)
    gather_ms: float = 20.0

    @classmethod
    def load(cls, path: str | Path) -> AcquirerConfig:
        """Read a configuration; paths in it are relative to the file.

        Raises
        ------
        ConfigError
            The file cannot be read, or something in it is missing, unknown or illegal.
        """
        file = Path(path)
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{file}: is no TOML file ({error})") from error
        table, base = Table(file, values), file.parent
        if table.text("role", "acqp") != "acqp":
            raise table.error("role", "must be acqp: this is an acquirer's edge")
        config = cls(
            source=file,
            name=table.text("name"),
            directory=base / table.text("directory"),
            keys=base / table.text("keys"),
            public=base / table.text("public"),
            certificate=base / table.text("certificate"),
            key=base / table.text("key"),
            listen=_address(table, "listen"),
            database=database_url(table.text("database"), base),
            merchants=_merchants(table.table("merchants", required=True), base),
            health=_address(table, "health") if "health" in table else "",
            cashier=table.text("cashier", ""),
            codes=tuple(_codes(row) for row in table.tables("codes")),
            times=_times(table.table("times")),
            gather_ms=table.number("gather_ms", 20.0, zero=True),
        )
        table.done()
        return config


def _merchants(table: Table, base: Path) -> Merchants:
    merchants = Merchants(
        listen=_address(table, "listen"),
        certificate=base / table.text("certificate"),
        key=base / table.text("key"),
        signing_key=base / table.text("signing_key"),
        signing_key_version=table.text("signing_key_version", "1"),
        clients=tuple(_client(row, base) for row in table.tables("clients", required=True)),
        ca=base / table.text("ca") if "ca" in table else None,
        max_clock_skew=table.number("max_clock_skew", 300.0),
    )
    table.done()
    names = [client.id for client in merchants.clients]
    if len(set(names)) != len(names):
        raise table.error("clients", "has an id twice; keep one")
    return merchants


def _client(table: Table, base: Path) -> Client:
    keys = {}
    for row in table.tables("keys", required=True):
        version = row.text("version")
        keys[version] = VerifyingKey.load(base / row.text("file"), version)
        row.done()
    client = Client(table.text("id"), keys, table.texts("notify") if "notify" in table else ())
    table.done()
    return client


def _codes(table: Table) -> Codes:
    codes = Codes(table.text("mpp"), table.texts("prefixes"))
    table.done()
    return codes


def _times(table: Table) -> Times:
    usual = Times()
    times = Times(*(table.number(f.name, getattr(usual, f.name)) for f in fields(Times)))
    table.done()
    return times


def _address(table: Table, key: str) -> str:
    address = table.text(key)
    split_address(address, key)
    return address
