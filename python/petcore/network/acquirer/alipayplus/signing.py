"""Signatures of the dialect: RSA over method, path, client, time and body, in a header.

The signed text is ``POST <path>\\n<client-id>.<time>.<body>``, the signature RSA PKCS#1 v1.5 with
SHA-256 (RFC 8017, section 8.2); requests and answers are signed in the same form.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus, unquote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from petcore.errors import ConfigError

ALGORITHM = "RSA256"
KEY_BITS_MIN = 2048
_KEY_BITS_MAX = 4096
_HEADER_MAX = 2048
_ITEM = re.compile(r"\s*(algorithm|keyVersion|signature)\s*=\s*([A-Za-z0-9%+/=_.-]*)\s*")


@dataclass(frozen=True)
class SignatureHeader:
    """What a ``signature`` header says: which version of the sender's key, and the signature."""

    key_version: str
    signature: bytes


def parse_header(text: str) -> SignatureHeader | None:
    """Read a ``signature`` header; None where it is not one of `ALGORITHM`."""
    if len(text) > _HEADER_MAX:
        return None
    items: dict[str, str] = {}
    for part in text.split(","):
        match = _ITEM.fullmatch(part)
        if match is None or match[1] in items:
            return None
        items[match[1]] = match[2]
    if set(items) != {"algorithm", "keyVersion", "signature"} or items["algorithm"] != ALGORITHM:
        return None
    try:
        signature = base64.b64decode(unquote_plus(items["signature"]), validate=True)
    except (binascii.Error, ValueError):
        return None
    return SignatureHeader(items["keyVersion"], signature)


@dataclass(frozen=True)
class SigningKey:
    """A private RSA key with its version, which signs answers and notifications."""

    version: str
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def make(cls, version: str = "1") -> SigningKey:
        """Make a fresh key."""
        return cls(version, rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS_MIN))

    @classmethod
    def load(cls, path: str | Path, version: str) -> SigningKey:
        """Read a private RSA key in PEM.

        Raises
        ------
        ConfigError
            The file cannot be read or holds something else.
        """
        try:
            key = serialization.load_pem_private_key(_read(path), password=None)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path}: is no private key in PEM without a password") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ConfigError(f"{path}: is no RSA key")
        _check_size(key.key_size, path)
        return cls(version, key)

    def private_pem(self) -> bytes:
        """Return the key as PKCS#1 in PEM, the form that clients of the dialect take."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def public_pem(self) -> bytes:
        """Return the public key in PEM."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def header(self, path: str, client: str, time: str, body: bytes) -> str:
        """Return the ``signature`` header of a message."""
        signature = self.key.sign(
            _signed_text(path, client, time, body), padding.PKCS1v15(), hashes.SHA256()
        )
        text = quote_plus(base64.b64encode(signature))
        return f"algorithm={ALGORITHM},keyVersion={self.version},signature={text}"


@dataclass(frozen=True)
class VerifyingKey:
    """A public RSA key with its version."""

    version: str
    key: rsa.RSAPublicKey = field(repr=False)

    @classmethod
    def load(cls, path: str | Path, version: str) -> VerifyingKey:
        """Read a public RSA key in PEM.

        Raises
        ------
        ConfigError
            The file cannot be read or holds something else.
        """
        return cls.parse(_read(path), version, path)

    @classmethod
    def parse(cls, pem: bytes, version: str, path: str | Path = "the key") -> VerifyingKey:
        """Read a public RSA key from PEM text; ConfigError where it is something else."""
        try:
            key = serialization.load_pem_public_key(pem)
        except ValueError as error:
            raise ConfigError(f"{path}: is no public key in PEM") from error
        if not isinstance(key, rsa.RSAPublicKey):
            raise ConfigError(f"{path}: is no RSA key")
        _check_size(key.key_size, path)
        return cls(version, key)

    def verifies(self, signature: bytes, path: str, client: str, time: str, body: bytes) -> bool:
        """Say whether this key signed a message."""
        try:
            self.key.verify(
                signature,
                _signed_text(path, client, time, body),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return False
        return True


def _signed_text(path: str, client: str, time: str, body: bytes) -> bytes:
    return f"POST {path}\n{client}.{time}.".encode() + body


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error


def _check_size(bits: int, path: str | Path) -> None:
    if not KEY_BITS_MIN <= bits <= _KEY_BITS_MAX:
        raise ConfigError(
            f"{path}: an RSA key of {bits} bits; it needs {KEY_BITS_MIN} to {_KEY_BITS_MAX}"
        )
