"""Lanes: what one member seals to another, under a secret that HPKE carried.

Opening HPKE's hybrid KEM costs more than everything else in a message. So a sender draws a secret
per recipient, seals it by HPKE, and uses it for the parts of a short time; the sealed secret stands
in every part, so each part opens by itself, and who saw the same sealed secret before need not open
it again (the key encapsulation once and many messages after it, as in RFC 9180, 5.2)::

    part = HPKE(secret; info: sender, recipient, key id) | salt (32) | AES-256-GCM(content)
    key of the AES-256-GCM = HKDF-Expand(secret, what the part is bound to | salt)   (RFC 5869, 2.3)

Every part has a key of its own from a fresh salt, so the nonce is zero and no counter must survive
a crash. What the part is bound to is authenticated as well.

Leaks: which parts of one sender to one recipient were sealed in the same time.
"""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from petcore.payments.sealing import SEAL_BYTES, Opener, Sealer

LANE_SECONDS = 60.0
LANE_PARTS_MAX = 4096
LANES_MAX = 4096

_SECRET = 32
_SALT = 32
_TAG = 16
_CARRIED = _SECRET + SEAL_BYTES
OVERHEAD = _CARRIED + _SALT + _TAG
"""By how much a part is longer than its content."""

_NONCE = bytes(12)


@dataclass
class _Lane:
    secret: bytes
    carried: bytes
    until: float
    left: int


class Lanes:
    """The secrets that a member sends and receives under; use from several threads is safe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sending: dict[tuple[str, str], _Lane] = {}
        self._receiving: OrderedDict[tuple[str, str, bytes], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def seal(self, to: str, key_id: str, sealer: Sealer, content: bytes, bound: bytes) -> bytes:
        """Return `content` sealed to a member, bound to `bound`; it is `OVERHEAD` longer."""
        with self._lock:
            lane = self._sending.get((to, key_id))
            if lane is None or not lane.left or time.monotonic() > lane.until:
                lane = self._sending[to, key_id] = self._draw(to, key_id, sealer)
            lane.left -= 1
        salt = os.urandom(_SALT)
        sealed = AESGCM(_key(lane.secret, bound, salt)).encrypt(_NONCE, content, bound)
        return b"".join((lane.carried, salt, sealed))

    def open(self, sender: str, key_id: str, opener: Opener, part: bytes, bound: bytes) -> bytes:
        """Return what a member sealed under the same `bound`.

        Raises
        ------
        ValueError
            It was sealed by or to another, bound to something else, or changed.
        """
        if len(part) < OVERHEAD:
            raise ValueError("a part is cut short")
        carried, salt = part[:_CARRIED], part[_CARRIED : _CARRIED + _SALT]
        secret = self._secret(sender, key_id, opener, carried)
        try:
            return AESGCM(_key(secret, bound, salt)).decrypt(
                _NONCE, part[_CARRIED + _SALT :], bound
            )
        except InvalidTag as error:
            raise ValueError("bound to something else, or changed") from error

    def forget(self) -> None:
        """Drop all secrets, as when an epoch is erased."""
        with self._lock:
            self._sending.clear()
            self._receiving.clear()

    def _draw(self, to: str, key_id: str, sealer: Sealer) -> _Lane:
        for key in [key for key in self._sending if key[0] == to]:
            del self._sending[key]
        secret = os.urandom(_SECRET)
        carried = sealer.seal(secret, _info(self._name, to, key_id))
        return _Lane(secret, carried, time.monotonic() + LANE_SECONDS, LANE_PARTS_MAX)

    def _secret(self, sender: str, key_id: str, opener: Opener, carried: bytes) -> bytes:
        key = (sender, key_id, sha256(carried).digest())
        with self._lock:
            secret = self._receiving.get(key)
            if secret is not None:
                self._receiving.move_to_end(key)
                return secret
        secret = opener.open(carried, _info(sender, self._name, key_id))
        with self._lock:
            self._receiving[key] = secret
            if len(self._receiving) > LANES_MAX:
                self._receiving.popitem(last=False)
        return secret


def _key(secret: bytes, bound: bytes, salt: bytes) -> bytes:
    return hmac.digest(secret, b"petcore part key 1\n" + bound + salt + b"\x01", "sha256")


def _info(sender: str, recipient: str, key_id: str) -> bytes:
    return f"petcore lane 1\n{sender}\n{recipient}\n{key_id}".encode()
