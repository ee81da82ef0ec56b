"""EmptyTolerant: a core that answers for arrays of no elements itself, without a round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from petcore.mpc.core import Core, Words
from petcore.mpc.operations import OPERATIONS, Operation


class EmptyTolerant:
    """Pass every call to a core, but for empty arrays, which a protocol has no message for."""

    def __init__(self, core: Core) -> None:
        self._inner = core
        for name, operation in OPERATIONS.items():
            if operation.kind != "other":
                setattr(self, name, _guarded(core, name, operation))

    def __getattr__(self, name: str) -> Any:
        """Give what the core has."""
        return getattr(self._inner, name)

    def matmul(self, x: Words, y: Words, m: int, k: int, n: int, truncate: int = 0) -> Words:
        """Give zeros where there is nothing to add up."""
        if x.size and y.size:
            return self._inner.matmul(x, y, m, k, n, truncate)
        return np.zeros(self._inner.components * m * n, np.uint64)

    def masked_matmul(
        self,
        masked: Any,
        y: Words,
        n: int,
        row_begin: int,
        row_end: int,
        transposed: bool,
        truncate: int = 0,
    ) -> Words:
        """Give zeros where there is nothing to add up."""
        if y.size and row_end > row_begin:
            return self._inner.masked_matmul(masked, y, n, row_begin, row_end, transposed, truncate)
        rows = masked.columns if transposed else row_end - row_begin
        return np.zeros(self._inner.components * rows * n, np.uint64)


def _guarded(core: Core, name: str, operation: Operation) -> Callable[..., Any]:
    call: Callable[..., Any] = getattr(core, name)
    word, reveals = operation.word, operation.kind == "reveal"

    def guarded(array: Any, *rest: Any) -> Any:
        if array.size:
            return call(array, *rest)
        return None if reveals and rest[0] != core.party else np.empty(0, word)

    return guarded


def tolerate_empty(core: Core) -> Core:
    """Wrap a core so that it takes empty arrays."""
    return cast(Core, EmptyTolerant(core))
