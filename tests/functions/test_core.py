"""The core's functions at lengths around its chunks and blocks, at their declared cost."""

import numpy as np
import pytest
from tests.functions.conftest import REFERENCES

import petcore as pc
from petcore.errors import UsageError
from petcore.mpc.functions import CONTRACTS

FUNCTIONS = ["exp", "sigmoid", "tanh", "log", "sqrt", "rsqrt", "reciprocal"]
LENGTHS = [1, 2, 63, 64, 65, 127, 255, 257, 8191, 8193, 32767, 32769, 65537]


def inputs(n: int) -> np.ndarray:
    x = np.random.default_rng(n).uniform(0.01, 9, n)
    return np.ldexp(np.rint(np.ldexp(x, 18)), -18)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("correlations", "n"), [*(("dealer", n) for n in LENGTHS), ("ot", 1), ("ot", 300)]
)
def test_a_function_keeps_its_bound_and_its_declared_cost_at_every_length(name, n, correlations):
    x = inputs(n)

    def program(session):
        shared = session.input(x if session.party == 1 else None, owner=1)
        before = session.cost
        result = getattr(pc.functions, name)(shared)
        cost = session.cost - before
        return session.open(result, label="result"), cost, session._core.declared(name, n, 18)

    offline = 0
    for result, cost, declared in pc.simulate(program, correlations=correlations):
        expected = REFERENCES[name](x)
        bound = [CONTRACTS[name].bound(v, 18) for v in expected]
        assert (np.abs(result - expected) <= bound).all()
        assert (cost.rounds, cost.bytes_sent) == (declared["rounds"], declared["bytes"])
        assert cost.correlations == declared["correlations"]
        offline += cost.offline_bytes
    assert offline == declared["offline_bytes"]


def test_a_function_that_the_core_does_not_have_is_refused():
    def program(session):
        share = np.zeros(4, np.uint64)
        with pytest.raises(UsageError, match="not a function"):
            session._core.function(share, "mul", 18)
        with pytest.raises(UsageError, match="16 to 24"):
            session._core.function(share, "exp", 30)

    pc.simulate(program)
