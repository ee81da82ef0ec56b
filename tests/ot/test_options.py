"""How transfers are extended: by the speed of the link, and never with less than was asked for."""

import pytest

import petcore as pc
from petcore import _core
from petcore.errors import UsageError

SPEEDS = (1, 50, 212, 250, 299, 300, 500, 1000, 2000, 10_000, 1e6)


@pytest.mark.parametrize(
    ("mbit", "k"),
    [(50, 8), (300, 7), (500, 6), (1000, 5), (2000, 5), (10_000, 4), (1e6, 4)],
)
def test_a_links_speed_decides(mbit, k):
    chosen = _core.Transfers(link_mbit=mbit)
    assert (chosen.kind, chosen.k, chosen.checked) == ("softspoken", k, True)


def test_the_slower_the_link_the_fewer_bits_travel():
    bits = [_core.Transfers(link_mbit=mbit).bits for mbit in SPEEDS]
    assert bits == sorted(bits)
    assert (bits[0], bits[-1]) == pytest.approx((16, 32), rel=0.02)


@pytest.mark.parametrize(("mbit", "kind"), [(50, "silent"), (299, "silent"), (300, "softspoken")])
def test_without_the_check_a_slow_link_is_silent(mbit, kind):
    assert _core.Transfers(link_mbit=mbit, checked=False).kind == kind


@pytest.mark.parametrize("mbit", SPEEDS)
@pytest.mark.parametrize("method", ["auto", "softspoken"])
def test_no_speed_takes_the_check_away(method, mbit):
    chosen = _core.Transfers(method, mbit, True)
    assert (chosen.kind, chosen.checked) == ("softspoken", True)


def test_silent_transfers_take_less_than_a_bit_and_a_half():
    chosen = _core.Transfers("silent", 10_000, False)
    assert chosen.kind == "silent"
    assert 1 < chosen.bits < 1.5


def test_the_base_of_silent_transfers_stays_checked():
    assert _core.Transfers("silent", 100, False).checked


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"method": "silent"}, r"checked is true.*set it to false as well, or method to"),
        ({"method": "ferret"}, r'method is \'ferret\'; write "auto" or "softspoken" or "silent"'),
        ({"link_mbit": 0}, "link_mbit must be above 0"),
        ({"link_mbit": -1}, "link_mbit must be above 0"),
        ({"link_mbit": float("nan")}, "link_mbit must be above 0"),
        ({"link_mbit": 2e6}, "link_mbit .* at most 1000000 Mbit/s"),
    ],
)
def test_a_wish_that_cannot_be_says_what_to_do(wish, message):
    with pytest.raises(UsageError, match=message):
        pc.simulate(lambda session: None, transfers=pc.Transfers(**wish))


@pytest.mark.parametrize(
    "wish",
    [
        {"method": "silent"},
        {"method": "ferret"},
        {"link_mbit": 0},
        {"link_mbit": float("nan")},
        {"link_mbit": float("inf")},
    ],
)
def test_the_core_refuses_it_too(wish):
    with pytest.raises(UsageError):
        _core.Transfers(**wish)
