"""Every function stays within its stated error, on dense grids over its stated domain."""

import numpy as np
import pytest

from petcore.mpc.functions import CONTRACTS

SCALES = [16, 18, 21, 24]
POINTS = 4000


def logarithmic(low: float, high: float, frac_bits: int) -> np.ndarray:
    """Points spread over the binary logarithm, every power of two and its neighbours."""
    exponents = np.log2(low), np.log2(high)
    generator = np.random.default_rng(frac_bits)
    spread = 2.0 ** generator.uniform(*exponents, POINTS)
    powers = 2.0 ** np.arange(exponents[0], exponents[1])
    unit = 2.0**-frac_bits
    points = np.concatenate([spread, powers, powers - unit, powers + unit, [low, high - unit]])
    return points[(points >= low) & (points < high)]


def linear(low: float, high: float, frac_bits: int) -> np.ndarray:
    return np.append(np.linspace(low, high, POINTS), [low, high - 2.0**-frac_bits])


def far(frac_bits: int) -> np.ndarray:
    """Both signs of magnitudes from 10 to the end of the domain of the bounded functions."""
    tail = logarithmic(16.0, 2.0 ** (59 - frac_bits), frac_bits)[::8]
    return np.concatenate([tail, -tail])


def domain_grid(name: str, frac_bits: int) -> np.ndarray:
    low, high = CONTRACTS[name].domain(frac_bits)
    if name in ("sigmoid", "tanh"):
        knots = np.array([8.6, 8.7, 8.8, 8.9, 4.3, 4.35, 4.4, 4.45])
        return np.concatenate([linear(-12, 12, frac_bits), far(frac_bits), knots, -knots])
    if name == "exp":
        return np.concatenate([linear(-20, high, frac_bits), [low, low / 2, -1000.0, 0.0, high]])
    if name == "sqrt":
        return np.append(logarithmic(2.0**-frac_bits, high, frac_bits), 0.0)
    grid = logarithmic(low, high, frac_bits)
    return np.concatenate([grid, -grid]) if name == "reciprocal" else grid


def assert_within_bound(name, outcome, frac_bits):
    bound = np.array([CONTRACTS[name].bound(v, frac_bits) for v in outcome.expected])
    excess = np.abs(outcome.result - outcome.expected) / bound
    worst = int(np.argmax(excess))
    assert excess[worst] <= 1, (
        f"{name}: {outcome.result[worst]} for {outcome.expected[worst]}, {excess[worst]:.2f} bounds"
    )


@pytest.mark.parametrize(
    ("correlations", "frac_bits"),
    [*(("dealer", f) for f in SCALES), ("ot", 16), ("ot", 24), ("store", 18)],
)
@pytest.mark.parametrize("name", [n for n in CONTRACTS if n != "divide"])
def test_the_error_stays_within_the_bound_over_the_whole_domain(run, name, frac_bits, correlations):
    outcome = run(
        name, domain_grid(name, frac_bits), frac_bits=frac_bits, correlations=correlations
    )
    assert_within_bound(name, outcome, frac_bits)


@pytest.mark.parametrize("frac_bits", SCALES)
def test_quotients_stay_within_the_bound_for_small_and_large_operands(run, frac_bits):
    low, high = CONTRACTS["divide"].domain(frac_bits)
    y = logarithmic(low, high, frac_bits)
    generator = np.random.default_rng(frac_bits + 100)
    largest = min(17, 37 - frac_bits)
    x = y * generator.uniform(-1, 1, y.size) * 2.0 ** generator.uniform(-frac_bits, largest, y.size)
    y = y * generator.choice([-1, 1], y.size)
    assert_within_bound("divide", run("divide", x, y, frac_bits=frac_bits), frac_bits)


@pytest.mark.parametrize(("name", "low"), [("sigmoid", 0.0), ("tanh", -1.0)])
@pytest.mark.parametrize("frac_bits", SCALES)
def test_the_limits_of_sigmoid_and_tanh_are_exact_however_large_the_input(
    run, name, low, frac_bits
):
    x = far(frac_bits)
    result = run(name, x, frac_bits=frac_bits).result
    np.testing.assert_array_equal(result, np.where(x > 0, 1.0, low))


def test_exp_of_very_negative_inputs_is_zero_within_one_unit(run):
    result = run("exp", np.array([-14.0, -50.0, -1e3, -1e6, -(2.0**22)])).result
    assert np.abs(result).max() <= 2.0**-18


@pytest.mark.parametrize("name", ["sqrt", "rsqrt", "reciprocal"])
def test_zero_gives_zero_where_the_docstring_says_so(run, name):
    assert np.abs(run(name, np.zeros(5)).result).max() <= 2.0**-18


def test_a_quotient_by_zero_is_zero_as_the_docstring_says(run):
    assert np.abs(run("divide", np.array([0.0, 3.0, -7.5]), np.zeros(3)).result).max() <= 2.0**-18


def test_the_logarithm_of_zero_lies_below_that_of_every_positive_number(run):
    zero, smallest = run("log", np.array([0.0, 2.0**-18])).result
    assert zero < smallest - 1


def test_tanh_is_odd_and_sigmoid_symmetric_within_twice_the_stated_error(run):
    x = np.linspace(0, 10, 501)
    tanh = run("tanh", np.concatenate([x, -x])).result.reshape(2, -1)
    sigmoid = run("sigmoid", np.concatenate([x, -x])).result.reshape(2, -1)
    assert np.abs(tanh.sum(axis=0)).max() <= 2 * CONTRACTS["tanh"].bound(0, 18)
    assert np.abs(sigmoid.sum(axis=0) - 1).max() <= 2 * CONTRACTS["sigmoid"].bound(0, 18)
