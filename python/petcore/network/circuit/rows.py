"""Rows: a batch of requests as one node sees it, public columns and shares."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.network.directory import FEE_MAX, RATE_MAX

Words = npt.NDArray[np.uint64]
Whole = npt.NDArray[np.int64]
Names = Sequence[str] | npt.NDArray[np.str_]

PAY, CONSULT, REFUND, PADDING = 0, 1, 2, 3
SMALLEST, LARGEST = 8, 1 << 16
FEATURES_MAX = 64

PUBLIC = ("kind", "wallet", "acqp", "mpp", "fx_num", "fx_den", "fee_num", "fee_den")
SHARES = (
    "amount",
    "fee",
    "seen",
    "debit",
    "available",
    "count_left",
    "sum_left",
    "headroom",
    "left",
    "fx_seen",
    "fx_debit",
    "fee_base",
    "fee_sum",
)
_ONES = ("fx_num", "fx_den", "fee_den")  # what keeps a padded row's relations defined


def size_class(n: int) -> int:
    """Return how many rows a batch of n is padded to: a power of two from 8.

    Raises
    ------
    UsageError
        n is not from 1 to 65536.
    """
    if not 1 <= n <= LARGEST:
        raise UsageError(f"a batch has 1 to {LARGEST} rows, not {n}; split it")
    return max(SMALLEST, 1 << (n - 1).bit_length())


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch of n requests. Both nodes hold the same public columns, in the same order.

    Public columns are int64; shares are uint64, additive mod 2^64, all of shape
    (n,), amounts in minor units. A share that a request has no use for is 0 at both nodes.

    Attributes
    ----------
    kind
        PAY, CONSULT, REFUND, or PADDING, which is always declined.
    wallet
        Number of the prefunding (wallet and currency) that a row's debit counts against.
    acqp, mpp
        The two edges that learn a row's decision, by their places in ``names``.
    fx_num, fx_den
        The rate: debit is seen * fx_num / fx_den, rounded up.
    fee_num, fee_den
        The fee: fee is seen * fee_num / fee_den, rounded up. 0 and 1 where a refund returns none.
    amount, fee
        What the acquirer says, in the merchant's currency.
    seen, debit
        What the wallet says: the amount it was asked for, and what its user is charged, or given
        back, in the payer's currency.
    available, count_left, sum_left
        What the wallet's user may still spend: balance without holds, velocity by count and by sum.
    headroom
        From the nodes' journals: prefunding less exposure of ``wallet`` before this batch.
    left
        From the nodes' journals, for a refund: what of the payment is not refunded yet, as `seen`.
    fx_seen, fx_debit, fee_base, fee_sum
        What the rate and the fee relate. For a payment: seen, debit, seen, fee. For a refund at the
        original rate: the payment's refunds so far and this one, added up, so that refunds in parts
        give back exactly what was paid. At the current rate the fees are so too, and the first two
        are -seen and -debit: a relation of negatives is one that is rounded down.
    names
        Of the edges, public.
    features
        Shape (n, k): what the risk model looks at, integers times 2^FEATURE_BITS.
    """

    kind: Whole
    wallet: Whole
    acqp: Whole
    mpp: Whole
    fx_num: Whole
    fx_den: Whole
    fee_num: Whole
    fee_den: Whole
    amount: Words
    fee: Words
    seen: Words
    debit: Words
    available: Words
    count_left: Words
    sum_left: Words
    headroom: Words
    left: Words
    fx_seen: Words
    fx_debit: Words
    fee_base: Words
    fee_sum: Words
    names: tuple[str, ...]
    features: Words = field(repr=False)

    @classmethod
    def of(cls, acqp: Names, mpp: Names, **columns: npt.ArrayLike) -> Rows:
        """Make rows from columns of equal length; those left out are zeros (num and den: ones).

        ``acqp`` and ``mpp`` are names. ``fx_seen``, ``fx_debit``, ``fee_base`` and ``fee_sum`` are,
        where left out, those of a payment.

        Raises
        ------
        UsageError
            A column is unknown, of another length or dtype, or a public value out of its range.
        """
        names = tuple(sorted({*acqp, *mpp}))
        places = {name: i for i, name in enumerate(names)}
        first = np.array([places[name] for name in acqp], np.int64)
        second = np.array([places[name] for name in mpp], np.int64)
        return cls.coded(names, first, second, **columns)

    @classmethod
    def coded(
        cls, names: tuple[str, ...], acqp: Whole, mpp: Whole, **columns: npt.ArrayLike
    ) -> Rows:
        """Make rows as `of`, with edges as places in ``names``."""
        n, given = len(acqp), {"acqp": acqp, "mpp": mpp, **columns}
        if unknown := given.keys() - {*PUBLIC, *SHARES, "features"}:
            raise UsageError(f"rows have no column {min(unknown)!r}")
        made: dict[str, Any] = {"names": tuple(names)}
        for name in PUBLIC:
            usual = np.full(n, int(name in _ONES))
            made[name] = _whole(name, given.get(name, usual))
        for name in SHARES[:9]:
            made[name] = _words(name, given.get(name, np.zeros(n, np.uint64)))
        for name, usual_name in zip(SHARES[9:], ("seen", "debit", "seen", "fee"), strict=True):
            made[name] = _words(name, given.get(name, made[usual_name]))
        made["features"] = _words("features", given.get("features", np.zeros((n, 0), np.uint64)))
        rows = cls(**made)
        rows._check()
        return rows

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.kind)

    @property
    def edges(self) -> list[str]:
        """The edges that learn decisions of this batch, sorted."""
        real = self.kind != PADDING
        codes = np.unique(np.concatenate([self.acqp[real], self.mpp[real]]))
        return sorted(self.names[code] for code in codes)

    def of_edge(self, edge: str) -> npt.NDArray[np.intp]:
        """Return which rows' decisions an edge learns, in order."""
        code = self.names.index(edge)
        return np.flatnonzero(((self.acqp == code) | (self.mpp == code)) & (self.kind != PADDING))

    def digest(self) -> str:
        """Return a SHA-256 of all that is public, hex: what the nodes must agree on."""
        hasher = hashlib.sha256(b"petcore rows 1")
        for text in self.names:
            hasher.update(len(text.encode()).to_bytes(8, "little") + text.encode())
        for name in PUBLIC:
            hasher.update(np.ascontiguousarray(getattr(self, name), "<i8").tobytes())
        hasher.update(self.features.shape[1].to_bytes(8, "little"))
        return hasher.hexdigest()

    def padded(self) -> Rows:
        """Return the rows with as many of kind PADDING behind them as their size class asks for."""
        more = size_class(len(self)) - len(self)
        if more == 0:
            return self
        return replace(self, **dict(self._longer(more)))

    def _longer(self, more: int) -> Iterator[tuple[str, Any]]:
        fill = {"kind": PADDING, "wallet": -1, **dict.fromkeys(_ONES, 1)}
        for column in _columns():
            old = getattr(self, column.name)
            shape = (more, *old.shape[1:])
            yield (
                column.name,
                np.concatenate([old, np.full(shape, fill.get(column.name, 0), old.dtype)]),
            )

    def _check(self) -> None:
        n = len(self.acqp)
        for column in _columns():
            shape = getattr(self, column.name).shape
            if shape[:1] != (n,) or len(shape) != 1 + (column.name == "features"):
                raise UsageError(f"column {column.name} has shape {shape}; there are {n} rows")
        if self.features.shape[1] > FEATURES_MAX:
            raise UsageError(f"a risk model has at most {FEATURES_MAX} features")
        for name, low, high in (
            ("kind", PAY, PADDING),
            ("acqp", 0, len(self.names) - 1),
            ("mpp", 0, len(self.names) - 1),
            ("fx_num", 1, RATE_MAX),
            ("fx_den", 1, RATE_MAX),
            ("fee_den", 1, FEE_MAX),
            ("fee_num", 0, FEE_MAX),
        ):
            column = getattr(self, name)
            if ((column < low) | (column > high)).any():
                raise UsageError(f"column {name} holds numbers from {low} to {high}")
        if (self.fee_num > self.fee_den).any():
            raise UsageError("a fee is at most the amount: fee_num <= fee_den")


def _columns() -> list[Field[Any]]:
    return [column for column in fields(Rows) if column.name != "names"]


def _whole(name: str, values: npt.ArrayLike) -> Whole:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise UsageError(f"column {name} holds whole numbers, not {array.dtype}")
    return array.astype(np.int64)


def _words(name: str, values: npt.ArrayLike) -> Words:
    array = np.asarray(values)
    if array.dtype != np.uint64:
        raise UsageError(f"column {name} holds shares, uint64, not {array.dtype}")
    return array
