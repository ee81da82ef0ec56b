"""Comparisons by keys: every number of a small domain, every width, and who is dealt what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from petcore.errors import BadFrame, UsageError

from .operations import U64, inside, open_any, share
from .test_dealer import NAMES, ask_dealer, request
from .test_widths import WIDTHS, every, run_at_both

COMPARISON_KEY = 19
SIGN, BELOW, POINT = range(3)


@pytest.fixture
def correlations() -> str:
    """Only a dealer makes keys."""
    return "dealer"


def test_every_number_of_eight_bits_has_its_sign_and_is_zero_or_not(parties):
    """4,096 of each: every number under 16 masks at least, drawn anew for each."""
    x = np.repeat(np.arange(-128, 128), 16).astype(U64)
    negative = run_at_both(parties, x, lambda s, v: s.fss_sign(v, 8))
    np.testing.assert_array_equal(negative, x >> U64(63))
    zero = run_at_both(parties, x, lambda s, v: s.fss_zero(v, 8))
    np.testing.assert_array_equal(zero, x == 0)


def test_every_number_of_eight_bits_is_in_every_interval_or_not(parties):
    """2^16 intervals of which each number is tried in 256, wrapping ones among them."""
    low, high = (grid.ravel().astype(U64) for grid in np.mgrid[0:256, 0:256])
    x = np.tile(np.arange(256, dtype=U64), 256)[np.random.default_rng(1).permutation(2**16)]
    found = run_at_both(parties, x, lambda s, v: s.fss_interval(v, low, high, 8))
    byte = U64(255)
    np.testing.assert_array_equal(found, ((x - low) & byte) < ((high - low) & byte))


def test_the_sign_and_equality_by_keys_are_right_in_every_width(parties):
    values = [every(width) for width in WIDTHS]

    def program(session):
        shares = [share(session, x, 0) for x in values]
        return [
            (
                session.open_bits(session.fss_sign(x, width), "sign"),
                session.open_bits(session.fss_zero(x, width), "zero"),
            )
            for x, width in zip(shares, WIDTHS, strict=True)
        ]

    for found in parties(program).values():
        for x, (sign, zero), width in zip(values, found, WIDTHS, strict=True):
            np.testing.assert_array_equal(sign, x >> U64(63), f"width {width}")
            low = x & U64(2**width - 1)
            np.testing.assert_array_equal(zero, low == 0, f"width {width}")


@pytest.mark.parametrize("drop", [1, 5, 17, 31])
def test_dropped_bits_lower_the_number_by_one_unit_at_most(parties, drop):
    unit = 2**drop
    x = np.array([-unit, -1, unit, 5 * unit + 1, -(2**36), 2**36], np.int64)
    signs = run_at_both(parties, x.astype(U64), lambda s, v: s.fss_sign(v, 40, drop))
    np.testing.assert_array_equal(signs, x < 0)


def test_the_sign_times_a_number_takes_two_rounds_and_one_bit_in_the_second(parties):
    x, y = np.array([-5, 7, 0, -(2**39)], np.int64).astype(U64), np.arange(4, dtype=U64) + U64(9)

    def program(session):
        a, b = share(session, x, 0), share(session, y, 1)
        before = session.cost()
        product = session.fss_select(a, b, 40)
        after = session.cost()
        assert after["rounds"] - before["rounds"] == 2
        assert after["bytes"] - before["bytes"] == 8 * (3 + 4) + 8
        return session.open(product, "product")

    for product in parties(program).values():
        np.testing.assert_array_equal(product, [9, 0, 0, 12])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    width=st.integers(1, 64),
    numbers=st.lists(st.tuples(*[st.integers(0, 2**64 - 1)] * 3), min_size=1, max_size=9),
)
def test_any_number_is_compared_with_any_public_interval(parties, width, numbers):
    x, low, high = (np.array(column, U64) for column in zip(*numbers, strict=True))
    found = run_at_both(parties, x, lambda s, v: s.fss_interval(v, low, high, width))
    shift = U64(64 - width)
    np.testing.assert_array_equal(found, inside(x << shift, low << shift, high << shift))


def test_one_round_and_eight_bytes_an_element_whatever_the_size(parties):
    x = np.arange(100_000, dtype=U64)

    def program(session):
        a = share(session, x, 0)
        before = session.cost()
        session.fss_sign(a)
        after = session.cost()
        return {key: after[key] - before[key] for key in ("rounds", "bytes", "offline_bytes")}

    for cost in parties(program).values():
        assert cost == {"rounds": 1, "bytes": 800_000, "offline_bytes": 100_000 * (57 * 16 + 8)}


def test_narrow_comparisons_send_narrow_words(parties):
    def program(session):
        sizes = []
        for width in (8, 20, 40):
            a = share(session, np.zeros(800, U64), 0)
            before = session.cost()["bytes"]
            session.fss_sign(a, width)
            sizes.append(session.cost()["bytes"] - before)
        return sizes

    assert parties(program).values() == [[800, 2400, 4000]] * 2


def test_both_parties_are_dealt_the_same_words():
    keys = request(COMPARISON_KEY, units=100, chunk=2048, dims=(40, SIGN))
    size = 100 * (33 * 16 + 8)
    answers = [ask_dealer(keys, expect_bytes=size, asking=party) for party in (0, 1)]
    assert [error for _, error in answers] == [None, None]
    assert answers[0][0] == answers[1][0]
    numbers = np.frombuffer(answers[0][0], U64)[:100] & U64(2**63 - 1)
    assert np.unique(numbers).size == 100
    later, _ = ask_dealer(
        request(COMPARISON_KEY, units=100, chunk=2048, dims=(40, SIGN), counter=2),
        expect_bytes=size,
    )
    again = np.frombuffer(later, U64)[:100] & U64(2**63 - 1)
    assert np.intersect1d(numbers, again).size == 0


def test_the_first_party_is_dealt_nothing_else():
    answer, error = ask_dealer(request(1), expect_bytes=32, asking=0)
    assert not answer
    assert isinstance(error, BadFrame)


@pytest.mark.parametrize("dims", [(0, SIGN), (65, BELOW), (2**40, POINT), (40, 3), (40, 2**63)])
@pytest.mark.parametrize("party", range(len(NAMES)))
def test_keys_out_of_bounds_are_refused(dims, party):
    _, error = ask_dealer(request(COMPARISON_KEY, dims=dims), asking=party)
    assert isinstance(error, BadFrame)


def test_widths_out_of_bounds_and_sizes_that_differ_are_refused_at_once(parties):
    def program(session):
        x = share(session, np.arange(5, dtype=U64), 0)
        for width in (0, 65):
            with pytest.raises(UsageError, match="1 to 64 bits"):
                session.fss_sign(x, width)
            with pytest.raises(UsageError, match="1 to 64 bits"):
                session.fss_zero(x, width)
        with pytest.raises(UsageError, match="drops fewer"):
            session.fss_sign(x, 20, 20)
        with pytest.raises(UsageError, match="different numbers"):
            session.fss_interval(x, x[:4], x)
        with pytest.raises(UsageError, match="different numbers"):
            session.fss_select(x, x[:4])
        return open_any(session, x)

    parties(program).values()
