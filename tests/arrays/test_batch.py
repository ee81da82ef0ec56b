"""A batch gives what its operations give one by one, in fewer rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore.mpc import batching
from petcore.mpc.deferred import Deferred
from tests.arrays.conftest import outcomes
from tests.arrays.test_estimate import CASES

A = np.arange(12).reshape(3, 4)


def inputs(session: pc.Session, values: Any) -> list[pc.SharedArray]:
    return [session.input(values if session.party == p else None, owner=p) for p in (0, 1)]


@pytest.mark.parametrize(("function", "values", "dtype"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])  # fmt: skip
def test_what_works_alone_works_in_a_batch(function: Any, values: Any, dtype: str) -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, values)
        with session.measure() as alone:
            expected = function(x, y)
        with session.measure() as together, session.batch():
            found = function(x, y)
        assert together.rounds <= alone.rounds
        if not isinstance(found, pc.SharedArray):
            return None
        assert isinstance(found._share, np.ndarray)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        return [session.open(v, label="result") for v in (expected, found)]

    for results in pc.simulate(program):
        if results is not None:
            np.testing.assert_allclose(results[0], results[1], rtol=1e-3, atol=1e-3)


def test_a_thousand_products_cost_the_rounds_of_one() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, np.arange(1000))
        with session.measure() as cost, session.batch():
            products = [x[i : i + 1] * y[i : i + 1] for i in range(1000)]
        opened = session.open(pc.concatenate(products), label="products")
        return cost.rounds, cost.bytes_sent, cost.correlations, opened.tolist()

    expected = (1, 16_000, {"multiplication": 1000}, [i * i for i in range(1000)])
    assert pc.simulate(program) == [expected] * 2


def test_a_chain_costs_its_length_however_many_there_are() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.measure() as cost, session.batch():
            cubes = []
            for row, other in zip(x, y, strict=True):
                product = row * other
                product = product[::-1].reshape(2, 2) + 1
                cubes.append((product * product.T).sum(axis=0))
        return cost.rounds, [session.open(cube, label="cube").tolist() for cube in cubes]

    rows = [(row * row)[::-1].reshape(2, 2) + 1 for row in A]
    expected = [(row * row.T).sum(axis=0).tolist() for row in rows]
    assert pc.simulate(program) == [(2, expected)] * 2


def test_operations_are_joined_by_kind_and_by_parameters() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A / 4)
        with session.profile() as p, session.batch():
            for row, other in zip(x, y, strict=True):
                np.less(row, other)
                row.astype("fixed", frac_bits=10)
                row.astype("fixed", frac_bits=12)
        return {name: total.calls for name, total in p.operations.items()}

    assert pc.simulate(program) == [{"msb": 1, "truncate": 2}] * 2


def test_a_joined_operation_counts_for_the_region_that_asked_first() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.profile() as p, session.batch():
            for i in range(3):
                with session.region(f"row {i}"):
                    x[i] * y[i]
        return [total.cost.rounds for total in p.regions.values()]

    assert pc.simulate(program) == [[1, 0, 0]] * 2


def test_writes_after_an_operation_was_asked_for_do_not_change_it() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A.ravel())
        public = np.ones(12, np.int64)
        with session.batch():
            product, scaled = x * y, (x * y) * public
            x[0] = 100
            public[:] = 7
            product[1] = 50
            more = product * 2
            more[2] = 9
        return [session.open(v, label="v").tolist()[:4] for v in (product, scaled, more, x)]

    expected = [[0, 50, 4, 9], [0, 1, 4, 9], [0, 100, 9, 18], [100, 1, 2, 3]]
    assert pc.simulate(program) == [expected] * 2


def test_an_opening_runs_what_waits_and_is_logged_by_its_own_label() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.measure() as cost, session.batch():
            products = [x[i] * y[i] for i in range(3)]
            first = session.open(products[0], label="first")
            last = session.reveal(products[2], to=0, label="last")
        assert [d.label for d in session.sink] == ["first", "last"]
        return cost.rounds, first.tolist(), None if last is None else last.tolist()

    first = (A[0] ** 2).tolist()
    assert pc.simulate(program) == [(3, first, (A[2] ** 2).tolist()), (3, first, None)]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "ELEMENTS_MAX", 10)

    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.measure() as cost, session.batch():
            products = [x[i] * y[i] for i in range(3)]  # 4 elements each
        return cost.rounds, session.open(pc.stack(products), label="products").tolist()

    assert pc.simulate(program) == [(2, (A * A).tolist())] * 2


def test_an_inner_batch_is_part_of_the_outer_one() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.measure() as cost, session.batch():
            for i in range(3):
                with session.batch():
                    x[i] * y[i]
        return cost.rounds

    assert pc.simulate(program) == [1, 1]


def test_a_batch_can_be_estimated() -> None:
    def program(session: pc.Session, x: Any) -> None:
        with session.batch():
            for row in x:
                np.less(row * row, 2)

    def run(session: pc.Session) -> Any:
        x, _ = inputs(session, A / 4)
        with session.measure() as cost:
            program(session, x)
        told = session.estimate(program, x=((3, 4), "fixed")).cost
        return [(c.rounds, c.bytes_sent, c.correlations) for c in (cost, told)]

    for found, told in pc.simulate(run):
        assert found == told


def test_what_a_failed_batch_did_not_compute_cannot_be_used() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        core = session._core
        try:
            with session.batch():
                product = x * y
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        assert session._core is core
        with pytest.raises(pc.errors.UsageError, match="its batch ended with an error"):
            session.open(product, label="product")
        return session.open((x * y).sum(), label="the session goes on").tolist()

    assert pc.simulate(program) == [int((A * A).sum())] * 2


def test_a_batch_that_one_party_leaves_is_told_to_the_other() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.batch():
            product = x * y
            if session.party == 0:
                raise ZeroDivisionError
        return session.open(product, label="product")

    mine, theirs = outcomes(program)
    assert isinstance(mine, ZeroDivisionError)
    assert isinstance(theirs, pc.errors.PeerAborted)


def test_mistakes_in_a_batch_are_told_where_they_are_made() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.batch():
            product = x * y
            with pytest.raises(pc.errors.UsageError, match="do not broadcast"):
                product * x[:, :3]
            with pytest.raises(pc.errors.UsageError, match="do not reshape"):
                product.reshape(5, -1)
            with pytest.raises(pc.errors.UsageError, match="out of bounds"):
                product[7]
        return session.open(product, label="product").tolist()

    assert pc.simulate(program) == [(A * A).tolist()] * 2


def test_a_profile_goes_around_a_batch() -> None:
    def program(session: pc.Session) -> Any:
        with session.batch(), session.profile():
            pass

    for error in outcomes(program):
        assert "profile() goes around batch()" in str(error)


def test_a_deferred_array_becomes_the_array_that_the_same_calls_give() -> None:
    def program(session: pc.Session) -> Any:
        x, y = inputs(session, A)
        with session.batch():
            product = x * y
            share = product._share
            assert type(share) is Deferred
            total = np.add.reduce(share, axis=1)
            parts = [share[:, 1:], np.stack([share, share]), -share, share.astype(np.int64), total]
            parts += [share.transpose(0, 2, 1), share.copy(), np.sum(share, axis=(1, 2))]
            shapes = [(part.shape, part.dtype, part.ndim, part.size) for part in parts]
            assert all(type(part) is Deferred for part in parts)
            assert len(share) == len(list(share)) == 1
            assert np.array_equal(share, share)  # needs the elements, so the batch runs
        found = [np.asarray(part) for part in parts]
        assert shapes == [(part.shape, part.dtype, part.ndim, part.size) for part in found]
        share = product._share
        np.testing.assert_array_equal(found[0], share[:, 1:])
        np.testing.assert_array_equal(found[2], -share)
        np.testing.assert_array_equal(found[4], share.sum(axis=1))
        np.testing.assert_array_equal(found[5], share.transpose(0, 2, 1))

    pc.simulate(program)
