"""What the Python layers ask of a compiled session.

A share is passed as ``components`` rows of n elements, C-contiguous: ``uint64`` words for an
additive sharing, ``uint8`` zeros and ones for a boolean one. It comes back flat, and is reshaped
here. A public array has n elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]
TruncationMode = Literal["probabilistic", "exact"]


class Core(Protocol):
    """One party's end of a running protocol; implemented by ``petcore._core.Session``.

    Every method but the local ones (``add_public``, ``xor_public``, ``declared``, ``takes``,
    ``stock``, ``cost``) is one step: all parties call it in the same order with
    the same shapes, or all get a typed error.
    """

    @property
    def party(self) -> int: ...  # noqa: D102
    @property
    def parties(self) -> int: ...  # noqa: D102
    @property
    def names(self) -> list[str]: ...  # noqa: D102
    @property
    def protocol(self) -> str: ...  # noqa: D102
    @property
    def correlations(self) -> str: ...  # noqa: D102
    @property
    def transfers(self) -> Any: ...  # noqa: D102
    @property
    def components(self) -> int: ...  # noqa: D102
    @property
    def step(self) -> int: ...  # noqa: D102
    @property
    def round_trip(self) -> float: ...  # noqa: D102
    @property
    def deals_keys(self) -> bool: ...  # noqa: D102

    def input(  # noqa: D102
        self, owner: int, values: Words | None, meta: bytes
    ) -> tuple[Words, bytes]: ...
    def open(self, share: Words, label: str) -> Words: ...  # noqa: D102
    def open_bits(self, share: Bits, label: str) -> Bits: ...  # noqa: D102
    def reveal(self, share: Words, to: int, label: str) -> Words | None: ...  # noqa: D102
    def reveal_bits(self, share: Bits, to: int, label: str) -> Bits | None: ...  # noqa: D102

    def checkpoint(self, label: str) -> None: ...  # noqa: D102
    def bind_next(self, text: str) -> None: ...  # noqa: D102
    def common_key(self, purpose: str) -> bytes: ...  # noqa: D102
    def ahead(self, bytes: int) -> None: ...  # noqa: D102

    def add_public(self, share: Words, public: Words) -> Words: ...  # noqa: D102
    def xor_public(self, bits: Bits, public: Bits) -> Bits: ...  # noqa: D102
    # Products are truncated at once by as many bits, probabilistically, unless 0.
    def mul(self, x: Words, y: Words, truncate: int = 0) -> Words: ...  # noqa: D102
    def square(self, x: Words, truncate: int = 0) -> Words: ...  # noqa: D102
    def matmul(  # noqa: D102
        self, x: Words, y: Words, m: int, k: int, n: int, truncate: int = 0
    ) -> Words: ...
    def and_bits(self, x: Bits, y: Bits) -> Bits: ...  # noqa: D102
    def select(self, bit: Bits, x: Words, y: Words) -> Words: ...  # noqa: D102
    def mul_bit(self, bit: Bits, x: Words) -> Words: ...  # noqa: D102
    def msb(self, x: Words, width: int = 64, drop: int = 0) -> Bits: ...  # noqa: D102
    def equal_zero(self, x: Words, width: int = 64) -> Bits: ...  # noqa: D102
    def fss_sign(self, x: Words, width: int = 64, drop: int = 0) -> Bits: ...  # noqa: D102
    def fss_zero(self, x: Words, width: int = 64) -> Bits: ...  # noqa: D102
    def fss_interval(  # noqa: D102
        self, x: Words, low: Words, high: Words, width: int = 64
    ) -> Bits: ...
    def fss_select(  # noqa: D102
        self, x: Words, y: Words, width: int = 64, drop: int = 0
    ) -> Words: ...
    def bits(self, x: Words, width: int = 64) -> Bits: ...  # noqa: D102
    def b2a(self, bits: Bits) -> Words: ...  # noqa: D102
    def truncate(self, x: Words, bits: int, mode: str) -> Words: ...  # noqa: D102
    def function(self, x: Words, name: str, frac_bits: int) -> Words: ...  # noqa: D102
    def mask(self, x: Words, rows: int, cols: int) -> Any: ...  # noqa: D102
    def masked_matmul(  # noqa: D102
        self,
        masked: Any,
        y: Words,
        n: int,
        row_begin: int,
        row_end: int,
        transposed: bool,
        truncate: int = 0,
    ) -> Words: ...

    # The key of the digests of ids; numbers told to the peer for its own; what two sets share.
    @property
    def threads(self) -> int: ...  # noqa: D102
    def psi_key(self) -> bytes: ...  # noqa: D102
    def tell(self, label: str, numbers: Words) -> Words: ...  # noqa: D102
    def intersect(  # noqa: D102
        self,
        digests: Words,
        theirs: int,
        to: int | None,
        method: str,
        label: str,
        runs: int,
        cardinality: bool,
        progress: Callable[[int, int], None] | None,
    ) -> tuple[int, Words] | None: ...
    def intersect_shares(  # noqa: D102
        self,
        digests: Words,
        theirs: int,
        receiver: int,
        num_columns: int,
        columns: Words,
        label: str,
    ) -> tuple[Words, Words, Words]: ...

    def declared(self, op: str, *dims: int) -> dict[str, Any]: ...  # noqa: D102
    def stock(self) -> dict[str, Any] | None: ...  # noqa: D102
    # What an operation would take from a store: the names of pools, and units of each.
    def takes(self, op: str, *dims: int) -> list[tuple[str, int]]: ...  # noqa: D102
    def cost(self) -> dict[str, Any]: ...  # noqa: D102
    def fail(self, code: str, text: str) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
