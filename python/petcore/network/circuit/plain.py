"""The circuit in clear: the reference for tests, and the other side of the price of privacy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from petcore.network.circuit.authorise import Outcome
from petcore.network.circuit.conditions import SPENDABLE_MAX, grouped
from petcore.network.circuit.risk import RiskModel
from petcore.network.circuit.rows import CONSULT, PADDING, PAY, REFUND, Rows
from petcore.payments.money import MAX_AMOUNT

Flags = npt.NDArray[np.bool_]


def plain_authorise(rows: Rows, model: RiskModel | None = None) -> Outcome:
    """Decide rows whose columns, and a model whose weights, are the values themselves.

    Same conditions, same outcome as `petcore.network.circuit.authorise`, on words read as signed
    numbers. Whoever calls it sees everything: for tests, and for measuring what privacy costs.
    """
    approved = _amounts_hold(rows) & _relations_hold(rows) & _limits_hold(rows)
    if model is not None:
        model.check(rows.features)
        logit = (rows.features @ model.weights + model.intercept).view(np.int64)
        approved &= (logit <= model.threshold) | (rows.kind == REFUND)
    approved &= rows.kind != PADDING
    decision = approved.astype(np.uint64)
    posts = decision * (rows.kind != CONSULT).astype(np.uint64)
    exported = {edge: decision[rows.of_edge(edge)] for edge in rows.edges}
    return Outcome(decision, rows.seen * posts, rows.debit * posts, rows.fee * posts, exported)


def _in_range(rows: Rows) -> Flags:
    debit = rows.debit.view(np.int64)
    valid: Flags = (debit >= (rows.kind != REFUND)) & (debit <= MAX_AMOUNT)
    return valid


def _amounts_hold(rows: Rows) -> Flags:
    seen, fee = rows.seen.view(np.int64), rows.fee.view(np.int64)
    same = (rows.amount == rows.seen) & (seen >= 1) & (seen <= MAX_AMOUNT)
    hold: Flags = same & _in_range(rows) & (fee >= 0) & (fee <= seen)
    return hold


def _relations_hold(rows: Rows) -> Flags:
    """Check rate and fee; where an amount is out of range the row is declined for that."""
    rate = _rest(rows.fx_debit, rows.fx_den, rows.fx_seen, rows.fx_num)
    fee = _rest(rows.fee_sum, rows.fee_den, rows.fee_base, rows.fee_num)
    return (rate >= 0) & (rate < rows.fx_den) & (fee >= 0) & (fee < rows.fee_den)


def _rest(to: np.ndarray, den: np.ndarray, base: np.ndarray, num: np.ndarray) -> np.ndarray:
    rest: np.ndarray = to.view(np.int64) * den - base.view(np.int64) * num
    return rest


def _limits_hold(rows: Rows) -> Flags:
    seen, debit = rows.seen.view(np.int64), rows.debit.view(np.int64)
    valid = _in_range(rows)
    spendable = np.ones(len(rows), np.bool_)
    for column, needed in (
        (rows.available, debit),
        (rows.count_left, np.ones_like(debit)),
        (rows.sum_left, debit),
    ):
        there = column.view(np.int64)
        needed = np.where(valid, needed, 0)
        spendable &= (there >= needed) & (there - SPENDABLE_MAX <= needed)
    left = rows.left.view(np.int64)
    refundable = (seen <= left) & (left <= 2 * MAX_AMOUNT) & (left - MAX_AMOUNT <= seen)
    return np.where(rows.kind == REFUND, refundable, spendable & _prefunded(rows, valid))


def _prefunded(rows: Rows, valid: Flags) -> Flags:
    """Follow each wallet through the batch, debit by debit, until one is out of range."""
    pays = rows.kind == PAY
    spent = grouped(rows.wallet, np.where(pays & valid, rows.debit, np.uint64(0)), np.add)
    broken = grouped(rows.wallet, (pays & ~valid).astype(np.uint64), np.add)
    exposed = spent.view(np.int64) + np.where(valid, rows.debit.view(np.int64), 0)
    fits: Flags = (broken == 0) & valid & (exposed <= rows.headroom.view(np.int64))
    return fits
