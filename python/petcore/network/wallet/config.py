"""What a wallet edge is told before it starts: one TOML file.

::

    name = "purse"                        # as in the directory
    listen = "127.0.0.1:9003"             # for node A
    database = "purse.db"                 # a file, or postgresql://user@host/name
    directory = "../network.toml"
    certificate = "purse.cert.pem"
    key = "purse.key.pem"
    keys = "keys"                         # this edge's ring of sealing and signing keys
    public = "../public"                  # everybody's public keys

    health = "127.0.0.1:9203"             # /health and /metrics without TLS; left out: none
    features = 4                          # how many the risk model takes from this wallet

    [cashier]                             # the page where users agree, over TLS
    listen = "127.0.0.1:9103"
    url = "https://127.0.0.1:9103"

    [limits]
    hold_seconds = 600                    # a hold without a decision is voided after this
    code_seconds = 60                     # how long a payment code can be used
    consults = 3                          # per code
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from petcore.config import split_address
from petcore.errors import ConfigError
from petcore.network.ledger import database_url
from petcore.network.schema import FEATURES_MAX
from petcore.tables import Table


@dataclass(frozen=True)
class Cashier:
    """Where users agree: the address to listen on, and the URL that merchants show them."""

    listen: str
    url: str


@dataclass(frozen=True)
class WalletConfig:
    """A wallet edge's settings; paths are absolute, times in seconds."""

    name: str
    listen: str
    database: str
    directory: Path
    certificate: Path
    key: Path
    keys: Path
    public: Path
    cashier: Cashier | None
    health: str = ""
    hold_seconds: float = 600.0
    code_seconds: float = 60.0
    consults: int = 3
    features: int = 0
    source: str = "this configuration"

    @classmethod
    def load(cls, path: str | Path) -> WalletConfig:
        """Read a file; relative paths are relative to it.

        Raises
        ------
        ConfigError
            The file cannot be read, or a key is missing, misspelt or of the wrong kind.
        """
        file = Path(path).resolve()
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{file}: is no TOML file ({error})") from error
        table = Table(file, values)
        limits = table.table("limits")
        config = cls(
            name=table.text("name"),
            listen=_address(table, "listen"),
            database=database_url(table.text("database"), file.parent),
            directory=file.parent / table.text("directory"),
            certificate=file.parent / table.text("certificate"),
            key=file.parent / table.text("key"),
            keys=file.parent / table.text("keys"),
            public=file.parent / table.text("public"),
            cashier=_cashier(table.table("cashier")) if "cashier" in table else None,
            health=_address(table, "health") if "health" in table else "",
            hold_seconds=limits.number("hold_seconds", 600.0),
            code_seconds=limits.number("code_seconds", 60.0),
            consults=limits.whole("consults", 3),
            features=_features(table),
            source=str(file),
        )
        limits.done()
        table.done()
        return config


def _cashier(table: Table) -> Cashier:
    cashier = Cashier(_address(table, "listen"), table.text("url").rstrip("/"))
    table.done()
    if not cashier.url.startswith("https://"):
        raise table.error("url", "must begin with https://: users type their PIN there")
    return cashier


def _address(table: Table, key: str) -> str:
    address = table.text(key)
    try:
        split_address(address, key)
    except ConfigError as error:
        raise table.error(key, error.message) from None
    return address


def _features(table: Table) -> int:
    count = table.number("features", 0, zero=True)
    if not isinstance(count, int) or count > FEATURES_MAX:
        raise table.error("features", f"must be a whole number from 0 to {FEATURES_MAX}")
    return count
