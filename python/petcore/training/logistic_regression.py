"""Logistic regression over columns that different companies hold and do not show."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.mpc import Session, SharedArray, concatenate, stack
from petcore.mpc.functions import sigmoid
from petcore.training import solvers
from petcore.training.preprocessing import Matrix, as_matrix
from petcore.training.vertical import input_columns, input_labels, survey
from petcore.training.whitening import Whitening

Solver = Literal["fixed-hessian", "sgd"]
FRAC_BITS = range(16, 21)


class LogisticRegression:
    """L2-penalised logistic regression for a vertical split, with scikit-learn's conventions.

    Minimises C Σ log(1 + exp(-(2y - 1)(x·w + b))) + w·w / 2, the intercept b unpenalised. Every
    party calls the same methods with *its own* columns of the same rows, in the same order; exactly
    one passes the labels, the others None. The model's columns are party 0's, then party 1's, and
    so on. Columns must have comparable scales, means and deviations up to 1024 (see `Standardizer`);
    each party's whitening, which makes the training fast, is done inside and is local.

    Parameters
    ----------
    session
        The session of this party.
    C
        Inverse strength of the penalty, positive.
    fit_intercept
        Whether to add b.
    solver
        "fixed-hessian" (full steps with a Hessian bound) or "sgd" (minibatches).
    max_iter
        Steps of "fixed-hessian", epochs of "sgd". All of them are done.
    batch_size
        Rows per step of "sgd".
    learning_rate
        First step size of "sgd", positive; above 4 it may diverge.
    random_state
        Public seed of the row order of "sgd", the same at all parties.

    Attributes
    ----------
    coef_
        Fixed point on shares, shape (1, columns of all parties).
    intercept_
        Fixed point on shares, shape (1,).
    classes_
        int64 array [0, 1].
    n_features_in_
        Columns of this party.
    label_party_
        Index of the party that passed y.

    Adversary: semi-honest.
    Leaks: to all parties the numbers of rows and of columns per party and who passed y.
    """

    coef_: SharedArray
    intercept_: SharedArray
    classes_: npt.NDArray[np.int64]
    n_features_in_: int
    label_party_: int

    def __init__(
        self,
        session: Session,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        solver: Solver = "fixed-hessian",
        max_iter: int = 20,
        batch_size: int = 1024,
        learning_rate: float = 2.0,
        random_state: int = 0,
    ) -> None:
        """Store the parameters; `fit` checks them."""
        self.session = session
        self.C = C
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike | None = None) -> LogisticRegression:
        """Train on this party's columns X, shape (rows, own columns), and on y at one party.

        Parameters
        ----------
        X
            Finite numbers.
        y
            0 or 1 per row, shape (rows,); None at all parties but one.

        Raises
        ------
        UsageError
            A parameter, X or y is unusable; the parties have different numbers of rows; no party or
            several parties passed y. Every party learns of it.
        StepMismatch
            The parties set different parameters.
        """
        self._check_parameters()
        own = as_matrix(X, "X")
        self.session.agree(f"the parameters of LogisticRegression: {self._parameters()}")
        self.label_party_ = survey(self.session, own, y is not None)
        own, labels = self._row_order(own, y)
        self._whitening = Whitening.fit(own, C=self.C, centre=self.fit_intercept)
        with self.session.region("fit"):
            problem = solvers.Problem(
                Z=input_columns(self.session, self._whitening.transform(own)),
                y=input_labels(self.session, labels, self.label_party_, len(own)),
                penalty=input_columns(self.session, self._whitening.penalty),
                blocks=self.session.parties,
                intercept=self.fit_intercept,
            )
            self._weights, self._offset = self._solve(problem)
            self._set_coefficients()
        self.n_features_in_, self.classes_ = own.shape[1], np.array([0, 1])
        return self

    def decision_function(self, X: npt.ArrayLike) -> SharedArray:
        """Return x·w + b per row, fixed point on shares, shape (rows,); X as in `fit`."""
        Z = input_columns(self.session, self._fitted().transform(as_matrix(X, "X")))
        return Z @ self._weights + self._offset

    def predict_proba(self, X: npt.ArrayLike) -> SharedArray:
        """Return the chances of 0 and of 1 per row, on shares, shape (rows, 2)."""
        p = sigmoid(self.decision_function(X))
        return stack([1 - p, p], axis=1)

    def predict(self, X: npt.ArrayLike) -> SharedArray:
        """Return the likelier class per row, int64 on shares, shape (rows,)."""
        return (self.decision_function(X) > 0).astype("int64")

    def score(
        self, X: npt.ArrayLike, y: npt.ArrayLike | None = None, *, label: str = "accuracy"
    ) -> float:
        """Return the share of rows predicted right; opened to all parties under `label`.

        Leaks: the accuracy to all parties; over few rows it tells the labels.
        """
        own = as_matrix(X, "X")
        holder = survey(self.session, own, y is not None)
        truth = input_labels(self.session, y, holder, len(own))
        right = (self.predict(own) == truth).astype("int64").sum()
        opened = self.session.open(right, label=label, purpose="evaluate the joint model")
        return float(opened) / len(own)

    def reveal_coef(
        self, *, to: int | str, label: str = "model coefficients", purpose: str = ""
    ) -> tuple[Matrix, Matrix] | None:
        """Reveal the model to one party; every party calls it.

        Returns
        -------
        At `to` the coefficients, shape (1, columns of all parties), and the intercept, shape (1,);
        None elsewhere.
        """
        self._fitted()
        both = concatenate([self.coef_[0], self.intercept_])
        values = self.session.reveal(both, to=to, label=label, purpose=purpose)
        return None if values is None else (values[None, :-1], values[-1:])

    def _solve(self, problem: solvers.Problem) -> tuple[SharedArray, SharedArray]:
        if self.solver == "fixed-hessian":
            return solvers.fixed_hessian(problem, self.max_iter)
        return solvers.minibatch_descent(
            problem, self.max_iter, self.batch_size, self.learning_rate
        )

    def _row_order(
        self, own: Matrix, y: npt.ArrayLike | None
    ) -> tuple[Matrix, npt.ArrayLike | None]:
        """Shuffle the rows for "sgd", alike at all parties."""
        if self.solver != "sgd":
            return own, y
        order = np.random.default_rng(self.random_state).permutation(len(own))
        labels = None if y is None else np.asarray(y)
        if labels is not None and labels.shape != (len(own),):
            raise UsageError(f"y must have one label per row, ({len(own)},), not {labels.shape}")
        return own[order], None if labels is None else labels[order]

    def _set_coefficients(self) -> None:
        """Map the weights of the whitened columns back: w = basis @ v, b = offset - mean·w."""
        coefficients, offset, begin = [], self._offset, 0
        for party in range(self.session.parties):
            mine = party == self.session.party
            basis = self.session.input(
                self._whitening.basis if mine else None, owner=party, dtype="fixed"
            )
            mean = self.session.input(
                self._whitening.mean if mine else None, owner=party, dtype="fixed"
            )
            columns = basis.shape[0]
            w = basis @ self._weights[begin : begin + columns]
            offset = offset - mean @ w
            begin += columns
            coefficients.append(w)
        self.coef_ = concatenate(coefficients).reshape(1, -1)
        self.intercept_ = offset.reshape(1)

    def _fitted(self) -> Whitening:
        if not hasattr(self, "coef_"):
            raise UsageError("this LogisticRegression is not fitted yet; call fit first")
        return self._whitening

    def _parameters(self) -> str:
        """Name, for the other parties to compare, what must be alike at all."""
        said = f"C={float(self.C)!r} fit_intercept={bool(self.fit_intercept)}"
        said += f" solver={self.solver} max_iter={self.max_iter}"
        if self.solver == "sgd":
            said += f" batch_size={self.batch_size} learning_rate={float(self.learning_rate)!r}"
            said += f" random_state={self.random_state}"
        return said

    def _check_parameters(self) -> None:
        if not (np.isfinite(self.C) and self.C > 0):
            raise UsageError(f"C must be a positive number, such as 1.0; it is {self.C!r}")
        if self.solver not in ("fixed-hessian", "sgd"):
            raise UsageError(f"solver must be 'fixed-hessian' or 'sgd'; it is {self.solver!r}")
        for name in ("max_iter", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UsageError(f"{name} must be a whole number from 1; it is {value!r}")
        if self.session.frac_bits not in FRAC_BITS:
            raise UsageError(
                f"training takes {FRAC_BITS[0]} to {FRAC_BITS[-1]} fraction bits; the session has "
                f"{self.session.frac_bits}"
            )
        if not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise UsageError(f"learning_rate must be positive; it is {self.learning_rate!r}")
