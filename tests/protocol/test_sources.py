"""Where correlations come from: both parties name the same source and meet in one session."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from petcore import _core
from petcore.errors import HandshakeMismatch, PeerAborted, PetcoreError, UsageError

from .conftest import NAMES


def session(party: int, peer: Any, **options: Any) -> Any:
    return _core.Session("semi2k", party, NAMES, {1 - party: peer}, None, [], **options)


def meet(*ends: dict[str, Any]) -> list[Any]:
    """Open a session per set of options, each in a thread; return it, or what it raised."""
    results: list[Any] = [None] * len(ends)

    def run(i: int) -> None:
        try:
            results[i] = session(**ends[i])
        except PetcoreError as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(ends))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    return results


def links(limits: Any = None) -> tuple[Any, Any]:
    made: tuple[Any, Any] = _core.memory_channels(*NAMES, limits or _core.Limits())
    return made


def test_without_a_dealer_two_parties_share_and_open():
    peer, offline = links(), links()
    ends = meet(
        *(
            {"party": i, "peer": peer[i], "correlations": "ot", "offline": offline[i]}
            for i in range(2)
        )
    )
    opened: list[Any] = [None, None]

    def run(i: int) -> None:
        x, _ = ends[i].input(0, np.arange(5, dtype=np.uint64) if i == 0 else None, b"")
        opened[i] = ends[i].open(x, "x")

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert all(np.array_equal(x, np.arange(5)) for x in opened)
    assert set(ends[0].cost()["links"]) == {"wallet", "wallet (offline)"}


def test_both_links_must_lead_into_the_same_session():
    """Two sessions of the same two parties whose offline links were exchanged."""
    first, second = (links(), links()), (links(), links())
    ends = meet(
        *(
            {
                "party": i,
                "peer": mine[0][i],
                "correlations": "ot",
                "offline": (mine if i == 0 else other)[1][i],
            }
            for mine, other in ((first, second), (second, first))
            for i in range(2)
        )
    )
    assert all(isinstance(error, (HandshakeMismatch, PeerAborted)) for error in ends)
    assert any("another session" in str(error) for error in ends)


def test_links_that_were_exchanged_open_no_session():
    quick = _core.Limits(deadline_s=0.3)
    peer, offline = links(quick), links(quick)
    ends = meet(
        {"party": 0, "peer": peer[0], "correlations": "ot", "offline": offline[0]},
        {"party": 1, "peer": offline[1], "correlations": "ot", "offline": peer[1]},
    )
    assert all(isinstance(error, PetcoreError) for error in ends)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "needs a link to a dealer"),
        ({"correlations": "ot"}, "needs a second link"),
        ({"correlations": "luck"}, "no source of correlations is called 'luck'; there are"),
        ({"offline": "wallet"}, "needs a link to a dealer"),
        ({"correlations": "ot", "offline": "acme"}, "leads to another party than the peer"),
    ],
)
def test_a_source_without_its_links_is_refused(options, complaint):
    peer, _ = links()
    if "offline" in options:
        options["offline"] = _core.memory_channels("gateway", options["offline"], _core.Limits())[0]
    with pytest.raises(UsageError, match=complaint):
        session(0, peer, **options)


@pytest.mark.parametrize("correlations", ["ot"])
def test_many_small_products_share_what_is_made_ahead(parties, correlations):
    """One by one, each would take the least block of an extension both ways: above 2 kB."""
    x = np.arange(1, 1001, dtype=np.uint64)

    def program(session):
        shared, _ = session.input(0, x if session.party == 0 else None, b"")
        links = f"{NAMES[1 - session.party]} (offline)"
        session.mul(shared[:1], shared[:1])
        before = session.cost()["links"][links]["payload_sent"]
        squares = [session.mul(shared[i : i + 1], shared[i : i + 1]) for i in range(1000)]
        sent = session.cost()["links"][links]["payload_sent"] - before
        return session.open(np.concatenate(squares), "squares"), sent

    for squares, sent in parties(program).values():
        np.testing.assert_array_equal(squares, x * x)
        assert sent < 1000 * 2 * 600  # at most twice the 516 bytes of a product, and few blocks


@pytest.mark.parametrize("correlations", ["ot"])
def test_sizes_that_share_what_is_made_ahead_come_out_right_in_any_order(parties, correlations):
    rng = np.random.default_rng(5)
    sizes = [int(n) for n in rng.integers(1, 130, 60)]
    values = [rng.integers(0, 2**64, n, dtype=np.uint64) for n in sizes]
    bits = [rng.integers(0, 2, n).astype(np.uint8) for n in sizes]

    def program(session):
        mine = session.party == 0
        out = []
        for x, b in zip(values, bits, strict=True):
            word, _ = session.input(0, x if mine else None, b"")
            bit, _ = session.input_bits(0, b if mine else None, b"")
            out.append(session.open(session.mul_bit(bit, session.square(word)), "chosen"))
            out.append(session.open_bits(session.msb(word), "sign"))
            out.append(session.open(session.b2a(bit), "bit"))
        return out

    for opened in parties(program).values():
        for i, (x, b) in enumerate(zip(values, bits, strict=True)):
            np.testing.assert_array_equal(opened[3 * i], b * x * x)
            np.testing.assert_array_equal(opened[3 * i + 1], x >> np.uint64(63))
            np.testing.assert_array_equal(opened[3 * i + 2], b)
