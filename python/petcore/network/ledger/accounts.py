"""Accounts and transfers: double entry, immutable, in one phase or in two.

A transfer takes an amount from one account and gives it to another, so all postings sum to zero
whatever is written. A hold reserves first and is then posted, voided or expires, at most once: the
primary key of `transfers` has no room for a second end.
Sums are mod 2^64: at a node the amounts are additive shares, and so are the balances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from petcore.errors import UsageError
from petcore.network.ledger.database import Database
from petcore.network.ledger.statements import Statement
from petcore.network.ledger.tables import accounts, holds, nets, transfers
from petcore.network.ledger.words import to_column

PENDING_PHASE, FINAL_PHASE = 0, 1


class TransferKind(IntEnum):
    """What a transfer is; POSTED, VOIDED and EXPIRED are the ends of a hold."""

    DIRECT = 0
    PENDING = 1
    POSTED = 2
    VOIDED = 3
    EXPIRED = 4


class Account(NamedTuple):
    """An account by what people call it; `number` is how transfers name it.

    ``floor``: holds and transfers may not take more than it has. ``settles``: nets per window are
    kept for it. ``posted`` is its balance, ``held`` what holds have reserved of it.
    """

    number: int
    owner: str
    purpose: str
    currency: str
    floor: bool
    settles: bool
    posted: int
    held: int

    @property
    def available(self) -> int:
        """What can still be taken; of clear amounts."""
        return self.posted - self.held


class Opening(NamedTuple):
    """An account to open, or to find."""

    owner: str
    purpose: str
    currency: str
    floor: bool = False
    settles: bool = False


class Transfer(NamedTuple):
    """An amount that leaves `debit` and enters `credit`; (request, leg) is its name."""

    request: str
    leg: int
    debit: int
    credit: int
    amount: int


class Held(StrEnum):
    """What became of a transfer or hold that was asked for.

    EXISTS: it had been made before, with the same content; then this call did nothing.
    """

    DONE = "done"
    EXISTS = "exists"
    INSUFFICIENT = "insufficient"


class Ended(StrEnum):
    """What became of a hold that was to end; UNKNOWN: there is none with that name."""

    DONE = "done"
    ALREADY = "already"
    OTHERWISE = "otherwise"
    UNKNOWN = "unknown"


_ALL = Statement(select(accounts).order_by(accounts.c.account))
_OPEN = Statement(insert(accounts))
_BY_NUMBER = Statement(lambda among: select(accounts).where(among(accounts.c.account, "numbers")))
_TRANSFERS = Statement(lambda among: select(transfers).where(among(transfers.c.request, "keys")))
_ADD_TRANSFERS = Statement(insert(transfers))
_MOVE = Statement(
    update(accounts)
    .where(accounts.c.account == bindparam("number"))
    .values(posted=bindparam("new_posted"), held=bindparam("new_held"))
)
_EXPIRED = Statement(
    select(holds).where(holds.c.expires <= bindparam("now")).limit(bindparam("limit"))
)
_ADD_HOLDS = Statement(insert(holds))
_DROP_HOLD = Statement(
    delete(holds).where(holds.c.request == bindparam("key"), holds.c.leg == bindparam("which"))
)
_NETS = Statement(
    lambda among: select(nets).where(
        nets.c.window == bindparam("which"), among(nets.c.account, "numbers")
    )
)
_ADD_NET = Statement(insert(nets))
_CHANGE_NET = Statement(
    update(nets)
    .where(nets.c.window == bindparam("which"), nets.c.account == bindparam("number"))
    .values(net=bindparam("new_net"), payments=bindparam("new_payments"))
)


class Accounts:
    """The accounts of a database; every call takes a list and is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def open(self, openings: Sequence[Opening]) -> list[int]:
        """Return the numbers of accounts; those that are missing are opened, with balance 0."""
        with self.database.write() as connection:
            known = {tuple(row[1:4]): row[0] for row in _ALL.all(connection)}
            number = max(known.values(), default=0)
            rows = []
            for opening in openings:
                name = tuple(opening[:3])
                if name not in known:
                    known[name] = number = number + 1
                    rows.append(opening._asdict() | {"account": number, "posted": 0, "held": 0})
            _OPEN.run(connection, rows)
        return [known[tuple(opening[:3])] for opening in openings]

    def get(self, numbers: Iterable[int]) -> dict[int, Account]:
        """Return accounts by number, with their balances."""
        with self.database.read() as connection:
            return _accounts(connection, numbers)

    def all(self) -> list[Account]:
        """Return every account, in the order of their numbers."""
        with self.database.read() as connection:
            return [_account(row) for row in _ALL.all(connection)]

    def transfer(self, wanted: Sequence[Transfer], *, window: int = 0) -> list[Held]:
        """Move amounts in one step, one after the other."""
        return self._take(wanted, TransferKind.DIRECT, window, expires=0)

    def hold(self, wanted: Sequence[Transfer], *, expires: int, window: int = 0) -> list[Held]:
        """Reserve amounts until `expires` (milliseconds since 1970), one after the other."""
        return self._take(wanted, TransferKind.PENDING, window, expires=expires)

    def post(self, names: Sequence[tuple[str, int]], *, window: int = 0) -> list[Ended]:
        """Post holds, named by (request, leg): what they reserved moves."""
        return self._end(names, TransferKind.POSTED, window)

    def void(self, names: Sequence[tuple[str, int]]) -> list[Ended]:
        """Void holds, named by (request, leg): what they reserved is free again."""
        return self._end(names, TransferKind.VOIDED, 0)

    def expire(self, *, limit: int = 1000) -> list[tuple[str, int]]:
        """Release holds whose time is over, at most `limit`; return their names."""
        with self.database.write() as connection:
            now = self.database.clock()
            late = _EXPIRED.all(connection, {"now": now, "limit": limit})
            names = [(row.request, row.leg) for row in late]
            self._end(names, TransferKind.EXPIRED, 0)
        return names

    def _take(
        self, wanted: Sequence[Transfer], kind: TransferKind, window: int, *, expires: int
    ) -> list[Held]:
        if any(item.amount < 0 for item in wanted):
            raise UsageError("an amount is not negative; swap the accounts to go the other way")
        with self.database.write() as connection:
            made = _made(connection, [item.request for item in wanted])
            state = _accounts(connection, _touched(wanted))
            taken: defaultdict[int, int] = defaultdict(int)
            outcomes: list[Held] = []
            fresh: list[Transfer] = []
            for item in wanted:
                outcome = _may(item, kind, made, state, taken)
                outcomes.append(outcome)
                if outcome is Held.DONE:
                    phase = PENDING_PHASE if kind is TransferKind.PENDING else FINAL_PHASE
                    made[item.request, item.leg, phase] = (kind, *item[2:])
                    taken[item.debit] += item.amount
                    if kind is TransferKind.DIRECT:
                        taken[item.credit] -= item.amount
                    fresh.append(item)
            if kind is TransferKind.PENDING:
                _hold(connection, fresh, expires)
            write_transfers(connection, fresh, kind, window=window, now=self.database.clock())
        return outcomes

    def _end(
        self, names: Sequence[tuple[str, int]], kind: TransferKind, window: int
    ) -> list[Ended]:
        with self.database.write() as connection:
            keys = list(dict.fromkeys(request for request, _ in names))
            made = _made(connection, keys)
            outcomes: list[Ended] = []
            ending: list[Transfer] = []
            for request, leg in names:
                hold = made.get((request, leg, PENDING_PHASE))
                end = made.get((request, leg, FINAL_PHASE))
                if hold is None:
                    outcomes.append(Ended.UNKNOWN)
                elif end is not None:
                    outcomes.append(Ended.ALREADY if end[0] == kind else Ended.OTHERWISE)
                else:
                    outcomes.append(Ended.DONE)
                    made[request, leg, FINAL_PHASE] = (kind, *hold[1:])
                    ending.append(Transfer(request, leg, *hold[1:]))
            rows = [{"key": item.request, "which": item.leg} for item in ending]
            _DROP_HOLD.run(connection, rows)
            write_transfers(connection, ending, kind, window=window, now=self.database.clock())
        return outcomes


def write_transfers(
    connection: Connection,
    items: Sequence[Transfer],
    kind: TransferKind,
    *,
    window: int,
    now: int,
    batch: int | None = None,
) -> None:
    """Write transfers and bring balances and nets with them; nothing is checked any more."""
    if not items:
        return
    phase = PENDING_PHASE if kind is TransferKind.PENDING else FINAL_PHASE
    fixed = {
        "phase": phase,
        "kind": int(kind),
        "window": window,
        "batch": batch,
        "created": now,
    }
    rows = [
        {
            "request": item.request,
            "leg": item.leg,
            "debit": item.debit,
            "credit": item.credit,
            "amount": to_column(item.amount),
            **fixed,
        }
        for item in items
    ]
    _ADD_TRANSFERS.run(connection, rows)
    posted: defaultdict[int, int] = defaultdict(int)
    held: defaultdict[int, int] = defaultdict(int)
    by_request: defaultdict[int, set[str]] = defaultdict(set)
    for item in items:
        if kind is not TransferKind.DIRECT:
            held[item.debit] += item.amount if kind is TransferKind.PENDING else -item.amount
        if kind in (TransferKind.DIRECT, TransferKind.POSTED):
            posted[item.debit] -= item.amount
            posted[item.credit] += item.amount
            by_request[item.debit].add(item.request)
            by_request[item.credit].add(item.request)
    state = _accounts(connection, {*posted, *held})
    _move(connection, state, posted, held)
    settling = {number: posted[number] for number in posted if state[number].settles}
    if settling:
        counts = {number: len(by_request[number]) for number in settling}
        _add_nets(connection, window, settling, counts)


def _move(
    connection: Connection,
    state: dict[int, Account],
    posted: dict[int, int],
    held: dict[int, int],
) -> None:
    rows = [
        {
            "number": number,
            "new_posted": to_column(account.posted + posted.get(number, 0)),
            "new_held": to_column(account.held + held.get(number, 0)),
        }
        for number, account in state.items()
    ]
    _MOVE.run(connection, rows)


def _add_nets(
    connection: Connection, window: int, added: dict[int, int], counts: dict[int, int]
) -> None:
    found = _NETS.among(connection, "numbers", list(added), which=window)
    known = {row.account: row for row in found}
    new, changed = [], []
    for number, amount in added.items():
        row = known.get(number)
        if row is None:
            net = {"window": window, "account": number, "net": to_column(amount)}
            new.append(net | {"payments": counts[number]})
        else:
            changed.append(
                {
                    "which": window,
                    "number": number,
                    "new_net": to_column(row.net + amount),
                    "new_payments": row.payments + counts[number],
                }
            )
    _ADD_NET.run(connection, new)
    _CHANGE_NET.run(connection, changed)


def _hold(connection: Connection, items: Sequence[Transfer], expires: int) -> None:
    rows = [item._asdict() | {"expires": expires} for item in items]
    _ADD_HOLDS.run(connection, rows)


def _accounts(connection: Connection, numbers: Iterable[int]) -> dict[int, Account]:
    wanted = sorted(set(numbers))
    rows = _BY_NUMBER.among(connection, "numbers", wanted)
    found = {row[0]: _account(row) for row in rows}
    if len(found) < len(wanted):
        raise UsageError("a transfer names an account that was never opened; call open() first")
    return found


def _account(row: Any) -> Account:
    return Account._make([*row[:4], bool(row[4]), bool(row[5]), *row[6:]])


Made = dict[tuple[str, int, int], tuple[Any, ...]]


def _made(connection: Connection, keys: Sequence[str]) -> Made:
    """Return (kind, debit, credit, amount) of the transfers of requests, by name and phase."""
    made: Made = {}
    wanted = list(dict.fromkeys(keys))
    for row in _TRANSFERS.among(connection, "keys", wanted):
        kind = TransferKind(row.kind)
        made[row.request, row.leg, row.phase] = (kind, row.debit, row.credit, row.amount)
    return made


def _touched(items: Iterable[Transfer]) -> set[int]:
    return {number for item in items for number in (item.debit, item.credit)}


def _may(
    item: Transfer,
    kind: TransferKind,
    made: Made,
    state: dict[int, Account],
    taken: dict[int, int],
) -> Held:
    phase = PENDING_PHASE if kind is TransferKind.PENDING else FINAL_PHASE
    earlier = made.get((item.request, item.leg, phase))
    if earlier is not None:
        if earlier != (kind, item.debit, item.credit, to_column(item.amount)):
            raise UsageError("another transfer has this request and leg; a name is used once")
        return Held.EXISTS
    if (item.request, item.leg, FINAL_PHASE) in made or (
        item.request,
        item.leg,
        PENDING_PHASE,
    ) in made:
        raise UsageError("another transfer has this request and leg; a name is used once")
    account = state[item.debit]
    if account.floor and account.available - taken[item.debit] < item.amount:
        return Held.INSUFFICIENT
    return Held.DONE
