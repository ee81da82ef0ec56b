"""The acquirer's own accounts: what the network owes it, per currency, as its records say.

A payment moves its amount less the fee from the network to the acquirer, a refund moves back what
it gives back, a cancellation what is left. Sums are what settlement is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence

from petcore.network.ledger import Accounts, Database, Opening, Transfer

NETWORK = "network"
POSITION = "position"
COUNTERPART = "counterpart"
REVERSAL_LEG = 1
"""The leg of what takes a payment back; settlement knows reversals by it."""


class Book:
    """Double entry in clear; transfers are named by the requests that they follow from."""

    def __init__(self, database: Database, name: str) -> None:
        self._accounts = Accounts(database)
        self._name = name
        self._numbers: dict[str, tuple[int, int]] = {}

    def gain(self, request: str, currency: str, amount: int) -> Transfer:
        """Return the transfer by which the acquirer gets an amount."""
        network, own = self._pair(currency)
        return Transfer(request, 0, network, own, amount)

    def give(self, request: str, currency: str, amount: int, *, leg: int = 0) -> Transfer:
        """Return the transfer by which the acquirer gives an amount back."""
        network, own = self._pair(currency)
        return Transfer(request, leg, own, network, amount)

    def post(self, transfers: Sequence[Transfer]) -> None:
        """Write transfers, inside the transaction that ends their requests."""
        if transfers:
            self._accounts.transfer(transfers)

    def positions(self) -> dict[str, int]:
        """Return what the network owes the acquirer, minor units by currency."""
        return {
            account.currency: account.posted
            for account in self._accounts.all()
            if (account.owner, account.purpose) == (self._name, POSITION)
        }

    def _pair(self, currency: str) -> tuple[int, int]:
        if currency not in self._numbers:
            network, own = self._accounts.open(
                [
                    Opening(NETWORK, COUNTERPART, currency),
                    Opening(self._name, POSITION, currency, settles=True),
                ]
            )
            self._numbers[currency] = network, own
        return self._numbers[currency]
