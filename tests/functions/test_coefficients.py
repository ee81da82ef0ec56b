"""The coefficient tables in float64: each polynomial has the error its module states."""

import numpy as np
import pytest

from petcore.mpc.functions.logarithm import LOG
from petcore.mpc.functions.reciprocal import START, START_SCALE
from petcore.mpc.functions.roots import RSQRT, SQRT

Z = np.linspace(-1, 1, 20_001)


def value(coefficients, z):
    return np.polynomial.polynomial.polyval(z, coefficients)


@pytest.mark.parametrize(
    ("coefficients", "function", "stated"),
    [
        (SQRT, lambda z: np.sqrt((z + 3) / 4), 8.4e-6),
        (RSQRT, lambda z: 1 / np.sqrt((z + 3) / 4), 1.9e-6),
    ],
)
def test_a_relative_minimax_polynomial_has_the_stated_error(coefficients, function, stated):
    assert np.abs(value(coefficients, Z) / function(Z) - 1).max() <= stated


def test_the_polynomial_of_the_logarithm_has_the_stated_error():
    assert np.abs(value(LOG, Z) - np.log((Z + 3) / 4)).max() <= 1.3e-6


def test_the_start_of_the_division_leaves_a_sixteenth():
    c = np.linspace(0.5, 1, 10_001)
    error = 1 - c * (START[0] + START[1] * c) / 2**START_SCALE
    assert np.abs(error).max() <= 1 / 16
