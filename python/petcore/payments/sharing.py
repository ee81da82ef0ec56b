"""What an edge does: split integers into additive shares, one per node, and put shares together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.mpc import additive

Words = npt.NDArray[np.uint64]


def share_for_nodes(values: npt.ArrayLike, nodes: int = 2) -> list[Words]:
    """Split int64 values into additive shares mod 2^64, from a generator that the system seeds.

    Parameters
    ----------
    values
        Integers (money: minor units), any shape.
    nodes
        How many nodes; all shares together give the values, fewer tell nothing.

    Returns
    -------
    One uint64 array per node, of the shape of `values`.

    Raises
    ------
    UsageError
        The values are not integers within int64, or there are fewer than two nodes.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise UsageError(f"only integers are shared exactly, not {array.dtype}; use minor units")
    if array.dtype.kind == "u" and (array > np.uint64(2**63 - 1)).any():
        raise UsageError("an amount is above 2^63 - 1 and would turn negative; split it")
    if nodes < 2:
        raise UsageError("a single share would be the value itself; name at least two nodes")
    return additive.split(array.astype(np.int64, order="C", copy=False).view(np.uint64), nodes)


def combine_shares(shares: Sequence[Words]) -> npt.NDArray[np.int64]:
    """Add all nodes' shares, uint64 of one shape, mod 2^64 and return the int64 values.

    Raises
    ------
    UsageError
        Another dtype, different shapes, or fewer than two shares.
    """
    if len(shares) < 2 or {(s.dtype, s.shape) for s in shares} != {
        (np.dtype(np.uint64), shares[0].shape)
    }:
        raise UsageError("combine at least two shares, all uint64 and of one shape")
    return np.asarray(additive.join(shares)).view(np.int64)
