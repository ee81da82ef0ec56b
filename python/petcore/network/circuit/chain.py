"""One word per row that is zero exactly where none of its conditions failed.

A comparison gives bits that the nodes share by XOR, b = a ^ c. Packed into words, A and C, all bits
are zero exactly where A = C, that is where A - C = 0: an additive sharing of A - C needs no round.

A row's own bits take the low end of its word, each its own place, and are exact. Above them goes
what concerns the rows of the same wallet before it: if one of them has a debit out of range, the
wallet's sum in this batch means nothing, and all that follow are declined. As there may be any
number of them, their bits are hashed: each selects a random mask, and the XOR of those selected is
zero for none, or by chance 2^-44 at most. The masks come from a key that only the nodes know, and
not before the rows are fixed, so that a wallet cannot choose rows that cancel. (A linear hash is
universal: Carter, Wegman, JCSS 1979.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petcore.network.circuit.conditions import grouped
from petcore.network.circuit.rows import PAY, REFUND, Rows, Words


def failures(
    rows: Rows, bits: npt.NDArray[np.uint8], debit: Sequence[int], party: int, masks: Words
) -> Words:
    """Return this node's share of the words, uint64 (n,).

    Parameters
    ----------
    bits
        Its XOR shares of what failed, 0 and 1, shape (k, n), k at most 20.
    debit
        Which of the k concern the range of a debit.
    masks
        Random words that both nodes know, shape (len(debit) * n,).
    """
    flags = bits.astype(np.uint64)
    count = np.uint64(len(bits))
    own = np.bitwise_or.reduce(flags << np.arange(len(bits), dtype=np.uint64)[:, None], axis=0)
    masks = masks.reshape(len(debit), -1) >> count
    out_of_range = np.bitwise_xor.reduce(flags[list(debit)] * masks, axis=0)
    counted = np.where(rows.kind == PAY, out_of_range, np.uint64(0))
    before = grouped(rows.wallet, counted, np.bitwise_xor)
    before[rows.kind == REFUND] = 0  # which adds to no exposure
    word: Words = own | before << count
    return word if party == 0 else np.uint64(0) - word
