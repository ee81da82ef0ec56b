"""A masked matrix multiplies as the matrix itself does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import errors
from tests.arrays.conftest import evaluate

X = np.arange(-12, 12).reshape(8, 3) / 4
W = np.array([0.5, -1.25, 2.0])
R = np.arange(8) / 8 - 0.5
ULP = 2.0**-18


def masked(x: Any) -> Any:
    return x.session.mask(x) if isinstance(x, pc.SharedArray) else x


PRODUCTS = {
    "vector": lambda x, w, r: masked(x) @ w,
    "matrix": lambda x, w, r: masked(x) @ np.stack([w, w * 2], axis=1),
    "transpose": lambda x, w, r: masked(x).T @ r,
    "transposed_matrix": lambda x, w, r: masked(x).T @ np.stack([r, r], axis=1),
    "batch": lambda x, w, r: masked(x)[2:5] @ w,
    "batch_of_batch": lambda x, w, r: masked(x)[1:7][1:-1] @ w,
    "open_ended": lambda x, w, r: masked(x)[6:] @ w,
    "batch_transpose": lambda x, w, r: masked(x)[2:5].T @ r[2:5],
    "twice_transposed": lambda x, w, r: masked(x).T.T @ w,
    "empty": lambda x, w, r: masked(x)[3:3] @ w,
    "empty_transpose": lambda x, w, r: masked(x)[3:3].T @ r[:0],
    "gradient": lambda x, w, r: masked(x).T @ (masked(x) @ w - r),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_equal_those_of_the_plain_matrix(name: str) -> None:
    want = PRODUCTS[name](X, W, R)
    got = evaluate(PRODUCTS[name], X, W, R)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=(40 if name == "gradient" else 1) * ULP)


def test_integers_and_bits_are_exact() -> None:
    counts = np.arange(6).reshape(2, 3)
    bits = np.array([True, False, True])
    product = evaluate(lambda x, b: masked(x) @ b, counts, bits)
    np.testing.assert_array_equal(product, counts @ bits.astype(int))
    product = evaluate(lambda x, b: masked(b.reshape(1, 3)) @ x[0], counts, bits)
    np.testing.assert_array_equal(product, bits.astype(int).reshape(1, 3) @ counts[0])


def test_writing_to_the_original_does_not_reach_the_mask() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input(np.eye(2, dtype=int) if session.party == 0 else None, owner=0)
        mask = session.mask(x)
        x[0] = 100
        return session.open(mask @ session.constant([3, 4]), label="x").tolist()

    assert pc.simulate(program)[0] == [3, 4]


def test_a_masked_matrix_refuses_what_it_cannot_do() -> None:
    def program(session: pc.Session) -> None:
        x = session.zeros((4, 3))
        mask = session.mask(x)
        assert (mask.shape, mask.T.shape, len(mask), mask[1:].shape) == ((4, 3), (3, 4), 4, (3, 3))
        assert repr(mask) == "MaskedMatrix(shape=(4, 3), dtype=int64)"
        for use, match in (
            (lambda: mask @ np.zeros(3), "SharedArray"),
            (lambda: mask @ session.zeros(4), "fit"),
            (lambda: mask[::2], "slices"),
            (lambda: mask[0], "slices"),
            (lambda: mask.T[:1], "before"),
            (lambda: session.mask(session.zeros(3)), "matrix"),
            (lambda: session.mask(np.eye(3)), "SharedArray"),
        ):
            with pytest.raises(errors.UsageError, match=match):
                use()

    pc.simulate(program)
