"""Users and their PINs: a few wrong ones in a day, and the user is asked no more until it is over.

A PIN is short, and whoever has an order's link may try one; so tries are counted, durably and before
a PIN is looked at, and by user: a merchant can make as many orders as it likes.
"""

from __future__ import annotations

import secrets
from hashlib import scrypt

from petcore.network.errors import PinLocked, PinRefused
from petcore.network.wallet.book import Book, Tries, User

TRIES = 10
_DAY = 24 * 3_600_000
_NOBODY = f"{bytes(16).hex()}:{bytes(32).hex()}"


def user_of(book: Book, name: str, pin: str) -> User:
    """Return the user of this name whose PIN it is.

    Raises
    ------
    PinRefused
        There is no such user, or it is another PIN; it takes as long in both cases.
    PinLocked
        `TRIES` wrong ones of the user came within a day.
    """
    user = book.users.get([name]).get(name)
    if user is not None:
        _count(book, name)
    if not pin_fits(user.pin if user is not None else "", pin) or user is None:
        raise PinRefused("user and PIN do not fit; try again")
    book.tries.put({name: Tries()})
    return user


def hash_pin(pin: str, salt: bytes = b"") -> str:
    """Return what is kept of a PIN: a salt and its scrypt digest (RFC 7914), hex."""
    salt = salt or secrets.token_bytes(16)
    digest = scrypt(pin.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    return f"{salt.hex()}:{digest.hex()}"


def pin_fits(kept: str, pin: str) -> bool:
    """Say whether a PIN is the one that was kept; it takes as long where none was."""
    salt, _, _ = (kept or _NOBODY).partition(":")
    return secrets.compare_digest(hash_pin(pin, bytes.fromhex(salt)), kept)


def _count(book: Book, name: str) -> None:
    with book.database.write():
        now = book.database.clock()
        tries = book.tries.get([name]).get(name, Tries())
        if tries.since + _DAY <= now:
            tries = Tries(0, now)
        if tries.count >= TRIES:
            raise PinLocked("too many wrong PINs; wait a day, or ask your wallet")
        book.tries.put({name: Tries(tries.count + 1, tries.since)})
