"""The numbers that a wallet shares for payments and refunds."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from petcore.network.directory import Rate
from petcore.network.wallet.numbers import (
    NOTHING,
    Paid,
    Standing,
    declined_numbers,
    payment_numbers,
    refund_numbers,
)
from petcore.payments.money import MAX_AMOUNT

RATE = Rate("r", "SGD", "EUR", 2, 3)


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing("EUR", 67, 1, 67), "accepted"),
        (Standing("EUR", 66, 1, 67), "balance"),
        (Standing("EUR", 67, 0, 67), "limit"),
        (Standing("EUR", 67, 1, 66), "limit"),
        (Standing("EUR", -5, -1, -1), "balance"),
    ],
)
def test_a_wallet_says_by_itself_which_of_its_limits_a_payment_breaks(standing, reason):
    numbers = payment_numbers(100, RATE, standing)
    assert (numbers.seen, numbers.debit, numbers.reason) == (100, 67, reason)
    assert (numbers.available, numbers.count_left, numbers.sum_left) == (
        standing.available,
        standing.count_left,
        standing.sum_left,
    )


@pytest.mark.parametrize(
    ("rate", "paid", "original"),
    [
        (Rate("r", "SGD", "EUR", 1, 1), Paid(300, 300, 200, 400), True),
        (Rate("r", "SGD", "IDR", 1 << 22, 1), Paid(10**9, 10**9), False),
    ],
)
def test_a_refund_that_no_amount_can_hold_is_declined_instead_of_shared(rate, paid, original):
    numbers = refund_numbers(paid.seen - paid.refunded_seen, rate, paid, original=original)
    assert (numbers.seen, numbers.debit, numbers.reason) == (0, 0, "amount")


def test_nothing_is_available_to_somebody_unknown():
    numbers = declined_numbers(100, RATE, 3, "token")
    assert numbers.available == numbers.count_left == numbers.sum_left == NOTHING < 0
    assert numbers.features == (0, 0, 0)


def test_a_conversion_beyond_what_an_amount_can_hold_is_declined_instead_of_shared():
    rate = Rate("r", "BHD", "IDR", 4_000_000, 1)
    numbers = payment_numbers(MAX_AMOUNT, rate, Standing("IDR", 2**62, 9, 2**62, (1,)))
    assert numbers.debit == MAX_AMOUNT
    assert numbers.available == NOTHING
    assert numbers.reason == "amount"


@given(
    seen=st.integers(1, 10**9),
    num=st.integers(1, 1 << 22),
    den=st.integers(1, 1 << 22),
    cuts=st.lists(st.integers(1, 10**9), max_size=6),
)
def test_refunds_by_parts_at_the_original_rate_give_back_exactly_what_was_paid(
    seen, num, den, cuts
):
    rate = Rate("r", "SGD", "EUR", num, den)
    assume(rate.convert(seen) <= MAX_AMOUNT)
    borders = sorted({cut for cut in cuts if cut < seen} | {seen})
    paid = Paid(seen, rate.convert(seen))
    for border in borders:
        numbers = refund_numbers(border - paid.refunded_seen, rate, paid, original=True)
        assert numbers.reason == "accepted"
        assert numbers.debit >= 0
        debit = paid.refunded_debit + numbers.debit
        assert 0 <= debit * den - border * num < den
        paid = Paid(paid.seen, paid.debit, border, debit)
    assert paid.refunded_debit == paid.debit
    assert refund_numbers(1, rate, paid, original=True).reason == "amount"


@given(
    parts=st.lists(st.integers(1, 10**9), min_size=1, max_size=6),
    num=st.integers(1, 1 << 22),
    den=st.integers(1, 1 << 22),
)
def test_refunds_by_parts_at_todays_rate_give_back_no_more_than_one_would(parts, num, den):
    rate, paid = Rate("now", "SGD", "EUR", num, den), Paid(sum(parts), 1)
    assume(rate.convert(paid.seen) <= MAX_AMOUNT)
    back = [refund_numbers(part, rate, paid, original=False).debit for part in parts]
    assert sum(back) <= refund_numbers(paid.seen, rate, paid, original=False).debit
    assert all(0 <= a * num - b * den < den for a, b in zip(parts, back, strict=True))
