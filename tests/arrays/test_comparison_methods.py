"""Comparisons by either method, how a session chooses, and what it says about it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import petcore as pc
from petcore.errors import StepMismatch, UsageError
from petcore.mpc.estimation import Plan

METHODS = ("tree", "fss")
X = np.array([-7, 0, 3, 3, 2**40, -(2**40)])
Y = np.array([3, 0, 3, 4, -(2**40), 2**40])


def opened(program, *args):
    first, second = pc.simulate(program, args=args)
    np.testing.assert_array_equal(first, second)
    return first


def both(session, x, y):
    return tuple(
        session.input(v if session.party == owner else None, owner)
        for owner, v in enumerate((x, y))
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits", [None, 48])
@pytest.mark.parametrize(
    ("compare", "reference"),
    [
        (pc.less, np.less),
        (pc.less_equal, np.less_equal),
        (pc.greater, np.greater),
        (pc.greater_equal, np.greater_equal),
        (pc.equal, np.equal),
        (pc.not_equal, np.not_equal),
    ],
)
def test_shared_and_public_numbers_compare_as_in_numpy(compare, reference, bits, method):
    def program(session):
        x, y = both(session, X, Y)
        results = [
            compare(*pair, bits=bits, method=method) for pair in ((x, y), (x, Y), (X, y), (x, 3))
        ]
        return np.stack([session.open(r, label="result") for r in results])

    expected = [reference(X, Y)] * 3 + [reference(X, 3)]
    np.testing.assert_array_equal(opened(program), expected)


@pytest.mark.parametrize("method", METHODS)
def test_an_interval_takes_its_lower_end_and_not_its_upper(method):
    low, high = np.array([[-7], [4], [3]]), np.array([3, 0, 4, 5, 2**50, 0])

    def program(session):
        x, _ = both(session, X, Y)
        wide = session.open(pc.between(x, low, high, method=method), label="wide")
        narrow = session.open(pc.between(x, low, high, bits=48, method=method), label="narrow")
        every = session.open(
            pc.between(x, -(2**60), 2**60, bits=48, method=method), label="every number"
        )
        return np.stack([wide, narrow, np.broadcast_to(every, wide.shape)])

    inside = (low <= X) & (high > X)
    np.testing.assert_array_equal(opened(program), [inside, inside, np.ones_like(inside)])


@pytest.mark.parametrize("method", METHODS)
def test_an_interval_of_reals_is_compared_in_their_encoding(method):
    values = np.array([-1.5, 0.0, 0.25, 2.0, 2.5])

    def program(session):
        x = session.input(values if session.party == 0 else None, 0)
        return session.open(pc.between(x, 0, 2.5, method=method), label="between")

    np.testing.assert_array_equal(opened(program), [False, True, True, True, False])


def test_no_interval_wraps_by_keys_however_far_the_bounds_are_apart():
    low, high = -(2**63), 2**63 - 1
    values = np.array([low, -1, 0, high - 1, high])

    def program(session):
        x = session.input(values if session.party == 0 else None, 0)
        return session.open(pc.between(x, low, high, method="fss"), label="between")

    np.testing.assert_array_equal(opened(program), [True, True, True, True, False])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-(2**39), 2**39 - 1)] * 4), min_size=1, max_size=20),
    st.sampled_from(METHODS),
)
def test_a_choice_by_comparison_is_where_of_less(rows, method):
    x, y, a, b = np.array(rows, np.int64).T

    def program(session):
        shared = [session.input(v if session.party == 0 else None, 0) for v in (x, y, a, b)]
        with session.measure() as cost:
            chosen = pc.where_less(*shared, bits=41, method=method)
        return np.array([*session.open(chosen, label="chosen"), cost.rounds])

    result = opened(program)
    np.testing.assert_array_equal(result[:-1], np.where(x < y, a, b))
    assert result[-1] == 2 or method == "tree"


@pytest.mark.parametrize("method", METHODS)
def test_minimum_maximum_and_magnitude_follow_the_method_of_the_session(method):
    def program(session):
        session.comparison = method
        x, y = both(session, X / 2, Y / 2)
        with session.measure() as cost:
            results = [np.minimum(x, y), np.maximum(x, y), abs(x), np.clip(x, -1.0, 2.0)]
        assert cost.rounds == (2 * 5 if method == "fss" else cost.rounds)
        return np.stack([session.open(r, label="result") for r in results])

    x, y = X / 2, Y / 2
    expected = [np.minimum(x, y), np.maximum(x, y), abs(x), np.clip(x, -1.0, 2.0)]
    np.testing.assert_array_equal(opened(program), expected)


def test_an_argument_goes_before_the_setting_of_the_session():
    def program(session):
        session.comparison = "fss"
        x, y = both(session, X, Y)
        rounds = []
        for method in (None, "tree", "fss"):
            with session.measure() as cost:
                pc.less(x, y, method=method)
            rounds.append(cost.rounds)
        with session.measure() as cost:
            x < y  # noqa: B015
        return np.array([*rounds, cost.rounds])

    rounds = opened(program)
    assert rounds[1] > 1
    assert list(rounds[[0, 2, 3]]) == [1, 1, 1]


def test_comparisons_by_keys_are_joined_in_a_batch():
    def program(session):
        x, y = both(session, X, Y)
        with session.measure() as cost, session.batch():
            parts = [pc.less(x[i], y[i], method="fss") for i in range(X.size)]
        return np.array([*(session.open(p, label="part") for p in parts), cost.rounds])

    np.testing.assert_array_equal(opened(program), [*(X < Y), 1])


def test_no_elements_take_no_round_by_either_method():
    def program(session):
        x, y = both(session, X, Y)
        with session.measure() as cost:
            for method in METHODS:
                assert pc.less(x[:0], y[:0], method=method).shape == (0,)
                assert pc.between(x[:0], 1, 2, method=method).shape == (0,)
        return np.array([cost.rounds])

    assert opened(program)[0] == 0


def test_unknown_methods_operations_and_sizes_are_refused():
    def program(session):
        x, y = both(session, X, Y)
        with pytest.raises(UsageError, match="auto, tree, fss"):
            pc.less(x, y, method="dcf")
        with pytest.raises(UsageError, match="auto, tree, fss"):
            session.comparison = "quick"
        with pytest.raises(UsageError, match="less, equal, between, select"):
            session.explain("sort", 3)
        for n, bits in ((0, 64), (3, 1), (3, 65)):
            with pytest.raises(UsageError, match="2 to 64 bits"):
                session.explain("less", n, bits=bits)
        with pytest.raises(UsageError, match="not bools"):
            pc.between(x < y, 0, 1)
        return np.zeros(1)

    opened(program)


def test_parties_that_choose_different_methods_learn_so():
    def program(session):
        session.comparison = METHODS[session.party]

    with pytest.raises(StepMismatch):
        pc.simulate(program)


def explained(operation, n, *, bits=64, round_trip=0.0):
    """Ask a session that is only imagined, with a link of that round trip."""
    found = []

    def program(session):
        found.append(session.explain(operation, n, bits=bits))

    Plan("semi2k", ("a", "b"), 0, round_trip=round_trip).run(program, (), {}, (), None)
    return found[0]


@pytest.mark.parametrize("operation", ["less", "equal", "between", "select"])
def test_far_apart_keys_win_for_few_elements_and_trees_for_many(operation):
    assert explained(operation, 1000, round_trip=0.15).method == "fss"
    assert explained(operation, 10**7, round_trip=0.15).method == "tree"
    assert explained(operation, 1000).method == "tree"


def test_the_rule_takes_the_method_whose_predicted_time_is_shortest():
    for n in (1, 10**3, 10**5):
        for bits in (8, 40, 64):
            for round_trip in (0.0, 0.005, 0.15):
                found = explained("less", n, bits=bits, round_trip=round_trip)
                best = min(found.alternatives, key=lambda a: a.seconds)
                assert found.method == best.method
                assert [a.method for a in found.alternatives] == list(METHODS)


def test_an_explanation_says_what_each_method_costs():
    text = str(explained("less", 1000, bits=40, round_trip=0.15))
    assert text.startswith("less of 1,000 elements in 40 bits: fss, since 1 round and ")
    assert "round trip of 150 ms" in text
    assert "5,000 bytes sent, 1,072,000 offline" in text


def test_an_estimate_follows_the_same_rule():
    def program(session, x):
        return x < 0

    x = ((1000,), "int64")
    near, far = (pc.estimate(program, x=x, round_trip=t).cost for t in (0.0, 0.15))
    assert near.rounds > far.rounds == 1
    assert far.correlations == {"comparison_key": 1000}
