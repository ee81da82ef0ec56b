"""What an edge does with a file of payments: split it into one sealed file per node."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from petcore.errors import ConfigError
from petcore.network.bulk import parquet
from petcore.network.circuit.features import FEATURE_BITS, FEATURE_MAX
from petcore.payments.money import MAX_AMOUNT
from petcore.payments.sealing import load_public
from petcore.payments.sharing import share_for_nodes

_LOWEST = {"amount": 1, "seen": 1, "debit": 1}
_HIGHEST = {"available": 1 << 62, "count_left": 1 << 62, "sum_left": 1 << 62}

_FEATURE_MAX = FEATURE_MAX << FEATURE_BITS


def share_parquet(
    path: str | Path, out: str | Path, *, nodes: Sequence[str], keys: str | Path
) -> list[Path]:
    """Split a parquet file of payments into one sealed share file per node.

    Parameters
    ----------
    path
        Columns payment, mpp, acqp, currency (text) and whole numbers in minor units: an acquirer's
        file has amount and fee, a wallet's payer_currency (text), seen, debit, available,
        count_left and sum_left, of the same payments. Either may have columns feature_*, as
        `FeatureScale.encode` gives them.
    out
        Directory for ``NAME.NODE.parquet.sealed``.
    nodes
        Names of both nodes; together they could read the amounts.
    keys
        Directory with ``NODE.sealing.pub``.

    Raises
    ------
    ConfigError
        The file or a key is unusable, or an output exists.
    """
    where, table = str(path), parquet.read_table(path, str(path))
    wallet = "seen" in table.column_names
    columns = (*(parquet.WALLET if wallet else parquet.ACQUIRER), *parquet.features(table))
    names = (*parquet.ROUTE, parquet.PAYER) if wallet else parquet.ROUTE
    routes = parquet.routes(table, names, where)
    shares = {
        name: share_for_nodes(parquet.whole(table, name, where, *_bounds(name)), len(nodes))
        for name in columns
    }
    public = {node: load_public(keys, node) for node in nodes}
    folder, sharing = _made(Path(out)), secrets.token_hex(16)
    written = []
    for i, node in enumerate(nodes):
        mine = routes
        for name, parts in shares.items():
            mine = mine.append_column(name, pa.array(parts[i]))
        header = {
            "kind": parquet.SHARES,
            "sharing": sharing,
            "nodes": list(nodes),
            "node": node,
            "role": "mpp" if wallet else "acqp",
        }
        target = folder / f"{Path(path).stem}.{node}.parquet.sealed"
        parquet.write_sealed(target, header, mine, public[node], node)
        written.append(target)
    return written


def _bounds(name: str) -> tuple[int, int]:
    if name.startswith(parquet.FEATURE):
        return -_FEATURE_MAX, _FEATURE_MAX
    return _LOWEST.get(name, 0), _HIGHEST.get(name, MAX_AMOUNT)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror})") from error
    return folder
