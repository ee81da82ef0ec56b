"""Comparisons that promise a range give NumPy's answers for less, and refuse impossible ranges."""

import numpy as np
import pytest

import petcore as pc
from petcore.errors import UsageError

X = np.array([-1000, -1, 0, 1, 512, 1023])
Y = np.array([23, -1, 1, -1023, 512, 0])
PAIRS = {
    pc.less: np.less,
    pc.less_equal: np.less_equal,
    pc.greater: np.greater,
    pc.greater_equal: np.greater_equal,
    pc.equal: np.equal,
    pc.not_equal: np.not_equal,
}


@pytest.mark.parametrize("compare", PAIRS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["int64", "fixed"])
def test_a_comparison_in_few_bits_agrees_with_numpy_for_shared_and_public_operands(compare, dtype):
    bits = 12 if dtype == "int64" else 12 + 18

    def program(session):
        x = session.input(X if session.party == 0 else None, owner=0).astype(dtype)
        y = session.input(Y if session.party == 1 else None, owner=1).astype(dtype)
        results = [compare(x, y, bits=bits), compare(x, Y, bits=bits), compare(X, y, bits=bits)]
        return [session.open(result, label="result") for result in results]

    for opened in pc.simulate(program):
        for result in opened:
            np.testing.assert_array_equal(result, PAIRS[compare](X, Y))


def test_fewer_bits_cost_fewer_bytes_and_rounds(simulated_cost):
    wide = simulated_cost(lambda x: pc.less(x, 5))
    narrow = simulated_cost(lambda x: pc.less(x, 5, bits=11))  # |x - 5| < 2^10
    assert narrow.bytes_sent < wide.bytes_sent / 3
    assert narrow.rounds < wide.rounds


@pytest.fixture
def simulated_cost():
    def measure(work):
        def program(session):
            x = session.input(np.arange(1000) if session.party == 0 else None, owner=0)
            before = session.cost
            work(x)
            return session.cost - before

        return pc.simulate(program)[1]

    return measure


@pytest.mark.parametrize("bits", [0, 1, 65, -3, True, 12.0, "12"])
def test_bits_that_no_word_has_are_refused(bits):
    def program(session):
        x = session.input(X if session.party == 0 else None, owner=0)
        for call in (lambda: pc.less(x, 3, bits=bits), lambda: pc.equal(x, 3, bits=bits)):
            with pytest.raises(UsageError, match="bits must be"):
                call()

    pc.simulate(program)


def test_two_public_operands_are_a_matter_for_numpy():
    for call in (pc.less, pc.equal):
        with pytest.raises(UsageError):
            call(X, Y)
