"""The conditions under which a row is approved: numbers, each in an interval of its own.

Everybody may share any word of Z_2^64, so a condition is worth what it is worth for *every* word. An
interval [low, high) is one of the ring: a word is in it or not, nothing wraps. So, word by word:

- seen in [1, MAX], debit in [1, MAX] (of a refund from 0), fee in [0, MAX] and seen - fee in [0, MAX];
- amount - seen in [0, 1): an acquirer's word is the wallet's, all 64 bits of it;
- rate and fee: fx_debit * den - fx_seen * num in [0, den). With num, den <= 2^22 and sums of at most
  two amounts each product is below 2^63, and the difference of two that are not negative is exact;
  where an amount is out of range, the row is declined for that;
- available - debit in [0, 2^62]: then available is debit and something that is not negative, and no
  wrap-around. The same for velocity. A wallet may lie about its own user all the same;
- of a refund, left - seen in [0, MAX]; what is left comes from the nodes' journals;
- headroom less exposure is not negative. Both come from the nodes, but the debits of one wallet are
  added up within a batch, and one out of range would make room for the next: see
  `petcore.network.circuit.chain`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from petcore.network.circuit.rows import CONSULT, PAY, REFUND, Rows, Whole, Words
from petcore.payments.money import MAX_AMOUNT

SPENDABLE_MAX = 1 << 62
_NO_END = 2**63 - 1

DEBIT = 1
"""Which of the conditions says that a debit is in its range."""

TWO_SIDED = (0, DEBIT, 2, 3, 4, 6, 7, 11)
"""Which have an end that says something: fee <= seen holds for the others, or there is no end."""


class Conditions(NamedTuple):
    """Shares of numbers, uint64, and the public intervals for them, int64; all (12, n)."""

    x: Words
    low: Whole
    high: Whole

    def signs(self, party: int) -> Words:
        """Return this node's shares of numbers of which none is negative where all conditions hold.

        x - low >= 0 puts x into [low, low + 2^63), high - 1 - x >= 0 into [high - 2^63, high): both
        hold in [low, high) only.
        """
        one = np.uint64(party == 0)  # a public number is shared as itself at the first party
        sides = list(TWO_SIDED)
        last = one * (self.high[sides] - 1).astype(np.uint64)
        return np.concatenate([self.x - one * self.low.astype(np.uint64), last - self.x[sides]])


SIGNS_OF_DEBIT = (DEBIT, 12 + TWO_SIDED.index(DEBIT))
"""Which of the signs say that a debit is in its range."""


def conditions(rows: Rows, party: int, margin: Words | None) -> Conditions:
    """Return a row's conditions; all of them hold for a row that is approved.

    ``margin`` is this node's share of threshold - logit; None where there is no model.
    """
    n, refund = len(rows), rows.kind == REFUND
    seen, debit, fee = rows.seen, rows.debit, rows.fee
    nothing = np.zeros(n, np.uint64)
    sure = nothing if margin is None else margin
    pays = (~refund).astype(np.int64)

    def if_paying(words: Words) -> Words:
        return np.where(refund, nothing, words)

    table: list[tuple[Words, int | Whole, int | Whole]] = [
        (seen, 1, MAX_AMOUNT + 1),
        (debit, pays, MAX_AMOUNT + 1),
        (
            np.where(refund, rows.left - seen, rows.available - debit),
            0,
            np.where(refund, MAX_AMOUNT + 1, SPENDABLE_MAX + 1),
        ),
        (if_paying(rows.count_left), pays, SPENDABLE_MAX + 2),
        (if_paying(rows.sum_left - debit), 0, SPENDABLE_MAX + 1),
        (if_paying(rows.headroom - exposure(rows)), 0, _NO_END),
        (_rest(rows.fx_debit, rows.fx_den, rows.fx_seen, rows.fx_num), 0, rows.fx_den),
        (_rest(rows.fee_sum, rows.fee_den, rows.fee_base, rows.fee_num), 0, rows.fee_den),
        (fee, 0, MAX_AMOUNT + 1),
        (seen - fee, 0, MAX_AMOUNT + 1),
        (if_paying(sure), 0, _NO_END),
        (rows.amount - seen, 0, 1),
    ]
    x, low, high = zip(*table, strict=True)
    ends = (np.stack([np.broadcast_to(end, n) for end in side]) for side in (low, high))
    return Conditions(np.stack(x), *(end.astype(np.int64) for end in ends))


def exposure(rows: Rows) -> Words:
    """Return each row's debit and those of the payments of its wallet before it in the batch.

    All are counted, as none knows which are declined: a wallet near its prefunding may be declined
    a little early, never late.
    """
    counted = np.where(rows.kind == PAY, rows.debit, np.uint64(0))
    before: Words = grouped(rows.wallet, counted, np.add)
    return before + np.where(rows.kind <= CONSULT, rows.debit, np.uint64(0))


def grouped(group: np.ndarray, words: Words, operation: np.ufunc) -> Words:
    """Combine, for each row, the words of the rows of its group before it; add or XOR."""
    order = np.argsort(group, kind="stable")
    inverse = np.subtract if operation is np.add else np.bitwise_xor
    sums = operation.accumulate(words[order])
    before = inverse(sums, words[order])
    first = np.searchsorted(group[order], group[order])
    out = np.empty_like(words)
    out[order] = inverse(before, before[first])
    return out


def _rest(to: Words, den: Whole, base: Words, num: Whole) -> Words:
    return to * den.astype(np.uint64) - base * num.astype(np.uint64)
