"""The keys of a member: per epoch one to open what is sealed to it, and one to sign with.

A member publishes ``NAME.keys.json``: the public keys of all its epochs, where every epoch's entry
is signed with the key of the epoch before, the first with its own. Who trusts one epoch can follow
the chain to the next. Private keys lie in one file per epoch, so that erasing an epoch is erasing a
file: whoever takes the machine later cannot open what was sealed in that epoch (forward secrecy per
epoch). The member signs a receipt of the erasure.

What a receipt cannot prove: that no copy was made before.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from petcore.errors import ConfigError, UsageError
from petcore.network import published
from petcore.network.errors import EpochUnknown, SealBroken
from petcore.network.lanes import Lanes
from petcore.network.published import Entry, Published, to_der, to_raw
from petcore.payments.sealing import RECIPIENT, Opener, Sealer, SealingKey, write_private

SECRET_BYTES = 32
SEALING_BYTES = 96
_LOOK_SECONDS = 1.0  # how long a rotated key of a peer may go unnoticed
_ES256 = ec.ECDSA(hashes.SHA256())

Clock = Callable[[], int]


def now_ms() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Signer(NamedTuple):
    """A key to sign with, and its id."""

    key_id: str
    key: ec.EllipticCurvePrivateKey

    def sign(self, content: bytes) -> bytes:
        """Return the ES256 signature: 64 bytes, r and s."""
        return to_raw(self.key.sign(content, _ES256))


class KeyRing:
    """The private keys of one member, by epoch; the last epoch is the current one.

    Use from several threads is safe. Make it by `make` or `load`.
    """

    def __init__(self, directory: Path, public: Published) -> None:
        self._directory, self._public = directory, public
        self._openers: dict[str, Opener] = {}
        self._lanes = Lanes(public.name)
        self._signer = self._load_signer(public)
        self._look_again, self._stamp = 0.0, _stamp(published.file(directory, public.name))

    @classmethod
    def make(cls, directory: str | Path, name: str, *, now: Clock = now_ms) -> KeyRing:
        """Make the first epoch of the member `name` in a directory.

        Raises
        ------
        ConfigError
            There are keys already, the name is no name, or nothing can be written.
        """
        if not RECIPIENT.fullmatch(name):
            raise ConfigError(f"the name {name[:64]!r} must be 1 to 63 of A-Z a-z 0-9 . _ -")
        folder = Path(directory)
        if published.file(folder, name).exists():
            raise ConfigError(f"{folder} has keys of {name}; 'petcore keys rotate' begins an epoch")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            entry = _begin(folder, name, 1, now(), None)
            published.write(folder, Published(name, (entry,), ()))
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be written ({error.strerror})") from error
        return cls.load(folder, name)

    @classmethod
    def load(cls, directory: str | Path, name: str) -> KeyRing:
        """Read the keys of the member `name`.

        Raises
        ------
        ConfigError
            A file is missing, can be read by others, or is not what it should be.
        """
        folder = Path(directory)
        return cls(folder, published.read(published.file(folder, name)))

    @property
    def name(self) -> str:
        """The member whose keys they are."""
        return self._public.name

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self._public.current.epoch

    @property
    def key_id(self) -> str:
        """The id of the current epoch's keys."""
        return self._public.current.key_id

    @property
    def epochs(self) -> tuple[Entry, ...]:
        """All epochs, erased ones too, oldest first."""
        return self._public.entries

    @property
    def erased(self) -> tuple[int, ...]:
        """The epochs whose private keys are gone."""
        return tuple(receipt["epoch"] for receipt in self._public.receipts)

    def public(self) -> bytes:
        """Return what others need: the content of ``NAME.keys.json``."""
        return published.to_bytes(self._public)

    def signer(self) -> Signer:
        """Return the current epoch's key to sign with; one that another process began counts."""
        self._look()
        return self._signer

    def sign(self, content: bytes) -> bytes:
        """Return the ES256 signature of the current epoch: 64 bytes, r and s."""
        return self._signer.sign(content)

    def seal(self, keys: PublicKeys, to: str, content: bytes, bound: bytes) -> tuple[str, bytes]:
        """Seal to the current epoch of a member; return the id of its key and what was sealed.

        Raises
        ------
        EpochUnknown
            The member published no keys.
        """
        key_id, sealer = keys.sealer(to)
        return key_id, self._lanes.seal(to, key_id, sealer, content, bound)

    def open(self, sender: str, key_id: str, sealed: bytes, bound: bytes) -> bytes:
        """Open what a member sealed to the key `key_id` of this one.

        Raises
        ------
        EpochUnknown
            It is no key of this member, or was erased.
        SealBroken
            It was sealed by or to another, bound to something else, or changed.
        """
        self._look()
        opener = self._openers.get(key_id)
        if opener is None:
            opener = self._openers[key_id] = self._load_opener(key_id)
        try:
            return self._lanes.open(sender, key_id, opener, sealed, bound)
        except ValueError:
            raise SealBroken(
                f"what {sender} sealed to {self.name} does not open: it was sealed for another "
                "message or to another key; ask for it again",
                party=sender,
            ) from None

    def rotate(self, *, now: Clock = now_ms) -> int:
        """Begin a new epoch; its keys are current from now on. Return its number.

        Earlier epochs still open what is on its way, until they are erased.
        """
        number = self.epoch + 1
        try:
            self._file(number).unlink(missing_ok=True)  # of a rotation that was cut short
            at = max(now(), self._public.current.made + 1)
            entry = _begin(self._directory, self.name, number, at, self._signer.key)
            public = self._public.with_entry(entry)
            published.write(self._directory, public)
        except OSError as error:
            raise ConfigError(f"{self._directory}: cannot be written ({error.strerror})") from error
        self._signer, self._public = self._load_signer(public), public
        return number

    def erase(self, epoch: int, *, now: Clock = now_ms) -> dict[str, Any]:
        """Erase the private keys of a past epoch for good; return the signed receipt.

        Erasing again returns the receipt of the first time. After a crash in between, erasing again
        completes it. Where the file system or the disk keeps old blocks, overwriting cannot reach
        them: keep the directory on an encrypted disk.

        Raises
        ------
        UsageError
            The epoch is the current one, or there was none.
        """
        entry = next((e for e in self._public.entries if e.epoch == epoch), None)
        if entry is None or epoch == self.epoch:
            what = "is the current one: rotate first" if entry else "was never begun"
            raise UsageError(f"epoch {epoch} of {self.name} {what}")
        for receipt in self._public.receipts:
            if receipt["epoch"] == epoch:
                return dict(receipt)
        _overwrite(self._file(epoch))
        self._openers.pop(entry.key_id, None)
        self._lanes.forget()
        receipt = published.erasure(self.name, entry, self.key_id, now())
        receipt["signature"] = base64.b64encode(self.sign(published.signed(receipt))).decode()
        self._public = self._public.with_receipt(receipt)
        published.write(self._directory, self._public)
        return dict(receipt)

    def refresh(self) -> bool:
        """Read the files again, if another process rotated or erased; say whether it did."""
        public = published.read(published.file(self._directory, self.name))
        if public == self._public:
            return False
        signer = self._load_signer(public)
        self._openers.clear()
        self._lanes.forget()
        self._signer, self._public = signer, public
        return True

    def _look(self) -> None:
        """Notice, within a second, what another process did with the files."""
        if time.monotonic() > self._look_again:
            self._look_again = time.monotonic() + _LOOK_SECONDS
            stamp = _stamp(published.file(self._directory, self.name))
            if stamp != self._stamp:
                self.refresh()
                self._stamp = stamp

    def _load_signer(self, public: Published) -> Signer:
        secret = _read_secret(self._file(public.current.epoch))
        return Signer(public.current.key_id, _signing_key(secret))

    def _load_opener(self, key_id: str) -> Opener:
        entry = self._public.entry(key_id) or (self.refresh() and self._public.entry(key_id))
        if not entry:
            raise EpochUnknown(f"{key_id[:40]!r} is no key of {self.name}", party=self.name)
        file = self._file(entry.epoch)
        if entry.epoch in self.erased or not file.exists():
            raise EpochUnknown(
                f"epoch {entry.epoch} of {self.name} was erased: what was sealed in it cannot be "
                "opened any more; send it anew",
                party=self.name,
            )
        secret = _read_secret(file)
        return SealingKey(self.name, secret[:SEALING_BYTES]).opener()

    def _file(self, epoch: int) -> Path:
        return self._directory / f"{self.name}.epoch-{epoch}.key"


class PublicKeys:
    """The published keys of all members in one directory, parsed once each.

    A document that changed on the disk is read again when it is needed, and accepted if its chain
    goes on from what was known.
    """

    def __init__(self, directory: Path, members: dict[str, Published]) -> None:
        self._directory, self._members = directory, members
        self._sealers: dict[str, tuple[str, Sealer]] = {}
        self._verifiers: dict[tuple[str, str], tuple[ec.EllipticCurvePublicKey, int, int]] = {}
        self._stamps = {name: self._stamp(name) for name in members}
        self._look_again = 0.0

    @classmethod
    def load(cls, directory: str | Path) -> PublicKeys:
        """Read every ``NAME.keys.json`` of a directory.

        Raises
        ------
        ConfigError
            The directory cannot be read, or a document is not what it should be.
        """
        folder = Path(directory)
        try:
            files = sorted(folder.glob("*.keys.json"))
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be read ({error.strerror})") from error
        return cls(folder, {p.name: p for p in map(published.read, files)})

    @property
    def names(self) -> tuple[str, ...]:
        """The members whose keys are known."""
        return tuple(self._members)

    def published(self, name: str) -> Published:
        """Return all epochs of a member; EpochUnknown if it published no keys."""
        if name not in self._members and not self._reread(name):
            raise EpochUnknown(
                f"no keys of {name[:64]!r}: put its {name[:64]}.keys.json into {self._directory}",
                party=name[:64],
            )
        return self._members[name]

    def sealer(self, name: str) -> tuple[str, Sealer]:
        """Return id and public key of a member's current epoch, to seal to it."""
        if time.monotonic() > self._look_again:
            self._look_again = time.monotonic() + _LOOK_SECONDS
            self.refresh()
        found = self._sealers.get(name)
        if found is None:
            current = self.published(name).current
            found = self._sealers[name] = current.key_id, Sealer(current.sealing)
        return found

    def verify(self, name: str, key_id: str, content: bytes, signature: bytes, at: int) -> bool:
        """Say whether `signature` of `content` is the member's, by a key that was valid `at`.

        Raises
        ------
        EpochUnknown
            The member has no such key, or it was not current at that time (give or take
            `published.GRACE_MS`).
        """
        found = self._verifiers.get((name, key_id)) or self._verifier(name, key_id)
        key, first, last = found
        if not first <= at <= last:
            raise EpochUnknown(f"key {key_id} of {name} was not current at that time", party=name)
        try:
            key.verify(to_der(signature), content, _ES256)
        except (InvalidSignature, ValueError):
            return False
        return True

    def update(self, content: bytes) -> Published:
        """Accept what a member published, if its chain goes on from what is known, and store it.

        Raises
        ------
        ConfigError
            It is no such document, or replaces a known epoch by another.
        """
        document = published.parse(content, "the received document")
        self._accept(document)
        published.write(self._directory, document)
        self._stamps[document.name] = self._stamp(document.name)
        return document

    def refresh(self) -> None:
        """Read again what changed on the disk."""
        for name in list(self._members):
            self._reread(name)

    def _accept(self, document: Published) -> None:
        known = self._members.get(document.name)
        if known is not None and document.entries[: len(known.entries)] != known.entries:
            raise ConfigError(
                f"the published keys of {document.name} do not go on from those that are known "
                "here: ask its operator over a channel you trust, then replace the file"
            )
        self._members[document.name] = document
        self._sealers.pop(document.name, None)
        for key in [key for key in self._verifiers if key[0] == document.name]:
            del self._verifiers[key]

    def _reread(self, name: str) -> bool:
        stamp = self._stamp(name)
        if stamp is None or stamp == self._stamps.get(name):
            return False
        document = published.read(published.file(self._directory, name))
        self._accept(document)
        self._stamps[name] = stamp
        return True

    def _stamp(self, name: str) -> tuple[int, int] | None:
        if not RECIPIENT.fullmatch(name):
            return None
        return _stamp(published.file(self._directory, name))

    def _verifier(self, name: str, key_id: str) -> tuple[ec.EllipticCurvePublicKey, int, int]:
        entry = self.published(name).entry(key_id)
        if entry is None:
            self._reread(name)
            entry = self._members[name].entry(key_id)
        if entry is None:
            raise EpochUnknown(f"{key_id[:40]!r} is no key of {name}", party=name)
        first, last = self._members[name].valid(entry)
        found = published.verifying_key(entry.signing), first, last
        self._verifiers[name, key_id] = found
        return found


def _begin(
    folder: Path, name: str, epoch: int, at: int, before: ec.EllipticCurvePrivateKey | None
) -> Entry:
    sealing = SealingKey.make(name)
    signing = ec.generate_private_key(ec.SECP256R1())
    scalar = signing.private_numbers().private_value.to_bytes(SECRET_BYTES, "big")
    secret = base64.b64encode(sealing.secret + scalar)
    write_private(folder / f"{name}.epoch-{epoch}.key", secret + b"\n")
    entry = Entry(epoch, at, sealing.public, published.raw_public(signing.public_key()), b"")
    by = before or signing
    return entry._replace(signature=to_raw(by.sign(published.statement(name, entry), _ES256)))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _read_secret(file: Path) -> bytes:
    try:
        mode, content = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    if mode & 0o077:
        raise ConfigError(f"{file}: others may read this private key; run 'chmod 600 {file}'")
    try:
        secret = base64.b64decode(content.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != SEALING_BYTES + SECRET_BYTES:
        raise ConfigError(f"{file}: holds no keys of an epoch")
    return secret


def _signing_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    value = int.from_bytes(secret[SEALING_BYTES:], "big")
    return ec.derive_private_key(value, ec.SECP256R1())


def _overwrite(file: Path) -> None:
    try:
        size = file.stat().st_size
        with file.open("r+b") as stream:
            for content in (os.urandom(size), bytes(size)):
                stream.seek(0)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        file.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{file}: cannot be erased ({error.strerror})") from error
    published.sync_directory(file.parent)
