"""Ring words without a scale: what the functions compute with between their input and their result.

A fixed array is read as the int64 array of its encoded words; from there on every scale is
explicit, a product is exact modulo 2^64, and a truncation happens only where a function asks for
it. All arrays are flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.shaping import stack
from petcore.mpc.shared_base import flat, is_shared

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray

FRAC_BITS = range(16, 25)
WORD_BITS = 64


def elementwise(x: SharedArray, name: str) -> SharedArray:
    """Check x and run the core's function of that name on it.

    Raises
    ------
    UsageError
        Where x is not a fixed SharedArray with frac_bits from 16 to 24.
    """
    require_fixed(x, name)
    if x.size == 0:
        return x
    with x.session.region(name):
        words = x.session._core.function(flat(x._share), name, x.frac_bits)
    return x._with(words.reshape(x._share.shape))


def require_fixed(x: object, name: str) -> None:
    """Raise UsageError, with the remedy, unless x is a fixed SharedArray of a supported scale."""
    if not is_shared(x):
        raise UsageError(
            f"{name}() takes a SharedArray, not {type(x).__name__}; on public values use NumPy"
        )
    if x.dtype != "fixed":
        raise UsageError(f"{name}() takes fixed-point arrays, not {x.dtype}; use x.astype('fixed')")
    if x.frac_bits not in FRAC_BITS:
        raise UsageError(
            f"{name}() takes {FRAC_BITS[0]} to {FRAC_BITS[-1]} fraction bits, not {x.frac_bits}; "
            "use x.astype('fixed', frac_bits=18)"
        )


def read_words(x: SharedArray) -> SharedArray:
    """Give the encoded words of a fixed array as a flat int64 array; local."""
    return x._with(flat(x._share), "int64")


def truncate(x: SharedArray, bits: int) -> SharedArray:
    """Divide words below 2^62 in magnitude by 2^bits, at most one unit off. Rounds: 1."""
    words = x.session._core.truncate(flat(x._share), bits, "probabilistic")
    return x._with(words.reshape(x._share.shape))


def multiply_pairs(*pairs: tuple[SharedArray, SharedArray]) -> SharedArray:
    """Multiply the words of every pair; row i of the result is the product of pair i. Rounds: 1."""
    left = stack([x for x, _ in pairs])
    right = stack([y for _, y in pairs])
    return left * right


def combine(weights: Sequence[int], rows: SharedArray) -> SharedArray:
    """Sum the rows of a (k, n) array, each times a public integer; local."""
    share = rows._share
    total = np.zeros((share.shape[0], *share.shape[2:]), np.uint64)
    for i, weight in enumerate(weights):
        if weight:
            total += share[:, i] * np.uint64(weight % 2**WORD_BITS)
    return rows._with(total)


def decompose(x: SharedArray) -> SharedArray:
    """Share the 64 bits of every word: row j of the bool (64, n) result is bit j. Rounds: 7."""
    bits = x.session._core.bits(flat(x._share))
    by_element = bits.reshape(-1, x.size, WORD_BITS)
    return x._with(np.ascontiguousarray(by_element.transpose(0, 2, 1)), "bool")
