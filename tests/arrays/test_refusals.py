"""What would need the values, or would lose exactness silently, raises and names the remedy."""

from __future__ import annotations

import copy
import operator
import pickle  # noqa: TID251
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import errors

Refusal = Callable[[pc.SharedArray], Any]


def refused(refusals: dict[str, Refusal], name: str, values: Any, match: str) -> None:
    def program(session: pc.Session) -> None:
        x = session.input(values if session.party == 0 else None, owner=0)
        with pytest.raises(errors.UsageError, match=match):
            refusals[name](x)

    pc.simulate(program)


NEED_VALUES: dict[str, Refusal] = {
    "if": lambda x: 1 if x else 0,
    "if_comparison": lambda x: 1 if x > 2 else 0,
    "and": lambda x: x and x,
    "float": float,
    "int": int,
    "index": operator.index,
    "round": round,
    "asarray": np.asarray,
    "array": lambda x: np.array([x, x]),
    "fill": lambda x: np.zeros(3).__setitem__(slice(None), x),
    "in": lambda x: 3 in x,
    "sorted": lambda x: sorted(x),
    "builtin_max": lambda x: max(x[0], x[1]),
    "test": lambda x: np.testing.assert_array_equal(x, x),
}


@pytest.mark.parametrize("name", NEED_VALUES)
def test_what_needs_the_values_says_open_it_with_a_label(name: str) -> None:
    refused(NEED_VALUES, name, np.array([3, 1]), "label")


UNSUPPORTED: dict[str, tuple[Refusal, str]] = {
    "floats_with_int64": (lambda x: x + 0.5, "astype"),
    "float_factor": (lambda x: x * 1.1, "astype"),
    "float_comparison": (lambda x: x < 0.5, "astype"),
    "divide_int64": (lambda x: x / 3, "astype"),
    "divide_by_int64": (lambda x: 1 / x, "astype"),
    "floor_divide": (lambda x: x // 3, "fixed"),
    "modulo": (lambda x: x % 3, "fixed"),
    "mean": (lambda x: x.mean(), "astype"),
    "where_mixed": (lambda x: np.where(x > 0, x, 0.5), "astype"),
    "shared_index": (lambda x: x[x], "public"),
    "shared_mask": (lambda x: x[x > 0], "where"),
    "shared_place": (lambda x: operator.setitem(x, x > 0, 0), "public"),
    "shared_exponent": (lambda x: 2**x, "exponent"),
    "negative_power": (lambda x: x**-1, "reciprocal"),
    "half_power": (lambda x: x**0.5, "sqrt"),
    "zeroth_power": (lambda x: x**0, "ones"),
    "nan": (lambda x: x.astype("fixed") + np.nan, "NaN"),
    "text": (lambda x: x + "a", "dtype"),
    "none": (lambda x: x == None, "dtype"),  # noqa: E711
    "three_dimensions": (lambda x: x @ np.zeros((2, 2, 2)), "loop"),
    "scalar_matmul": (lambda x: x @ 3, r"\*"),
    "not_bits": (lambda x: ~x, "compare"),
    "any_of_numbers": (lambda x: x.any(), "compare"),
    "negative_bit": (lambda x: -(x > 0), "astype"),
    "sum_of_bits": (lambda x: (x > 0) + (x > 1), "astype"),
    "where_number": (lambda x: np.where(x, 1, 0), "!= 0"),
    "out": (lambda x: np.add(x, 1, out=np.zeros(2, int)), "out"),
    "in_place_left": (lambda x: operator.iadd(np.zeros(2, int), x), "out"),
    "reduce": (lambda x: np.add.reduce(x), "methods"),
    "sort": (lambda x: np.sort(x), "label"),
    "isnan": (lambda x: np.isnan(x), "label"),
    "where_alone": (lambda x: np.where(x > 0), "where"),
    "dtype_name": (lambda x: x.astype("float32"), "int64"),
    "frac_bits_of_int": (lambda x: x.astype("int64", frac_bits=3), "frac_bits"),
    "frac_bits_range": (lambda x: x.astype("fixed", frac_bits=63), "62"),
    "int_into_bool": (lambda x: operator.setitem(x > 0, 0, 1), "compare"),
    "fixed_into_int": (lambda x: operator.setitem(x, 0, x[0].astype("fixed")), "astype"),
    "shape_into_slice": (lambda x: operator.setitem(x, slice(None), [1, 2, 3]), "fit"),
    "concatenate_shapes": (lambda x: np.concatenate([x, np.zeros((1, 1), int)]), "join"),
    "stack_shapes": (lambda x: np.stack([x, x[:1]]), "one shape"),
    "empty_max": (lambda x: x[:0].max(), "no elements"),
    "empty_mean": (lambda x: x[:0].astype("fixed").mean(), "no elements"),
    "public_zero": (lambda x: x.astype("fixed") / np.array([1, 0]), r"\[1\]"),
    "axis_twice": (lambda x: x.reshape(1, 2).sum(axis=(0, 0)), "twice"),
    "truncation": (lambda x: pc.multiply(x.astype("fixed"), 0.3, truncation="no"), "exact"),
    "len_of_scalar": (lambda x: len(x[0]), "scalar"),
    "iterate_scalar": (lambda x: list(x[0]), "scalar"),
    "public_overflow": (lambda x: x + np.uint64(2**63), "2\\^63"),
    "no_bounds": (lambda x: x.clip(), "bound"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_refusal_names_its_remedy(name: str) -> None:
    refusal, match = UNSUPPORTED[name]
    refused({name: refusal}, name, np.array([3, 1]), match)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_neither_a_share_nor_a_session_pickles(protocol: int) -> None:
    def program(session: pc.Session) -> None:
        x = session.zeros(2)
        for secret in (x, [x], session):
            with pytest.raises(errors.UsageError, match="pickle"):
                pickle.dumps(secret, protocol)

    pc.simulate(program)


def test_copies_are_deep_and_stay_in_the_session() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input([1, 2] if session.party == 0 else None, owner=0)
        copies = [copy.copy(x), copy.deepcopy(x), x.copy(), +x]
        x[0] = 9
        assert all(c.session is session for c in copies)
        return [session.open(c, label="copy").tolist() for c in copies]

    assert pc.simulate(program)[0] == [[1, 2]] * 4


def test_repr_shows_the_form_and_never_a_share() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input(np.array([1234567, 7654321]) if session.party == 0 else None, owner=0)
        texts = [repr(x), str(x), f"{x}", repr(x.astype("fixed")), repr(session), repr([x])]
        numbers = {str(int(w)) for w in x._share.reshape(-1)}
        assert not any(n in text for n in numbers for text in texts)
        return texts

    texts = pc.simulate(program)[1]
    assert texts[0] == "SharedArray(shape=(2,), dtype=int64, session=party0/party1, party=party1)"
    assert "frac_bits=18" in texts[3]


def test_a_shared_array_has_no_hash() -> None:
    def program(session: pc.Session) -> None:
        with pytest.raises(TypeError, match="unhashable"):
            hash(session.zeros(1))

    pc.simulate(program)


def test_a_broadcast_copy_may_be_written_to_without_touching_its_source() -> None:
    def program(session: pc.Session) -> Any:
        x = session.zeros(2)
        wide = np.broadcast_to(x, (2, 2))
        wide[0] = 5
        return session.open(x, label="x").tolist(), session.open(wide, label="wide").tolist()

    assert pc.simulate(program)[0] == ([0, 0], [[5, 5], [0, 0]])


@pytest.mark.parametrize("key", [(0, 7), (slice(None), 7), (0, [7])])
def test_an_index_out_of_bounds_names_the_axis_that_the_user_sees(key):
    def program(session):
        x = session.input(np.zeros((2, 3), np.int64) if session.party == 0 else None, owner=0)
        return x[key]

    with pytest.raises(errors.UsageError, match="index 7 is out of bounds for axis 1 with size 3"):
        pc.simulate(program, parties=2)
