"""What a wallet edge is told before it starts: one TOML file.

::

    name = "purse"                        # as in the directory
    listen = "127.0.0.1:9003"             # for node A
    database = "sqlite:///purse.db"       # or postgresql+psycopg://...
    directory = "../network.toml"
    certificate = "purse.cert.pem"
    key = "purse.key.pem"
    keys = "keys"                         # this edge's ring of sealing and signing keys
    public = "../public"                  # everybody's public keys

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

from petcore.errors import ConfigError
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
        """Read a file; relative paths, also of an SQLite database, are relative to it.

        Raises
        ------
        ConfigError
            The file cannot be read, or a key is missing, misspelt or of the wrong kind.
        """
        file = Path(path).resolve()
        try:
            table = Table(file, tomllib.loads(file.read_text()))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read ({error})") from error
        limits = table.table("limits")
        cashier = table.table("cashier")
        config = cls(
            name=table.text("name"),
            listen=table.text("listen"),
            database=database_url(table.text("database"), file.parent),
            directory=file.parent / table.text("directory"),
            certificate=file.parent / table.text("certificate"),
            key=file.parent / table.text("key"),
            keys=file.parent / table.text("keys"),
            public=file.parent / table.text("public"),
            cashier=Cashier(cashier.text("listen"), cashier.text("url"))
            if "cashier" in table
            else None,
            health=table.text("health", ""),
            hold_seconds=limits.number("hold_seconds", 600.0),
            code_seconds=limits.number("code_seconds", 60.0),
            consults=limits.whole("consults", 3),
            features=int(table.number("features", 0, zero=True)),
            source=str(file),
        )
        for part in (limits, cashier, table):
            part.done()
        return config


def database_url(url: str, folder: Path) -> str:
    """Return a database URL whose SQLite file, where relative, lies in ``folder``."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{folder / url.removeprefix(prefix)}"
    return url
