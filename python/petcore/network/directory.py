"""The directory: what all members of a payment network agreed on, and may know of each other.

One TOML file, ``network.toml``, the same for everyone; nodes compare its digest before they compute.
Nothing in it is secret. It names who takes part and how to know them, who may pay whom at which
fee, how much a wallet deposited, and the rates at which currencies are exchanged.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from petcore.errors import ConfigError, UsageError
from petcore.payments.money import MAX_AMOUNT, minor_digits
from petcore.tables import Table

Role = Literal["acqp", "mpp", "node_a", "node_b", "dealer"]
ROLES: tuple[Role, ...] = get_args(Role)
_SINGLE: tuple[Role, ...] = ("node_a", "node_b")

RATE_MAX = 1 << 22
"""Largest numerator and denominator of a rate: times `MAX_AMOUNT` it stays below 2^62."""

FEE_MAX = 1 << 20

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"https://[^/\s?#]+")
_CUT_OFF = re.compile(r"([01]\d|2[0-3]):([0-5]\d)([+-])(0\d|1[0-4]):([0-5]\d)")


@dataclass(frozen=True)
class Participant:
    """A member: its role, the legal entity behind it, and where and by which key it is met.

    ``certificate`` is the file with its public TLS certificate, ``fingerprint`` the hex SHA-256 of
    that key (SubjectPublicKeyInfo in DER); ``url`` is ``https://host:port``, empty for the dealer.
    """

    name: str
    role: Role
    legal_entity: str
    url: str
    certificate: Path
    fingerprint: str


@dataclass(frozen=True)
class Agreement:
    """What a wallet and an acquirer signed: a fee of ``fee_num / fee_den``, rounded up.

    Of ``x`` minor units the acquirer gets ``x - fee``, with the one integer ``fee`` for which
    ``0 <= fee * fee_den - x * fee_num < fee_den``.
    """

    id: str
    mpp: str
    acqp: str
    currencies: tuple[str, ...]
    fee_num: int = 0
    fee_den: int = 1
    refund_fee: bool = True

    def fee(self, amount: int) -> int:
        """Return the fee for ``amount`` minor units."""
        return -(-amount * self.fee_num // self.fee_den)


@dataclass(frozen=True)
class Prefunding:
    """How much of a currency a wallet deposited: its exposure stays within it. Minor units."""

    mpp: str
    currency: str
    amount: int


@dataclass(frozen=True)
class Rate:
    """``target = source * num / den`` between minor units; public.

    A ``retired`` rate converts no new payment: it stays for refunds of those that it converted.
    """

    id: str
    source: str
    target: str
    num: int
    den: int
    retired: bool = False

    def convert(self, amount: int) -> int:
        """Return the one ``to`` for which ``0 <= to * den - amount * num < den``: rounded up."""
        return -(-amount * self.num // self.den)

    def give_back(self, amount: int) -> int:
        """Return the one ``to`` for which ``0 <= amount * num - to * den < den``: rounded down."""
        return amount * self.num // self.den


@dataclass(frozen=True)
class Directory:
    """The members of a network and their agreements.

    Attributes
    ----------
    name
        Of the network.
    min_count
        Fewest payments that a net may cover before it is opened.
    cancel_until
        Until when, on the day after a payment, it may be cancelled; with its offset from UTC.
    same_controller
        Nodes A and B belong to one legal entity: separation is contractual only.
    digest
        SHA-256 of the file's content, hex.
    """

    name: str
    participants: tuple[Participant, ...]
    agreements: tuple[Agreement, ...] = ()
    prefunding: tuple[Prefunding, ...] = ()
    rates: tuple[Rate, ...] = ()
    min_count: int = 10
    cancel_until: time = field(default=time(0, 15, tzinfo=timezone(timedelta(hours=8))))
    same_controller: bool = False
    digest: str = ""

    @classmethod
    def load(cls, path: str | Path) -> Directory:
        """Read ``network.toml``; certificates are relative to it.

        Raises
        ------
        ConfigError
            The file cannot be read, has unknown keys, or members and agreements do not fit
            together; the message names file, key and remedy.
        """
        file = Path(path)
        try:
            content = file.read_bytes()
            values = tomllib.loads(content.decode())
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{file}: is no TOML file ({error})") from error
        table = Table(file, values)
        directory = cls(
            name=table.text("name"),
            participants=tuple(_participant(t, file) for t in table.tables("participants")),
            agreements=tuple(_agreement(t) for t in table.tables("agreements")),
            prefunding=tuple(_prefunding(t) for t in table.tables("prefunding")),
            rates=tuple(_rate(t) for t in table.tables("rates")),
            min_count=table.whole("min_count", 10),
            cancel_until=_cut_off(table),
            same_controller=_flag(table, "same_controller"),
            digest=hashlib.sha256(b"petcore directory 1\n" + content).hexdigest(),
        )
        table.done()
        directory._check(str(file))
        return directory

    def member(self, name: str) -> Participant:
        """Return the participant called ``name``; UsageError if there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UsageError(f"{name[:64]!r} is no member of network {self.name!r}") from None

    def of_role(self, role: Role) -> tuple[Participant, ...]:
        """Return all members with a role, in the order of the file."""
        return tuple(p for p in self.participants if p.role == role)

    @property
    def node_a(self) -> Participant:
        """Node A, which edges talk to."""
        return self.of_role("node_a")[0]

    @property
    def node_b(self) -> Participant:
        """Node B."""
        return self.of_role("node_b")[0]

    def agreement(self, acqp: str, mpp: str, currency: str) -> Agreement:
        """Return the agreement for payments from ``mpp`` to ``acqp``; UsageError if none."""
        try:
            return self._by_route[acqp, mpp, currency]
        except KeyError:
            raise UsageError(
                f"{acqp} and {mpp} have no agreement on payments in {currency[:8]!r}"
            ) from None

    def agreement_by_id(self, number: str) -> Agreement:
        """Return the agreement with this id; UsageError if there is none."""
        try:
            return self._by_id[number]
        except KeyError:
            raise UsageError(f"there is no agreement {number[:64]!r}") from None

    def rate(self, source: str, target: str) -> Rate:
        """Return the rate from one currency to another (1/1 within one); UsageError if none."""
        if source == target:
            return Rate("", source, target, 1, 1)
        try:
            return self._by_currencies[source, target]
        except KeyError:
            raise UsageError(f"there is no rate from {source[:8]} to {target[:8]}") from None

    def rates_from(self, source: str) -> list[Rate]:
        """Return the rates that convert new payments of a currency."""
        return [r for r in self._by_currencies.values() if r.source == source]

    def rate_by_id(self, number: str) -> Rate:
        """Return the rate with this id, retired or not; UsageError if there is none."""
        try:
            return self._rates[number]
        except KeyError:
            raise UsageError(f"there is no rate {number[:64]!r}") from None

    def prefunded(self, mpp: str, currency: str) -> int:
        """Return how much of a currency a wallet deposited; 0 where nothing is said."""
        return self._deposits.get((mpp, currency), 0)

    @cached_property
    def _by_name(self) -> dict[str, Participant]:
        return {p.name: p for p in self.participants}

    @cached_property
    def _by_route(self) -> dict[tuple[str, str, str], Agreement]:
        return {(a.acqp, a.mpp, code): a for a in self.agreements for code in a.currencies}

    @cached_property
    def _by_id(self) -> dict[str, Agreement]:
        return {a.id: a for a in self.agreements}

    @cached_property
    def _by_currencies(self) -> dict[tuple[str, str], Rate]:
        return {(r.source, r.target): r for r in self.rates if not r.retired}

    @cached_property
    def _rates(self) -> dict[str, Rate]:
        return {r.id: r for r in self.rates}

    @cached_property
    def _deposits(self) -> dict[tuple[str, str], int]:
        return {(p.mpp, p.currency): p.amount for p in self.prefunding}

    def _check(self, file: str) -> None:
        _once(file, "participants", [p.name for p in self.participants])
        _once(file, "agreements", [a.id for a in self.agreements])
        routes = [(a.acqp, a.mpp, code) for a in self.agreements for code in a.currencies]
        _once(file, "agreements", routes)
        _once(file, "prefunding", [(p.mpp, p.currency) for p in self.prefunding])
        _once(file, "rates", [(r.source, r.target) for r in self.rates if not r.retired])
        _once(file, "rates", [r.id for r in self.rates])
        for role in _SINGLE:
            if len(self.of_role(role)) != 1:
                raise ConfigError(f"{file}: needs exactly one participant of role {role}")
        a, b = self.node_a, self.node_b
        if a.legal_entity == b.legal_entity and not self.same_controller:
            raise ConfigError(
                f"{file}: {a.name} and {b.name} belong to one legal entity, {a.legal_entity!r}, "
                "which could join their shares; give one node to somebody else, or write "
                "same_controller = true, and every receipt will say so"
            )
        for agreement in self.agreements:
            self._check_role(file, agreement.mpp, "mpp", f"agreement {agreement.id}")
            self._check_role(file, agreement.acqp, "acqp", f"agreement {agreement.id}")
        for deposit in self.prefunding:
            self._check_role(file, deposit.mpp, "mpp", "prefunding")

    def _check_role(self, file: str, name: str, role: Role, where: str) -> None:
        if name not in self._by_name or self._by_name[name].role != role:
            raise ConfigError(
                f"{file}: {where} names {name!r}, which is no participant of role {role}"
            )


def _participant(table: Table, file: Path) -> Participant:
    role = table.text("role")
    if role not in ROLES:
        raise table.error("role", f"must be one of {', '.join(ROLES)}; it is {role!r}")
    participant = Participant(
        name=_matching(table, "name", _NAME, "1 to 63 of a-z 0-9 . _ -"),
        role=role,
        legal_entity=table.text("legal_entity"),
        url=table.text("url", "")
        if role == "dealer"
        else _matching(table, "url", _URL, "https://host:port"),
        certificate=file.parent / table.text("certificate"),
        fingerprint=_matching(table, "fingerprint", _FINGERPRINT, "64 hexadecimal digits"),
    )
    table.done()
    return participant


def _agreement(table: Table) -> Agreement:
    den = _bounded(table, "fee_den", 1, FEE_MAX)
    agreement = Agreement(
        id=_matching(table, "id", _ID, "1 to 64 of A-Z a-z 0-9 . _ : -"),
        mpp=table.text("mpp"),
        acqp=table.text("acqp"),
        currencies=tuple(
            _currency(table, "currencies", code) for code in table.texts("currencies")
        ),
        fee_num=_bounded(table, "fee_num", 0, den),
        fee_den=den,
        refund_fee=_flag(table, "refund_fee", usual=True),
    )
    table.done()
    return agreement


def _prefunding(table: Table) -> Prefunding:
    prefunding = Prefunding(
        mpp=table.text("mpp"),
        currency=_currency(table, "currency", table.text("currency")),
        amount=_bounded(table, "amount", 0, 1000 * MAX_AMOUNT),
    )
    table.done()
    return prefunding


def _rate(table: Table) -> Rate:
    rate = Rate(
        id=_matching(table, "id", _ID, "1 to 64 of A-Z a-z 0-9 . _ : -"),
        source=_currency(table, "source", table.text("source")),
        target=_currency(table, "target", table.text("target")),
        num=_bounded(table, "num", 1, RATE_MAX),
        den=_bounded(table, "den", 1, RATE_MAX),
        retired=_flag(table, "retired"),
    )
    table.done()
    if rate.source == rate.target:
        raise table.error("target", "is the source currency; leave such a rate out")
    return rate


def _once(file: str, where: str, keys: Sequence[Hashable]) -> None:
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            raise ConfigError(f"{file}: {where} has {key!r} twice; keep one")
        seen.add(key)


def _matching(table: Table, key: str, pattern: re.Pattern[str], what: str) -> str:
    text = table.text(key)
    if not pattern.fullmatch(text):
        raise table.error(key, f"must be {what}; it is {text!r}")
    return text


def _bounded(table: Table, key: str, low: int, high: int) -> int:
    value = table.number(key, low, zero=low == 0)
    if not isinstance(value, int) or not low <= value <= high:
        raise table.error(key, f"must be a whole number from {low} to {high}; it is {value!r}")
    return value


def _currency(table: Table, key: str, code: str) -> str:
    try:
        minor_digits(code)
    except UsageError as error:
        raise table.error(key, str(error)) from None
    return code


def _flag(table: Table, key: str, *, usual: bool = False) -> bool:
    value = table.share(key, 1.0) if key in table else float(usual)
    if value not in (0.0, 1.0):
        raise table.error(key, f"must be true or false; it is {value!r}")
    return value == 1.0


def _cut_off(table: Table) -> time:
    text = table.text("cancel_until", "00:15+08:00")
    parts = _CUT_OFF.fullmatch(text)
    if parts is None:
        raise table.error("cancel_until", f'must be a time such as "00:15+08:00"; it is {text!r}')
    hour, minute, sign, hours, minutes = parts.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    return time(int(hour), int(minute), tzinfo=timezone(offset))
