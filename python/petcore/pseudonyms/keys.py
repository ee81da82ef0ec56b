"""The keys of a pseudonym service, one per epoch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from petcore import oprf
from petcore.errors import ConfigError, ScopeRefused, UsageError
from petcore.pseudonyms.messages import EPOCH_MAX

_FORMAT = "petcore pseudonym keys 1"
MODE: oprf.Mode = "poprf"


class KeyRing:
    """One independent key per epoch, numbered from 1; the highest is the current one.

    Examples
    --------
    >>> keys = KeyRing()
    >>> keys.rotate(), keys.rotate()
    (1, 2)
    >>> keys.destroy(1)
    >>> sorted(keys.public())
    [2]
    """

    def __init__(self) -> None:
        self._keys: dict[int, oprf.PrivateKey] = {}
        self._created: dict[int, str] = {}
        self._last = 0

    @property
    def current(self) -> int:
        """The epoch of new pseudonyms; raises ScopeRefused before the first `rotate`."""
        if self._last not in self._keys:
            raise ScopeRefused("the service has no current epoch; rotate its keys")
        return self._last

    def rotate(self) -> int:
        """Begin a new epoch with a fresh random key; the earlier ones stay until destroyed."""
        if self._last >= EPOCH_MAX:
            raise UsageError("there are no more epochs")
        self._last += 1
        self._keys[self._last] = oprf.PrivateKey.generate(MODE)
        self._created[self._last] = datetime.now(UTC).isoformat(timespec="seconds")
        return self._last

    def destroy(self, epoch: int) -> None:
        """Forget the key of an epoch: its pseudonyms can never be made again, by anyone."""
        self.key(epoch)
        del self._keys[epoch], self._created[epoch]

    def key(self, epoch: int) -> oprf.PrivateKey:
        """Return the key of an epoch; raises ScopeRefused where there is none."""
        if epoch not in self._keys:
            raise ScopeRefused(f"there is no key for epoch {epoch}: never made, or destroyed")
        return self._keys[epoch]

    def public(self) -> dict[int, bytes]:
        """Return the public keys by epoch, which clients pin."""
        return {epoch: key.public_key for epoch, key in sorted(self._keys.items())}

    def save(self, path: str | Path) -> None:
        """Write the keys to a file of mode 0600, in one step; raises ConfigError if that fails."""
        file = Path(path)
        rows = [
            {"epoch": epoch, "created": self._created[epoch], "secret": key.dump().hex()}
            for epoch, key in sorted(self._keys.items())
        ]
        text = json.dumps({"format": _FORMAT, "last": self._last, "epochs": rows}, indent=1)
        beside = file.with_name(file.name + ".new")
        try:
            beside.unlink(missing_ok=True)
            fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w", encoding="ascii") as stream:
                stream.write(text + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, file)
        except OSError as error:
            raise ConfigError(f"{file}: cannot be written ({error.strerror})") from error

    @classmethod
    def load(cls, path: str | Path) -> KeyRing:
        """Read keys back; raises ConfigError, naming the file and the remedy."""
        file = Path(path)
        try:
            mode, text = file.stat().st_mode, file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{file}: cannot be read ({error.strerror}); "
                f"'petcore pseudonym rotate --keys {file}' makes the first key"
            ) from error
        if mode & 0o077:
            raise ConfigError(f"{file}: other users may read these keys; run 'chmod 600 {file}'")
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{file}: is not a file of pseudonym keys") from error
        return cls._from(values, file)

    @classmethod
    def _from(cls, values: Any, file: Path) -> KeyRing:
        ring = cls()
        try:
            if not isinstance(values, Mapping) or values["format"] != _FORMAT:
                raise ValueError("format")
            ring._last = int(values["last"])
            for row in values["epochs"]:
                epoch = int(row["epoch"])
                if not 1 <= epoch <= ring._last <= EPOCH_MAX or epoch in ring._keys:
                    raise ValueError("epoch")
                ring._keys[epoch] = oprf.PrivateKey.load(bytes.fromhex(row["secret"]), mode=MODE)
                ring._created[epoch] = str(row["created"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{file}: is damaged; restore it from its backup") from error
        return ring

    def __repr__(self) -> str:
        """Show the epochs, never a key."""
        return f"KeyRing(epochs={sorted(self._keys)})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: keys are saved on purpose or not at all."""
        raise UsageError("a KeyRing does not pickle; save() it")
