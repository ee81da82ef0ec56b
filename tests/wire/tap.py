"""A link that passes bytes on and keeps the digest of what they say.

What counts is what `csrc/net/frame.h` says means something: messages, and the bytes of vectors with
the tags of their steps. Heartbeats, sequence numbers and where a vector is cut into frames do not.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import time
from collections import Counter
from typing import Any

from petcore import _core
from petcore.errors import PetcoreError

HEAD = struct.Struct("<IIQQ")
DATA, MESSAGE, HEARTBEAT, ABORT, GOODBYE = 1, 2, 3, 4, 5
CHUNK = 1 << 20


class Direction:
    """One direction of one link."""

    def __init__(self) -> None:
        self._hash, self._rest, self._tag = hashlib.sha256(), b"", None
        self.payload = 0

    def add(self, read: bytes) -> None:
        self._rest += read
        while len(self._rest) >= HEAD.size:
            size, kind, _, tag = HEAD.unpack_from(self._rest)
            if len(self._rest) < HEAD.size + size:
                return
            self._frame(kind, tag, self._rest[HEAD.size : HEAD.size + size])
            self._rest = self._rest[HEAD.size + size :]

    def _frame(self, kind: int, tag: int, payload: bytes) -> None:
        if kind in (HEARTBEAT, GOODBYE):
            return
        if kind != DATA or tag != self._tag:
            self._hash.update(struct.pack("<BQ", kind, tag))
        if kind != DATA:
            self._hash.update(struct.pack("<Q", len(payload)))
        self._tag = tag if kind == DATA else None
        self._hash.update(payload)
        self.payload += len(payload)

    def said(self) -> list[Any]:
        """Give payload bytes and their digest."""
        return [self.payload, self._hash.hexdigest()]


class Taps:
    """Makes links as `_core.memory_channels` does, and listens on each."""

    def __init__(self) -> None:
        self._directions: dict[str, Direction] = {}
        self._count: Counter[tuple[str, str]] = Counter()
        self._threads: list[threading.Thread] = []

    def memory_channels(self, a: str, b: str, limits: Any) -> tuple[Any, Any]:
        self._count[a, b] += 1
        suffix = "" if self._count[a, b] == 1 else f" ({self._count[a, b]})"
        binding = hashlib.sha256(f"{a} {b}{suffix}".encode()).digest().hex()[:32]
        first, far = _core.memory_channel_with_raw_peer(b, limits, binding)
        second, near = _core.memory_channel_with_raw_peer(a, limits, binding)
        there = self._directions[f"{a} -> {b}{suffix}"] = Direction()
        back = self._directions[f"{b} -> {a}{suffix}"] = Direction()
        thread = threading.Thread(target=_pump, args=(far, near, there, back), daemon=True)
        self._threads.append(thread)
        thread.start()
        return first, second

    def said(self) -> dict[str, list[Any]]:
        """Give what every direction said, once all links have ended."""
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive(), "a link was not closed"
        return {name: way.said() for name, way in sorted(self._directions.items())}


def _pump(far: Any, near: Any, there: Direction, back: Direction) -> None:
    """Carry bytes both ways until both ends are closed."""
    ways = [(far, near, there), (near, far, back)]
    while ways:
        moved = False
        for way in list(ways):
            source, sink, direction = way
            try:
                read = source.read(CHUNK)
            except PetcoreError:
                ways.remove(way)
                sink.close()
                continue
            direction.add(read)
            moved = moved or bool(read)
            while read:
                try:
                    read = read[sink.write(read) :]
                except PetcoreError:
                    break
        if not moved:
            time.sleep(0.0003)
