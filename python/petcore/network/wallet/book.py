"""What a wallet knows of its users and their payments, in its own database.

Balances are accounts of the ledger; the rest are small records: a user, a payment code by its
digest, what a user spent on a day, a payment with its refunds. Amounts are minor units.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from petcore.errors import UsageError
from petcore.network.ledger import Accounts, Database, Documents, Opening, Transfer
from petcore.network.ledger import key as request_key
from petcore.network.wallet.numbers import Numbers, Paid, Standing

NETWORK, EQUITY = "network", "equity"


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
    tries: int = 0


@dataclass(frozen=True)
class Spent:
    """What a user's payments of one day come to, held ones included."""

    count: int = 0
    sum: int = 0


@dataclass(frozen=True)
class Payment:
    """A payment or refund as this wallet sees it.

    ``state``: "awaiting" a user, "held", "posted", "voided", "reversed". ``num``, ``den`` and
    ``rate`` are the conversion's; ``numbers`` what was shared; refunds of it so far, and the
    one that is under way. A refund names the payment it ``refunds``.
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
    """Records of one kind by name, in the transaction that runs, or one of their own."""

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
        self._documents.put({name: _dump(record) for name, record in records.items()})

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
        self._numbers: dict[tuple[str, str, str], int] = {}

    def add_user(self, user: User, *, balance: int) -> None:
        """Enter a user, new or changed, whose account is filled up to ``balance`` once."""
        if balance < 0:
            raise UsageError("a balance to begin with is not negative")
        with self.database.write():
            self.users.put({user.id: user})
            account, equity = self.balance(user), self.account(EQUITY, user.currency)
            opening = Transfer(f"{self.name}/opening {user.id}"[:120], 0, equity, account, balance)
            self.accounts.transfer([opening])

    def new_code(self, user: str, *, seconds: float) -> str:
        """Make a payment code for a user; it can be used once, for so long."""
        if user not in self.users.get([user]):
            raise UsageError(f"there is no user {user[:64]!r}")
        code = f"28{secrets.randbelow(10**16):016d}"
        expires = self.database.clock() + int(seconds * 1000)
        self.codes.put({code_name(code): Code(user, expires)})
        return code

    def balance(self, user: User) -> int:
        """Return the number of a user's account."""
        return self.account(user.id, user.currency, floor=True)

    def network(self, currency: str) -> int:
        """Return the number of the account of what this wallet owes the network."""
        return self.account(NETWORK, currency)

    def account(self, owner: str, currency: str, *, floor: bool = False) -> int:
        """Return an account's number; it is opened where it is missing."""
        purpose = "user" if floor else "own"
        name = (owner, purpose, currency)
        if name not in self._numbers:
            (number,) = self.accounts.open([Opening(*name, floor=floor)])
            self._numbers[name] = number
        return self._numbers[name]

    def standings(self, users: Mapping[str, User], day: str) -> dict[str, Standing]:
        """Return what users may still spend, by id."""
        numbers = {user.id: self.balance(user) for user in users.values()}
        accounts = self.accounts.get(numbers.values())
        spent = self.spent.get(f"{user} {day}" for user in users)
        found = {}
        for user in users.values():
            used = spent.get(f"{user.id} {day}", Spent())
            found[user.id] = Standing(
                user.currency,
                accounts[numbers[user.id]].available,
                user.count_limit - used.count,
                user.sum_limit - used.sum,
                user.features,
            )
        return found

    def count(self, user: str, day: str, *, payments: int, amount: int) -> None:
        """Add payments and their sum to what a user spent on a day; negative takes them back."""
        name = f"{user} {day}"
        used = self.spent.get([name]).get(name, Spent())
        self.spent.put({name: Spent(used.count + payments, used.sum + amount)})


def code_name(code: str) -> str:
    """Return the name under which a payment code is kept: a digest, not the code."""
    return hashlib.sha256(b"petcore payment code\n" + code.encode()).hexdigest()


def hash_pin(pin: str, salt: bytes = b"") -> str:
    """Return what is kept of a PIN: a salt and its scrypt digest (RFC 7914), hex."""
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(pin.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    return f"{salt.hex()}:{digest.hex()}"


def pin_fits(user: User, pin: str) -> bool:
    """Say whether a PIN is the user's; it takes as long where it is not, or there is none."""
    salt, _, _ = (user.pin or "00:").partition(":")
    return secrets.compare_digest(hash_pin(pin, bytes.fromhex(salt)), user.pin)


def day_of(milliseconds: int) -> str:
    """Return the UTC day of a time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def payment_name(sender: str, request_id: str) -> str:
    """Return the name of a payment: its request's key."""
    return request_key(sender, request_id)


def _dump(record: Any) -> bytes:
    return json.dumps(asdict(record), separators=(",", ":")).encode()
