"""The start of the division in float64: it has the error its module states."""

import numpy as np

from petcore.mpc.functions.reciprocal import START, START_SCALE


def test_the_start_of_the_division_leaves_a_sixteenth():
    c = np.linspace(0.5, 1, 10_001)
    error = 1 - c * (START[0] + START[1] * c) / 2**START_SCALE
    assert np.abs(error).max() <= 1 / 16
