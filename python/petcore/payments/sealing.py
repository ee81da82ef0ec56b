"""Sealing: bytes that only one recipient can read, whoever carries them.

Hybrid public-key encryption (HPKE, RFC 9180) with the hybrid KEM of ML-KEM-768 and X25519,
HKDF-SHA-256 and AES-256-GCM. An envelope does not prove who sealed it.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag

from petcore.errors import ConfigError

RECIPIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SEED_BYTES = 64
_X25519_BYTES = 32
PUBLIC_BYTES = 1184 + _X25519_BYTES
SEAL_BYTES = 1088 + 32 + 16
"""By how much sealing lengthens: ciphertext of ML-KEM-768, key of X25519, tag of AES-GCM."""


@dataclass(frozen=True)
class SealingKey:
    """The key that one recipient opens its envelopes with: ML-KEM seed, then X25519 key."""

    name: str
    secret: bytes = field(repr=False)

    @classmethod
    def make(cls, name: str) -> SealingKey:
        """Make a fresh key for the recipient `name`.

        Raises
        ------
        ConfigError
            A name that is not 1 to 63 of A-Z a-z 0-9 . _ - (it becomes a file name).
        """
        if not RECIPIENT.fullmatch(name):
            raise ConfigError(
                f"the name {name[:64]!r} must be 1 to 63 of A-Z a-z 0-9 . _ - and start with a "
                "letter or digit"
            )
        return cls(name, os.urandom(_SEED_BYTES + _X25519_BYTES))

    @classmethod
    def load(cls, path: str | Path) -> SealingKey:
        """Read ``NAME.sealing.key``.

        Raises
        ------
        ConfigError
            The file cannot be read or is not such a key.
        """
        file = Path(path)
        secret = _read(file, _SEED_BYTES + _X25519_BYTES, "a private sealing key")
        return cls(file.name.removesuffix(".sealing.key"), secret)

    @property
    def public(self) -> bytes:
        """What senders need, 1216 bytes."""
        _, mlkem, x25519 = self._open()
        public: bytes = (
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )
        return public

    def save(self, directory: str | Path) -> tuple[Path, Path]:
        """Write ``NAME.sealing.pub`` and ``NAME.sealing.key`` (mode 0600); return the two paths.

        Raises
        ------
        ConfigError
            The key file exists (it is never overwritten) or cannot be written.
        """
        folder = Path(directory)
        public, private = folder / f"{self.name}.sealing.pub", folder / f"{self.name}.sealing.key"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_private(private, base64.b64encode(self.secret) + b"\n")
            public.write_bytes(base64.b64encode(self.public) + b"\n")
        except OSError as error:
            raise ConfigError(f"{private}: cannot be written ({error.strerror})") from error
        return public, private

    def open(self, envelope: bytes, purpose: str) -> bytes:
        """Return what was sealed to this key for `purpose`.

        Raises
        ------
        ConfigError
            The envelope is for another key or purpose, or was changed.
        """
        try:
            return self.opener().open(envelope, _info(self.name, purpose))
        except ValueError as error:
            raise ConfigError(
                f"the envelope cannot be opened by {self.name}: it is sealed to another key, for "
                f"another purpose than {purpose!r}, or was changed on its way"
            ) from error

    def opener(self) -> Opener:
        """Return the key in the form that opens many envelopes quickly."""
        return Opener(self._open()[0])

    def _open(self) -> tuple[Any, Any, Any]:
        hpke, mlkem, x25519 = _primitives()
        first = mlkem.MLKEM768PrivateKey.from_seed_bytes(self.secret[:_SEED_BYTES])
        second = x25519.X25519PrivateKey.from_private_bytes(self.secret[_SEED_BYTES:])
        return hpke.MLKEM768X25519PrivateKey(first, second), first, second


class Opener:
    """A private sealing key, parsed once."""

    def __init__(self, key: Any) -> None:
        self._key, self._suite = key, _suite()

    def open(self, envelope: bytes, info: bytes) -> bytes:
        """Return what was sealed under the same `info`.

        Raises
        ------
        ValueError
            It was sealed to another key or under another `info`, or was changed.
        """
        try:
            content: bytes = self._suite.decrypt(envelope, self._key, info=info)
        except InvalidTag as error:
            raise ValueError("another key, another info, or changed bytes") from error
        return content


class Sealer:
    """A public sealing key, parsed once.

    Raises
    ------
    ValueError
        The bytes are no such key.
    """

    def __init__(self, public: bytes) -> None:
        hpke, mlkem, x25519 = _primitives()
        if len(public) != PUBLIC_BYTES:
            raise ValueError(f"a public sealing key has {PUBLIC_BYTES} bytes, not {len(public)}")
        self._key = hpke.MLKEM768X25519PublicKey(
            mlkem.MLKEM768PublicKey.from_public_bytes(public[:-_X25519_BYTES]),
            x25519.X25519PublicKey.from_public_bytes(public[-_X25519_BYTES:]),
        )
        self._suite = _suite()

    def seal(self, content: bytes, info: bytes) -> bytes:
        """Return `content` sealed; it is `SEAL_BYTES` longer, and opens under the same `info`."""
        envelope: bytes = self._suite.encrypt(content, self._key, info=info)
        return envelope


def seal(content: bytes, public: bytes, recipient: str, purpose: str) -> bytes:
    """Seal `content` to a public key; recipient and purpose are bound to the envelope."""
    return Sealer(public).seal(content, _info(recipient, purpose))


def load_public(directory: str | Path, recipient: str) -> bytes:
    """Read ``RECIPIENT.sealing.pub`` from a directory.

    Raises
    ------
    ConfigError
        There is no such file, or it holds something else.
    """
    return _read(Path(directory) / f"{recipient}.sealing.pub", PUBLIC_BYTES, "a public sealing key")


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises
    ------
    ConfigError
        The file exists.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} exists and is not overwritten; move it away first") from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _read(path: Path, size: int, what: str) -> bytes:
    try:
        content = base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); 'petcore sealkey' makes sealing keys"
        ) from error
    except binascii.Error:
        content = b""
    if len(content) != size:
        raise ConfigError(f"{path}: is not {what}; 'petcore sealkey' makes them")
    return content


def _info(recipient: str, purpose: str) -> bytes:
    return f"petcore 1|{purpose}|{recipient}".encode()


def _suite() -> Any:
    hpke, _, _ = _primitives()
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def _primitives() -> tuple[Any, Any, Any]:
    try:
        from cryptography.hazmat.primitives import hpke
        from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
    except ImportError as error:
        raise ConfigError(
            "sealing needs cryptography 47 or newer: pip install 'petcore[payments]'"
        ) from error
    return hpke, mlkem, x25519
