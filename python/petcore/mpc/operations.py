"""The operations of the core as data: what each is charged for, and what it gives.

`Session.profile` names and measures the calls of these methods, `Session.estimate` imitates them at
their declared cost, `Session.map` joins them, and `empty` answers them for no elements. An operation
that joins the core becomes known to all four by its row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["shares", "open", "reveal", "local", "other"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of the core: ``method(array, ..., parameter, ...)``.

    Attributes
    ----------
    arrays : int
        Leading arguments that are arrays. Where kind is not "other" they have n elements each, and
        element i of the result depends on their elements i only.
    word : type
        Of the result, uint64 or uint8.
    kind : {"shares", "open", "reveal", "local", "other"}
        Whether the result is shared, opened to all, opened to the party in the first parameter
        (None elsewhere), or shared at no cost; "other" is what has a size of its own.
    each : callable
        From the parameters to the words of the result for each element; 1 where left out.
    declared : str or callable, optional
        What `declared` calls it: the method's name where left out; a callable is given the
        parameters.
    sizes : callable, optional
        From all arguments to the sizes that `declared` takes; n and the integers among the
        parameters where left out.
    count : callable, optional
        From those sizes to the elements of the result; n where left out.
    """

    arrays: int = 1
    word: type = np.uint64
    kind: Kind = "shares"
    each: Callable[..., int] = lambda *parameters: 1
    declared: str | Callable[..., str] | None = None
    sizes: Callable[..., tuple[int, ...]] | None = None
    count: Callable[..., int] | None = None

    def charge(self, name: str, args: tuple[Any, ...], components: int) -> tuple[str, list[int]]:
        """Give the name and the sizes by which a call is declared."""
        parameters = args[self.arrays :]
        if self.declared is not None:
            name = self.declared(*parameters) if callable(self.declared) else self.declared
        if self.sizes is not None:
            return name, [int(size) for size in self.sizes(*args)]
        whole = [int(p) for p in parameters if isinstance(p, (int, np.integer))]
        return name, [args[0].size // components, *([] if self.kind == "reveal" else whole)]

    def measure(
        self, args: tuple[Any, ...], result: Any, components: int
    ) -> tuple[tuple[int, ...], int]:
        """Give the sizes of a call that was made, and the elements of its result."""
        if not self.arrays:  # an input tells its size; a checkpoint has none
            n = result[0].size // components if isinstance(result, tuple) else 0
            return (n,), n
        _, sizes = self.charge("", args, components)
        return tuple(sizes), self.count(*sizes) if self.count else sizes[0]

    def zeros(self, args: tuple[Any, ...], sizes: Sequence[int], components: int) -> NDArray[Any]:
        """Give what a call of these sizes gives, filled with zeros."""
        n = self.count(*sizes) if self.count else sizes[0] * self.each(*args[self.arrays :])
        return np.zeros((1 if self.kind in ("open", "reveal") else components) * n, self.word)


def _truncation(bits: int, mode: str) -> str:
    return "truncate_exact" if mode == "exact" else "truncate"


def _masked_sizes(
    masked: Any, y: Any, n: int, begin: int, end: int, transposed: bool, truncate: int = 0
) -> tuple[int, ...]:
    return masked.rows, masked.columns, begin, end, int(transposed), n, truncate


def _masked_count(
    rows: int, columns: int, begin: int, end: int, transposed: int, n: int, truncate: int
) -> int:
    return (columns if transposed else end - begin) * n


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "input": Operation(0, kind="other"),
        "open": Operation(kind="open"),
        "open_bits": Operation(word=np.uint8, kind="open"),
        "reveal": Operation(kind="reveal"),
        "reveal_bits": Operation(word=np.uint8, kind="reveal"),
        "checkpoint": Operation(0, kind="other"),
        "ahead": Operation(0, kind="other"),
        "add_public": Operation(2, kind="local"),
        "xor_public": Operation(2, np.uint8, kind="local"),
        "mul": Operation(2),
        "square": Operation(),
        "and_bits": Operation(2, np.uint8),
        "select": Operation(3, declared="mul_bit"),
        "mul_bit": Operation(2),
        "msb": Operation(word=np.uint8),
        "equal_zero": Operation(word=np.uint8),
        "fss_sign": Operation(word=np.uint8),
        "fss_zero": Operation(word=np.uint8),
        "fss_interval": Operation(3, np.uint8),
        "fss_select": Operation(2),
        "bits": Operation(word=np.uint8, each=lambda width=64: width),
        "b2a": Operation(),
        "truncate": Operation(declared=_truncation),
        "function": Operation(declared=lambda name, frac_bits: name),
        "matmul": Operation(
            2,
            kind="other",
            sizes=lambda x, y, m, k, n, truncate=0: (m, k, n, truncate),
            count=lambda m, k, n, truncate: m * n,
        ),
        "mask": Operation(
            kind="other", sizes=lambda x, rows, columns: (rows, columns), count=lambda m, n: m * n
        ),
        "masked_matmul": Operation(2, kind="other", sizes=_masked_sizes, count=_masked_count),
        "tell": Operation(0, kind="other"),
        "intersect": Operation(
            kind="other",
            sizes=lambda own, theirs, *rest: (len(own), theirs),
            count=lambda own, theirs: own,
        ),
        "intersect_shares": Operation(
            kind="other",
            sizes=lambda own, theirs, *rest: (len(own), theirs),
            count=lambda own, theirs: own,
        ),
    }
)
