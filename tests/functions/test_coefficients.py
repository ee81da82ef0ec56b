"""The coefficient tables in float64: each polynomial has the error its module states."""

import numpy as np
import pytest

from petcore.mpc.functions.exponential import EXP2
from petcore.mpc.functions.logarithm import LOG
from petcore.mpc.functions.reciprocal import START, START_SCALE
from petcore.mpc.functions.roots import RSQRT, SQRT
from petcore.mpc.functions.sigmoid import CENTRE, FLAT, KNOT, OUTER

Z = np.linspace(-1, 1, 20_001)


def value(coefficients, z):
    return np.polynomial.polynomial.polyval(z, coefficients)


@pytest.mark.parametrize(
    ("coefficients", "function", "stated"),
    [
        (EXP2, lambda z: 2 ** ((z + 1) / 2), 2.6e-6),
        (SQRT, lambda z: np.sqrt((z + 3) / 4), 8.4e-6),
        (RSQRT, lambda z: 1 / np.sqrt((z + 3) / 4), 1.9e-6),
    ],
)
def test_a_relative_minimax_polynomial_has_the_stated_error(coefficients, function, stated):
    assert np.abs(value(coefficients, Z) / function(Z) - 1).max() <= stated


def test_the_polynomial_of_the_logarithm_has_the_stated_error():
    assert np.abs(value(LOG, Z) - np.log((Z + 3) / 4)).max() <= 1.3e-6


def test_every_piece_of_the_sigmoid_has_the_stated_error():
    centre, outer = np.linspace(-KNOT, KNOT, 20_001), np.linspace(KNOT, FLAT, 20_001)
    odd = [0, CENTRE[0], 0, CENTRE[1], 0, CENTRE[2]]
    for coefficients, x in ((odd, centre), (OUTER, outer)):
        assert np.abs(value(coefficients, x / 8) - 0.5 * np.tanh(x / 2)).max() <= 1.52e-4
    assert 1 / (1 + np.exp(FLAT)) <= 1.52e-4


def test_the_start_of_the_division_leaves_a_sixteenth():
    c = np.linspace(0.5, 1, 10_001)
    error = 1 - c * (START[0] + START[1] * c) / 2**START_SCALE
    assert np.abs(error).max() <= 1 / 16
