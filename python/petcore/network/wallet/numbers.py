"""The numbers a wallet shares with the nodes for one payment or refund, and why it would decline.

A wallet always answers with numbers, also where it would decline: the circuit then comes to the
same conclusion, and the nodes do not learn that there was one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from petcore.network.directory import Rate
from petcore.payments.money import MAX_AMOUNT

Reason = Literal["accepted", "balance", "limit", "token", "amount", "state"]
"""What a wallet says of a request: a class for the acquirer, never a number."""

NOTHING = -1
"""What is available to somebody unknown: less than any amount."""


@dataclass(frozen=True)
class Standing:
    """What a user may still spend at this moment, in minor units of the user's own currency.

    ``available`` is the balance less what is held; ``count_left`` and ``sum_left`` are left of the
    limits per day; ``features`` are the risk model's, as the model's fixed-point integers.
    """

    currency: str
    available: int
    count_left: int
    sum_left: int
    features: tuple[int, ...] = ()


@dataclass(frozen=True)
class Numbers:
    """The shared fields of a ``check`` or ``refund_check``, in clear; minor units.

    ``seen`` is the amount in the merchant's currency, ``debit`` in the payer's; ``reason`` says
    why the wallet itself would decline, "accepted" where it would not.
    """

    seen: int
    debit: int
    available: int = 0
    count_left: int = 0
    sum_left: int = 0
    features: tuple[int, ...] = field(default=())
    reason: Reason = "accepted"


def payment_numbers(amount: int, rate: Rate, standing: Standing) -> Numbers:
    """Return the numbers of a payment of ``amount`` by a user with this standing."""
    debit = rate.convert(amount)
    if debit > MAX_AMOUNT:
        return declined_numbers(amount, rate, len(standing.features), "amount")
    reason: Reason = "accepted"
    if debit > standing.available:
        reason = "balance"
    elif standing.count_left < 1 or debit > standing.sum_left:
        reason = "limit"
    return Numbers(
        amount,
        debit,
        standing.available,
        standing.count_left,
        standing.sum_left,
        standing.features,
        reason,
    )


def declined_numbers(amount: int, rate: Rate, features: int, reason: Reason) -> Numbers:
    """Return numbers that the circuit declines: nothing is available to whom nobody knows."""
    debit = min(rate.convert(amount), MAX_AMOUNT)
    return Numbers(amount, debit, NOTHING, NOTHING, NOTHING, (0,) * features, reason)


@dataclass(frozen=True)
class Paid:
    """A payment as refunds see it: what was paid and given back so far, in both currencies."""

    seen: int
    debit: int
    refunded_seen: int = 0
    refunded_debit: int = 0


def refund_numbers(amount: int, rate: Rate, paid: Paid, *, original: bool) -> Numbers:
    """Return the numbers of a refund of ``amount`` in the merchant's currency.

    Parameters
    ----------
    amount
        Minor units of the merchant's currency.
    rate
        The payment's own where ``original``, else today's.
    paid
        The payment and its refunds so far, pending ones included.
    original
        Whether the refund goes back at the payment's rate: then what all refunds give back is
        what the rate gives for their sum, so that a full refund by parts ends at the payment. At
        today's rate each refund is rounded down: in parts it never gives back more than whole.
    """
    if original:
        total = paid.refunded_seen + amount
        debit = rate.convert(total) - paid.refunded_debit
    else:
        debit = rate.give_back(amount)
    if amount > paid.seen - paid.refunded_seen or not 0 <= debit <= MAX_AMOUNT:
        return declined_refund("amount")
    return Numbers(amount, debit)


def declined_refund(reason: Reason) -> Numbers:
    """Return numbers that the circuit declines: nobody asks for a refund of nothing."""
    return Numbers(0, 0, reason=reason)
