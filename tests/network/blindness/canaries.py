"""Canaries: values that occur nowhere else, every form they could take, and where to search."""

from __future__ import annotations

import base64
import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

TAP = Path(__file__).with_name("tap.c")
_CHUNK = 32 << 20


def build_tap(folder: Path) -> Path:
    """Compile the library that takes down sockets and TLS."""
    library = folder / "tap.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(TAP)]
    command += ["-Wl,--no-as-needed", "-lssl", "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return library


def text_forms(text: str) -> Iterator[bytes]:
    """Give every form in which a text could be written down."""
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield text.encode("utf-32-le")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield from base64_forms(raw)


def number_forms(number: int, fraction_bits: int = 18) -> Iterator[bytes]:
    """Give every form in which an amount could be written down."""
    for order in "<>":
        yield struct.pack(order + "q", number)
        yield struct.pack(order + "d", float(number))
        yield struct.pack(order + "d", number / 100)
        yield struct.pack(order + "Q", number << fraction_bits & (2**64 - 1))
        yield from base64_forms(struct.pack(order + "q", number))
        yield struct.pack(order + "q", number).hex().encode()
    yield from text_forms(str(number))
    yield from text_forms(f"{number / 100:.2f}")
    yield f"{number:x}".encode()
    yield f"{number:,}".encode()


def base64_forms(raw: bytes) -> Iterator[bytes]:
    """Give what of a value's base64 is the same whatever stands around it, for every offset."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            coded = encode(bytes(offset) + raw + bytes(3)).rstrip(b"=")
            begin = -(-offset * 8 // 6)
            end = (offset + len(raw)) * 8 // 6
            if end - begin >= 8:
                yield coded[begin:end]


class Search:
    """Looks for many forms of many canaries at once.

    Of every form four bytes that are unlike each other are looked up at every place; where they
    occur, the whole form is compared.
    """

    def __init__(self, needles: dict[str, list[bytes]]) -> None:
        self.longest = max(len(form) for forms in needles.values() for form in forms)
        self._at: dict[int, list[tuple[str, bytes, int]]] = {}
        for name, forms in needles.items():
            for form in forms:
                offset = _anchor(form)
                word = int.from_bytes(form[offset : offset + 4], "little")
                self._at.setdefault(word, []).append((name, form, offset))
        self._words = np.array(sorted(self._at), np.uint32)
        self._low = np.zeros(1 << 16, bool)
        self._low[self._words & np.uint32(0xFFFF)] = True

    def names(self, content: bytes) -> set[str]:
        """Return the names of the canaries of which some form occurs."""
        found: set[str] = set()
        for shift in range(4):
            count = (len(content) - shift) // 4
            if count <= 0:
                continue
            words = np.frombuffer(content, "<u4", count, shift)
            places = np.flatnonzero(self._low[words & np.uint32(0xFFFF)])
            places = places[np.isin(words[places], self._words)]
            for place in places.tolist():
                for name, form, offset in self._at[int(words[place])]:
                    begin = 4 * place + shift - offset
                    if begin >= 0 and content[begin : begin + len(form)] == form:
                        found.add(name)
        return found

    def in_files(self, files: list[Path]) -> set[str]:
        """Search whole files."""
        return set().union(*(self.names(path.read_bytes()) for path in files))

    def in_memory(self, pid: int) -> set[str]:
        """Search all memory of a process that can be written to: heap, stacks, buffers."""
        found: set[str] = set()
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for begin, end in _writable(pid):
                tail = b""
                for at in range(begin, end, _CHUNK):
                    memory.seek(at)
                    try:
                        piece = memory.read(min(_CHUNK, end - at))
                    except OSError:
                        break  # a guard page, or a region that is gone
                    found |= self.names(tail + piece)
                    tail = piece[-self.longest :]
        return found


def _anchor(form: bytes) -> int:
    """Return where the four bytes begin that occur least often elsewhere."""
    windows = range(len(form) - 3)
    return max(windows, key=lambda i: len(set(form[i : i + 4]) - {0, 0x20}))


def _writable(pid: int) -> list[tuple[int, int]]:
    regions = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if match and "[vvar]" not in line:
            regions.append((int(match[1], 16), int(match[2], 16)))
    return regions
