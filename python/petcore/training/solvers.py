"""How the weights of a logistic model are found on shares.

Both solvers minimise Σ log(1 + exp(-(2y - 1)(z·v + b))) + Σ penalty v² / 2 over weights v and
intercept b, do a number of steps that is fixed beforehand (a stopping test would disclose how the
loss fell), and mask the training matrix once: after that only vectors travel (Mohassel and Zhang,
SecureML, IEEE S&P 2017, section 4.1).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from petcore.mpc import SharedArray
from petcore.mpc.functions import sigmoid

INVERSE_STEPS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Problem:
    """A training set on shares, whitened by its owners.

    Attributes
    ----------
    Z
        Fixed point, shape (rows, columns).
    y
        int64, labels 0 or 1, shape (rows,).
    penalty
        Fixed point, shape (columns,).
    blocks
        Number of parties that whitened columns of their own.
    intercept
        Whether the model has one.
    """

    Z: SharedArray
    y: SharedArray
    penalty: SharedArray
    blocks: int
    intercept: bool


def fixed_hessian(problem: Problem, steps: int) -> tuple[SharedArray, SharedArray]:
    """Newton's method with one Hessian bound for all steps (Böhning and Lindsay 1988).

    The Hessian Z' diag(p (1 - p)) Z + diag(penalty) never exceeds H = Z'Z / 4 + diag(penalty),
    since p (1 - p) <= 1/4. Steps with the inverse of H therefore always descend, without a step
    size to choose, and H is inverted once.

    Returns
    -------
    Weights, shape (columns,), and intercept, shape ().

    Leaks: nothing beyond the shapes and the number of steps.
    """
    session, rows = problem.Z.session, problem.Z.shape[0]
    with session.region("mask"):
        Z = session.mask(problem.Z)
    with session.region("invert"):
        H = (Z.T @ problem.Z) / rows + _diagonal(problem.penalty) * (4 / rows)
        inverse = _invert(H, problem.blocks)
    v, b = session.zeros(problem.penalty.shape, "fixed"), session.zeros((), "fixed")
    for step in range(steps):
        _log.info("step %d of %d", step + 1, steps)
        with session.region("step"):
            residual = sigmoid(Z @ v + b) - problem.y
            gradient = Z.T @ residual + problem.penalty * v
            v = v - (inverse @ gradient) * (4 / rows)
            if problem.intercept:
                b = b - residual.sum() * (4 / rows)
    return v, b


def minibatch_descent(
    problem: Problem, epochs: int, batch: int, rate: float
) -> tuple[SharedArray, SharedArray]:
    """Stochastic gradient descent over consecutive batches of rows, for very long tables.

    The rows must be in random order already. The rate falls as (1 + epoch)^-1/2, which calms the
    wandering that a constant one leaves.

    Returns
    -------
    Weights, shape (columns,), and intercept, shape ().

    Leaks: nothing beyond the shapes and the numbers of epochs and batches.
    """
    session, rows = problem.Z.session, problem.Z.shape[0]
    with session.region("mask"):
        Z = session.mask(problem.Z)
    v, b = session.zeros(problem.penalty.shape, "fixed"), session.zeros((), "fixed")
    for epoch in range(epochs):
        _log.info("epoch %d of %d", epoch + 1, epochs)
        for begin in range(0, rows, batch):
            end = min(begin + batch, rows)
            part, step = Z[begin:end], rate / (1 + epoch) ** 0.5
            with session.region("step"):
                residual = sigmoid(part @ v + b) - problem.y[begin:end]
                gradient = (part.T @ residual) / (end - begin) + problem.penalty * v / rows
                v = v - gradient * step
                if problem.intercept:
                    b = b - residual.sum() * (step / (end - begin))
    return v, b


def _diagonal(values: SharedArray) -> SharedArray:
    return values.reshape(-1, 1) * np.eye(values.size, dtype=np.int64)


def _invert(H: SharedArray, blocks: int) -> SharedArray:
    """Invert a symmetric H whose `blocks` diagonal blocks are identities (Schulz 1933).

    The eigenvalues of such an H lie in (0, blocks), and I - HV is squared by every step from
    V = 1.5 / blocks, which keeps it away from -1 where parties hold the same column. Where H is
    nearly singular, along the difference of such columns, V stays below the inverse: steps along
    that direction become shorter, never wrong.
    """
    identity = np.eye(H.shape[0])
    V = H.session.constant(identity * (1.5 / blocks))
    for _ in range(INVERSE_STEPS):
        V = V @ (2 * identity - H @ V)
    return V
