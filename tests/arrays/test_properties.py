"""Laws that hold for all values, shapes and splits."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import petcore as pc
from petcore import errors
from petcore.mpc.metadata import Metadata, unpack
from tests.arrays.conftest import evaluate

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
INTEGERS = hnp.arrays(np.int64, SHAPES, elements=st.integers(-(2**63), 2**63 - 1))
REALS = hnp.arrays(np.float64, SHAPES, elements=st.floats(-(2.0**40), 2.0**40))
few = settings(max_examples=25)


@few
@given(INTEGERS)
def test_opening_an_input_gives_it_back(values: Any) -> None:
    opened = evaluate(lambda x: x, values)
    assert opened.dtype == np.int64
    np.testing.assert_array_equal(opened, values)


@few
@given(REALS)
def test_opening_a_real_gives_it_back_to_half_a_unit(values: Any) -> None:
    opened = evaluate(lambda x: x, values)
    assert opened.shape == values.shape
    np.testing.assert_array_equal(opened, np.rint(values * 2.0**18) / 2.0**18)


@few
@given(INTEGERS, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_sharing_is_linear_modulo_two_to_the_sixty_four(values: Any, a: int, b: int) -> None:
    with np.errstate(over="ignore"):
        want = values * np.int64(a) + np.int64(b) - values
    np.testing.assert_array_equal(evaluate(lambda x: x * a + b - x, values), want)


@st.composite
def broadcastable(draw: Any) -> Any:
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    elements = st.integers(-(2**31), 2**31)
    return [draw(hnp.arrays(np.int64, shape, elements=elements)) for shape in shapes.input_shapes]


@few
@given(broadcastable())
def test_pairs_broadcast_like_numpy_in_products_and_comparisons(pair: Any) -> None:
    x, y = pair
    np.testing.assert_array_equal(evaluate(lambda a, b: a * b, x, y), x * y)
    np.testing.assert_array_equal(evaluate(lambda a, b: a < b, x, y), x < y)
    np.testing.assert_array_equal(
        evaluate(lambda a, b: np.where(a == b, a, b - a), x, y), np.where(x == y, x, y - x)
    )


@few
@given(st.data())
def test_any_index_that_numpy_takes_picks_the_same_elements(data: Any) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    index = data.draw(
        hnp.basic_indices(values.shape, allow_newaxis=True, max_dims=6)
        | hnp.integer_array_indices(values.shape)
        | hnp.arrays(np.bool_, values.shape[:2])
    )
    want = values[index]
    got = evaluate(lambda x: x[index], values)
    assert got.shape == np.shape(want)
    np.testing.assert_array_equal(got, want)

    def write(x: Any) -> Any:
        x = x.copy()
        x[index] = -1
        return x

    np.testing.assert_array_equal(evaluate(write, values), write(values))


@few
@given(
    hnp.arrays(np.int64, hnp.array_shapes(max_dims=2, max_side=6), elements=st.integers(-3, 3)),
    st.sampled_from([None, 0, -1]),
)
def test_tournaments_find_what_numpy_finds(values: Any, axis: int | None) -> None:
    for name in ("max", "min", "argmax", "argmin"):
        got = evaluate(lambda x, name=name: getattr(x, name)(axis=axis), values)
        np.testing.assert_array_equal(got, getattr(values, name)(axis=axis))


@given(st.binary(max_size=90), st.integers(1, 100))
def test_no_bytes_make_the_metadata_reader_do_anything_but_refuse_or_agree(
    raw: bytes, n: int
) -> None:
    with contextlib.suppress(errors.BadFrame):
        assert max(1, int(np.prod(unpack(raw, n, "gateway").shape))) == n


@given(hnp.array_shapes(min_dims=0, max_dims=8, min_side=0, max_side=3), st.integers(0, 62))
def test_metadata_survives_its_bytes(shape: tuple[int, ...], frac_bits: int) -> None:
    meta = Metadata(shape, "fixed", frac_bits)
    assert unpack(meta.pack(), max(1, int(np.prod(shape))), "gateway") == meta


def test_a_share_alone_is_uniform_and_differs_every_time() -> None:
    zeros = np.zeros(4096, np.int64)
    shares = pc.simulate(
        lambda s: s.input(zeros if s.party == 0 else None, owner=0)._share.reshape(-1)
    )
    again = pc.simulate(
        lambda s: s.input(zeros if s.party == 0 else None, owner=0)._share.reshape(-1)
    )
    assert not np.array_equal(shares[0], again[0])
    for share in shares:
        ones = int(np.unpackbits(share.view(np.uint8)).sum())
        # 262144 fair bits: standard deviation 256; six of them, false alarm 2e-9
        assert abs(ones - 131072) < 6 * 256
