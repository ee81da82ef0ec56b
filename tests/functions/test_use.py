"""Shapes, scales, costs and misuse of the functions."""

import numpy as np
import pytest

import petcore as pc
from petcore.errors import UsageError
from petcore.mpc.functions import CONTRACTS

NAMES = sorted(CONTRACTS)
ONE_ARGUMENT = [n for n in NAMES if n != "divide"]
SIZE = 4096


def inputs(name, shape):
    x = np.full(shape, 1.5)
    return (x, x) if name == "divide" else (x,)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_costs_the_rounds_and_bytes_that_it_declares(run, name):
    outcome, contract = run(name, *inputs(name, SIZE)), CONTRACTS[name]
    assert outcome.cost.rounds == contract.rounds
    assert outcome.cost.bytes_sent / SIZE == pytest.approx(contract.bytes_sent, rel=0.005)
    assert outcome.offline_bytes / SIZE == pytest.approx(contract.offline_bytes, rel=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_states_the_declared_rounds_and_bytes(name):
    text, contract = getattr(pc.functions, name).__doc__, CONTRACTS[name]
    assert f"Rounds: {contract.rounds} · Bytes: {contract.bytes_sent:.0f} " in text
    assert f"and {contract.offline_bytes:.0f} from" in " ".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_the_result_has_the_shape_of_the_input(run, name):
    for shape in [(), (1,), (3, 1, 5)]:
        assert run(name, *inputs(name, shape)).result.shape == shape


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_an_exact_input_is_refused_with_the_conversion_that_helps(name, dtype):
    def program(session):
        x = session.input(np.array([1, 0]).astype(dtype) if session.party == 0 else None, owner=0)
        with pytest.raises(UsageError, match=r"astype\('fixed'\)"):
            getattr(pc.functions, name)(*([x, x] if name == "divide" else [x]))

    pc.simulate(program)


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_a_public_array_is_refused(name):
    with pytest.raises(UsageError, match="NumPy"):
        getattr(pc.functions, name)(np.ones(3))


@pytest.mark.parametrize("frac_bits", [8, 30])
def test_a_scale_outside_16_to_24_bits_is_refused(frac_bits):
    def program(session):
        x = session.input([1.5] if session.party == 0 else None, owner=0, frac_bits=frac_bits)
        with pytest.raises(UsageError, match="16 to 24 fraction bits"):
            pc.functions.exp(x)

    pc.simulate(program)


def test_a_quotient_broadcasts_and_takes_the_larger_scale():
    def program(session):
        mine = session.party == 0
        x = session.input(np.array([[1.0], [6.0]]) if mine else None, owner=0, frac_bits=18)
        y = session.input(np.array([2.0, -4.0, 0.5]) if mine else None, owner=0, frac_bits=20)
        result = pc.functions.divide(x, y)
        assert result.frac_bits == 20
        return session.open(result, label="quotients")

    expected = np.array([[1.0], [6.0]]) / np.array([2.0, -4.0, 0.5])
    np.testing.assert_allclose(pc.simulate(program)[0], expected, rtol=6e-5)


def test_one_side_of_a_quotient_may_be_public():
    def program(session):
        x = session.input([2.0, -5.0] if session.party == 0 else None, owner=0)
        left, right = pc.functions.divide(1e4, x), pc.functions.divide(x, 8.0)
        return session.open(left, label="left"), session.open(right, label="right")

    left, right = pc.simulate(program)[1]
    np.testing.assert_allclose(left, [5e3, -2e3], rtol=6e-5)
    np.testing.assert_allclose(right, [0.25, -0.625], atol=2.0**-17)


def test_two_public_operands_of_a_quotient_are_refused():
    with pytest.raises(UsageError, match="NumPy"):
        pc.functions.divide(1.0, 2.0)


def test_a_division_by_the_public_zero_is_refused():
    def program(session):
        x = session.input([2.0] if session.party == 0 else None, owner=0)
        with pytest.raises(UsageError, match="zero"):
            pc.functions.divide(x, 0)

    pc.simulate(program)


def test_shapes_that_do_not_broadcast_are_refused_before_anything_is_sent():
    def program(session):
        x = session.input(np.ones(6) if session.party == 0 else None, owner=0)
        before = session.cost.rounds
        with pytest.raises(UsageError, match="broadcast"):
            pc.functions.divide(x.reshape(2, 3), x[:2])
        assert session.cost.rounds == before

    pc.simulate(program)
