"""The configuration of a node.

::

    name = "node-a"
    network = "network.toml"              # the directory, the same for all members
    listen = "0.0.0.0:9001"
    health_listen = "127.0.0.1:9101"      # /health and /metrics without TLS; left out: none
    database = "node-a.db"                # a file, or postgresql://user@host/name
    keys = "keys"                         # own key ring
    public = "../public"                  # NAME.keys.json of every member; left out: as keys
    session = "node-a.session.toml"       # as for petcore.connect: peer, dealer, limits, log
    model = "node-a.model.json"           # this node's shares of the risk model; left out: none
    privacy = "on"                        # "off": batches in clear, to measure what privacy costs;
                                          # refused unless PETCORE_BENCH_IN_CLEAR is 1

    [identity]
    certificate = "node-a.cert.pem"
    key = "node-a.key.pem"

    [held_features]                       # of the risk model, behind those of wallets; left out: none
    count = 2                             # the same at both nodes
    file = "node-a.features.json"         # at the node that holds them (`petcore.network.node.held`)

    [limits]
    gather_ms = 4
    batch_rows = 256
    answer_seconds = 8
    consults_per_minute = 6
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from petcore.errors import ConfigError
from petcore.network.circuit.rows import FEATURES_MAX
from petcore.network.directory import Directory
from petcore.network.ledger import database_url
from petcore.network.node.held import HeldFeatures
from petcore.tables import Table

ROWS_MAX = 1024
IN_CLEAR = "PETCORE_BENCH_IN_CLEAR"


@dataclass(frozen=True)
class Limits:
    """Bounds on waits and sizes.

    ``gather_ms``: how long a request waits for others. ``batch_rows``: most rows of a batch.
    ``answer_seconds``: after which a caller is told "pending". ``consults_per_minute``: of one sender
    about one token.
    """

    gather_ms: float = 4.0
    batch_rows: int = 256
    answer_seconds: float = 8.0
    consults_per_minute: int = 6


@dataclass(frozen=True)
class NodeConfig:
    """Everything that `petcore node` needs to know; paths are absolute or relative to the file."""

    name: str
    network: Path
    listen: str
    database: str
    keys: Path
    public: Path
    session: Path
    certificate: Path
    key: Path
    health_listen: str = ""
    model: Path | None = None
    private: bool = True
    held: HeldFeatures = field(default_factory=HeldFeatures)
    limits: Limits = field(default_factory=Limits)
    source: str = "this configuration"

    def directory(self) -> Directory:
        """Read the directory; ConfigError unless this is one of its two nodes."""
        directory = Directory.load(self.network)
        nodes = (directory.node_a.name, directory.node_b.name)
        if self.name not in nodes:
            raise ConfigError(
                f"{self.source}: name is {self.name!r}; the nodes of {self.network} are "
                f"{nodes[0]} and {nodes[1]}"
            )
        return directory


def load_node(path: str | Path) -> NodeConfig:
    """Read the configuration of a node.

    Raises
    ------
    ConfigError
        The file cannot be read, or has unknown keys or values that cannot work.
    """
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error
    table, here = Table(file, values), file.parent
    identity = table.table("identity", required=True)
    config = NodeConfig(
        name=table.text("name"),
        network=here / table.text("network"),
        listen=table.text("listen"),
        database=database_url(table.text("database"), here),
        keys=here / table.text("keys"),
        public=here / table.text("public", table.text("keys")),
        session=here / table.text("session"),
        certificate=here / identity.text("certificate"),
        key=here / identity.text("key"),
        health_listen=table.text("health_listen", ""),
        model=here / table.text("model") if "model" in table else None,
        private=_private(table),
        held=_held(table.table("held_features"), here),
        limits=_limits(table.table("limits")),
        source=str(file),
    )
    table.done()
    identity.done()
    return config


def _held(table: Table, here: Path) -> HeldFeatures:
    count = table.whole("count", FEATURES_MAX) if "count" in table else 0
    file = table.text("file", "")
    table.done()
    if count > FEATURES_MAX or (file and not count):
        raise table.error("count", f"is missing or not 1 to {FEATURES_MAX}: how many features")
    return HeldFeatures.load(here / file, count) if file else HeldFeatures(count)


def _private(table: Table) -> bool:
    privacy = table.text("privacy", "on")
    if privacy not in ("on", "off"):
        raise table.error("privacy", f'must be "on" or "off"; it is {privacy!r}')
    if privacy == "off" and os.environ.get(IN_CLEAR) != "1":
        raise table.error(
            "privacy",
            f'is "off": both nodes would see every payment. Only a benchmark sets {IN_CLEAR}=1',
        )
    return privacy == "on"


def _limits(table: Table) -> Limits:
    usual = Limits()
    limits = Limits(
        gather_ms=table.number("gather_ms", usual.gather_ms, zero=True),
        batch_rows=table.whole("batch_rows", usual.batch_rows),
        answer_seconds=table.number("answer_seconds", usual.answer_seconds),
        consults_per_minute=table.whole("consults_per_minute", usual.consults_per_minute),
    )
    table.done()
    if limits.batch_rows > ROWS_MAX:
        raise table.error("batch_rows", f"must be at most {ROWS_MAX}")
    if limits.gather_ms > 1000 or limits.answer_seconds > 60:
        raise table.error("gather_ms", "is at most 1000, and answer_seconds at most 60")
    return limits
