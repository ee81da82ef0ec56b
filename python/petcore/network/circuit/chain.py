"""One word per row that is zero exactly where none of its conditions failed.

A comparison gives bits that the nodes share by XOR, b = a ^ c. Packed into words, A and C, all bits
are zero exactly where A = C, that is where A - C = 0: an additive sharing of A - C needs no round.

A row's own bits take the low end of its word, each its own place, and are exact. Above them goes
what concerns the rows of the same wallet before it: if one of them has a debit out of range, the
wallet's sum in this batch means nothing, and all that follow are declined. As there may be any
number of them, their bits are hashed: each selects a random mask, and the XOR of those selected is
zero for none, or by chance 2^-44. The masks come from a key that only the nodes know, and not before
the rows are fixed, so that a wallet cannot choose rows that cancel. (A linear hash is universal:
Carter, Wegman, JCSS 1979.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from petcore.network.circuit.conditions import COUNT, DEBIT_RANGE, grouped
from petcore.network.circuit.rows import PAY, REFUND, Rows, Words

HASH_BITS = 64 - COUNT


def failures(rows: Rows, bits: npt.NDArray[np.uint8], party: int, masks: Words) -> Words:
    """Return this node's share of the words, from its XOR shares of the bits, shape (COUNT, n).

    ``masks`` are 2 n random words that both nodes know.
    """
    flags = bits.astype(np.uint64)
    places = np.arange(COUNT, dtype=np.uint64)[:, None]
    own = np.bitwise_or.reduce(flags << places, axis=0)
    masks = masks.reshape(2, -1) >> np.uint64(COUNT)
    out_of_range = np.bitwise_xor.reduce(flags[list(DEBIT_RANGE)] * masks, axis=0)
    counted = np.where(rows.kind == PAY, out_of_range, np.uint64(0))
    before = grouped(rows.wallet, counted, np.bitwise_xor)
    before[rows.kind == REFUND] = 0  # which adds to no exposure
    word: Words = own | before << np.uint64(COUNT)
    return word if party == 0 else np.uint64(0) - word
