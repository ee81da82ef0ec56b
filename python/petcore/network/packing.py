"""Bytes with their lengths before them, bounded before use; many messages in one body of HTTP."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from petcore.errors import UsageError
from petcore.network.errors import EnvelopeMalformed

ENVELOPE_MAX = 512 << 10
PACKED_MAX = 4096
PACKED_BYTES_MAX = 64 << 20

LENGTH = struct.Struct("<I")


def pack(messages: Sequence[bytes]) -> bytes:
    """Join messages for one request of HTTP; at most `PACKED_MAX` of them."""
    if len(messages) > PACKED_MAX:
        raise UsageError(f"at most {PACKED_MAX} messages are packed together")
    pieces = [LENGTH.pack(len(messages))]
    for content in messages:
        pieces += (LENGTH.pack(len(content)), content)
    return b"".join(pieces)


def unpack(content: bytes, most: int = PACKED_MAX) -> list[bytes]:
    """Take packed messages apart.

    Raises
    ------
    EnvelopeMalformed
        There are more than `most`, or lengths do not fit.
    """
    if not 4 <= len(content) <= PACKED_BYTES_MAX:
        raise EnvelopeMalformed("no packed messages, or too many bytes")
    (count,) = LENGTH.unpack_from(content)
    if count > most:
        raise EnvelopeMalformed(f"more than {most} messages are packed together")
    found, at = [], 4
    for _ in range(count):
        one, at = piece(content, at, ENVELOPE_MAX)
        found.append(one)
    if at != len(content):
        raise EnvelopeMalformed("packed messages are cut short, or bytes follow them")
    return found


def piece(content: bytes, at: int, most: int) -> tuple[bytes, int]:
    """Return the bytes whose length stands at `at`, and where they end; EnvelopeMalformed."""
    if at + 4 > len(content):
        raise EnvelopeMalformed("the message is cut short")
    (size,) = LENGTH.unpack_from(content, at)
    if size > most or at + 4 + size > len(content):
        raise EnvelopeMalformed("the message is cut short, or a piece of it is too long")
    return content[at + 4 : at + 4 + size], at + 4 + size
