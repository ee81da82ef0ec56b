"""Metadata: what the owner of an input tells the other parties about it, as bounded bytes.

Layout, little-endian: 4 bytes ``PCA1``, one byte each for dtype, fraction bits, number of
dimensions and zero, then 8 bytes per dimension.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from petcore.errors import BadFrame
from petcore.mpc.fixed import FRAC_BITS_MAX

NDIM_MAX = 8
SIZE_MAX = 1 << 40

_MAGIC = b"PCA1"
_HEAD = struct.Struct("<4sBBBB")
_DTYPES = ("bool", "int64", "fixed")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Shape, dtype and fraction bits of an input."""

    shape: tuple[int, ...]
    dtype: str
    frac_bits: int

    def pack(self) -> bytes:
        """Write the metadata as bytes."""
        head = _HEAD.pack(_MAGIC, _DTYPES.index(self.dtype), self.frac_bits, len(self.shape), 0)
        return head + struct.pack(f"<{len(self.shape)}Q", *self.shape)


def unpack(raw: bytes, n: int, owner: str) -> Metadata:
    """Read the metadata that the owner sent along with n elements (one for an empty array).

    Raises
    ------
    BadFrame
        Where a field is out of its bounds or contradicts n; names the owner.
    """
    if len(raw) < _HEAD.size or len(raw) > _HEAD.size + 8 * NDIM_MAX:
        raise _refused(owner, "length")
    magic, kind, frac_bits, ndim, zero = _HEAD.unpack_from(raw)
    if magic != _MAGIC or zero != 0:
        raise _refused(owner, "format")
    if kind >= len(_DTYPES):
        raise _refused(owner, "dtype")
    if ndim > NDIM_MAX or len(raw) != _HEAD.size + 8 * ndim:
        raise _refused(owner, "number of dimensions")
    dtype = _DTYPES[kind]
    if frac_bits > (FRAC_BITS_MAX if dtype == "fixed" else 0):
        raise _refused(owner, "fraction bits")
    shape = struct.unpack_from(f"<{ndim}Q", raw, _HEAD.size)
    if math.prod(max(1, size) for size in shape) > SIZE_MAX or max(1, math.prod(shape)) != n:
        raise _refused(owner, "shape")
    return Metadata(shape, dtype, frac_bits)


def _refused(owner: str, field: str) -> BadFrame:
    return BadFrame(
        f"the metadata of the input from {owner} has a wrong {field}; {owner} must run the same "
        "version of petcore",
        party=owner,
        step="input",
    )
