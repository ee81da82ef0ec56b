"""The conditions under which a row is approved, as numbers that must not be negative.

Everybody may share any word of Z_2^64, so a condition is worth what it is worth for *every* word. A
word is read as a signed number; the conditions are such that where a difference would wrap, another
condition of the row fails:

- ``1 <= seen <= MAX``: seen - 1 >= 0 puts seen into [1, 2^63], MAX - seen >= 0 into
  [MAX - 2^63 + 1, MAX]; both hold in [1, MAX] only. The same for debit, from 0 for a refund.
- ``amount = seen``: d = amount - seen and -d are both >= 0 for d = 0 alone (-2^63 is its own
  negative). So the acquirer's word is bounded by the wallet's.
- ``0 <= fee <= seen``: with seen in its range, seen - fee cannot wrap for a fee >= 0.
- products: with both factors in range, num, den <= 2^22 and sums of at most two amounts,
  each is below 2^63, and so is the difference of two that are not negative.
- what a wallet says its user may spend (available, count_left, sum_left) is compared after
  x <= 2^62, under which x - debit cannot wrap. A wallet may lie about its own user all the same.
- headroom and ``left`` come from the nodes' journals. The debits of one wallet are added up within a
  batch, and one out of range would make room for the next: see `petcore.network.circuit.chain`.
"""

from __future__ import annotations

import numpy as np

from petcore.network.circuit.rows import CONSULT, PAY, REFUND, Rows, Words
from petcore.payments.money import MAX_AMOUNT

SPENDABLE_MAX = 1 << 62

COUNT = 20
DEBIT_RANGE = (2, 3)
"""Which of the conditions say that a debit is in its range."""


def differences(rows: Rows, party: int, margin: Words | None) -> Words:
    """Return this node's shares of all conditions, shape (COUNT, n): a row needs all of them >= 0.

    ``margin`` is its share of threshold - logit; None where there is no model.
    """
    one = np.uint64(party == 0)  # a public number is shared as itself at the first party
    most = one * np.uint64(MAX_AMOUNT)
    refund = rows.kind == REFUND
    pays = ~refund
    seen, debit, fee = rows.seen, rows.debit, rows.fee
    low = one * pays.astype(np.uint64)
    bound = one * np.uint64(SPENDABLE_MAX)
    nothing = np.zeros(len(rows), np.uint64)
    rate = rows.fx_debit * _word(rows.fx_den) - rows.fx_seen * _word(rows.fx_num)
    fees = rows.fee_sum * _word(rows.fee_den) - rows.fee_base * _word(rows.fee_num)
    gap = rows.amount - seen
    return np.stack(
        [
            seen - one,
            most - seen,
            debit - low,
            most - debit,
            np.where(refund, rows.left - seen, rows.available - debit),
            np.where(refund, most - rows.left, bound - rows.available),
            np.where(refund, nothing, rows.count_left - one),
            np.where(refund, nothing, bound - rows.count_left),
            np.where(refund, nothing, rows.sum_left - debit),
            np.where(refund, nothing, bound - rows.sum_left),
            np.where(refund, nothing, rows.headroom - exposure(rows)),
            rate,
            one * _word(rows.fx_den - 1) - rate,
            fees,
            one * _word(rows.fee_den - 1) - fees,
            fee,
            seen - fee,
            nothing if margin is None else np.where(refund, nothing, margin),
            gap,
            nothing - gap,
        ]
    )


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


def _word(values: np.ndarray) -> Words:
    return values.astype(np.uint64)
