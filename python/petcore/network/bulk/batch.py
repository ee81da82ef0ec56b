"""BulkBatch: all payments of one clearing as a node sees them; it makes the rows of each chunk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from petcore.errors import UsageError
from petcore.network.circuit import Rows
from petcore.network.circuit.rows import Words
from petcore.network.directory import Directory

Codes = npt.NDArray[np.int64]

ROUTES_MAX = 4096


class Route(NamedTuple):
    """Who pays through whom to whom, and in which currencies; public."""

    mpp: str
    acqp: str
    currency: str
    payer_currency: str


@dataclass(frozen=True, eq=False)
class BulkBatch:
    """Payments in the order of their ids.

    Attributes
    ----------
    ids
        Arrow text, shape (n,).
    routes
        The different routes.
    route
        Shape (n,): of each payment, an index into `routes`.
    shares
        By the names of `Rows`, each uint64 of shape (n,); features (n, k), acquirers' first.
    sharings
        Public numbers of the edges' sharings; both nodes hold shares of the same ones.
    """

    ids: pa.StringArray
    routes: tuple[Route, ...]
    route: Codes
    shares: dict[str, Words]
    sharings: tuple[str, ...]

    def __len__(self) -> int:
        """Count the payments."""
        return len(self.ids)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that is public, hex."""
        hasher = hashlib.sha256(b"petcore bulk 1")
        for piece in (*self.sharings, *("\n".join(route) for route in self.routes)):
            hasher.update(len(piece).to_bytes(8, "little") + piece.encode())
        hasher.update(self.route.astype("<i8").tobytes())
        for buffer in self.ids.buffers()[1:]:
            hasher.update(buffer)
        return hasher.hexdigest()

    @cached_property
    def edges(self) -> list[str]:
        """The names of all edges, sorted."""
        return sorted({name for route in self.routes for name in (route.mpp, route.acqp)})

    def of_edge(self, edge: str) -> npt.NDArray[np.bool_]:
        """Return which payments an edge takes part in, shape (n,)."""
        own = np.array([edge in (route.mpp, route.acqp) for route in self.routes])
        mask: npt.NDArray[np.bool_] = own[self.route]
        return mask

    def check(self, directory: Directory) -> None:
        """Refuse routes that the directory does not know; UsageError."""
        _terms(self.routes, directory)

    def rows(self, begin: int, end: int, directory: Directory, room: Words) -> Rows:
        """Return payments begin to end as rows of the circuit.

        ``room`` is this node's share of what each route's wallet may still spend.
        """
        part = slice(begin, end)
        route = self.route[part]
        terms = _terms(self.routes, directory)
        mine = {name: words[part] for name, words in self.shares.items()}
        places = {name: i for i, name in enumerate(self.edges)}
        return Rows.coded(
            tuple(self.edges),
            np.array([places[r.acqp] for r in self.routes])[route],
            np.array([places[r.mpp] for r in self.routes])[route],
            wallet=wallets(self.routes)[route],
            headroom=room[route],
            **{name: column[route] for name, column in terms.items()},
            **mine,
        )


def wallets(routes: tuple[Route, ...]) -> Codes:
    """Number the prefundings (wallet and payer's currency) of routes, shape (routes,)."""
    numbers: dict[tuple[str, str], int] = {}
    return np.array([numbers.setdefault((r.mpp, r.payer_currency), len(numbers)) for r in routes])


def _terms(routes: tuple[Route, ...], directory: Directory) -> dict[str, Codes]:
    """Return rate and fee of each route, from the directory; UsageError where it has none."""
    if len(routes) > ROUTES_MAX:
        raise UsageError(f"{len(routes):,} routes are more than {ROUTES_MAX:,}; split the files")
    rates = [directory.rate(r.currency, r.payer_currency) for r in routes]
    fees = [directory.agreement(r.acqp, r.mpp, r.currency) for r in routes]
    columns = {
        "fx_num": [rate.num for rate in rates],
        "fx_den": [rate.den for rate in rates],
        "fee_num": [fee.fee_num for fee in fees],
        "fee_den": [fee.fee_den for fee in fees],
    }
    return {name: np.array(values, np.int64) for name, values in columns.items()}
