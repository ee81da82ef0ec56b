"""What each edge gets of a clearing: decisions about its payments and its net positions, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from petcore.errors import ConfigError
from petcore.network.bulk import parquet
from petcore.network.bulk.batch import BulkBatch
from petcore.network.bulk.running import BulkOutcome
from petcore.payments.sealing import SealingKey, load_public
from petcore.payments.sharing import combine_shares


@dataclass(frozen=True, eq=False)
class Results:
    """What an edge knows after a clearing.

    Attributes
    ----------
    participant
        The edge.
    net
        Per currency, minor units; negative: it pays.
    payments
        Columns payment (text) and approved (bool).
    """

    participant: str
    net: dict[str, int]
    payments: pa.Table


class ResultsBox:
    """Where a node puts, and for whose keys it seals, what each edge gets.

    Parameters
    ----------
    batch
        The payments to be cleared.
    out
        Directory for ``EDGE.NODE.results.sealed``; made if absent.
    node
        The node's name.
    keys
        Directory with ``EDGE.sealing.pub``.

    Raises
    ------
    ConfigError
        A key is missing, or the directory cannot be made.
    """

    def __init__(self, batch: BulkBatch, out: str | Path, *, node: str, keys: str | Path) -> None:
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be made ({error.strerror})") from error
        self._batch, self._node = batch, node
        self.targets = {edge: folder / f"{edge}.{node}.results.sealed" for edge in batch.edges}
        self._keys = {edge: load_public(keys, edge) for edge in batch.edges}

    def write(self, outcome: BulkOutcome, run: str) -> None:
        """Seal and write; what an interrupted attempt left of the same run is replaced."""
        for edge, path in self.targets.items():
            mask = pa.array(self._batch.of_edge(edge))
            currencies, words = outcome.nets[edge]
            table = pa.table(
                {
                    "payment": pc.filter(self._batch.ids, mask),
                    "share": pa.array(outcome.decision[np.asarray(mask)]),
                }
            )
            header = {
                "kind": parquet.RESULTS,
                "node": self._node,
                "participant": edge,
                "run": run,
                "net": dict(zip(currencies, words[:-1].tolist(), strict=True)),
                "zero": int(words[-1]),
            }
            beside = path.with_name(path.name + ".new")
            beside.unlink(missing_ok=True)
            parquet.write_sealed(beside, header, table, self._keys[edge], edge)
            beside.replace(path)


def read_results(paths: Sequence[str | Path], *, key: SealingKey) -> Results:
    """Open both nodes' results of one clearing and add them up: an edge's part.

    Raises
    ------
    ConfigError
        A file is for somebody else, or they are not one of each node of the same clearing.
    """
    opened = [parquet.unpack(path, key, parquet.RESULTS) for path in paths]
    headers = [header for header, _ in opened]
    if len(paths) != 2 or len({str(header.get("node")) for header in headers}) != 2:
        raise ConfigError("give the results of both nodes, one file each")
    if any(header.get("participant") != key.name for header in headers):
        raise ConfigError(f"the results are not those of {key.name}")
    if len({str(header.get("run")) for header in headers}) > 1:
        raise ConfigError("the results belong to different clearings; give those of one")
    nets = [_net(header) for header in headers]
    ids = [
        parquet.text(table, "payment", str(path))
        for (_, table), path in zip(opened, paths, strict=True)
    ]
    if nets[0].keys() != nets[1].keys() or not ids[0].equals(ids[1]):
        raise ConfigError("the results are about different payments; ask the nodes for new ones")
    total = {code: (nets[0][code] + nets[1][code]) % 2**64 for code in nets[0]}
    if total.pop("") != 0:
        raise ConfigError(
            "the results come from different runs; give those that both nodes wrote in one run"
        )
    shares = [
        parquet.words(table, "share", str(path))
        for (_, table), path in zip(opened, paths, strict=True)
    ]
    decisions = combine_shares(shares)
    if not np.isin(decisions, (0, 1)).all():
        raise ConfigError("the shares of a decision do not add up to yes or no; ask the nodes")
    approved = pa.table({"payment": ids[0], "approved": pa.array(decisions == 1)})
    net = {code: word - (word >> 63 << 64) for code, word in total.items()}
    return Results(key.name, net, approved)


def _net(header: dict[str, object]) -> dict[str, int]:
    """Return a node's shares per currency, and of the zero under the name ""."""
    net, zero = header.get("net"), header.get("zero")
    words = {**net, "": zero} if isinstance(net, dict) else {"": None}
    if not all(isinstance(word, int) and 0 <= word < 2**64 for word in words.values()):
        raise ConfigError("the results do not say a net position; ask the nodes for new ones")
    return {str(code): int(str(word)) for code, word in words.items()}
