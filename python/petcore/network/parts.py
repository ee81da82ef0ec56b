"""What is sealed in a part: the recipient's fields, padded to a size class.

A part for an edge holds JSON, with four bytes of length before it. A part for a node holds shares:
per field one word, per vector its count (one word) and its words, all little-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from petcore.network.errors import EnvelopeMalformed, FieldRefused
from petcore.network.fields import NODES, Message, Role
from petcore.network.schema import message
from petcore.payments.sharing import share_for_nodes

SIZES = tuple(64 << i for i in range(11))
"""The size classes, in bytes."""

PART_MAX = SIZES[-1]
SEALED_MIN = 1024  # what most orders fit into: their lengths then tell nothing

_LENGTH = struct.Struct("<I")
_dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@cache
def field_set(type: str, role: Role) -> str:
    """Return the names of a role's fields in the part for it, for binding."""
    declared = message(type)
    fields = declared.shared if role in NODES and declared.shared else declared.sealed[role]
    return ",".join(field.name for field in fields)


def sealed(declared: Message, role: Role, values: Mapping[str, Any]) -> bytes:
    """Return the padded content of a part for an edge."""
    fields = {
        f.name: f.kind.encode(values[f.name]) if f.kind.encode else values[f.name]
        for f in declared.sealed[role]
        if f.name in values
    }
    content = _dump(fields).encode()
    return _padded(_LENGTH.pack(len(content)) + content, SEALED_MIN, declared)


def split(declared: Message, values: Mapping[str, Any]) -> dict[Role, bytes]:
    """Split the shared fields; return the padded content of the part for each node."""
    vectors = {
        f.name: np.asarray(values[f.name], np.int64) for f in declared.shared if f.kind.vector
    }
    scalars = [int(values[f.name]) for f in declared.shared if not f.kind.vector]
    numbers = np.concatenate([np.array(scalars, np.int64), *vectors.values()])
    found: dict[Role, bytes] = {}
    for role, words in zip(NODES, share_for_nodes(numbers, len(NODES)), strict=True):
        counts = np.array([len(v) for v in vectors.values()], "<u8")
        content = counts.tobytes() + words.astype("<u8", copy=False).tobytes()
        found[role] = _padded(content, SIZES[0], declared)
    return found


def opened(declared: Message, role: Role, content: bytes) -> dict[str, Any]:
    """Return the fields of an opened part.

    Raises
    ------
    EnvelopeMalformed, FieldRefused
        It is not what the schema declares.
    """
    if role in NODES and declared.shared:
        return _shares(declared, content)
    if len(content) < _LENGTH.size:
        raise EnvelopeMalformed(f"{declared.name}: a part is empty")
    (size,) = _LENGTH.unpack_from(content)
    body, padding = content[4 : 4 + size], content[4 + size :]
    if size > len(content) - 4 or padding.count(0) != len(padding):
        raise EnvelopeMalformed(f"{declared.name}: a part is not padded as parts are")
    try:
        values = json.loads(body)
        if type(values) is not dict or _dump(values).encode() != body:
            raise ValueError
    except (ValueError, RecursionError):
        raise EnvelopeMalformed(f"{declared.name}: a part is not JSON in the one form") from None
    fields = declared.sealed[role]
    if tuple(f.name for f in fields if f.name in values) != tuple(values):
        raise FieldRefused(f"{declared.name}: a part has an undeclared field")
    for f in fields:
        if f.kind.decode and f.name in values:
            try:
                values[f.name] = f.kind.decode(values[f.name])
            except ValueError as error:
                raise FieldRefused(f"{declared.name}: {f.name} {error}") from None
    declared.check_fields(fields, values)
    return values


def _shares(declared: Message, content: bytes) -> dict[str, Any]:
    if len(content) % 8:
        raise EnvelopeMalformed(f"{declared.name}: shares come in words of 8 bytes")
    words = np.frombuffer(content, "<u8").astype(np.uint64, copy=False)
    vectors = [f for f in declared.shared if f.kind.vector]
    scalars = [f for f in declared.shared if not f.kind.vector]
    counts = words[: len(vectors)].tolist()
    at = len(vectors)
    bounded = all(count <= f.kind.words for f, count in zip(vectors, counts, strict=False))
    if not bounded or at + len(scalars) + sum(counts) > len(words):
        raise EnvelopeMalformed(f"{declared.name}: the shares are cut short")
    values: dict[str, Any] = dict(
        zip((f.name for f in scalars), words[at : at + len(scalars)].tolist(), strict=True)
    )
    at += len(scalars)
    for f, count in zip(vectors, counts, strict=True):
        values[f.name] = words[at : at + count].copy()
        at += count
    if words[at:].any():
        raise EnvelopeMalformed(f"{declared.name}: shares are not padded as they are")
    return values


def _padded(content: bytes, least: int, declared: Message) -> bytes:
    for size in SIZES:
        if size >= max(least, len(content)):
            return content.ljust(size, b"\0")
    raise FieldRefused(f"{declared.name}: its fields have more than {PART_MAX} bytes together")
