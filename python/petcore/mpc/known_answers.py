"""Known answers of the local kernels: what every CPU target of an installed petcore must give.

AES is held to published vectors, everything else to the same in plain Python or NumPy. Lengths lie
around the borders of blocks and vectors. It takes a fraction of a second, so that a machine can be
checked where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from petcore import _core

kernels: Any = _core.kernels

Words = NDArray[np.uint64]

_LENGTHS = (1, 15, 16, 17, 63, 64, 65, 257, 1000)
_SEED = bytes(range(16))
# FIPS 197, appendix C.1.
_AES_KEY = "000102030405060708090a0b0c0d0e0f"
_AES_PLAIN = "00112233445566778899aabbccddeeff"
_AES_CIPHER = "69c4e0d86a7b0430d8cdb78070b4c55a"
# SP 800-38A, F.5.1: the first and the last counter, plaintexts and ciphertexts.
_CTR_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
_CTR_COUNTERS = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + "f0f1f2f3f4f5f6f7f8f9fafbfcfdff02"
_CTR_PLAIN = "6bc1bee22e409f96e93d7e117393172a" + "f69f2445df4f9b17ad2b417be66c3710"
_CTR_CIPHER = "874d6191b620e3261bef6864990db6ce" + "1e031dda2fbe03d1792170a0f3009cee"
_CRH_KEY = bytes.fromhex("243f6a8885a308d313198a2e03707344")


@dataclass(frozen=True)
class Answer:
    """Whether one kernel target gives what it must; ``wrong`` names what it does not."""

    kernel: str
    target: str
    checked: int
    wrong: str = ""


def known_answers() -> Iterator[Answer]:
    """Check every target that this machine can run, one kernel after the other."""
    for kernel, checks in _CHECKS.items():
        for target in kernels.targets()[kernel]:
            yield _answer(kernel, target, checks)


def _answer(kernel: str, target: str, checks: dict[str, Callable[[str], bool]]) -> Answer:
    for name, check in checks.items():
        try:
            right = check(target)
        except Exception as error:
            return Answer(kernel, target, len(checks), f"{name}: {type(error).__name__}: {error}")
        if not right:
            return Answer(kernel, target, len(checks), f"{name} differs from its known answer")
    return Answer(kernel, target, len(checks))


def entropy() -> str:
    """Draw from the system's generator; say what is wrong with the bytes, or nothing.

    Half of the bits of a fair source are ones: 2^20 of them leave 7 standard deviations of the mean
    once in 10^11 draws.
    """
    first, second = kernels.random_bytes(1 << 17), kernels.random_bytes(1 << 17)
    if first == second:
        return "two draws are the same"
    ones = int(np.unpackbits(np.frombuffer(first, np.uint8)).sum())
    if abs(ones - (1 << 19)) > 7 * 512:
        return f"{ones:,} of {1 << 20:,} bits are ones"
    return ""


def _words(*shape: int) -> Words:
    """Public words that fill the whole ring, the extremes first."""
    made = np.random.default_rng(1).integers(0, 2**64, shape, dtype=np.uint64)
    extremes = np.array([2**64 - 1, 1, 0, 2**63], np.uint64)
    made.flat[: min(4, made.size)] = extremes[: min(4, made.size)]
    return made


def _octets(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(text), np.uint8)


def _same(got: Any, expected: Any) -> bool:
    return bool(np.array_equal(np.asarray(got), np.asarray(expected)))


def _aes_block(target: str) -> bool:
    got = kernels.aes(_octets(_AES_PLAIN), bytes.fromhex(_AES_KEY), target)
    return _same(got, _octets(_AES_CIPHER))


def _aes_counter_mode(target: str) -> bool:
    stream = kernels.aes(_octets(_CTR_COUNTERS), bytes.fromhex(_CTR_KEY), target)
    return _same(stream ^ _octets(_CTR_PLAIN), _octets(_CTR_CIPHER))


def _keystream(target: str) -> bool:
    for size in (*(16 * n for n in _LENGTHS), 1 << 16):
        for first in (0, 2**32 - 1):
            out = np.zeros(size, np.uint8)
            kernels.prg_fill(out, _SEED, first, target)
            counter = modes.CTR(bytes(8) + first.to_bytes(8, "big"))
            openssl = Cipher(algorithms.AES(_SEED), counter).encryptor().update(bytes(size))
            if out.tobytes() != openssl:
                return False
    return True


def _hash(target: str) -> bool:
    blocks = _words(2 * 257)
    aes = Cipher(algorithms.AES(_CRH_KEY), modes.ECB())  # noqa: S305 (a permutation of blocks)
    once = np.frombuffer(aes.encryptor().update(blocks.tobytes()), np.uint64)
    tweaks = np.empty_like(blocks)
    tweaks[0::2], tweaks[1::2] = 5 + np.arange(257, dtype=np.uint64), 9
    twice = np.frombuffer(aes.encryptor().update((once ^ tweaks).tobytes()), np.uint64)
    got = kernels.crh(blocks.view(np.uint8), 9, 5, target=target)
    return _same(got.view(np.uint64), twice ^ once)


def _elementwise(name: str, reference: Callable[..., Any]) -> Callable[[str], bool]:
    def check(target: str) -> bool:
        return all(
            _same(getattr(kernels, name)(x, x[::-1].copy(), target=target), reference(x, x[::-1]))
            for x in map(_words, _LENGTHS)
        )

    return check


def _products(target: str) -> bool:
    a, b, c, d, e = (np.roll(_words(257), i) for i in range(5))
    return _same(kernels.mul_add2(a, b, c, d, e, target=target), a * b + c * d + e)


def _shifts(target: str) -> bool:
    x = _words(257)
    return all(
        _same(kernels.shift_left(x, by, target=target), x << np.uint64(by))
        and _same(kernels.shift_right(x, by, target=target), x >> np.uint64(by))
        and _same(
            kernels.shift_right_signed(x, by, target=target).view(np.int64),
            x.view(np.int64) >> np.int64(by),
        )
        for by in (0, 1, 18, 63)
    )


def _matrices(target: str) -> bool:
    return all(
        _same(kernels.matmul(a, b, target=target), a @ b)
        for a, b in (
            (_words(1, 1), _words(1, 1)),
            (_words(17, 33), _words(33, 9)),
            (_words(65, 100), _words(100, 1)),
            (_words(3, 257), _words(257, 70)),
        )
    )


def _packing(target: str) -> bool:
    for size in _LENGTHS:
        bits = (_words(size) & np.uint64(1)).astype(np.uint8)
        padded = np.zeros(-(-size // 64) * 64, np.uint8)
        padded[:size] = bits
        packed = np.packbits(padded, bitorder="little").view(np.uint64)
        if not _same(kernels.pack(bits, target), packed):
            return False
        if not _same(kernels.unpack(packed, size, target), bits):
            return False
    return True


def _slices(target: str) -> bool:
    for size in _LENGTHS:
        x = _words(size)
        width = -(-size // 64)
        padded = np.zeros(64 * width, np.uint64)
        padded[:size] = x
        bits = np.unpackbits(padded.view(np.uint8), bitorder="little").reshape(-1, 64)
        columns = np.packbits(bits.T, axis=1, bitorder="little")
        expected = np.ascontiguousarray(columns).view(np.uint64)
        slices = kernels.to_slices(x, target)
        if not _same(slices, expected) or not _same(kernels.from_slices(slices, size, target), x):
            return False
    return True


def _comparison_keys(target: str) -> bool:
    roots = [_words(2 * 257), _words(2 * 257)[::-1].copy()]
    secret, x = _words(257), _words(257)[::-1].copy()
    numbers = np.arange(257, dtype=np.uint64)
    x[1::3] = secret[1::3]
    for form, reference in (("below", np.less), ("point", np.equal)):
        keys = kernels.make_keys(secret, *roots, numbers, 64, form, target=target)
        first, second = (
            kernels.evaluate_keys(x, party, roots[party], keys, numbers, 64, form, target=target)
            for party in (0, 1)
        )
        if not _same(kernels.unpack(first ^ second, 257), reference(x, secret)):
            return False
    return True


_CHECKS: dict[str, dict[str, Callable[[str], bool]]] = {
    "prg": {
        "AES-128 (FIPS 197, C.1)": _aes_block,
        "AES-128-CTR (SP 800-38A, F.5.1)": _aes_counter_mode,
        "keystream against OpenSSL": _keystream,
        "hash against OpenSSL": _hash,
    },
    "ring": {
        "x + y": _elementwise("add", np.add),
        "x - y": _elementwise("sub", np.subtract),
        "x * y": _elementwise("mul", np.multiply),
        "a * b + c * d + e": _products,
        "shifts": _shifts,
        "matrix products": _matrices,
    },
    "bits": {"packing": _packing, "bit slices": _slices},
    "fss": {"x < y and x == y from keys": _comparison_keys},
}
