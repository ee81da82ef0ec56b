"""EmptyTolerant: a core that answers for arrays of no elements itself, without a round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from petcore.mpc.core import Core, Words

_WORDS = ("open", "add_public", "mul", "square", "select", "mul_bit", "b2a", "truncate")
_BITS = ("open_bits", "xor_public", "and_bits", "msb", "equal_zero", "bits")


class EmptyTolerant:
    """Pass every call to a core, but for empty arrays, which a protocol has no message for."""

    def __init__(self, core: Core) -> None:
        self._inner = core
        for name in _WORDS:
            setattr(self, name, _guarded(getattr(core, name), np.uint64))
        for name in _BITS:
            setattr(self, name, _guarded(getattr(core, name), np.uint8))

    def __getattr__(self, name: str) -> Any:
        """Give what the core has."""
        return getattr(self._inner, name)

    def reveal(self, share: Any, to: int, label: str) -> Any:
        """Give the recipient nothing, at once, where there is nothing."""
        if share.size:
            return self._inner.reveal(share, to, label)
        return np.empty(0, np.uint64) if to == self._inner.party else None

    def reveal_bits(self, share: Any, to: int, label: str) -> Any:
        """Give the recipient nothing, at once, where there is nothing."""
        if share.size:
            return self._inner.reveal_bits(share, to, label)
        return np.empty(0, np.uint8) if to == self._inner.party else None

    def matmul(self, x: Words, y: Words, m: int, k: int, n: int) -> Words:
        """Give zeros where there is nothing to add up."""
        if x.size and y.size:
            return self._inner.matmul(x, y, m, k, n)
        return np.zeros(self._inner.components * m * n, np.uint64)

    def masked_matmul(
        self, masked: Any, y: Words, n: int, row_begin: int, row_end: int, transposed: bool
    ) -> Words:
        """Give zeros where there is nothing to add up."""
        if y.size and row_end > row_begin:
            return self._inner.masked_matmul(masked, y, n, row_begin, row_end, transposed)
        rows = masked.columns if transposed else row_end - row_begin
        return np.zeros(self._inner.components * rows * n, np.uint64)


def _guarded(call: Callable[..., Any], word: Any) -> Callable[..., Any]:
    def guarded(array: Any, *rest: Any) -> Any:
        return call(array, *rest) if array.size else np.empty(0, word)

    return guarded


def tolerate_empty(core: Core) -> Core:
    """Wrap a core so that it takes empty arrays."""
    return cast(Core, EmptyTolerant(core))
