"""A batch of payments as a node sees it: routes in clear, amounts and limits as shares."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.payments.money import MAX_PAYMENTS, minor_digits
from petcore.payments.sealing import RECIPIENT
from petcore.payments.sharing import Words

Texts = npt.NDArray[np.str_]
Column = Sequence[str] | Texts

ID_LENGTH_MAX = 64


@dataclass(frozen=True, eq=False)
class Routes:
    """The public part of a batch: for each payment an opaque id, MPP, ACQP and currency.

    All four have shape (payments,) and hold text.
    """

    ids: Texts
    mpp: Texts
    acqp: Texts
    currency: Texts

    @classmethod
    def of(cls, ids: Column, mpp: Column, acqp: Column, currency: Column) -> Routes:
        """Make routes from columns of equal length.

        Raises
        ------
        UsageError
            Columns of different length, too many payments, an id twice or longer than 64 printable
            characters, an unknown currency, a name that is both an MPP and an ACQP, or not 1 to 63
            of A-Z a-z 0-9 . _ - (names become file names and labels).
        """
        _check_texts(ids, mpp, acqp, currency)
        routes = cls(*(np.asarray(column, dtype=np.str_) for column in (ids, mpp, acqp, currency)))
        if len({len(ids), len(mpp), len(acqp), len(currency)}) > 1:
            raise UsageError("ids, mpp, acqp and currency must be equally long")
        if not 0 < len(ids) <= MAX_PAYMENTS:
            raise UsageError(f"a batch has 1 to {MAX_PAYMENTS} payments, not {len(ids)}")
        if len(np.unique(routes.ids)) < len(ids):
            raise UsageError("a payment id occurs twice; every payment needs its own")
        both = np.intersect1d(routes.mpp, routes.acqp).tolist()
        if both:
            raise UsageError(f"{both[0]!r} is both an MPP and an ACQP; give it two names")
        return routes

    @property
    def currencies(self) -> list[str]:
        """The currencies of the batch, sorted."""
        return [str(code) for code in np.unique(self.currency)]

    @property
    def participants(self) -> list[str]:
        """MPPs, sorted, then ACQPs, sorted."""
        return [str(name) for column in (self.mpp, self.acqp) for name in np.unique(column)]

    def digest(self) -> str:
        """Return a SHA-256 over all routes, hex; nodes compare it before they start."""
        hasher = hashlib.sha256(b"petcore routes 1")
        for column in (self.ids, self.mpp, self.acqp, self.currency):
            text = "\n".join(column.tolist()).encode()
            hasher.update(len(text).to_bytes(8, "little") + text)
        return hasher.hexdigest()

    def take(self, rows: npt.NDArray[np.intp]) -> Routes:
        """Return the routes at `rows`."""
        return replace(
            self,
            ids=self.ids[rows],
            mpp=self.mpp[rows],
            acqp=self.acqp[rows],
            currency=self.currency[rows],
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """Routes, and this node's shares of amounts and limits in minor units.

    Attributes
    ----------
    routes
        Public.
    amount, limit
        uint64, shape (payments,).
    sharings
        Public numbers of the edges' sharings; both nodes must hold shares of the same ones.
    """

    routes: Routes
    amount: Words
    limit: Words
    sharings: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """What both nodes must agree on before they clear this batch, as one line of text."""
        sharings = hashlib.sha256(" ".join(sorted(self.sharings)).encode()).hexdigest()
        return (
            f"petcore clear: payments={len(self.amount)} routes={self.routes.digest()} "
            f"sharings={sharings[:32]}"
        )


def _check_texts(ids: Column, mpp: Column, acqp: Column, currency: Column) -> None:
    """Bound every text before an array is as wide as the longest, and refuse odd characters."""
    for name in sorted({*mpp, *acqp}):
        if not RECIPIENT.fullmatch(name):
            raise UsageError(
                f"the participant {name[:64]!r} needs a name of 1 to 63 of A-Z a-z 0-9 . _ - that "
                "starts with a letter or digit"
            )
    for code in {*currency}:
        minor_digits(code)
    if max(map(len, ids), default=1) > ID_LENGTH_MAX or not all(map(str.isprintable, ids)):
        raise UsageError(f"payment ids are printable and at most {ID_LENGTH_MAX} characters long")
