"""Fingerprints: as short as false matches allow, in an order that tells nothing, and bounded."""

import numpy as np
import pytest

from petcore import _core
from petcore.errors import BadFrame, PetcoreError


def values(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (n, 2), np.uint64)


@pytest.mark.parametrize("sent", [1, 2, 7, 8, 9, 15, 16, 17, 1000, 4097])
@pytest.mark.parametrize("kept", [1, 5, 3000])
def test_common_values_are_found_at_every_size(sent, kept):
    theirs, own = values(sent, 1), values(kept, 2)
    common = min(sent, kept, 400)
    own[kept - common :] = theirs[:common]
    wire = _core.write_prints(theirs, kept)
    assert sorted(_core.match_prints(own, wire, sent)) == list(range(kept - common, kept))


@pytest.mark.parametrize(
    ("sent", "kept", "most"), [(10**6, 10**6, 8.1), (10**5, 10**5, 8.2), (1000, 1, 6.3)]
)
def test_a_fingerprint_takes_the_bytes_that_its_false_matches_ask_for(sent, kept, most):
    """40 bits and those of both sizes, less the bits that sorting saves."""
    assert len(_core.write_prints(values(sent, 1), kept)) <= most * sent


def test_many_runs_and_many_kept_make_longer_fingerprints():
    few, many = (len(_core.write_prints(values(100, 1), kept)) for kept in (10, 2**26))
    assert few < many
    assert len(_core.write_prints(values(100, 1), 10, 256)) > few


def test_the_order_of_the_values_does_not_show():
    x = values(500, 1)
    assert np.array_equal(_core.write_prints(x, 9), _core.write_prints(x[::-1].copy(), 9))


def test_matches_come_in_the_order_of_the_values_of_both():
    x = values(300, 1)
    found = _core.match_prints(x, _core.write_prints(x[::-1].copy(), 300), 300)
    high = x[found][:, 1]
    assert sorted(found) == list(range(300))
    assert np.array_equal(high >> np.uint64(59), np.sort(high >> np.uint64(59)))


@pytest.mark.parametrize("drawer", [0, 1])
@pytest.mark.parametrize("change", [1, -1, 200])
def test_drawers_that_hold_more_or_fewer_than_announced_are_refused(drawer, change):
    wire = _core.write_prints(values(64, 1), 64)
    wire[drawer] = (int(wire[drawer]) + change) % 256
    with pytest.raises(BadFrame, match="announced"):
        _core.match_prints(values(64, 1), wire, 64)


def test_rests_out_of_order_or_all_alike_give_no_more_than_each_once():
    own = values(64, 1)
    wire = _core.write_prints(own, 64)
    wire[len(wire) - 64 * 8 :] = 0
    assert len(_core.match_prints(own, wire, 64)) <= 64


def test_a_message_of_another_length_raises():
    with pytest.raises(PetcoreError):
        _core.match_prints(values(64, 1), np.zeros(7, np.uint8), 64)
