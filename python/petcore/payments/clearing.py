"""Clearing a batch of payments that no node can read.

    acquirer edge ── share of amount ──> node A, node B ── share of net position ──> participant
    wallet edge   ── share of limit  ──>    (MPC)

The routes (who pays through whom to whom, in which currency) are public; amounts, limits, and which
payments were declined are not. Everything is int64 minor units and exact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.mpc import Session, SharedArray, concatenate, stack
from petcore.payments.batch import Batch, Routes
from petcore.payments.sharing import Words

MIN_COUNT = 10


def clear(session: Session, batch: Batch, *, min_count: int = MIN_COUNT) -> dict[str, Words]:
    """Check, net and export: what ``petcore clear`` runs at every node.

    Parameters
    ----------
    session
        Both nodes call this function with the same routes.
    batch
        Routes, and this node's shares.
    min_count
        Fewest payments that a net position may cover, since a net over one payment is that payment.

    Returns
    -------
    For each participant this node's share of its net position per currency and of a zero, uint64,
    shape (currencies of the batch + 1,): what a participant pays is negative. To be sent to it
    alone. The zero is shared anew in every run, so that shares of two runs do not pass for one.

    Raises
    ------
    UsageError
        Shares and routes differ in length; a position would cover fewer than `min_count`.
    StepMismatch
        The nodes have different routes, sharings or `min_count`.

    Adversary: semi-honest nodes that do not collude.
    Leaks: to the nodes the routes; to a participant its own net positions.
    """
    routes = batch.routes
    _check(batch, min_count)
    session.agree(f"{batch.program} min_count={min_count}")
    amount = session.from_shares(batch.amount[None, :], "int64", 0)
    limit = session.from_shares(batch.limit[None, :], "int64", 0)
    counted = accepted_amounts(amount, limit)
    zero = session.input(np.zeros(1, np.int64) if session.party == 0 else None, 0, dtype="int64")
    exported = {}
    for participant in routes.participants:
        share = session.export(
            concatenate([net_positions(counted, routes, participant), zero]),
            to=participant,
            label=f"net position of {participant}",
            purpose="clearing",
        )
        exported[participant] = np.asarray(share, dtype=np.uint64).reshape(-1)
    return exported


def accepted_amounts(amount: SharedArray, limit: SharedArray) -> SharedArray:
    """Return each amount where 0 < amount <= limit, else 0: no node learns which.

    Parameters
    ----------
    amount
        int64, shape (payments,), minor units; any value, a wrong edge may share what it likes.
    limit
        int64, shape (payments,), from 0 to 2^63 - 1, so that limit - amount cannot wrap where
        amount > 0.

    Leaks: nothing.
    """
    accepted = (amount <= limit) & (amount > 0)
    return accepted * amount


def net_positions(counted: SharedArray, routes: Routes, participant: str) -> SharedArray:
    """Sum what a participant receives minus what it pays, per currency, int64, shape (currencies,).

    Sums of shares along public routes are local: no rounds.
    """
    positions = []
    for currency in routes.currencies:
        here = routes.currency == currency
        received = counted[here & (routes.acqp == participant)].sum()
        paid = counted[here & (routes.mpp == participant)].sum()
        positions.append(received - paid)
    return stack(positions)


def plaintext_positions(
    amount: npt.NDArray[np.int64], limit: npt.NDArray[np.int64], routes: Routes
) -> dict[str, npt.NDArray[np.int64]]:
    """Compute the net positions in clear: the reference for tests and the demo's referee."""
    counted = np.where((amount > 0) & (amount <= limit), amount, 0)
    return {
        participant: np.array(
            [
                counted[(routes.acqp == participant) & (routes.currency == code)].sum()
                - counted[(routes.mpp == participant) & (routes.currency == code)].sum()
                for code in routes.currencies
            ]
        )
        for participant in routes.participants
    }


def _check(batch: Batch, min_count: int) -> None:
    routes = batch.routes
    if not len(routes.ids) == len(batch.amount) == len(batch.limit):
        raise UsageError(
            f"{len(routes.ids)} routes, {len(batch.amount)} amounts and {len(batch.limit)} limits; "
            "there must be one of each per payment"
        )
    for participant in routes.participants:
        own = (routes.mpp == participant) | (routes.acqp == participant)
        _, counts = np.unique(routes.currency[own], return_counts=True)
        if counts.min() < min_count:
            raise UsageError(
                f"a net position of {participant} would cover {counts.min()} payments and tell too "
                f"much about them; wait for {min_count}, or lower min_count where that is agreed"
            )
