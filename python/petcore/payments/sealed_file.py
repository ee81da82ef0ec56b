"""A sealed file: a header that says of which kind it is, a line feed, and the content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from petcore.errors import ConfigError
from petcore.payments.sealing import SealingKey

_HEADER_BYTES_MAX = 1 << 16


def pack(header: Mapping[str, Any], content: bytes) -> bytes:
    """Put a header and a content into one message, to be sealed for the purpose ``header["kind"]``."""
    return b"\n".join((json.dumps(header).encode(), content))


def unpack(path: str | Path, key: SealingKey, kind: str) -> tuple[dict[str, Any], bytes]:
    """Open a sealed file of one kind; return its header and its content.

    Raises
    ------
    ConfigError
        The file cannot be read, is sealed to another key, or is of another kind; the file is named.
    """
    try:
        envelope = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        head, _, content = key.open(envelope, kind).partition(b"\n")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from error
    try:
        header = json.loads(head[:_HEADER_BYTES_MAX])
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("kind") != kind:
        raise ConfigError(f"{path}: does not hold {kind}")
    return header, content
