"""What a loop will use is sent ahead: no operation waits for the dealer's round trip."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore.config import Link
from petcore.errors import StepMismatch, UsageError

from .conftest import Town, outcomes
from .test_service import PAIRS


def numbers(session: Any, n: int = 1000) -> Any:
    return session.input(np.arange(n) % 5 if session.party == 0 else None, owner=0)


def test_a_loop_no_longer_pays_the_dealers_round_trip(town: Town):
    """The dealer is 40 ms away and the parties are near each other; 30 products in a row."""
    dealer = town.dealer(*PAIRS)
    town.serve(replace(dealer, link=Link(round_trip_ms=80.0)))  # it delays what it sends by half

    def program(session: Any) -> tuple[float, float, int]:
        x = numbers(session)
        begin = time.perf_counter()
        for _ in range(30):
            x * x + x * (x + 1)
        plain = time.perf_counter() - begin
        begin = time.perf_counter()
        with session.ahead():
            for _ in range(30):
                x * x + x * (x + 1)
            ahead = time.perf_counter() - begin
        return plain, ahead, session.dealer_counters["foreseen"]

    results = outcomes(town.start(town.pair(*PAIRS[0]), program))
    plain, ahead, foreseen = results[1]
    assert plain > 60 * 0.04
    assert ahead < plain / 4
    assert foreseen > 50


def test_a_program_that_ends_with_more_on_its_way_has_ended_well(town: Town):
    events = town.serve(town.dealer(*PAIRS))

    def program(session: Any) -> None:
        x = numbers(session, 20_000)
        with session.ahead():
            for _ in range(8):
                x * x

    for _ in range(5):
        assert outcomes(town.start(town.pair(*PAIRS[0]), program)) == [None, None]
    assert events.wait_for("session served", 5)
    assert not [event for event in events if "failed" in event]


@pytest.mark.parametrize("verify", [0.0, 0.5])
def test_what_is_sent_ahead_serves_every_shape_of_loop(verify):
    def work(session: Any) -> list[Any]:
        x = numbers(session, 60)
        matrix = session.mask(x.reshape(10, 6))
        seen = []
        for epoch in range(4):
            for batch in range(5):
                x = x * x - (x > 3) * x
                if batch == 3 and epoch % 2:
                    seen.append(session.open(x[:7].sum(), label="now and then"))
            seen.append(session.open(matrix @ x[:12].reshape(6, 2), label="epoch").tolist())
            again = session.mask(x.reshape(6, 10))
            seen.append(session.open(again @ x[:10].reshape(10, 1), label="masked anew").tolist())
        return seen

    def program(session: Any) -> tuple[list[Any], dict[str, int]]:
        with session.ahead(1 << 20):
            seen = work(session)
        return seen, session.dealer_counters

    plain = pc.simulate(work)
    ahead = pc.simulate(program, verify_dealer=verify)
    assert [row[0] for row in ahead] == plain
    assert ahead[1][1]["foreseen"] == ahead[0][1]["foreseen"] > 10


def test_costs_do_not_count_what_was_thrown_away():
    def program(session: Any, limit: int) -> Any:
        x = numbers(session)
        with session.measure() as cost:
            if limit:
                with session.ahead(limit):
                    for _ in range(20):
                        x * x
            else:
                for _ in range(20):
                    x * x
            (x * x) * x
        return cost.offline_bytes, cost.correlations, session.dealer_counters

    plain = pc.simulate(program, args=(0,))
    ahead = pc.simulate(program, args=(100_000,))
    assert [row[:2] for row in plain] == [row[:2] for row in ahead]
    assert 0 < ahead[1][2]["discarded_bytes"] <= 100_000


def test_parties_that_disagree_on_it_hear_so():
    def program(session: Any) -> None:
        with session.ahead(1000 + session.party):
            pass

    with pytest.raises(StepMismatch, match="ahead"):
        pc.simulate(program)


def test_more_than_the_inbox_holds_is_refused():
    def program(session: Any) -> None:
        with session.ahead(1 << 30):
            pass

    with pytest.raises(UsageError, match="inbox_bytes_max"):
        pc.simulate(program)


def test_an_empty_block_and_a_second_one_are_fine():
    def program(session: Any) -> Any:
        x = numbers(session, 4)
        with session.ahead():
            pass
        for _ in range(2):
            with session.ahead():
                x = x * x
        return session.open(x, label="x").tolist()

    assert pc.simulate(program)[0] == [0, 1, 16, 81]
