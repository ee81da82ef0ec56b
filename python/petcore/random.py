"""Random numbers for NumPy from AES: fast on any processor of the last decade, and well studied.

Examples
--------
>>> import numpy as np
>>> from petcore.random import AesCtr
>>> rng = np.random.Generator(AesCtr(2026))
>>> rng.integers(1, 7, size=10).tolist()
[1, 6, 2, 4, 2, 5, 5, 4, 1, 4]
>>> noise = np.empty(1_000_000, np.int64)
>>> AesCtr(2026).fill(noise)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from petcore import _core
from petcore.errors import UsageError

__all__ = ["AesCtr"]

_KEY_BYTES = 16
_JUMP_WORDS = 2**64
_PERIOD_WORDS = 2**128
_NAME = "AesCtr"


class AesCtr(np.random.BitGenerator):
    """AES-128 in counter mode as a NumPy ``BitGenerator`` (NIST SP 800-38A, section 6.5).

    The stream is AES(key, 0), AES(key, 1), ...; the counter is one big-endian number of 128 bits,
    every block two little-endian words of 64 bits. `position` counts these words, modulo 2^128.

    It draws uniform numbers for simulation, sampling and tests that an observer without the key
    cannot tell from chance. It is no source of secrets for a protocol: ``petcore`` draws keys and
    masks from the operating system, and never twice. In particular a process that forks has two
    copies of the generator that go on with the same numbers, as all of NumPy's do; `spawn` one per
    process before.

    Parameters
    ----------
    seed : None, int, sequence of int or numpy.random.SeedSequence
        As for NumPy's own: the key is made by a ``SeedSequence``, of 128 bits from the operating
        system where it is None.
    key : bytes, optional
        The 16 bytes of the AES key themselves, instead of a seed. `spawn` then derives the
        children's keys from it.

    Raises
    ------
    UsageError
        Seed and key at once, or a key that is not 16 bytes.
    TypeError, ValueError
        NumPy's, for a seed that is not made of non-negative integers.
    """

    def __init__(self, seed: Any = None, *, key: bytes | None = None) -> None:
        if key is not None:
            seed = _seed_of_key(seed, key)
        super().__init__(seed)
        if key is None:
            key = np.asarray(self.seed_seq.generate_state(2, np.uint64), "<u8").tobytes()
        self._stream = _core.WordStream(key)
        self._stream.install(self.capsule)

    @property
    def state(self) -> dict[str, Any]:
        """Everything that decides what comes next; a plain dictionary that survives JSON.

        ``state["state"]`` holds the `key` (hexadecimal; whoever sees it knows all numbers) and the
        `position`; ``has_uint32`` is 1 while the next 32-bit draw takes the high half of the word
        before `position`. A draw of a whole word passes that half over.
        """
        with self.lock:
            key, (low, high), has_half = self._stream.state()
        return {
            "bit_generator": _NAME,
            "state": {"key": key.hex(), "position": low | high << 64},
            "has_uint32": int(has_half),
        }

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        key, position, has_half = _read_state(value)
        with self.lock:
            self._stream.set_state(key, _halves(position), has_half)

    def advance(self, delta: int) -> AesCtr:
        """Move on by `delta` words of 64 bits (back, if negative), and return the generator itself.

        A word is one draw of ``random_raw``; a half that 32-bit draws left over is passed over.
        """
        with self.lock:
            self._stream.advance(_halves(int(delta) % _PERIOD_WORDS))
        return self

    def jumped(self, jumps: int = 1) -> AesCtr:
        """Return a generator that is `jumps` times 2^64 words ahead: streams that never meet."""
        ahead = type(self)(self.seed_seq)
        ahead.state = self.state
        return ahead.advance(int(jumps) * _JUMP_WORDS)

    def fill(self, out: npt.NDArray[np.integer[Any]] | bytearray | memoryview) -> None:
        """Fill an array with uniform bits at the speed of the PRG.

        Parameters
        ----------
        out
            A writable, C-contiguous array of integers of any width and shape, or a writable buffer
            of bytes. It takes the next words of the stream; a last word that does not fit is cut,
            and its rest lost.

        Raises
        ------
        UsageError
            Another dtype, a read-only array, or one that is not contiguous.
        """
        octets = _octets(out)
        with self.lock:
            self._stream.fill(octets)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and send to other processes as NumPy's generators: seed sequence and state."""
        return type(self), (self.seed_seq,), self.state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take what `__reduce__` gave."""
        self.state = state


def _seed_of_key(seed: Any, key: Any) -> np.random.SeedSequence:
    if seed is not None:
        raise UsageError("AesCtr takes a seed or a key, not both")
    if not isinstance(key, bytes) or len(key) != _KEY_BYTES:
        raise UsageError(f"the key of AesCtr is {_KEY_BYTES} bytes, for example os.urandom(16)")
    return np.random.SeedSequence(int.from_bytes(key, "little"))


def _halves(position: int) -> list[int]:
    return [position % 2**64, position >> 64]


def _read_state(value: Any) -> tuple[bytes, int, bool]:
    if not isinstance(value, Mapping) or value.get("bit_generator") != _NAME:
        raise UsageError(f"this is not the state of an {_NAME}: pass what its `state` gave")
    try:
        key = bytes.fromhex(value["state"]["key"])
        position = int(value["state"]["position"])
        has_half = int(value["has_uint32"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the state of an {_NAME} is incomplete: {error!r}") from None
    if len(key) != _KEY_BYTES or not 0 <= position < _PERIOD_WORDS:
        raise UsageError(f"the key of {_NAME} has 16 bytes, its position 128 bits")
    if has_half not in (0, 1):
        raise UsageError("has_uint32 is 0 or 1")
    return key, position, bool(has_half)


def _octets(out: Any) -> npt.NDArray[np.uint8]:
    array = out if isinstance(out, np.ndarray) else np.frombuffer(out, np.uint8)
    if array.dtype.kind not in "iu":
        raise UsageError(
            f"fill takes an array of integers, not {array.dtype}; for uniform reals use "
            "np.random.Generator(...).random(out=...)"
        )
    if not array.flags.c_contiguous:
        raise UsageError("the array to fill is not C-contiguous; fill a new one and copy it over")
    if not array.flags.writeable:
        raise UsageError("the array to fill is read-only")
    return array.reshape(-1).view(np.uint8)
