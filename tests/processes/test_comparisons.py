"""Comparisons between real processes: the choice follows the line, and peers fail in the middle."""

from __future__ import annotations

import signal
import time

import pytest

from petcore.config import Link

pytestmark = pytest.mark.processes

THOUSAND = {"comparison_key": 1000}


def test_a_thousand_numbers_compare_in_a_fifth_of_a_second_over_a_line_of_150_ms(companies):
    """The dealer is near: its keys are there when the numbers are."""
    for name in ("gateway", "wallet"):
        companies.change(name, link=Link(round_trip_ms=150))
    gateway, wallet, _ = companies.start_all("compared")
    ended = [process.last_line() for process in (gateway, wallet)]
    for *chosen, round_trip, right, seconds in (end["result"] for end in ended):
        assert chosen == ["fss", 1, THOUSAND]
        assert 0.15 <= round_trip < 0.25
        assert right
        assert seconds < 0.5  # 0.1 on a machine that does nothing else


def test_on_a_short_line_bytes_decide(companies):
    gateway, wallet, _ = companies.start_all("compared")
    results = [process.last_line()["result"] for process in (gateway, wallet)]
    assert results[0][:4] == results[1][:4]
    method, rounds, used, round_trip, right, _ = results[0]
    assert right
    assert round_trip == int(1000 * round_trip) / 1000
    if round_trip == 0:  # a machine that is busy may take milliseconds to answer
        assert method == "tree"
        assert rounds > 1
        assert "comparison_key" not in used


@pytest.mark.parametrize("victim", ["gateway", "wallet", "dealer"])
def test_whoever_is_killed_while_keys_are_dealt_is_named_at_once(companies, victim):
    parties = dict(
        zip(("gateway", "wallet", "dealer"), companies.start_all("keys_for_ever"), strict=True)
    )
    assert parties["gateway"].line() == parties["wallet"].line() == {"state": "running"}
    parties.pop(victim).popen.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    for process in parties.values():
        ended = process.last_line()
        assert ended["error"] in ("PeerClosed", "PeerAborted")
        assert victim in ended["text"]
    assert time.monotonic() - killed < 3
