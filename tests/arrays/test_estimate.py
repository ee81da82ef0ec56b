"""An estimate, made without data or network, is what a measurement finds."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore.errors import UsageError
from petcore.training import LogisticRegression
from petcore.training.solvers import Problem, fixed_hessian, minibatch_descent
from tests.arrays.conftest import outcomes
from tests.arrays.test_cost import ROUNDS

SHAPE = (3, 4)
I = np.arange(12).reshape(SHAPE)  # noqa: E741
X = 1.5 + I / 4
B = I % 3 == 0
KINDS = ("rounds", "bytes_sent", "bytes_received", "correlations")

FIXED: dict[str, Callable[..., Any]] = {
    "multiply": lambda x, y: x * y,
    "multiply_exactly": lambda x, y: pc.multiply(x, y, truncation="exact"),
    "square": lambda x, y: x**2,
    "cube": lambda x, y: x**3,
    "matmul": lambda x, y: x @ y.T,
    "matmul_public": lambda x, y: x @ np.linspace(0, 1, 4),
    "dot": lambda x, y: x[0] @ y[0],
    "outer": lambda x, y: np.outer(x, y),
    "small_factor": lambda x, y: x * 0.003,
    "mean": lambda x, y: x.mean(axis=1),
    "compare": lambda x, y: (x < y) | (x >= 2.5),
    "maximum": lambda x, y: np.maximum(x, y),
    "argmin": lambda x, y: x.argmin(axis=0),
    "clip": lambda x, y: abs(x).clip(2, 3),
    "where": lambda x, y: pc.where(x > y, x, 0),
    "where_bool": lambda x, y: pc.where(x > y, x < 2, y == x),
    "to_int": lambda x, y: x.astype("int64"),
    "to_scale": lambda x, y: x.astype("fixed", frac_bits=12),
    "to_bool": lambda x, y: x.astype("bool"),
    "mask": lambda x, y: x.session.mask(x) @ y.T,
    "masked_batch": lambda x, y: x.session.mask(x)[1:3].T @ y[:2],
    "open": lambda x, y: x.session.open(x, label="x"),
    "open_bool": lambda x, y: x.session.open(x < y, label="x"),
    "reveal": lambda x, y: x.session.reveal(x, to=0, label="x"),
    "reveal_bool": lambda x, y: x.session.reveal(x < y, to=1, label="x"),
    "export": lambda x, y: x.session.export(x, to="edge", label="x"),
    "nothing": lambda x, y: x[:0] * y[:0] < 3,
    "setting": lambda x, y: setattr(x.session, "frac_bits", 20),
    "divide": lambda x, y: x / y,
    **{
        name: lambda x, y, name=name: getattr(pc.functions, name)(x)
        for name in pc.functions.CONTRACTS
        if name != "divide"
    },
}
BITS: dict[str, Callable[..., Any]] = {
    "and": lambda b, c: b & c,
    "or": lambda b, c: b | ~c,
    "all": lambda b, c: b.all(axis=0),
    "count": lambda b, c: b.sum(),
    "share": lambda b, c: b.mean(),
}
CASES = (
    [(f"int64 {name}", f, I, "int64") for name, (_, f) in ROUNDS.items()]
    + [(f"fixed {name}", f, X, "fixed") for name, f in FIXED.items()]
    + [(f"bool {name}", f, B, "bool") for name, f in BITS.items()]
)


def measured(function: Callable[..., Any], values: Any, correlations: str) -> list[pc.Cost]:
    def program(session: pc.Session) -> pc.Cost:
        x, y = (session.input(values if session.party == p else None, owner=p) for p in (0, 1))
        with session.measure() as cost:
            function(x, y)
        return cost

    return pc.simulate(program, correlations=correlations)


def assert_equal(found: list[pc.Cost], predicted: list[pc.Cost]) -> None:
    for cost, said in zip(found, predicted, strict=True):
        for kind in KINDS:
            assert getattr(cost, kind) == getattr(said, kind), kind
        assert said.offline_bytes == sum(cost.offline_bytes for cost in found)


@pytest.mark.parametrize(("function", "values", "dtype"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])  # fmt: skip
@pytest.mark.parametrize("correlations", ["dealer", "ot"])
def test_an_estimate_is_what_a_measurement_finds(
    function: Any, values: Any, dtype: str, correlations: str
) -> None:
    spec = (SHAPE, dtype)
    predicted = [
        pc.estimate(
            lambda session, x, y: function(x, y),
            spec,
            spec,
            party=party,
            correlations=correlations,
        ).cost
        for party in (0, 1)
    ]
    assert_equal(measured(function, values, correlations), predicted)


@pytest.mark.parametrize("solve", [
    lambda problem: fixed_hessian(problem, 1),
    lambda problem: minibatch_descent(problem, 1, 8, 1.0),
])  # fmt: skip
def test_the_estimate_of_a_training_step_is_what_a_measurement_finds(solve: Any) -> None:
    def program(session: pc.Session, Z: Any, y: Any, penalty: Any) -> None:
        solve(Problem(Z=Z, y=y, penalty=penalty, blocks=2, intercept=True))

    def run(session: pc.Session) -> Any:
        first = session.party == 0
        Z = session.input(np.ones((20, 3)) if first else None, owner=0, dtype="fixed")
        y = session.input(np.ones(20, int) if first else None, owner=0)
        penalty = session.input(np.ones(3) if first else None, owner=0, dtype="fixed")
        with session.measure() as cost:
            program(session, Z, y, penalty)
        told = session.estimate(
            program, Z=((20, 3), "fixed"), y=((20,), "int64"), penalty=((3,), "fixed")
        )
        return cost, told.cost

    found = pc.simulate(run)
    assert_equal([cost for cost, _ in found], [told for _, told in found])


def test_a_whole_program_with_inputs_and_decisions_can_be_estimated() -> None:
    own = np.random.default_rng(3).normal(size=(40, 2))
    labels = (own[:, 0] > 0).astype(int)

    def program(session: pc.Session) -> pc.Cost:
        model = LogisticRegression(session, max_iter=2)
        model.fit(own, labels if session.party == 0 else None)
        return session.cost

    told = pc.estimate(
        program,
        inputs=[((3,), "int64"), ((40, 2), "fixed"), ((2,), "fixed"), ((2, 2), "fixed"),
                ((2,), "fixed")],
        opened={"size of each table and who holds the labels": [[40, 2, 1], [40, 2, 0]]},
    )  # fmt: skip
    found = pc.simulate(program)
    assert told.cost.rounds == found[0].rounds
    assert told.cost.bytes_sent == found[0].bytes_sent
    assert told.cost.correlations == found[0].correlations
    assert ("fit", "step", "sigmoid") in told.profile.regions


def test_an_estimate_discloses_nothing_and_leaves_the_session_as_it_was() -> None:
    def program(session: pc.Session) -> Any:
        session.truncation = "exact"
        before = session.cost.rounds
        told = session.estimate(lambda s, x: s.open(x * x, label="secret").sum(), x=((5,), "fixed"))
        assert len(session.sink) == 0
        return told.cost.rounds, session.cost.rounds - before

    assert pc.simulate(program) == [(7, 0)] * 2  # a product, an exact truncation, an opening


def test_openings_give_zeros_or_what_is_said_by_label() -> None:
    seen = []

    def program(session: pc.Session, x: Any) -> None:
        seen.append(session.open(x, label="size").tolist())
        seen.append(session.reveal(x, to=0, label="other").tolist())

    pc.estimate(program, x=((2,), "int64"), opened={"size": [3, 4]})
    assert seen == [[3, 4], [0, 0]]


def test_an_estimate_of_huge_arrays_takes_no_memory_to_speak_of() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for dtype, size in (("bool", 1 / 8), ("int64", 8)):
        told = pc.estimate(lambda s, x: s.open(x, label="x"), x=((10**9,), dtype))
        assert told.cost.bytes_sent == 10**9 * size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # kB


def test_the_time_on_a_link_is_rounds_and_bytes() -> None:
    told = pc.estimate(lambda s, x: x * x, x=((10**6,), "int64"))
    assert told.seconds(round_trip=0.1, bandwidth=64e6) == pytest.approx(0.1 + 1.0)
    assert "square" in str(told)
    assert "seconds" not in str(told)
    assert repr(told).startswith("Estimate(Cost(1 rounds, 8 MB sent")


def test_shared_arrays_keep_their_scale_and_other_arguments_pass_as_they_are() -> None:
    def program(session: pc.Session, x: Any, times: int, *, name: str) -> None:
        assert (x.shape, x.dtype, x.frac_bits) == ((2, 3), "fixed", 20)
        assert (times, name, session.name) == (3, "n", "party1")

    pc.estimate(program, ((2, 3), "fixed", 20), 3, name="n", party=1)


@pytest.mark.parametrize(("options", "said"), [
    ({"x": ((2, -1), "fixed")}, "describes no array"),
    ({"x": ((2, 1), "float")}, "int64, fixed, bool"),
    ({"x": ((2, 1), "bool", 18)}, "describes no array"),
    ({"x": ((2, 1), "fixed", 63)}, "frac_bits must be"),
    ({"x": ((2,), "fixed"), "party": 2}, "none of 0 to 1"),
    ({"x": ((2,), "fixed"), "opened": {"x": [1.0]}}, r"opened\['x'\] has shape \(1,\)"),
])  # fmt: skip
def test_a_wrong_description_is_refused(options: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pc.estimate(lambda session, x: session.open(x, label="x"), **options)


def test_an_input_of_another_party_must_be_described() -> None:
    def program(session: pc.Session) -> Any:
        return session.input([1, 2] if session.party == 0 else None, owner=0)

    assert pc.estimate(program).cost.rounds == 1
    assert pc.estimate(program, party=1, inputs=[((2,), "int64")]).cost.rounds == 1
    with pytest.raises(UsageError, match="inputs values of party0 that are not described"):
        pc.estimate(program, party=1)
    with pytest.raises(UsageError, match="describe an array as"):
        pc.estimate(program, party=1, inputs=[(2, "int64")])


def test_a_link_without_bandwidth_is_refused() -> None:
    told = pc.estimate(lambda s: None)
    for link in ({"round_trip": -1.0, "bandwidth": 1.0}, {"round_trip": 0.0, "bandwidth": 0.0}):
        with pytest.raises(UsageError, match="a bandwidth above 0"):
            told.seconds(**link)


def test_a_shared_array_of_a_real_session_does_not_slip_into_an_estimate() -> None:
    def program(session: pc.Session) -> None:
        x = session.input([1, 2] if session.party == 0 else None, owner=0)
        session.estimate(lambda s, y: x * y, y=((2,), "int64"))

    for error in outcomes(program):
        assert "two sessions" in str(error)
