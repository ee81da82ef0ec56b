from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore.errors import StepMismatch, UsageError
from petcore.training import LogisticRegression, PlaintextLogisticRegression

ROWS, GATEWAY, WALLET = 400, 3, 2


def joint_table(seed: int = 0, rows: int = ROWS) -> tuple[Any, Any]:
    """Columns that are correlated within and between the parties, and labels they explain in part."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, GATEWAY + WALLET)) @ random.normal(size=(5, 5)) + 0.5
    y = (X @ [0.5, -0.4, 0.3, 0.6, -0.2] + random.logistic(size=rows) > 0).astype(int)
    return X, y


def own(session: pc.Session, X: Any) -> Any:
    return X[:, :GATEWAY] if session.party == 0 else X[:, GATEWAY:]


def fitted(session: pc.Session, X: Any, y: Any, **options: Any) -> LogisticRegression:
    model = LogisticRegression(session, **options)
    return model.fit(own(session, X), y if session.party == 1 else None)


@pytest.mark.parametrize(
    ("correlations", "options"),
    [
        ("dealer", {}),
        ("dealer", {"C": 0.01}),
        ("dealer", {"fit_intercept": False, "C": 1e6}),
        ("ot", {}),
        ("store", {}),
    ],
)
def test_the_private_model_has_the_coefficients_of_the_plaintext_one(
    correlations: str,
    options: dict[str, Any],
) -> None:
    X, y = joint_table()
    if "fit_intercept" in options:  # the reference always has one: make it vanish
        X, y = np.concatenate([X, -X]), np.concatenate([y, 1 - y])
    reference = PlaintextLogisticRegression(C=options.get("C", 1.0)).fit(X, y)

    def program(session: pc.Session) -> Any:
        return fitted(session, X, y, max_iter=40, **options).reveal_coef(to=0)

    revealed, nothing = pc.simulate(program, correlations=correlations)
    assert nothing is None
    assert np.abs(revealed[0] - reference.coef_).max() < 5e-3
    assert np.abs(revealed[1] - reference.intercept_).max() < 5e-3


def test_chances_classes_and_accuracy_are_those_of_the_plaintext_model() -> None:
    X, y = joint_table()
    new, truth = joint_table(seed=0, rows=500)
    expected = PlaintextLogisticRegression().fit(X, y).predict_proba(new)

    def program(session: pc.Session) -> Any:
        model = fitted(session, X, y)
        chances = session.open(model.predict_proba(own(session, new)), label="chances")
        classes = session.open(model.predict(own(session, new)), label="classes")
        score = model.score(own(session, new), truth if session.party == 1 else None)
        return chances, classes, score

    chances, classes, score = pc.simulate(program)[0]
    assert chances.shape == (500, 2)
    assert np.abs(chances - expected).max() < 2e-3
    assert np.array_equal(classes, chances[:, 1] > 0.5)
    assert score == pytest.approx((classes == truth).mean())


def test_sgd_comes_close_to_the_optimum() -> None:
    X, y = joint_table(rows=1200)
    reference = PlaintextLogisticRegression().fit(X, y)

    def program(session: pc.Session) -> Any:
        model = fitted(session, X, y, solver="sgd", max_iter=8, batch_size=200)
        return session.open(model.decision_function(own(session, X)), label="scores")

    scores = pc.simulate(program)[0]
    expected = reference.decision_function(X)
    assert np.corrcoef(scores, expected)[0, 1] > 0.995


def test_a_column_that_both_parties_hold_does_not_upset_the_training() -> None:
    X, y = joint_table()
    X = np.column_stack([X[:, :GATEWAY], X[:, 0], X[:, 4]])
    expected = PlaintextLogisticRegression().fit(X, y).predict_proba(X)[:, 1]

    def program(session: pc.Session) -> Any:
        model = fitted(session, X, y, max_iter=40)
        return session.open(model.predict_proba(own(session, X))[:, 1], label="chances")

    assert np.abs(pc.simulate(program)[0] - expected).max() < 5e-3


def test_nothing_but_the_sizes_is_disclosed_by_fit() -> None:
    X, y = joint_table(rows=50)

    def program(session: pc.Session) -> Any:
        model = fitted(session, X, y, max_iter=2)
        assert isinstance(model.coef_, pc.SharedArray)
        assert model.coef_.shape == (1, 5)
        assert model.label_party_ == 1
        return None

    sinks = [pc.MemorySink(), pc.MemorySink()]
    pc.simulate(program, sinks=sinks)
    for sink in sinks:
        assert [d.label for d in sink] == ["size of each table and who holds the labels"]


def test_the_constructor_checks_nothing_and_fit_checks_everything() -> None:
    X, y = joint_table(rows=20)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"C": -1.0}, "C must be"),
        ({"C": float("nan")}, "C must be"),
        ({"solver": "magic"}, "solver must be"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"batch_size": 1.5}, "batch_size must be"),
        ({"learning_rate": 0}, "learning_rate must be"),
    ]
    for options, what in wrong:

        def program(session: pc.Session, options: dict[str, Any] = options) -> None:
            LogisticRegression(session, **options)
            fitted(session, X, y, **options)

        with pytest.raises(UsageError, match=what):
            pc.simulate(program)


def _with(X: Any, y: Any, change: str) -> tuple[Any, Any, Any, Any]:
    """Return gateway's X and y and wallet's X and y with one thing wrong."""
    left, right = X[:, :GATEWAY].copy(), X[:, GATEWAY:].copy()
    cases: dict[str, tuple[Any, Any, Any, Any]] = {
        "both": (left, y, right, y),
        "none": (left, None, right, None),
        "rows": (left[:-1], None, right, y),
        "nan": (np.where(left == left[3, 1], np.nan, left), None, right, y),
        "vector": (left, None, right[:, 0], y),
        "classes": (left, None, right, y + 1),
        "short": (left, None, right, y[:-1]),
    }
    return cases[change]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("both", "exactly one party must pass the labels y; party0 and party1 did"),
        ("none", "no party did"),
        ("rows", "must pass the same rows; there are 19 at party0, 20 at party1"),
        ("nan", "NaN or infinity"),
        ("vector", "must be a matrix"),
        ("classes", "only 0 and 1"),
        ("short", r"one label per row, \(20,\), not \(19,\)"),
    ],
)
def test_tables_that_do_not_fit_are_refused_and_nobody_hangs(change: str, what: str) -> None:
    parts = _with(*joint_table(rows=20), change)

    def program(session: pc.Session) -> None:
        X, y = parts[:2] if session.party == 0 else parts[2:]
        LogisticRegression(session).fit(X, y)

    with pytest.raises(UsageError, match=what):
        pc.simulate(program)


def test_a_model_that_is_not_fitted_or_gets_other_columns_says_so() -> None:
    X, y = joint_table(rows=20)

    def too_early(session: pc.Session) -> None:
        LogisticRegression(session).predict(own(session, X))

    def too_wide(session: pc.Session) -> None:
        fitted(session, X, y, max_iter=1).predict(X)

    with pytest.raises(UsageError, match="not fitted yet"):
        pc.simulate(too_early)
    with pytest.raises(UsageError, match="was fitted on"):
        pc.simulate(too_wide)


@pytest.mark.parametrize("holder", [0, 1])
@pytest.mark.parametrize("solver", ["fixed-hessian", "sgd"])
def test_one_informative_column_held_by_both_parties_is_learnt_like_two(
    holder: int, solver: Any
) -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=(8000, 1))
    y = (2 * x[:, 0] + random.logistic(size=8000) > 0).astype(int)
    expected = PlaintextLogisticRegression().fit(np.hstack([x, x]), y).coef_

    def program(session: pc.Session) -> Any:
        model = LogisticRegression(session, solver=solver, max_iter=15, batch_size=500)
        model.fit(x, y if session.party == holder else None)
        assert model.label_party_ == holder
        return model.reveal_coef(to=1)

    assert np.abs(pc.simulate(program)[1][0] - expected).max() < 0.05


def test_constant_and_collinear_columns_change_no_chance() -> None:
    X, y = joint_table(rows=1000)
    left = np.column_stack([X[:, :GATEWAY], np.full(1000, 3.0), X[:, 0] - X[:, 1]])
    right = np.column_stack([X[:, GATEWAY:], X[:, 0] + X[:, 3]])
    both = np.column_stack([left, right])
    expected = PlaintextLogisticRegression().fit(both, y).predict_proba(both)[:, 1]

    def program(session: pc.Session) -> Any:
        own_columns = left if session.party == 0 else right
        model = LogisticRegression(session, max_iter=40)
        model.fit(own_columns, y if session.party == 0 else None)
        return session.open(model.predict_proba(own_columns)[:, 1], label="chances")

    assert np.abs(pc.simulate(program)[0] - expected).max() < 5e-3


@pytest.mark.parametrize(
    "options",
    [{"C": 2.0}, {"fit_intercept": False}, {"solver": "sgd", "random_state": 1}],
    ids=["C", "intercept", "seed"],
)
def test_parameters_that_differ_between_the_parties_are_noticed_before_training(
    options: dict[str, Any],
) -> None:
    X, y = joint_table(rows=50)

    def program(session: pc.Session) -> None:
        solver = options.get("solver", "fixed-hessian")
        mine = options if session.party == 0 else {"solver": solver}
        fitted(session, X, y, **mine)

    with pytest.raises(StepMismatch, match="parameters of LogisticRegression"):
        pc.simulate(program)


def test_columns_in_raw_units_are_refused_at_their_owner_with_the_remedy() -> None:
    X, y = joint_table(rows=50)

    def program(session: pc.Session) -> None:
        fitted(session, X * np.array([1, 1, 1, 1, 1e5]), y)

    with pytest.raises(UsageError, match=r"column 1 of X .* Standardizer") as caught:
        pc.simulate(program)
    assert any("PeerAborted" in note for note in caught.value.__notes__)


def test_a_row_far_from_the_training_rows_is_refused_at_its_owner() -> None:
    X, y = joint_table(rows=50)
    far = X.copy()
    far[7, 4] = 1e9

    def program(session: pc.Session) -> None:
        fitted(session, X, y, max_iter=1).predict(own(session, far))

    with pytest.raises(UsageError, match="row 7 of X"):
        pc.simulate(program)


def test_a_scale_without_room_for_the_training_is_refused() -> None:
    X, y = joint_table(rows=50)

    def program(session: pc.Session) -> None:
        session.frac_bits = 24
        fitted(session, X, y)

    with pytest.raises(UsageError, match="16 to 20 fraction bits"):
        pc.simulate(program)
