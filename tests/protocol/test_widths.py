"""Comparisons of every width and every drop agree with plain integers."""

from __future__ import annotations

import numpy as np
import pytest

from petcore.errors import UsageError

from .conftest import SOURCES
from .operations import U64, open_any, share, within


def every(width: int) -> np.ndarray:
    """Give all signed values of so many bits, or the borders and some between."""
    if width <= 8:
        return np.arange(-(2 ** (width - 1)), 2 ** (width - 1)).astype(U64)
    powers = 2 ** np.arange(width - 1, dtype=np.int64)
    return np.concatenate(
        [within(np.random.default_rng(width), 60, width), powers.astype(U64), (-powers).astype(U64)]
    )


def run_at_both(parties, x: np.ndarray, call) -> np.ndarray:
    def program(session):
        return open_any(session, call(session, share(session, x, 1)))

    first, second = parties(program).values()
    np.testing.assert_array_equal(first, second)
    return first


WIDTHS = range(1, 65)


def test_the_sign_is_right_in_every_width(parties):
    values = [every(width) for width in WIDTHS]

    def program(session):
        shares = [share(session, x, 0) for x in values]
        return [
            session.open_bits(session.msb(x, width), "sign")
            for x, width in zip(shares, WIDTHS, strict=True)
        ]

    for signs in parties(program).values():
        for x, sign, width in zip(values, signs, WIDTHS, strict=True):
            np.testing.assert_array_equal(sign, x >> U64(63), f"width {width}")


def test_only_the_low_bits_decide_whether_a_number_is_zero_and_which_bits_it_has(parties):
    x = np.arange(4 * 2**8, dtype=U64)

    def program(session):
        shared = share(session, x, 0)
        zero = [session.open_bits(session.equal_zero(shared, w), "zero") for w in range(1, 11)]
        bits = [session.open_bits(session.bits(shared, w), "bits") for w in range(1, 11)]
        return zero, bits

    for zero, bits in parties(program).values():
        for width in range(1, 11):
            low = x % U64(2**width)
            np.testing.assert_array_equal(zero[width - 1], low == 0)
            place = U64(2) ** np.arange(width, dtype=U64)
            np.testing.assert_array_equal(bits[width - 1].reshape(-1, width) @ place, low)


@pytest.mark.parametrize("width", [2, 5, 8, 33, 64])
@pytest.mark.parametrize("correlations", SOURCES)
def test_what_is_dropped_matters_below_it_only(parties, width):
    values = every(width).astype(np.int64)
    for drop in range(width):
        # One division by 2^drop may come out one lower, which the lowest values have no room for.
        x = values if drop == 0 else values[values >= -(2 ** (width - 1)) + 2**drop]
        sign = run_at_both(parties, x.astype(U64), lambda s, v, d=drop: s.msb(v, width, d))
        assert (sign[x < 0] == 1).all()
        assert (sign[x >= 2**drop] == 0).all()
        if drop == 0:
            assert (sign[x == 0] == 0).all()


@pytest.mark.parametrize("correlations", SOURCES)
def test_a_narrow_comparison_opens_and_takes_less(parties):
    def program(session):
        wide, narrow, rough = (session.declared("msb", 1000, *d) for d in ((), (20,), (28, 8)))
        assert narrow["bytes"] < wide["bytes"] / 2
        assert narrow["offline_bytes"] < wide["offline_bytes"] / 2
        assert narrow["rounds"] <= wide["rounds"]
        assert rough == narrow
        return True

    assert parties(program).values() == [True, True]


@pytest.mark.parametrize("dims", [(0,), (65,), (2**32,), (8, 8), (8, 2**32), (8, 1, 1)])
def test_a_width_or_drop_out_of_bounds_is_refused_before_a_round(parties, dims):
    def program(session):
        x = share(session, np.arange(3, dtype=U64), 0)
        with pytest.raises(UsageError):
            session.declared("msb", 3, *dims)
        if len(dims) < 3 and max(dims) < 2**31:
            with pytest.raises(UsageError, match="1 to 64 bits"):
                session.msb(x, *dims)
        if len(dims) == 1 and dims[0] < 2**31:
            for call in (session.equal_zero, session.bits):
                with pytest.raises(UsageError, match="1 to 64 bits"):
                    call(x, *dims)
        return session.open(x, "x")

    for opened in parties(program).values():
        np.testing.assert_array_equal(opened, [0, 1, 2])
