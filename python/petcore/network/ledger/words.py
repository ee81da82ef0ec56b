"""Amounts and shares in a database: signed 64-bit columns that hold the bits of Z_2^64."""

from __future__ import annotations

from collections.abc import Iterable

_MASK = (1 << 64) - 1
_HALF = 1 << 63


def to_column(word: int) -> int:
    """Return the signed 64-bit integer with the bits of `word` mod 2^64, as columns hold it.

    Examples
    --------
    >>> to_column(2**64 - 1), to_column(-1), to_column(7)
    (-1, -1, 7)
    """
    return ((int(word) + _HALF) & _MASK) - _HALF


def from_column(value: int) -> int:
    """Return the word of Z_2^64, 0 <= word < 2^64, that a column holds.

    Examples
    --------
    >>> from_column(-1) == 2**64 - 1, from_column(7)
    (True, 7)
    """
    return value & _MASK


def total(values: Iterable[int]) -> int:
    """Add columns mod 2^64; a database would overflow, or go on in floating point."""
    return to_column(sum(values))
