"""The rule that turns the credit-default table into payments from wallets to acquirers.

The table says what a customer paid in a month, not through whom. The rule, a public generator
seeded by one number, fills in the rest:

1. every customer belongs to one of five wallets, drawn evenly;
2. every positive ``PAY_AMT`` is one payment, to one of four acquirers and in one of 3 currencies,
   both drawn evenly; the number in the table counts as major units of that currency;
3. the payer's limit per payment is ``LIMIT_BAL``, in the same currency;
4. payments are shuffled and numbered in that order, so that an id says nothing about the payer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petcore.payments.batch import Routes
from petcore.payments.money import minor_digits

WALLETS = tuple(f"wallet-{i}" for i in range(1, 6))
ACQUIRERS = tuple(f"acquirer-{i}" for i in range(1, 5))
CURRENCIES = ("EUR", "JPY", "SGD")


@dataclass(frozen=True, eq=False)
class Payments:
    """Payments in clear: routes, amounts and limits in minor units, int64, shape (payments,)."""

    routes: Routes
    amount: npt.NDArray[np.int64]
    limit: npt.NDArray[np.int64]


def assign_routes(
    paid: npt.NDArray[np.int64], limits: npt.NDArray[np.int64], *, seed: int
) -> Payments:
    """Apply the rule.

    Parameters
    ----------
    paid
        What each customer paid per month, major units, shape (customers, months).
    limits
        Each customer's limit, major units, shape (customers,).
    seed
        The public seed.
    """
    rule = np.random.default_rng(seed)
    wallet_of = rule.integers(len(WALLETS), size=len(paid))
    customer, month = np.nonzero(paid > 0)
    shuffled = rule.permutation(len(customer))
    customer, month = customer[shuffled], month[shuffled]
    acquirer = rule.integers(len(ACQUIRERS), size=len(customer))
    currency = rule.integers(len(CURRENCIES), size=len(customer))
    minor = np.array([10 ** minor_digits(code) for code in CURRENCIES])[currency]
    routes = Routes(
        ids=np.array([f"p{number:07d}" for number in range(len(customer))]),
        mpp=np.array(WALLETS)[wallet_of[customer]],
        acqp=np.array(ACQUIRERS)[acquirer],
        currency=np.array(CURRENCIES)[currency],
    )
    return Payments(routes, paid[customer, month] * minor, limits[customer] * minor)
