"""Postings of a batch: which share of an amount goes from which account to which, per slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petcore.errors import LedgerDamaged, UsageError
from petcore.network.ledger.accounts import Transfer
from petcore.network.ledger.records import Words

Postings = np.ndarray[tuple[int], np.dtype[np.void]]

POSTING = np.dtype(
    [("slot", "<u4"), ("leg", "<i4"), ("debit", "<i8"), ("credit", "<i8"), ("amount", "<u8")]
)
MAX_LEG = 31
REVERSAL = 64
"""Added to the leg of a transfer that reverses another."""


def make_postings(
    slots: npt.ArrayLike,
    leg: int,
    debit: npt.ArrayLike,
    credit: npt.ArrayLike,
    amounts: Words,
) -> Postings:
    """Return one posting per slot; `leg` (0 to 31) tells those of one request apart.

    Parameters
    ----------
    slots, debit, credit
        Integers, shape (n,) or one for all: the rows of the batch, numbers of accounts.
    amounts
        uint64, shape (n,): this node's shares, times the decision.
    """
    if not 0 <= leg <= MAX_LEG:
        raise UsageError(f"a leg is 0 to {MAX_LEG}")
    if amounts.dtype != np.uint64 or amounts.ndim != 1:
        raise UsageError("amounts are a vector of uint64 shares")
    made = np.empty(amounts.size, POSTING)
    made["slot"], made["leg"], made["debit"], made["credit"] = slots, leg, debit, credit
    made["amount"] = amounts
    return made


def to_transfers(postings: Postings, keys: Sequence[str]) -> list[Transfer]:
    """Return the postings as transfers of the requests in the batch's slots."""
    if postings.size and int(postings["slot"].max()) >= len(keys):
        raise LedgerDamaged("a posting of the batch names a slot that the batch does not have")
    return [
        Transfer(keys[slot], leg, debit, credit, amount)
        for slot, leg, debit, credit, amount in postings.tolist()
    ]


def words_of(stored: bytes | None) -> Words | None:
    """Return words as a column of bytes has them."""
    return None if stored is None else np.frombuffer(stored, "<u8").astype(np.uint64)
