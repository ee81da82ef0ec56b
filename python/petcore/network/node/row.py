"""Row: one request and what the wallet said about it; from rows to the columns of the circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from petcore.errors import UsageError
from petcore.network.circuit import CONSULT, PAY, REFUND, RiskModel, Rows
from petcore.network.directory import Agreement, Directory, Rate
from petcore.network.envelope import Envelope
from petcore.network.errors import TermsRefused
from petcore.network.ledger import Kind, NodeJournal, Record, key
from petcore.network.ledger.records import Words
from petcore.network.node.held import HeldFeatures
from petcore.network.positions import Positions, Route

NO_RATE = "-"
CHECKS = {"pay": "check", "consult": "check", "refund": "refund_check"}
KINDS = {"pay": Kind.PAY, "consult": Kind.CONSULT, "refund": Kind.REFUND}
_CIRCUIT = {"pay": PAY, "consult": CONSULT, "refund": REFUND}


@dataclass(eq=False, slots=True)
class Row:
    """A request, its check, and this node's shares of both.

    ``asked`` and ``told`` are what `open_part` gives of the two.
    """

    request: Envelope
    asked: dict[str, Any] = field(repr=False)
    check: Envelope
    told: dict[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        """How the journal knows the request."""
        return key(self.request.header.sender, self.request.header.request_id)

    @property
    def kind(self) -> str:
        """The type of the request: pay, consult or refund."""
        return self.request.header.type

    @property
    def acqp(self) -> str:
        """Who asks."""
        return self.request.header.sender

    @property
    def mpp(self) -> str:
        """Who pays."""
        return self.check.header.sender

    @property
    def payment(self) -> str | None:
        """Of a refund, the key of its payment."""
        return payment_key(self.request)

    @property
    def payer_currency(self) -> str:
        """What the debit is in."""
        return str(self.check.header.clear["payer_currency"])

    @property
    def merchant_currency(self) -> str:
        """What the amount is in."""
        return str(self.request.header.clear["merchant_currency"])


def payment_key(request: Envelope) -> str | None:
    """Return the key of the payment that a refund is about."""
    if request.header.type != "refund":
        return None
    return key(request.header.sender, request.header.clear["payment"])


def check_terms(row: Row, directory: Directory, model: RiskModel | None, held: int = 0) -> None:
    """Refuse what does not fit together or into the directory; both nodes judge alike.

    Raises
    ------
    TermsRefused
        Request and check belong to different requests, or name an agreement, a rate or a number of
        features that does not exist.
    """
    asked, told = row.request.header, row.check.header
    belongs = (
        told.type == CHECKS.get(asked.type)
        and told.request_id == asked.request_id
        and told.sender == asked.to.get("mpp") == asked.clear["mpp"]
        and told.clear["acqp"] == asked.sender
        and told.clear["request"] == row.request.digest
    )
    if not belongs:
        raise TermsRefused("the wallet's check is not about this request; ask the wallet again")
    try:
        agreement(row, directory)
        rate(row, directory)
    except UsageError as error:
        raise TermsRefused(error.message) from None
    if model is not None and row.kind != "refund":
        given = len(row.told["features"]) + held
        if given != model.weights.size:
            raise TermsRefused(f"model {model.version} has not {given} features")


def agreement(row: Row, directory: Directory) -> Agreement:
    """Return the agreement that a row names; UsageError unless it is theirs."""
    found = directory.agreement_by_id(row.request.header.clear["agreement"])
    theirs = directory.agreement(row.acqp, row.mpp, row.merchant_currency)
    if found != theirs:
        raise UsageError(f"agreement {found.id} is not about this payment")
    return found


def rate(row: Row, directory: Directory) -> Rate:
    """Return the rate from the merchant's to the payer's currency; UsageError unless named so.

    A refund at the original rate is by the payment's, which may be retired: see `check_refund`.
    """
    named = str(row.check.header.clear["rate"])
    source, target = row.merchant_currency, row.payer_currency
    earlier = row.kind == "refund" and not _at_todays_rate(row) and named != NO_RATE
    found = directory.rate_by_id(named) if earlier else directory.rate(source, target)
    if (named, source, target) != (found.id or NO_RATE, found.source, found.target):
        raise UsageError(f"the rate is {found.id or NO_RATE} and the wallet took another")
    return found


def _at_todays_rate(row: Row) -> bool:
    return row.kind == "refund" and row.request.header.clear["fx_mode"] == "current"


def route(rows: Sequence[Row]) -> Route:
    """Return between whom the rows move money."""
    return Route(
        mpp=[row.mpp for row in rows],
        acqp=[row.acqp for row in rows],
        payer_currency=[row.payer_currency for row in rows],
        merchant_currency=[row.merchant_currency for row in rows],
        back=[row.kind == "refund" for row in rows],
    )


def to_columns(
    rows: Sequence[Row],
    *,
    journal: NodeJournal,
    positions: Positions,
    directory: Directory,
    first: bool,
    model: RiskModel | None,
    held: HeldFeatures,
) -> Rows:
    """Return the batch as the circuit takes it; ``first``: whether this is the first party.

    The journal must be where the other node's is: no batch may be open.
    """
    wallets = list(dict.fromkeys((row.mpp, row.payer_currency) for row in rows))
    place = {wallet: index for index, wallet in enumerate(wallets)}
    which = np.array([place[row.mpp, row.payer_currency] for row in rows])
    rates = [rate(row, directory) for row in rows]
    fees = [_fee(row, directory) for row in rows]
    shares = {name: _words([row.asked[name] for row in rows]) for name in ("amount", "fee")}
    for name in ("seen", "debit", "available", "count_left", "sum_left"):
        shares[name] = _words([row.told.get(name, 0) for row in rows])
    return Rows.of(
        [row.acqp for row in rows],
        [row.mpp for row in rows],
        kind=np.array([_CIRCUIT[row.kind] for row in rows]),
        wallet=which,
        fx_num=np.array([r.num for r in rates]),
        fx_den=np.array([r.den for r in rates]),
        fee_num=np.array([num for num, _ in fees]),
        fee_den=np.array([den for _, den in fees]),
        headroom=positions.headroom(wallets, first)[which],
        features=_features(rows, model, held),
        **shares,
        **_refund_columns(rows, shares, journal),
    )


def _fee(row: Row, directory: Directory) -> tuple[int, int]:
    found = agreement(row, directory)
    if row.kind == "refund" and not found.refund_fee:
        return 0, 1
    return found.fee_num, found.fee_den


def _features(rows: Sequence[Row], model: RiskModel | None, held: HeldFeatures) -> Words:
    """Return what the wallets shared of each row, and behind it what a node holds of its route."""
    k = 0 if model is None else model.weights.size
    made = np.zeros((len(rows), k), np.uint64)
    for index, row in enumerate(rows):
        if k and row.kind != "refund":
            made[index, : k - held.count] = row.told["features"]
            own = held.shares(row.mpp, row.acqp, row.merchant_currency)
            made[index, k - held.count :] = own
    return made


def _refund_columns(
    rows: Sequence[Row], shares: Mapping[str, Words], journal: NodeJournal
) -> dict[str, Words]:
    """Return ``left``, and what rate and fee relate: of a refund the sums with those before it."""
    columns = {
        "left": np.zeros(len(rows), np.uint64),
        "fx_seen": shares["seen"].copy(),
        "fx_debit": shares["debit"].copy(),
        "fee_base": shares["seen"].copy(),
        "fee_sum": shares["fee"].copy(),
    }
    refunds = [(index, row) for index, row in enumerate(rows) if row.payment is not None]
    if not refunds:
        return columns
    known = journal.find([str(row.payment) for _, row in refunds])
    for index, row in refunds:
        record = known.get(str(row.payment))
        if record is None:
            continue
        left = np.array([record.seen, record.debit, record.fee], np.int64).view(np.uint64)
        columns["left"][index] = left[0]
        before = _paid(record, journal) - left
        # A fee has no rate: were it rounded up for every part, parts would give back too much.
        sums = [("fee_base", 0), ("fee_sum", 2)]
        if _at_todays_rate(row):  # rounded down: the relation holds for the negatives
            for name in ("fx_seen", "fx_debit"):
                word = columns[name][index : index + 1]
                np.negative(word, out=word)
        else:
            sums += [("fx_seen", 0), ("fx_debit", 1)]
        for name, place in sums:
            columns[name][index : index + 1] += before[place : place + 1]
    return columns


def _paid(record: Record, journal: NodeJournal) -> Words:
    """Return this node's shares of what was posted of a payment: seen, debit, fee."""
    batch = None if record.batch is None else journal.batch(record.batch)
    if batch is None or batch.totals is None or record.slot is None:
        return np.zeros(3, np.uint64)
    paid: Words = batch.totals[record.slot]
    return paid


def check_refund(row: Row, payment: Record | None, was: Envelope | None) -> None:
    """Refuse a refund whose payment is unknown, or in other currencies or of another wallet.

    Parameters
    ----------
    payment, was
        The payment's record, and the check that it was posted by.
    """
    if payment is None or payment.kind is not Kind.PAY or was is None:
        raise TermsRefused("there is no such payment to refund")
    same = (
        was.header.sender == row.mpp
        and was.header.clear["payer_currency"] == row.payer_currency
        and (_at_todays_rate(row) or was.header.clear["rate"] == row.check.header.clear["rate"])
    )
    if not same:
        raise TermsRefused("the refund is of another wallet, currency or rate than its payment")


def _words(values: Sequence[int]) -> Words:
    return np.array(values, np.uint64)
