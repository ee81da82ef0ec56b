"""Positions: what participants owe at a node, and how a batch moves them, obliviously.

Of a payment the wallet owes the debit in the payer's currency, the acquirer is owed what was seen
less the fee in the merchant's. The network's own accounts stand between: ``exchange`` per currency,
which takes the one and gives the other, and ``fees``. So every currency sums to zero. At a node all
amounts are shares, already times the decision: who was declined moves zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petcore.network.directory import Directory
from petcore.network.ledger import Accounts, Opening, make_postings
from petcore.network.ledger.postings import Postings
from petcore.network.ledger.records import Words

NETWORK = "network"
POSITION, EXCHANGE, FEES = "position", "exchange", "fees"
DEBIT_LEG, CREDIT_LEG, FEE_LEG = 0, 1, 2


@dataclass(frozen=True)
class Route:
    """Between whom and in which currencies the rows of a batch move money; ``back``: refunds."""

    mpp: Sequence[str]
    acqp: Sequence[str]
    payer_currency: Sequence[str]
    merchant_currency: Sequence[str]
    back: Sequence[bool]


class Positions:
    """The accounts of a node; they are opened when this is made.

    Parameters
    ----------
    accounts : Accounts
    directory : Directory
        Its members and the currencies that its terms name.
    """

    def __init__(self, accounts: Accounts, directory: Directory) -> None:
        self._accounts = accounts
        openings = [Opening(*name, settles=True) for name in _names(directory)]
        numbers = accounts.open(openings)
        self._numbers = {o[:3]: n for o, n in zip(openings, numbers, strict=True)}
        self._directory = directory

    def headroom(self, wallets: Sequence[tuple[str, str]], first: bool) -> Words:
        """Return shares of prefunding less exposure, uint64 (n,), per (wallet, currency).

        ``first``: whether this is the node whose share has the public part.
        """
        numbers = [self._numbers[mpp, POSITION, currency] for mpp, currency in wallets]
        known = self._accounts.get(numbers)
        held = np.array([known[number].posted for number in numbers], np.int64).view(np.uint64)
        if not first:
            return held
        deposits = [self._directory.prefunded(mpp, currency) for mpp, currency in wallets]
        return held + np.array(deposits, np.uint64)

    def postings(self, route: Route, seen: Words, debit: Words, fee: Words) -> Postings:
        """Return what a batch posts; the shares are times the decision, each of shape (n,)."""
        slots = np.arange(len(route.mpp))
        back = np.array(route.back, np.bool_)
        wallet = self._of(route.mpp, POSITION, route.payer_currency)
        merchant = self._of(route.acqp, POSITION, route.merchant_currency)
        network = [NETWORK] * len(slots)
        paid = self._of(network, EXCHANGE, route.payer_currency)
        given = self._of(network, EXCHANGE, route.merchant_currency)
        fees = self._of(network, FEES, route.merchant_currency)
        return np.concatenate(
            [
                make_postings(slots, leg, np.where(back, to, frm), np.where(back, frm, to), amounts)
                for leg, frm, to, amounts in (
                    (DEBIT_LEG, wallet, paid, debit),
                    (CREDIT_LEG, given, merchant, seen - fee),
                    (FEE_LEG, given, fees, fee),
                )
            ]
        )

    def knows(self, owner: str, currency: str) -> bool:
        """Say whether there is a position of a participant in a currency."""
        return (owner, POSITION, currency) in self._numbers

    def _of(
        self, owners: Sequence[str], purpose: str, currencies: Sequence[str]
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(
            [self._numbers[o, purpose, c] for o, c in zip(owners, currencies, strict=True)],
            np.int64,
        )


def _names(directory: Directory) -> list[tuple[str, str, str]]:
    agreed = {code for agreement in directory.agreements for code in agreement.currencies}
    paid = {deposit.currency for deposit in directory.prefunding}
    edges = [*directory.of_role("mpp"), *directory.of_role("acqp")]
    codes = sorted(agreed | paid)
    return [
        *((NETWORK, purpose, code) for code in codes for purpose in (EXCHANGE, FEES)),
        *((edge.name, POSITION, code) for edge in edges for code in codes),
    ]
