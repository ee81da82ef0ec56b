"""What a party does to its own data, without the others."""

from pathlib import Path

import numpy as np
import pytest

from petcore.errors import ConfigError, UsageError
from petcore.training import (
    PlaintextLogisticRegression,
    Standardizer,
    compress_amounts,
    load_table,
    split_rows,
)
from petcore.training.whitening import Whitening

ROWS = "ID,PAY_AMT1,AGE,LABEL\nb,100,31,1\na,-3,40,0\n"


def table(folder: Path, text: str = ROWS) -> Path:
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_amounts_keep_their_sign_and_order() -> None:
    assert np.allclose(compress_amounts([0, np.e - 1, 1 - np.e]), [0, 1, -1])


def test_a_constant_column_is_standardised_to_zero() -> None:
    X = np.array([[5.0, 1.0], [5.0, 3.0]])
    assert Standardizer.fit(X).transform(X).tolist() == [[0, -1], [0, 1]]


def test_whitening_makes_the_partys_own_block_of_the_hessian_bound_the_identity() -> None:
    X = np.random.default_rng(0).normal(size=(200, 4)) @ np.array([[1, 2, 0, 0]] * 4)
    whitening = Whitening.fit(X, C=0.3, centre=True)
    Z = whitening.transform(X)
    bound = Z.T @ Z / 4 + np.diag(whitening.penalty)
    assert np.allclose(bound, np.eye(4) * len(X) / 4)


def test_the_plaintext_reference_has_a_zero_gradient() -> None:
    random = np.random.default_rng(1)
    X, y = random.normal(size=(300, 3)), random.integers(0, 2, 300)
    model = PlaintextLogisticRegression(C=0.5).fit(X, y)
    error = model.predict_proba(X)[:, 1] - y
    assert np.allclose(X.T @ error + model.coef_[0] / 0.5, 0, atol=1e-6)
    assert error.sum() == pytest.approx(0, abs=1e-6)


def test_a_table_is_sorted_by_identifier_and_its_amounts_are_compressed(tmp_path: Path) -> None:
    own = load_table(table(tmp_path), id_column="ID", label="LABEL", amounts=["PAY_*"])
    assert own.ids == ("a", "b")
    assert own.names == ("PAY_AMT1", "AGE")
    assert np.allclose(own.X, [[-np.log(4), 40], [np.log(101), 31]])
    assert own.y is not None
    assert own.y.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "options", "what"),
    [
        (ROWS, {"id_column": "CUSTOMER"}, "no column 'CUSTOMER'"),
        (ROWS, {"label": "AGE"}, r"line 2, column 'AGE': must be from 0 to 1"),
        (ROWS, {"amounts": ["BILL*"]}, "no column matches 'BILL\\*'"),
        (ROWS.replace("31", "nan"), {}, r"line 2, column 'AGE': is NaN"),
        (ROWS.replace("40", ""), {}, r"line 3, column 'AGE': is empty"),
        (ROWS.replace("40", "old"), {}, r"line 3, column 'AGE': is not a number"),
        (ROWS.replace("a,", "b,"), {}, r"line 3, column 'ID': occurs twice"),
        (ROWS.replace("b,100", "b"), {}, "row 1 below the header: 3 cells"),
        ("ID,AGE,AGE\n1,2,3\n", {}, "a name of its own"),
        ("ID,AGE\n", {}, "at least one row"),
        ("ID\n1\n", {}, "needs a column besides"),
    ],
)
def test_a_bad_csv_file_is_refused_with_its_place(
    tmp_path: Path, text: str, options: dict[str, str], what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        load_table(table(tmp_path, text), **({"id_column": "ID"} | options))


def test_an_error_about_a_cell_does_not_quote_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(table(tmp_path, ROWS.replace("31", "SECRET")), id_column="ID")
    assert "SECRET" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.csv: cannot be read"):
        load_table(tmp_path / "none.csv", id_column="ID")


def test_the_split_is_a_partition_that_the_seed_fixes() -> None:
    train, test = split_rows(10, 0.3, seed=5)
    assert sorted([*train, *test]) == list(range(10))
    assert len(test) == 3
    assert split_rows(10, 0.3, seed=5)[1].tolist() == test.tolist()


def test_text_is_no_feature() -> None:
    with pytest.raises(UsageError, match="must hold numbers"):
        Standardizer.fit([["a"]])


def test_a_column_that_is_constant_but_for_rounding_is_standardised_to_zero() -> None:
    X = np.full((30_000, 1), 0.1)
    scale = Standardizer.fit(X)
    assert np.abs(scale.transform(X)).max() < 1e-9
    assert scale.transform([[1.1]]).tolist() == [[pytest.approx(1.0)]]
