"""The files that carry shares between edges and nodes, always sealed to their one reader.

Inside an envelope is a header (one line of JSON) and a CSV table with the share as decimal ring
words, so that an auditor who holds the key can look at it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from petcore.csv_columns import CsvColumns, Table, format_csv, parse_csv, read_csv
from petcore.errors import ConfigError, UsageError
from petcore.payments.batch import Batch, Routes
from petcore.payments.money import MAX_AMOUNT, minor_digits
from petcore.payments.sealed_file import pack, unpack
from petcore.payments.sealing import SealingKey, load_public, seal, write_private
from petcore.payments.sharing import Words, combine_shares, share_for_nodes

_PAYMENTS = "payment shares"
_POSITIONS = "net position shares"
_MONEY = ("amount", "limit")
_ZERO = "check"  # in the column of currencies: the share of zero that tells runs apart


@dataclass(frozen=True, eq=False)
class Position:
    """A participant's net position per currency, minor units; negative: it pays."""

    participant: str
    net: dict[str, int]


def share_payments(
    path: str | Path, out: str | Path, *, nodes: Sequence[str], keys: str | Path
) -> list[Path]:
    """Split a CSV file of payments into one sealed share file per node: an edge's part.

    Parameters
    ----------
    path
        CSV with the columns payment, mpp, acqp, currency, and amount or limit or both, in minor
        units. An acquirer's file has the amounts, a wallet's the limits of the same payments.
    out
        Directory for ``NAME.NODE.sealed``.
    nodes
        Names of all nodes; together they could read the amounts.
    keys
        Directory with ``NODE.sealing.pub``.

    Raises
    ------
    ConfigError
        The CSV or a key is unusable, its routes make no batch, or an output exists.
    UsageError
        Fewer than two nodes.
    """
    table = read_csv(path)
    routes = _routes(table)
    columns = [name for name in _MONEY if name in table.names]
    if not columns:
        raise ConfigError(f"{path}: no column 'amount' or 'limit'; there is nothing to share")
    lows = {"amount": 1, "limit": 0}
    money = {
        name: share_for_nodes(table.whole(name, low=lows[name], high=MAX_AMOUNT), len(nodes))
        for name in columns
    }
    public = {node: load_public(keys, node) for node in nodes}
    head = {"kind": _PAYMENTS, "sharing": secrets.token_hex(16), "nodes": list(nodes)}
    folder, written = Path(out), []
    _make(folder)
    for i, node in enumerate(nodes):
        shares = {f"{name}_share": shares[i] for name, shares in money.items()}
        content = pack(head | {"node": node}, format_csv(_route_columns(routes) | shares))
        target = folder / f"{Path(path).stem}.{node}.sealed"
        write_private(target, seal(content, public[node], node, _PAYMENTS))
        written.append(target)
    return written


def load_batch(paths: Sequence[str | Path], *, key: SealingKey, nodes: Sequence[str]) -> Batch:
    """Open a node's share files and join amounts and limits by payment: a node's part.

    Raises
    ------
    ConfigError
        A file is for another node or another set of nodes, a payment lacks amount or limit or has
        two, or the edges claim different routes for one payment.
    """
    parts: dict[str, list[tuple[Routes, Words]]] = {name: [] for name in _MONEY}
    sharings = []
    for path in paths:
        header, table = _unpack(path, key, _PAYMENTS)
        if header.get("node") != key.name or header.get("nodes") != list(nodes):
            raise ConfigError(
                f"{path}: is a share for {header.get('node')} of {header.get('nodes')}; this is "
                f"{key.name} of {list(nodes)}"
            )
        sharings.append(str(header.get("sharing")))
        for name in _MONEY:
            if f"{name}_share" in table.names:
                parts[name].append((_routes(table), table.words(f"{name}_share")))
    routes, amount = _joined(parts["amount"], "amount")
    limit_routes, limit = _joined(parts["limit"], "limit")
    if routes.digest() != limit_routes.digest():
        raise ConfigError(
            "amounts and limits are not for the same payments and routes; collect the files of all "
            f"edges (amounts for {len(amount)} payments, limits for {len(limit)})"
        )
    return Batch(routes, amount, limit, tuple(sharings))


@dataclass(frozen=True, eq=False)
class Outbox:
    """Where a node puts, and for whose keys it seals, its shares of net positions."""

    routes: Routes
    node: str
    targets: dict[str, tuple[Path, bytes]]

    @classmethod
    def prepare(cls, routes: Routes, out: str | Path, *, node: str, keys: str | Path) -> Outbox:
        """Find the participants' keys and check the targets, before anything is computed.

        Parameters
        ----------
        routes
            Of the batch to clear.
        out
            Directory for ``PARTICIPANT.NODE.sealed``; made if absent.
        node
            The node's name.
        keys
            Directory with ``PARTICIPANT.sealing.pub``.

        Raises
        ------
        ConfigError
            A key is missing, a target exists, or the directory cannot be made.
        """
        folder = Path(out)
        _make(folder)
        targets = {}
        for name in routes.participants:
            path = folder / f"{name}.{node}.sealed"
            if path.exists():
                raise ConfigError(f"{path} exists and is not overwritten; move it away first")
            targets[name] = (path, load_public(keys, name))
        return cls(routes, node, targets)

    def write(self, shares: Mapping[str, Words]) -> None:
        """Seal this node's share of each participant's net position to that participant."""
        head = {"kind": _POSITIONS, "node": self.node, "batch": self.routes.digest()}
        for participant, (path, public) in self.targets.items():
            columns: Table = {
                "currency": [*self.routes.currencies, _ZERO],
                "share": shares[participant],
            }
            content = pack(head | {"participant": participant}, format_csv(columns))
            write_private(path, seal(content, public, participant, _POSITIONS))


def read_position(paths: Sequence[str | Path], *, key: SealingKey) -> Position:
    """Open the nodes' share files of one batch and add them up: a participant's part.

    Raises
    ------
    ConfigError
        A file is for somebody else, or the files are not one per node of the same batch and run.
    """
    opened = [_unpack(path, key, _POSITIONS) for path in paths]
    headers = [header for header, _ in opened]
    if len({str(header.get("node")) for header in headers}) != len(paths) or len(paths) < 2:
        raise ConfigError("give one share file per node, from at least two nodes")
    if len({(header.get("batch"), header.get("participant")) for header in headers}) > 1:
        raise ConfigError("the share files belong to different batches; give those of one batch")
    rows = [table.unique_text("currency") for _, table in opened]
    if len(set(rows)) > 1 or rows[0][-1] != _ZERO:
        raise ConfigError("the share files list different currencies; ask the nodes for new ones")
    *net, zero = combine_shares([table.words("share") for _, table in opened]).tolist()
    if zero != 0:
        raise ConfigError(
            "the share files come from different runs, or one node's is missing; give those that "
            "all nodes wrote in one run"
        )
    return Position(key.name, dict(zip(rows[0][:-1], net, strict=True)))


def _joined(parts: list[tuple[Routes, Words]], what: str) -> tuple[Routes, Words]:
    """Put the files of all edges together, sorted by payment id."""
    if not parts:
        raise ConfigError(f"no file has a column of {what}s; collect the files of all edges")
    columns = [
        np.concatenate([getattr(routes, name) for routes, _ in parts])
        for name in ("ids", "mpp", "acqp", "currency")
    ]
    try:
        routes = Routes.of(*columns)
    except UsageError as error:
        raise ConfigError(f"the files with {what}s do not go together: {error}") from None
    order = np.argsort(routes.ids, kind="stable")
    return routes.take(order), np.concatenate([share for _, share in parts])[order]


def _routes(table: CsvColumns) -> Routes:
    columns = table.unique_text("payment"), table.text("mpp"), table.text("acqp"), _currency(table)
    try:
        return Routes.of(*columns)
    except UsageError as error:
        raise ConfigError(f"{table.source}: {error}") from None


def _currency(table: CsvColumns) -> tuple[str, ...]:
    column = table.text("currency")
    for code in sorted(set(column)):
        try:
            minor_digits(code)
        except ValueError as error:
            line = column.index(code) + 2
            raise ConfigError(f"{table.source}, line {line}: {error}") from None
    return column


def _route_columns(routes: Routes) -> dict[str, Sequence[object] | Words]:
    return {
        "payment": routes.ids.tolist(),
        "mpp": routes.mpp.tolist(),
        "acqp": routes.acqp.tolist(),
        "currency": routes.currency.tolist(),
    }


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror})") from error


def _unpack(path: str | Path, key: SealingKey, kind: str) -> tuple[dict[str, object], CsvColumns]:
    header, content = unpack(path, key, kind)
    return header, parse_csv(content, str(path))
