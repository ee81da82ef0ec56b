"""From an edge's or node's configuration file to a member that settles, and its books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from petcore.network.acquirer.book import POSITION
from petcore.network.acquirer.config import AcquirerConfig
from petcore.network.directory import Directory
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Database
from petcore.network.node.config import load_node
from petcore.network.settlement.client import Member, Records, ledger_records
from petcore.network.wallet.book import NETWORK, Payment, Space
from petcore.network.wallet.config import WalletConfig
from petcore.trust.identity import load_identity

EdgeRole = Literal["acqp", "mpp"]


def node_member(path: Path) -> Member:
    """Return node A, of its configuration."""
    config = load_node(path)
    return Member(
        config.name,
        load_identity(config.certificate, config.key),
        config.directory(),
        KeyRing.load(config.keys, config.name),
        PublicKeys.load(config.public),
    )


def edge_member(role: str, path: Path) -> Member:
    """Return an edge, of its configuration."""
    config = _config(role, path)
    return Member(
        config.name,
        load_identity(config.certificate, config.key),
        Directory.load(config.directory),
        KeyRing.load(config.keys, config.name),
        PublicKeys.load(config.public),
    )


@contextmanager
def edge_books(role: str, path: Path, folder: Path) -> Iterator[tuple[Database, Records]]:
    """Open an edge's ledger to read, and the database in `folder` that keeps what was settled."""
    config = _config(role, path)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Database.open(config.database, reader=True)
    try:
        kept = Database.open(folder / "settled.db")
        try:
            yield kept, _records(role, config.name, ledger)
        finally:
            kept.close()
    finally:
        ledger.close()


def _config(role: str, path: Path) -> AcquirerConfig | WalletConfig:
    return AcquirerConfig.load(path) if role == "acqp" else WalletConfig.load(path)


def _records(role: str, name: str, ledger: Database) -> Records:
    if role == "acqp":
        return ledger_records(ledger, name, POSITION, owes=False)
    known = set(Space(ledger, Payment).all())
    return ledger_records(ledger, NETWORK, "own", owes=True, known=known)
