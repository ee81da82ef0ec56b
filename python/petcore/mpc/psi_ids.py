"""A party's own ids, as digests in memory or, where they are many, in files by bucket."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from petcore.errors import UsageError

Rows = NDArray[np.uint64]
Index = NDArray[np.int64]
Report = Callable[[int], None]

FILES = 256  # a bucket is one or several of them
_PIECE = 1 << 16  # ids that are read together
_WIDTH = 3  # words of a record in a file: the digest and the id's index


class OwnIds:
    """Reads ids once, in pieces, and gives them back as digests, bucket after bucket.

    Up to ``limit`` digests stay in memory; with one more, all go to files in a folder of their own,
    which is removed in the end. A digest tells nothing to who does not know the session's key.

    Parameters
    ----------
    key : bytes
        The key of the digests.
    threads : int
        How many threads share the hashing.
    limit : int
        Digests in memory at a time.
    folder : str or Path, optional
        Where files go; the system's folder for temporary files where left out.
    """

    def __init__(
        self, key: bytes, *, threads: int = 1, limit: int, folder: str | Path | None = None
    ) -> None:
        self._key, self._threads, self._limit, self._folder = key, threads, limit, folder
        self._pieces: list[Rows] = []
        self._indices: list[Index] = []
        self._spool: _Spool | None = None
        self._waiting = 0
        self.count = 0

    def __enter__(self) -> Self:
        """Use it; the files are removed in the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the files."""
        if self._spool is not None:
            self._spool.close()

    @property
    def on_disk(self) -> bool:
        """Whether the ids were too many to keep in memory."""
        return self._spool is not None

    def read(self, ids: Any, report: Report) -> None:
        """Take all ids; tell after each piece how many there have been."""
        from petcore import _core

        for packed in _packed(ids):
            digests = _core.digest_ids(*packed, self._key, self._threads)
            self._pieces.append(digests)
            self._indices.append(np.arange(self.count, self.count + len(digests)))
            self.count += len(digests)
            self._waiting += len(digests)
            if self._waiting > self._limit:
                self._spill()
            report(self.count)
        if self._spool is not None:
            self._spill()

    def first_repeat(self) -> tuple[int, int] | None:
        """Return the indices of the first id that stands there a second time, and where it was."""
        from petcore import _core

        found: tuple[int, int] | None = None
        for digests, indices in self.buckets(FILES if self._spool else 1):
            repeat = _core.find_repeat(digests)
            if repeat is not None:
                first, again = (int(indices[i]) for i in repeat)
                found = (first, again) if found is None else min(found, (first, again), key=_second)
        return found

    def keep_first(self) -> int:
        """Drop every id that stands there a second time; return how many were."""
        from petcore import _core

        before = self.count
        if self._spool is not None:
            self.count = self._spool.rewrite(_core.first_of_each)
            return before - self.count
        digests, indices = self._together()
        kept = _core.first_of_each(digests)
        self._pieces, self._indices = [digests[kept]], [indices[kept]]
        self.count = len(kept)
        return before - self.count

    def buckets(self, number: int) -> Iterator[tuple[Rows, Index]]:
        """Give digests, (n, 2), and indices of every bucket; ``number`` divides `FILES`."""
        if self._spool is not None:
            yield from self._spool.buckets(number)
            return
        digests, indices = self._together()
        if number == 1:
            yield digests, indices
            return
        drawer = _file_of(digests) // np.uint64(FILES // number)
        order = np.argsort(drawer, kind="stable")
        ends = np.searchsorted(drawer[order], np.arange(number + 1))
        for i in range(number):
            mine = order[ends[i] : ends[i + 1]]
            yield digests[mine], indices[mine]

    def _together(self) -> tuple[Rows, Index]:
        if len(self._pieces) != 1:
            self._pieces = [np.concatenate([np.empty((0, 2), np.uint64), *self._pieces])]
            self._indices = [np.concatenate([np.empty(0, np.int64), *self._indices])]
        return self._pieces[0], self._indices[0]

    def _spill(self) -> None:
        if self._spool is None:
            self._spool = _Spool(self._folder)
        self._spool.add(*self._together())
        self._pieces, self._indices, self._waiting = [], [], 0


class _Spool:
    """Records of digests and indices in `FILES` files, by the digest's highest bits."""

    def __init__(self, folder: str | Path | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="petcore-psi-", dir=folder)
        self._files: list[BinaryIO] = [
            (Path(self._folder.name) / f"{i:03}").open("w+b") for i in range(FILES)
        ]

    def add(self, digests: Rows, indices: Index) -> None:
        records = np.column_stack((digests, indices.astype(np.uint64)))
        drawer = _file_of(digests)
        order = np.argsort(drawer, kind="stable")
        ends = np.searchsorted(drawer[order], np.arange(FILES + 1))
        for i, file in enumerate(self._files):
            mine = order[ends[i] : ends[i + 1]]
            if len(mine):
                file.seek(0, os.SEEK_END)
                file.write(records[mine].tobytes())

    def buckets(self, number: int) -> Iterator[tuple[Rows, Index]]:
        each = FILES // number
        for i in range(number):
            records = np.concatenate([self._load(j) for j in range(i * each, (i + 1) * each)])
            yield np.ascontiguousarray(records[:, :2]), records[:, 2].astype(np.int64)

    def rewrite(self, chosen: Callable[[Rows], NDArray[np.uint64]]) -> int:
        """Keep of every file the records that are chosen by their digests; return how many."""
        count = 0
        for i, file in enumerate(self._files):
            records = self._load(i)
            kept = records[chosen(np.ascontiguousarray(records[:, :2]))]
            file.seek(0)
            file.truncate()
            file.write(kept.tobytes())
            count += len(kept)
        return count

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._folder.cleanup()

    def _load(self, i: int) -> Rows:
        file = self._files[i]
        file.seek(0)
        return np.frombuffer(file.read(), np.uint64).reshape(-1, _WIDTH)


def _packed(ids: Any) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint64]]]:
    """Give bytes and ends of one piece of ids after the other."""
    from petcore import _core

    if isinstance(ids, (str, bytes, bytearray, dict)):
        raise UsageError(f"ids are a list or an array of ids, not one {type(ids).__name__}")
    if isinstance(ids, np.ndarray):
        yield from _packed_array(ids)
        return
    try:
        items = iter(ids)
    except TypeError:
        raise UsageError(f"ids are a list, an array or an iterable, not {ids!r:.80}") from None
    first = 0
    while piece := list(islice(items, _PIECE)):
        yield _core.pack_ids(piece, first)
        first += len(piece)


def _packed_array(ids: NDArray[Any]) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint64]]]:
    from petcore import _core

    if ids.ndim != 1:
        raise UsageError(f"ids have one dimension, not {ids.ndim}; pass one column")
    if ids.dtype.kind not in "iuSUO":
        raise UsageError(
            f"ids of dtype {ids.dtype} do not name anyone exactly; pass str, bytes or whole numbers"
        )
    for first in range(0, len(ids), _PIECE):
        piece = ids[first : first + _PIECE]
        if ids.dtype.kind in "iu":
            wide = np.uint64 if ids.dtype.kind == "u" else np.int64
            yield _core.pack_numbers(np.ascontiguousarray(piece, dtype=wide))
        else:
            yield _core.pack_ids(piece.tolist(), first)


def _file_of(digests: Rows) -> NDArray[np.uint64]:
    return digests[:, 1] >> np.uint64(64 - 8)


def _second(repeat: tuple[int, int]) -> int:
    return repeat[1]
