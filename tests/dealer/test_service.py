"""One dealer serves many pairs at once; what goes wrong in one session stays there."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from petcore.errors import (
    HandshakeMismatch,
    PeerAborted,
    PeerUntrusted,
    PetcoreError,
)
from petcore.mpc import Session
from petcore.trust.identity import make_identity

from .conftest import LONG, Town, outcomes

PAIRS = (("gateway", "wallet-a"), ("gateway", "wallet-b"), ("wallet-a", "wallet-b"))


def product(session: Session) -> list[int]:
    x = session.input(np.array([1, 2]) if session.party == 0 else None, owner=0)
    y = session.input(np.array([10, 20]) if session.party == 1 else None, owner=1)
    return [int(v) for v in session.open(x * y, label="product")]


def test_several_pairs_and_several_sessions_of_one_pair_run_at_the_same_time(town: Town):
    town.serve(town.dealer(*PAIRS))
    together = threading.Barrier(10)

    def program(session: Session) -> list[int]:
        together.wait(LONG)  # every session is open now
        return product(session)

    names = (*PAIRS, PAIRS[0], PAIRS[0])
    futures = [future for pair in names for future in town.start(town.pair(*pair), program)]
    assert outcomes(futures) == [[10, 40]] * 10


def test_a_failing_session_disturbs_no_other(town: Town):
    events = town.serve(town.dealer(*PAIRS))
    failed = threading.Event()

    def lasting(session: Session) -> list[int]:
        before = product(session)
        assert failed.wait(LONG)
        return before + product(session)

    def failing(session: Session) -> None:
        raise ZeroDivisionError

    good = town.start(town.pair(*PAIRS[0]), lasting)
    bad = town.start(town.pair(*PAIRS[1]), failing)
    assert all(isinstance(error, Exception) for error in outcomes(bad))
    assert events.wait_for("session failed")
    failed.set()
    assert outcomes(good) == [[10, 40, 10, 40]] * 2


def test_a_pair_that_is_not_listed_is_refused_and_hears_of_no_other(town: Town):
    town.serve(town.dealer(("gateway", "wallet-a"), ("gateway", "wallet-b")))
    for error in outcomes(town.start(town.pair("wallet-b", "gateway"), product)):
        assert isinstance(error, (HandshakeMismatch, PeerAborted))
        assert "wallet-a" not in str(error)


def test_a_pair_may_be_bound_to_one_session_name(town: Town):
    config = town.dealer(PAIRS[0])
    bound = replace(config, pairs=(replace(config.pairs[0], session="scoring"),))
    town.serve(bound)
    assert outcomes(town.start(town.pair(*PAIRS[0], session="scoring"), product)) == [[10, 40]] * 2
    refused = outcomes(town.start(town.pair(*PAIRS[0], session="training"), product))
    assert any("scoring" in str(error) for error in refused)
    assert all(isinstance(error, PetcoreError) for error in refused)


def test_a_client_of_no_pair_is_a_stranger(town: Town):
    events = town.serve(town.dealer(PAIRS[0]))
    first = town.pair("wallet-b", "gateway")[0]
    (error,) = outcomes(town.start([replace(first, connect_wait=1.0)], product))
    assert isinstance(error, PeerUntrusted)
    assert events.wait_for("refused a connection")


def test_a_client_that_poses_as_another_is_refused(town: Town, tmp_path):
    town.serve(town.dealer(*PAIRS))
    certificate, key = make_identity("gateway").save(tmp_path / "posing")
    own = town.pair(*PAIRS[0])[0]
    from petcore.trust.identity import load_identity

    fingerprint = load_identity(certificate, key).fingerprint
    parties = (replace(own.parties[0], fingerprint=fingerprint), own.parties[1])
    posing = replace(own, certificate=certificate, key=key, parties=parties, connect_wait=1.0)
    (error,) = outcomes(town.start([posing], product))
    assert isinstance(error, PeerUntrusted)


@pytest.mark.parametrize("pairs", [(), PAIRS])
def test_one_party_may_come_again_when_its_first_attempt_met_nobody(town: Town, pairs):
    names = ("gateway", "wallet-a") if not pairs else ("gateway", "wallet-a", "wallet-b")
    town.serve(town.dealer(*pairs, names=names))
    lonely = replace(town.pair(*PAIRS[0])[0], connect_wait=0.3)
    (error,) = outcomes(town.start([lonely], product))
    assert "wallet-a" in str(error)
    assert outcomes(town.start(town.pair(*PAIRS[0]), product)) == [[10, 40]] * 2
