"""A node opens the share files of all edges and joins acquirers' and wallets' by payment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from petcore.errors import ConfigError
from petcore.network.bulk import parquet
from petcore.network.bulk.batch import BulkBatch, Codes, Route
from petcore.payments.money import MAX_PAYMENTS
from petcore.payments.sealing import SealingKey

_ROLES = {"acqp": parquet.ACQUIRER, "mpp": parquet.WALLET}


def load_shares(paths: Sequence[str | Path], *, key: SealingKey, nodes: Sequence[str]) -> BulkBatch:
    """Open a node's share files and put them together.

    Raises
    ------
    ConfigError
        A file is for another node or other nodes, a payment lacks one side or has two, or the edges
        say different routes.
    """
    parts: dict[str, list[pa.Table]] = {role: [] for role in _ROLES}
    sharings = []
    for path in paths:
        header, table = parquet.unpack(path, key, parquet.SHARES)
        if header.get("node") != key.name or header.get("nodes") != list(nodes):
            raise ConfigError(
                f"{path}: is a share for {header.get('node')} of {header.get('nodes')}; this is "
                f"{key.name} of {list(nodes)}"
            )
        role, where = header.get("role"), str(path)
        if role not in _ROLES:
            raise ConfigError(f"{path}: comes from neither an acquirer nor a wallet")
        names = (*parquet.ROUTE, parquet.PAYER) if role == "mpp" else parquet.ROUTE
        wanted = (*_ROLES[role], *parquet.features(table))
        columns = {name: pa.array(parquet.words(table, name, where)) for name in wanted}
        routes = parquet.routes(table, names, where)
        for name, column in columns.items():
            routes = routes.append_column(name, column)
        parts[role].append(routes)
        sharings.append(str(header.get("sharing"))[:64])
    said, seen = (_sorted(parts[role], role) for role in _ROLES)
    for name in parquet.ROUTE:
        if not said.column(name).equals(seen.column(name)):
            raise ConfigError(
                "acquirers and wallets do not say the same payments and routes; collect the files "
                f"of all edges ({len(said):,} payments of acquirers, {len(seen):,} of wallets; they "
                f"differ in column {name})"
            )
    features = [
        parquet.words(side, name, "a side")
        for side in (said, seen)
        for name in parquet.features(side)
    ]
    shares = {n: parquet.words(said, n, "acquirers") for n in parquet.ACQUIRER}
    shares |= {n: parquet.words(seen, n, "wallets") for n in parquet.WALLET}
    routes, codes = _routes(seen)
    ids = seen.column("payment").combine_chunks()
    shares["features"] = (
        np.stack(features, axis=1) if features else np.zeros((len(ids), 0), np.uint64)
    )
    return BulkBatch(ids, routes, codes, shares, tuple(sorted(sharings)))


def _sorted(parts: list[pa.Table], role: str) -> pa.Table:
    """Put the files of one side together, in the order of the ids, each of which occurs once."""
    if not parts:
        who = "an acquirer" if role == "acqp" else "a wallet"
        raise ConfigError(f"there is no file of {who}; collect the files of all edges")
    if any(part.schema != parts[0].schema for part in parts):
        raise ConfigError(f"the files of all {role} need the same feature columns, in one order")
    table = pa.concat_tables(parts)
    if len(table) > MAX_PAYMENTS:
        raise ConfigError(f"{len(table):,} payments are more than {MAX_PAYMENTS:,}; split them")
    table = table.take(pc.sort_indices(table.column("payment"))).combine_chunks()
    ids = table.column("payment").combine_chunks()
    if len(ids) > 1 and pc.any(pc.equal(ids[1:], ids[:-1])).as_py():
        raise ConfigError("a payment id occurs twice; every payment needs its own")
    return table


def _routes(table: pa.Table) -> tuple[tuple[Route, ...], Codes]:
    """Return the different routes, sorted, and of each payment which it has."""
    names, columns = [], []
    for name in Route._fields:
        coded = pc.dictionary_encode(table.column(name).combine_chunks())
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        values = np.array(coded.dictionary.to_pylist())
        order = np.argsort(values)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        names.append(values[order])
        columns.append(rank[coded.indices.to_numpy()])
    together = np.ravel_multi_index(columns, [len(values) for values in names])
    found, codes = np.unique(together, return_inverse=True)
    places = np.unravel_index(found, [len(values) for values in names])
    routes = tuple(
        Route(*(str(values[i]) for values, i in zip(names, place, strict=True)))
        for place in zip(*places, strict=True)
    )
    return routes, codes.astype(np.int64)
