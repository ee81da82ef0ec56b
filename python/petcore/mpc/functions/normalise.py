"""Normalisation: |x| = c 2^k with c in [1/2, 1] and k secret.

The bits of x are shared; a prefix AND of their complements (Sklansky, IRE Trans. EC-9(2), 1960)
tells where the leading one is. The number of zeros before it is written as 4 coarse + fine, both
one-hot. A function of that number which is a product, or a sum, of a function of coarse and one
of fine is then a public combination of 12 and of 4 shared bits, and one product where it is a
product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from petcore.mpc.conversion import bit_to_int
from petcore.mpc.functions.words import WORD_BITS, combine, decompose, truncate
from petcore.mpc.shaping import concatenate

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

WINDOW = 48
FINE = 4
COARSE = WINDOW // FINE

Factors = tuple["SharedArray", "SharedArray"]


@dataclass(frozen=True)
class LeadingZeros:
    """How many zeros precede the leading one of each word in its low 48 bits.

    Attributes
    ----------
    coarse, fine : SharedArray
        int64 rows (12, n) and (4, n); the number is 4 a + b where row a of coarse and row b of fine
        are one. All rows of a word that is zero are zero.
    sign : SharedArray
        (n,) int64, one where the word is negative.
    """

    coarse: SharedArray
    fine: SharedArray
    sign: SharedArray

    def weigh(self, coarse: Sequence[int], fine: Sequence[int]) -> Factors:
        """Pick a public weight by the coarse and another by the fine position; local."""
        return combine(coarse, self.coarse), combine(fine, self.fine)

    def power_of_two(self, offset: int = 0) -> Factors:
        """Give two factors of 2^(zeros + offset), or of 0 where that is below one; local.

        ``offset`` is a multiple of 4.
        """
        exponents = [FINE * a + offset for a in range(COARSE)]
        coarse = [2**e if e >= 0 else 0 for e in exponents]
        return self.weigh(coarse, [2**b for b in range(FINE)])


def count_leading_zeros(x: SharedArray) -> LeadingZeros:
    """Count the zeros before the leading one of |x| in a window of 48 bits.

    A negative word counts as the complement of its bits, so that -2^k counts as 2^k - 1.
    The counts of words of magnitude 2^48 and more have no meaning.

    Rounds: 14 · Leaks: nothing.
    """
    bits = decompose(x)
    sign = bits[WORD_BITS - 1]
    all_zero = _prefix_and(~(bits[WINDOW - 1 :: -1] ^ sign))
    coarse, fine = _one_hot(all_zero)
    rows = bit_to_int(concatenate([coarse, fine, sign.reshape(1, -1)]))
    return LeadingZeros(rows[:COARSE], rows[COARSE:-1], rows[-1])


def mantissa(product: SharedArray, scale: int) -> SharedArray:
    """Bring x 2^zeros to words of this scale in +-[1/2, 1]. Rounds: 1."""
    return truncate(product, WINDOW - scale)


def _prefix_and(bits: SharedArray) -> SharedArray:
    """Turn row j into the AND of rows 0 to j. Rounds: 6."""
    count = bits.shape[0]
    share = bits._share.copy()
    span = 1
    while span < count:
        rows = [j for j in range(count) if j & span]
        before = [(j & -span) - 1 for j in rows]
        merged = bits._with(share[:, rows]) & bits._with(share[:, before])
        share[:, rows] = merged._share
        span *= 2
    return bits._with(share)


def _one_hot(all_zero: SharedArray) -> tuple[SharedArray, SharedArray]:
    """Write the number of rows that hold as coarse and fine one-hot bits; local.

    Row j holds where the top j + 1 bits are all zero, so the rows that hold come first.
    """
    single = _boundaries(all_zero)
    components, _, n = single._share.shape
    by_group = single._share.reshape(components, COARSE, FINE, n)
    fine = np.bitwise_xor.reduce(by_group, axis=1)
    return _boundaries(all_zero[FINE - 1 :: FINE]), single._with(fine)


def _boundaries(rows: SharedArray) -> SharedArray:
    """Tell of each row whether it is the first that does not hold; local."""
    return concatenate([~rows[:1], rows[:-1] ^ rows[1:]])
