import hashlib
from importlib import resources

import numpy as np
import pytest

from petcore.datasets import load_credit_default


def test_the_packaged_file_is_the_published_one() -> None:
    raw = (resources.files("petcore.datasets") / "credit_default.csv.gz").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == (
        "56587f2a2fad6e1f5e5243b2a8669dad9033eff7160c1b52a45f6125c8b98ca6"
    )


def test_the_table_has_the_published_shape_and_first_row() -> None:
    table = load_credit_default()
    assert table.data.shape == (30000, 23)
    assert table.data.dtype == np.int64
    assert int(table.target.sum()) == 6636
    assert table.ids[0] == 1
    assert table.ids[-1] == 30000
    assert table.data[0, :5].tolist() == [20000, 2, 2, 1, 24]


def test_the_parties_columns_split_the_features() -> None:
    table = load_credit_default()
    assert len(table.gateway_columns) == 12
    assert len(table.wallet_columns) == 11
    assert set(table.gateway_columns) | set(table.wallet_columns) == set(table.feature_names)
    assert table.columns(("AGE",))[0, 0] == 24


def test_the_attribution_travels_with_the_data() -> None:
    description = load_credit_default().DESCR
    for word in ("I-Cheng Yeh", "10.24432/C55S3H", "CC BY 4.0"):
        assert word in description


def test_the_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_credit_default().data[0, 0] = 1


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(KeyError, match="SHOE_SIZE"):
        load_credit_default().columns(("SHOE_SIZE",))
