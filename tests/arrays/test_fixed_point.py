"""Fixed-point numbers are rounded correctly and stay within their stated error."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import petcore as pc
from petcore import errors
from petcore.mpc.fixed import decode, encode, scaled_multiplier
from tests.arrays.conftest import evaluate

F = 18
ULP = 2.0**-F
finite = st.floats(-(2.0**40), 2.0**40, allow_nan=False)


@given(finite, st.integers(0, 20))
def test_encoding_rounds_to_nearest_with_ties_to_even(x: float, frac_bits: int) -> None:
    word = int(encode(np.array([x]), "fixed", frac_bits).view(np.int64)[0])
    assert word == round(Fraction(x) * 2**frac_bits)


@given(st.integers(-(2**62) + 1, 2**62 - 1), st.integers(0, 62))
def test_decoding_is_the_nearest_double_for_both_signs(word: int, frac_bits: int) -> None:
    words = np.array([word], np.int64).view(np.uint64)
    assert decode(words, "fixed", frac_bits)[0] == float(Fraction(word, 2**frac_bits))


def test_negative_numbers_decode_as_exactly_as_positive_ones() -> None:
    steps = np.arange(-200_000, 200_001, 7)
    words = steps.astype(np.int64).view(np.uint64)
    np.testing.assert_array_equal(decode(words, "fixed", 16), steps / 65536)


@pytest.mark.parametrize("frac_bits", [0, 8, 18, 40, 62])
def test_the_range_ends_where_two_encodings_could_no_longer_be_compared(frac_bits: int) -> None:
    limit = 2.0 ** (62 - frac_bits)
    inside = np.array([np.nextafter(limit, 0), -np.nextafter(limit, 0)])
    if frac_bits < 9:  # an inside value this close rounds up to the limit otherwise
        encode(inside, "fixed", frac_bits)
    for outside in (limit, -limit, 2 * limit, 1e300):
        with pytest.raises(errors.UsageError, match=r"index \[1\] is out of range"):
            encode(np.array([0.0, outside]), "fixed", frac_bits)


def test_integers_become_fixed_without_passing_through_a_double() -> None:
    exact = np.array([2**43 - 1, -(2**43) + 1])
    words = encode(exact, "fixed", F)
    assert [int(w) for w in words.view(np.int64)] == [int(v) << F for v in exact]
    with pytest.raises(errors.UsageError, match="out of range"):
        encode(np.array([2**44]), "fixed", F)


@pytest.mark.parametrize("value", [2.0, -1.0, 0.0, 1024.0])
def test_a_public_integer_needs_no_truncation_even_as_a_float(value: float) -> None:
    assert scaled_multiplier(np.array([value]), F)[1] == 0


@given(st.floats(1e-9, 1e3))
def test_a_public_multiplier_keeps_its_significant_bits(value: float) -> None:
    words, g = scaled_multiplier(np.array([value]), F)
    error = abs(Fraction(int(words[0]), 2**g) - Fraction(value))
    assert error <= Fraction(1, 2) * max(Fraction(value), 1) / 2**F


def real_pairs(rng: np.random.Generator, n: int) -> tuple[Any, Any]:
    x = np.round(rng.uniform(-4000, 4000, n) / ULP) * ULP
    y = np.round(rng.uniform(-4000, 4000, n) / ULP) * ULP
    return x, y


def test_products_of_reals_are_within_one_unit(rng: np.random.Generator) -> None:
    x, y = real_pairs(rng, 20_000)
    exact = x * y  # 2 x 31 bits, rounded to 53: below a unit of 2^-18
    assert np.abs(evaluate(lambda a, b: a * b, x, y) - exact).max() < 1.01 * ULP
    assert np.abs(evaluate(lambda a: a * a, x) - x * x).max() < 1.01 * ULP


def test_probabilistic_truncation_never_fails_grossly(rng: np.random.Generator) -> None:
    big = rng.uniform(0.9e6, 1e6, 50_000)
    got = evaluate(lambda a: a * 40.7, big)
    assert np.abs(got - big * 40.7).max() < 2 * ULP + 1e6 * ULP


def test_exact_truncation_is_the_floor(rng: np.random.Generator) -> None:
    x, y = real_pairs(rng, 5000)
    want = np.floor(x * y / ULP) * ULP
    np.testing.assert_array_equal(
        evaluate(lambda a, b: pc.multiply(a, b, truncation="exact"), x, y), want
    )


def test_the_session_can_truncate_exactly_throughout() -> None:
    def program(session: pc.Session) -> Any:
        session.truncation = "exact"
        x = session.input([-0.75, 0.3] if session.party == 0 else None, owner=0)
        return session.open(x * x[::-1], label="x")

    encoded = np.rint(np.array([-0.75, 0.3]) / ULP)
    want = np.floor(encoded * encoded[::-1] * ULP) * ULP
    for opened in pc.simulate(program):
        np.testing.assert_array_equal(opened, want)


def test_the_mean_of_many_is_as_precise_as_the_mean_of_few(rng: np.random.Generator) -> None:
    x = rng.uniform(0, 2000, 30_000)
    assert abs(evaluate(lambda a: a.mean(), x) - x.mean()) < 2000 * ULP


def test_division_by_a_public_number_keeps_the_relative_error(rng: np.random.Generator) -> None:
    x = np.round(rng.uniform(-1000, 1000, 2000) / ULP) * ULP
    for divisor in (3, 0.001, -77.7, 30_000):
        got = evaluate(lambda a, d=divisor: a / d, x)
        assert np.all(np.abs(got - x / divisor) < 2 * ULP + np.abs(x / divisor) * ULP)


def test_matrix_products_round_once_per_result(rng: np.random.Generator) -> None:
    x = np.round(rng.normal(size=(20, 300)) / ULP) * ULP
    y = np.round(rng.normal(size=(300, 10)) / ULP) * ULP
    assert np.abs(evaluate(lambda a, b: a @ b, x, y) - x @ y).max() < 1.01 * ULP
    weights = rng.normal(size=(300, 10))
    assert np.abs(evaluate(lambda a: a @ weights, x) - x @ weights).max() < 300 * 4 * ULP


def test_two_scales_meet_at_the_finer_one() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input([1.25] if session.party == 0 else None, owner=0, frac_bits=8)
        y = session.input([0.5 + 2.0**-20] if session.party == 1 else None, owner=1, frac_bits=20)
        made = [x + y, x - y, x * y, x @ y, x < y, np.maximum(x, y)]
        assert {m.frac_bits for m in made if m.dtype == "fixed"} == {20}
        return [float(session.open(m, label=f"{i}").reshape(())) for i, m in enumerate(made)]

    y = 0.5 + 2.0**-20
    for opened in pc.simulate(program):
        np.testing.assert_allclose(
            opened, [1.25 + y, 1.25 - y, 1.25 * y, 1.25 * y, 0, 1.25], rtol=0, atol=2.0**-19
        )


def test_scales_are_changed_by_astype() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input([2.7, -2.7] if session.party == 0 else None, owner=0)
        coarse, fine = x.astype("fixed", frac_bits=4), x.astype("fixed", frac_bits=30)
        assert (coarse.frac_bits, fine.frac_bits) == (4, 30)
        return session.open(coarse, label="c"), session.open(fine, label="f")

    coarse, fine = pc.simulate(program)[0]
    np.testing.assert_allclose(coarse, [2.7, -2.7], rtol=0, atol=1.01 / 16)
    np.testing.assert_allclose(fine, [2.7, -2.7], rtol=0, atol=ULP)


def test_the_mean_of_many_large_numbers_has_room_for_their_sum() -> None:
    x = np.full(30_000, 5200.25)
    assert abs(evaluate(lambda a: a.mean(), x) - 5200.25) < 5200.25 * ULP * 2
    assert abs(evaluate(lambda a: a.sum() / 30_000, x) - 5200.25) < 5200.25 * ULP * 2


@pytest.mark.parametrize("factor", [1e-4, -3e-9, 1e-15, 1e-300, 1 / 17, -(2.0**-20)])
def test_a_small_public_factor_takes_large_numbers(factor: float) -> None:
    x = np.array([1e8, -2e9, 0.5, 0.0])
    got = evaluate(lambda a: a * factor, x)
    assert np.all(np.abs(got - x * factor) <= 2.01 * ULP + np.abs(x * factor) * ULP)
