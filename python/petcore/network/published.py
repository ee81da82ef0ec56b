"""What a member publishes about its keys: ``NAME.keys.json``, a chain of signed epochs.

Entry ``n`` is signed with the key of epoch ``n - 1`` (the first with its own), so a new epoch is
trusted because an earlier one was. Receipts of erasures stand in the same document, each signed
with the key of the epoch that was current then.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from petcore.errors import ConfigError
from petcore.payments.sealing import PUBLIC_BYTES, RECIPIENT

GRACE_MS = 5 * 60 * 1000
"""How far the clocks of two members may be apart."""

EPOCHS_MAX = 10_000
DOCUMENT_MAX = 64 << 20
_POINT_BYTES = 65
_SIGNATURE_BYTES = 64
_ES256 = ec.ECDSA(hashes.SHA256())
_ENTRY = ("epoch", "made", "sealing", "signing", "signature")
_RECEIPT = ("at", "by", "epoch", "key", "member", "signature", "statement")
_STATEMENT = "the private keys of this epoch were erased"


class Entry(NamedTuple):
    """The public keys of an epoch: number, time (ms), keys, and the signature over them."""

    epoch: int
    made: int
    sealing: bytes
    signing: bytes
    signature: bytes

    @property
    def key_id(self) -> str:
        """Epoch and digest of the keys: names them in headers."""
        return _key_id(self.epoch, self.sealing, self.signing)


@dataclass(frozen=True)
class Published:
    """A member's document: its epochs, oldest first, and its receipts of erasures."""

    name: str
    entries: tuple[Entry, ...]
    receipts: tuple[dict[str, Any], ...]

    @property
    def current(self) -> Entry:
        """The last epoch."""
        return self.entries[-1]

    def entry(self, key_id: str) -> Entry | None:
        """Return the epoch with these keys, or None."""
        return self._by_id.get(key_id)

    def valid(self, entry: Entry) -> tuple[int, int]:
        """Return from when to when the epoch's signatures count, in ms."""
        after = self.entries[entry.epoch :]
        last = after[0].made + GRACE_MS if after else 1 << 62
        return entry.made - GRACE_MS, last

    def with_entry(self, entry: Entry) -> Published:
        """Return the document with one more epoch."""
        return replace(self, entries=(*self.entries, entry))

    def with_receipt(self, receipt: dict[str, Any]) -> Published:
        """Return the document with one more receipt."""
        return replace(self, receipts=(*self.receipts, receipt))

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.key_id: entry for entry in self.entries}


def file(directory: Path, name: str) -> Path:
    """Return where the document of a member lies."""
    return directory / f"{name}.keys.json"


def statement(name: str, entry: Entry) -> bytes:
    """Return what the signature of an epoch covers."""
    return b"petcore keys 1\n" + _canonical(
        [name, entry.epoch, entry.made, _text(entry.sealing), _text(entry.signing)]
    )


def erasure(name: str, entry: Entry, by: str, at: int) -> dict[str, Any]:
    """Return the receipt of an erasure, still without its signature."""
    return {
        "at": at,
        "by": by,
        "epoch": entry.epoch,
        "key": entry.key_id,
        "member": name,
        "statement": _STATEMENT,
    }


def signed(receipt: dict[str, Any]) -> bytes:
    """Return what the signature of a receipt covers."""
    body = {key: value for key, value in receipt.items() if key != "signature"}
    return b"petcore erasure 1\n" + _canonical(body)


def to_bytes(document: Published) -> bytes:
    """Return the document as it is published."""
    entries = [
        {
            "epoch": e.epoch,
            "made": e.made,
            "sealing": _text(e.sealing),
            "signing": _text(e.signing),
            "signature": _text(e.signature),
        }
        for e in document.entries
    ]
    content = {"name": document.name, "epochs": entries, "erasures": list(document.receipts)}
    return json.dumps(content, indent=1).encode() + b"\n"


def write(directory: Path, document: Published) -> None:
    """Write the document in one step: readers see the old one or the new one."""
    target = file(directory, document.name)
    aside = target.with_suffix(".new")
    with aside.open("wb") as stream:
        stream.write(to_bytes(document))
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(target)
    sync_directory(directory)


def read(path: Path) -> Published:
    """Read a member's document and check all of its signatures.

    Raises
    ------
    ConfigError
        It cannot be read, is not such a document, or a signature is wrong.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(DOCUMENT_MAX + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); its member publishes it"
        ) from error
    document = parse(content, str(path))
    if path.name != f"{document.name}.keys.json":
        raise ConfigError(f"{path}: holds the keys of {document.name}; rename it")
    return document


def parse(content: bytes, where: str) -> Published:
    """Parse a member's document and check all of its signatures; ConfigError if it is wrong."""
    try:
        if len(content) > DOCUMENT_MAX:
            raise ValueError("too long")
        document = _document(json.loads(content))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ConfigError(f"{where}: is no list of published keys") from error
    signer = document.entries[0].signing
    for number, entry in enumerate(document.entries, 1):
        made = document.entries[number - 2].made if number > 1 else -1
        good = entry.epoch == number and entry.made > made
        if not good or not _signed_by(signer, entry.signature, statement(document.name, entry)):
            raise ConfigError(f"{where}: epoch {number} is not signed by the epoch before it")
        signer = entry.signing
    for receipt in document.receipts:
        by = document.entry(receipt["by"])
        signature = base64.b64decode(receipt["signature"])
        if by is None or not _signed_by(by.signing, signature, signed(receipt)):
            raise ConfigError(f"{where}: a receipt of erasure is not signed by its member")
    return document


def verify_receipt(receipt: dict[str, Any], document: Published) -> bool:
    """Say whether a receipt of an erasure is the member's."""
    try:
        checked = _receipt(receipt)
        by = document.entry(checked["by"])
        signature = base64.b64decode(checked["signature"], validate=True)
    except (ValueError, TypeError, KeyError):
        return False
    about = document.entry(checked["key"])
    return (
        by is not None
        and about is not None
        and checked["member"] == document.name
        and checked["epoch"] == about.epoch
        and checked["statement"] == _STATEMENT
        and _signed_by(by.signing, signature, signed(checked))
    )


def verifying_key(raw: bytes) -> ec.EllipticCurvePublicKey:
    """Parse a signing key as it is published; ValueError if it is none."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


def raw_public(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public signing key as it is published, 65 bytes."""
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def to_raw(der: bytes) -> bytes:
    """Turn a signature from DER into the 64 bytes of ES256 (RFC 7518, 3.4)."""
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def to_der(raw: bytes) -> bytes:
    """Turn 64 bytes of ES256 into DER; ValueError for another length."""
    if len(raw) != _SIGNATURE_BYTES:
        raise ValueError("a signature has 64 bytes")
    return utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )


def sync_directory(directory: Path) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _document(values: Any) -> Published:
    if set(values) != {"name", "epochs", "erasures"} or not RECIPIENT.fullmatch(values["name"]):
        raise ValueError("other keys")
    if not 1 <= len(values["epochs"]) <= EPOCHS_MAX or len(values["erasures"]) > EPOCHS_MAX:
        raise ValueError("too many")
    entries = tuple(_entry(entry) for entry in values["epochs"])
    return Published(values["name"], entries, tuple(_receipt(r) for r in values["erasures"]))


def _entry(values: dict[str, Any]) -> Entry:
    if set(values) != set(_ENTRY):
        raise ValueError("other keys")
    epoch, made = values["epoch"], values["made"]
    if type(epoch) is not int or type(made) is not int or not 0 <= made < 1 << 53:
        raise ValueError("no integers")
    sealing, signing, signature = (
        base64.b64decode(values[key], validate=True) for key in _ENTRY[2:]
    )
    if len(sealing) != PUBLIC_BYTES or len(signing) != _POINT_BYTES:
        raise ValueError("no keys")
    return Entry(epoch, made, sealing, signing, signature)


def _receipt(values: dict[str, Any]) -> dict[str, Any]:
    if set(values) != set(_RECEIPT):
        raise ValueError("other keys")
    for key in _RECEIPT:
        if type(values[key]) is not (int if key in ("at", "epoch") else str):
            raise ValueError("other types")
    return dict(values)


def _signed_by(raw: bytes, signature: bytes, content: bytes) -> bool:
    try:
        verifying_key(raw).verify(to_der(signature), content, _ES256)
    except (InvalidSignature, ValueError):
        return False
    return True


def _key_id(epoch: int, sealing: bytes, signing: bytes) -> str:
    return f"{epoch}-{hashlib.sha256(sealing + signing).hexdigest()[:24]}"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
