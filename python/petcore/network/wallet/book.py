"""What a wallet knows of its users and their payments, in its own database.

Balances are accounts of the ledger; the rest are small records: a user, a payment code by its
digest, what a user spent on a day, a payment with its refunds. Amounts are minor units.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from petcore.errors import UsageError
from petcore.network.ledger import Accounts, Database, Documents, Opening, Transfer
from petcore.network.schema import HANDLE_DAYS
from petcore.network.wallet.numbers import Numbers, Paid

NETWORK, EQUITY = "network", "equity"
KEEP_MS = HANDLE_DAYS * 24 * 3600 * 1000
CODE_PREFIX = "28"


@dataclass(frozen=True)
class User:
    """A user: the currency paid in, limits per day, what the risk model is told, a salted PIN."""

    id: str
    currency: str
    count_limit: int
    sum_limit: int
    features: tuple[int, ...] = ()
    pin: str = field(default="", repr=False)


@dataclass(frozen=True)
class Code:
    """A payment code that a user showed; known by its digest only. `used` is a request's key."""

    user: str
    expires: int
    used: str = ""
    consults: int = 0


@dataclass(frozen=True)
class Order:
    """A payment that waits at the wallet's page: its request, the message, wrong PINs so far."""

    request: str
    message: str = field(repr=False)
    expires: int = 0  # 0 in what the first version wrote: kept for ever
    tries: int = 0


@dataclass(frozen=True)
class Tries:
    """Wrong PINs of a user since a time, in ms."""

    count: int = 0
    since: int = 0


@dataclass(frozen=True)
class Spent:
    """What a user's payments of one day come to, held ones included."""

    count: int = 0
    sum: int = 0


@dataclass(frozen=True)
class Payment:
    """A payment or refund as this wallet sees it.

    ``state``: "awaiting" a user; "held"; "posted"; "voided", by a decision or since this wallet
    would decline; "cancelled" before it was posted here; "reversed" after. ``num``, ``den`` and
    ``rate`` are the conversion's; ``numbers`` what was shared; refunds of it so far, and the one
    that is under way. A refund names the payment it ``refunds``.
    """

    id: str
    user: str
    merchant_currency: str
    payer_currency: str
    rate: str
    num: int
    den: int
    time: int
    day: str
    numbers: Numbers
    state: str = "held"
    refunded_seen: int = 0
    refunded_debit: int = 0
    refunding: str = ""
    refunds: str = ""

    @property
    def paid(self) -> Paid:
        """The payment as refunds see it."""
        return Paid(self.numbers.seen, self.numbers.debit, self.refunded_seen, self.refunded_debit)


_T = TypeVar("_T")


class Space(Generic[_T]):
    """Records of one kind by name, in the transaction that runs, or one of their own.

    One that has a field ``expires`` may be forgotten a day after that.
    """

    def __init__(self, database: Database, kind: type[_T]) -> None:
        self._documents = Documents(database, f"wallet {kind.__name__.lower()}")
        self._kind = kind

    def get(self, names: Iterable[str]) -> dict[str, _T]:
        """Return the records that exist, by name."""
        return {name: self._read(body) for name, body in self._documents.get(names).items()}

    def all(self) -> dict[str, _T]:
        """Return every record."""
        return {name: self._read(body) for name, body in self._documents.all().items()}

    def put(self, records: Mapping[str, _T]) -> None:
        """Keep records, in place of those of the same names."""
        expires = {name: getattr(record, "expires", 0) for name, record in records.items()}
        ends = {name: end + KEEP_MS for name, end in expires.items() if end}
        self._documents.put({name: _dump(r) for name, r in records.items()}, until=ends)

    def forget(self, now: int) -> int:
        """Erase what expired so long ago that nothing refers to it any more."""
        return self._documents.forget(now)

    def _read(self, body: bytes) -> _T:
        values: dict[str, Any] = json.loads(body)
        if "features" in values:
            values["features"] = tuple(values["features"])
        if "numbers" in values:
            numbers = values["numbers"]
            values["numbers"] = Numbers(**{**numbers, "features": tuple(numbers["features"])})
        return self._kind(**values)


class Book:
    """Users, codes, spending, payments and balances of one wallet.

    Parameters
    ----------
    database
        The edge's own.
    name
        The wallet's, as in the directory.
    """

    def __init__(self, database: Database, name: str) -> None:
        self.database, self.name = database, name
        self.accounts = Accounts(database)
        self.users = Space(database, User)
        self.codes = Space(database, Code)
        self.orders = Space(database, Order)
        self.spent = Space(database, Spent)
        self.payments = Space(database, Payment)
        self.tries = Space(database, Tries)
        self._numbers: dict[tuple[str, ...], int] = {}

    def add_user(self, user: User, *, balance: int) -> None:
        """Enter a user, new or changed, whose account is filled up to ``balance`` once."""
        if balance < 0:
            raise UsageError("a balance to begin with is not negative")
        with self.database.write():
            self.users.put({user.id: user})
            account, equity, _ = self.accounts.open(
                [
                    Opening(user.id, "user", user.currency, floor=True),
                    Opening(EQUITY, "own", user.currency),
                    Opening(NETWORK, "own", user.currency),
                ]
            )
            opening = Transfer(f"{self.name}/opening {user.id}"[:120], 0, equity, account, balance)
            self.accounts.transfer([opening])

    def new_codes(self, user: str, *, seconds: float, count: int = 1) -> list[str]:
        """Make payment codes for a user; each can be used once, for so long."""
        if user not in self.users.get([user]):
            raise UsageError(f"there is no user {user[:64]!r}")
        codes = [f"{CODE_PREFIX}{secrets.randbelow(10**16):016d}" for _ in range(count)]
        expires = self.database.clock() + int(seconds * 1000)
        self.codes.put({code_name(code): Code(user, expires) for code in codes})
        return codes

    def balance(self, user: User) -> int:
        """Return the number of a user's account."""
        return self._account(user.id, "user", user.currency)

    def network(self, currency: str) -> int:
        """Return the number of the account of what this wallet owes the network."""
        return self._account(NETWORK, "own", currency)

    def _account(self, *name: str) -> int:
        if name not in self._numbers:
            # Only what was committed is remembered: a number that is rolled back is given out again.
            known = self.accounts.all()
            self._numbers = {(a.owner, a.purpose, a.currency): a.number for a in known}
        return self._numbers[name]


def code_name(code: str) -> str:
    """Return the name under which a payment code is kept: a digest, not the code."""
    return hashlib.sha256(b"petcore payment code\n" + code.encode()).hexdigest()


def day_of(milliseconds: int) -> str:
    """Return the UTC day of a time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def _dump(record: Any) -> bytes:
    values = vars(record)
    if "numbers" in values:
        values = values | {"numbers": vars(values["numbers"])}
    return json.dumps(values, separators=(",", ":")).encode()
