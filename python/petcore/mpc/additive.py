"""Additive shares made and put together on one machine, without a session: what an edge does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from petcore import _core

Words = NDArray[np.uint64]


def split(values: Words, parties: int) -> list[Words]:
    """Split words into additive shares mod 2^64, one per party, of the shape of `values`.

    All shares but the last are AES-128-CTR under keys from the operating system, each used for this
    one array.
    """
    first, rest = _core.kernels.share(values)
    shares = [first]
    for _ in range(parties - 2):
        shares.append(_core.kernels.share(rest, share1=rest)[0])
    return [*shares, rest]


def join(shares: Sequence[Words]) -> Words:
    """Add at least two shares of one shape mod 2^64."""
    total: Words = np.add(shares[0], shares[1])
    return reduce(lambda x, y: np.add(x, y, out=x), shares[2:], total)
