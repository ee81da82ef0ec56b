"""Configuration files of a pseudonym service and of its clients (TOML)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from petcore.config import Peer
from petcore.errors import ConfigError
from petcore.pseudonyms.service import Grant
from petcore.tables import Table

IDS_PER_DAY = 1_000_000


@dataclass(frozen=True)
class ServiceConfig:
    """What ``petcore pseudonym serve`` needs.

    ::

        listen = "0.0.0.0:7300"
        keys = "pseudonym.keys.json"        # made by 'petcore pseudonym rotate'
        journal = "pseudonym.journal.jsonl"

        [identity]                          # made by 'petcore keygen'
        certificate = "bureau.cert.pem"
        key = "bureau.key.pem"

        [[clients]]
        name = "wallet"
        fingerprint = "..."
        scopes = ["fraud-*"]
        ids_per_day = 1000000
    """

    listen: str
    keys: Path
    journal: Path
    certificate: Path
    key: Path
    clients: tuple[tuple[str, str], ...]  # name and fingerprint
    grants: dict[str, Grant]


@dataclass(frozen=True)
class ClientConfig:
    """What ``petcore pseudonym map`` needs.

    ::

        [identity]
        certificate = "wallet.cert.pem"
        key = "wallet.key.pem"

        [service]
        name = "bureau"
        address = "bureau.example:7300"
        fingerprint = "..."

        [[epochs]]                          # told by the service: 'petcore pseudonym rotate'
        epoch = 1
        public_key = "..."
    """

    certificate: Path
    key: Path
    service: Peer
    public_keys: dict[int, bytes]


def load_service(path: str | Path) -> ServiceConfig:
    """Read a service's file; raises ConfigError, naming file, key and remedy."""
    file, top = _read(path)
    identity, rows = top.table("identity", required=True), top.tables("clients", required=True)
    clients, grants = [], {}
    for row in rows:
        name = row.text("name")
        if name in grants:
            raise row.error("name", f"{name!r} stands there twice")
        clients.append((name, row.text("fingerprint").lower()))
        grants[name] = Grant(row.texts("scopes"), row.whole("ids_per_day", IDS_PER_DAY))
    config = ServiceConfig(
        listen=top.text("listen"),
        keys=file.parent / top.text("keys", "pseudonym.keys.json"),
        journal=file.parent / top.text("journal", "pseudonym.journal.jsonl"),
        certificate=file.parent / identity.text("certificate"),
        key=file.parent / identity.text("key"),
        clients=tuple(clients),
        grants=grants,
    )
    for table in (top, identity, *rows):
        table.done()
    return config


def load_client(path: str | Path) -> ClientConfig:
    """Read a client's file; raises ConfigError, naming file, key and remedy."""
    file, top = _read(path)
    identity, service = top.table("identity", required=True), top.table("service", required=True)
    rows, public = top.tables("epochs", required=True), {}
    for row in rows:
        try:
            public[row.whole("epoch", 1)] = bytes.fromhex(row.text("public_key"))
        except ValueError:
            raise row.error("public_key", "must be 66 hex digits") from None
    config = ClientConfig(
        certificate=file.parent / identity.text("certificate"),
        key=file.parent / identity.text("key"),
        service=Peer(service.text("name"), service.text("address"), service.text("fingerprint")),
        public_keys=public,
    )
    for table in (top, identity, service, *rows):
        table.done()
    return config


def _read(path: str | Path) -> tuple[Path, Table]:
    file = Path(path)
    try:
        return file, Table(file, tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error
