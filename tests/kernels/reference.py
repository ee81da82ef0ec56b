"""The local kernels once more, in NumPy and `cryptography`, as plainly as they can be said."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Octets = NDArray[np.uint8]

CRH_KEY = bytes.fromhex("243f6a8885a308d313198a2e03707344")
# Lengths around every border of blocks, vectors and groups of vectors in flight.
LENGTHS = sorted(
    {b + d for b in (0, 16, 32, 64, 128, 256, 512, 1024) for d in (-1, 0, 1) if b + d >= 0}
)


def words(size: int | tuple[int, ...], seed: int = 1) -> Words:
    """Return public test words that fill the whole ring."""
    return np.random.default_rng(seed).integers(0, 2**64, size, dtype=np.uint64)


def octets(size: int, seed: int = 1) -> Octets:
    """Return public test bytes."""
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def aes(key: bytes, blocks: bytes) -> bytes:
    """AES-128 of every 16-byte block (FIPS 197)."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(blocks)  # noqa: S305


def keystream(seed: bytes, size: int, first_block: int = 0) -> bytes:
    """AES-128-CTR with a big-endian counter in the last 8 bytes (SP 800-38A, 6.5)."""
    counter = bytes(8) + first_block.to_bytes(8, "big")
    return Cipher(algorithms.AES(seed), modes.CTR(counter)).encryptor().update(bytes(size))


def crh(blocks: bytes, high: int, low: int, key: bytes = CRH_KEY) -> bytes:
    """Hash block i to pi(pi(x) ^ t) ^ pi(x) with the tweak t = (high, low + i)."""
    tweaks = b"".join(
        ((low + i) % 2**64).to_bytes(8, "little") + high.to_bytes(8, "little")
        for i in range(len(blocks) // 16)
    )
    once = aes(key, blocks)
    return exclusive_or(aes(key, exclusive_or(once, tweaks)), once)


def exclusive_or(x: bytes, y: bytes) -> bytes:
    """Return the bitwise exclusive or of two strings of the same length."""
    return (np.frombuffer(x, np.uint8) ^ np.frombuffer(y, np.uint8)).tobytes()


def pack(bits: Octets) -> Words:
    """Pack the lowest bit of each byte, bit i in word i // 64 at position i % 64."""
    padded = np.zeros(-(-bits.size // 64) * 64, np.uint8)
    padded[: bits.size] = bits & 1
    return np.packbits(padded, bitorder="little").view(np.uint64)


def unpack(packed: Words, num_bits: int) -> Octets:
    """Return one byte per bit."""
    return np.unpackbits(packed.view(np.uint8), bitorder="little")[:num_bits]


def pack_rows(matrix: Octets) -> Words:
    """Pack every row of a matrix of bits by itself."""
    width = -(-matrix.shape[1] // 64)
    return np.concatenate([pack(row) for row in matrix] or [np.zeros(0, np.uint64)]).reshape(
        matrix.shape[0], width
    )
