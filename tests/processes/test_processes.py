"""Sessions between real processes over TLS: results, memory, and peers that fail."""

from __future__ import annotations

import signal
import time

import pytest

from petcore.transfers import Transfers
from petcore.trust.chain import verify

pytestmark = pytest.mark.processes

MEBIBYTE = 1 << 20


def test_three_processes_compute_a_result_and_log_its_disclosure(companies):
    gateway, wallet, dealer = companies.start_all("add_up")
    expected = sum(i * i for i in range(1000))
    assert gateway.last_line() == {"state": "ended", "result": expected}
    assert wallet.last_line() == {"state": "ended", "result": expected}
    assert dealer.last_line() == {"state": "ended"}
    for name in ("gateway", "wallet"):
        assert verify(companies.configs[name].log).count == 1


def test_two_processes_compute_without_a_dealer(companies):
    gateway, wallet = companies.start_pair("add_up")
    expected = sum(i * i for i in range(1000))
    assert gateway.last_line() == {"state": "ended", "result": expected}
    assert wallet.last_line() == {"state": "ended", "result": expected}


@pytest.mark.parametrize("transfers", [Transfers(link_mbit=100), Transfers("silent", 100, False)])
def test_two_processes_compute_over_a_link_declared_slow(companies, transfers):
    gateway, wallet = companies.start_pair("add_up", transfers=transfers)
    expected = {"state": "ended", "result": sum(i * i for i in range(1000))}
    assert gateway.last_line() == wallet.last_line() == expected


@pytest.mark.parametrize(("victim", "witness"), [("gateway", "wallet"), ("wallet", "gateway")])
def test_a_party_killed_while_both_make_correlations_is_named_within_two_seconds(
    companies, victim, witness
):
    parties = dict(zip(("gateway", "wallet"), companies.start_pair("loop_large"), strict=True))
    assert parties["gateway"].line() == parties["wallet"].line() == {"state": "running"}
    parties[victim].popen.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    ended = parties[witness].last_line()
    assert ended["error"] in ("PeerClosed", "PeerAborted")
    assert victim in ended["text"]
    assert time.monotonic() - killed < 2


def test_a_party_frozen_while_both_make_correlations_is_found_silent(companies):
    gateway, wallet = companies.start_pair("loop_large")
    assert gateway.line() == wallet.line() == {"state": "running"}
    wallet.popen.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    ended = gateway.last_line()
    assert ended["error"] in ("PeerSilent", "PeerAborted")
    assert "wallet" in ended["text"]
    assert time.monotonic() - frozen < 2.5  # the silence limit is one second


@pytest.mark.parametrize("victim", ["gateway", "wallet", "dealer"])
def test_a_killed_process_ends_in_a_typed_error_at_every_other_within_two_seconds(
    companies, victim
):
    parties = dict(zip(("gateway", "wallet", "dealer"), companies.start_all("loop"), strict=True))
    assert parties["gateway"].line() == parties["wallet"].line() == {"state": "running"}
    parties.pop(victim).popen.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    for process in parties.values():
        ended = process.last_line()
        assert ended["error"] in ("PeerClosed", "PeerAborted")
        assert victim in ended["text"]
    assert time.monotonic() - killed < 2


def test_a_frozen_process_is_found_silent(companies):
    gateway, wallet, dealer = companies.start_all("loop")
    assert gateway.line() == wallet.line() == {"state": "running"}
    wallet.popen.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    for process in (gateway, dealer):
        ended = process.last_line()
        assert ended["error"] in ("PeerSilent", "PeerAborted")
        assert "wallet" in ended["text"]
    assert time.monotonic() - frozen < 2.5  # the silence limit is one second


def test_a_peer_that_never_starts_is_named_with_its_address(companies):
    companies.change("wallet", connect_wait=1.0)
    companies.start("dealer")
    ended = companies.start("wallet", "add_up").last_line()
    assert ended["error"] == "PeerUnreachable"
    assert companies.configs["gateway"].parties[0].address in ended["text"]
    assert ended["seconds"] < 2


def test_a_gateway_whose_caller_never_comes_says_whom_it_waited_for(companies):
    companies.change("gateway", connect_wait=1.0)
    companies.start("dealer")
    ended = companies.start("gateway", "add_up").last_line()
    assert ended["error"] == "PeerUnreachable"
    assert "wallet" in ended["text"]
    assert ended["seconds"] < 2


def test_parties_with_other_programs_both_learn_the_difference(companies):
    companies.start("dealer")
    ends = [companies.start("gateway", "add_up"), companies.start("wallet", "loop")]
    for process in ends:
        ended = process.last_line()
        assert ended["error"] == "HandshakeMismatch"
        assert "add_up" in ended["text"]
        assert "loop" in ended["text"]


def test_parties_with_other_shapes_never_see_a_result(companies):
    companies.start("dealer")
    ends = [companies.start("gateway", "shapes", "100"), companies.start("wallet", "shapes", "50")]
    for process in ends:
        ended = process.last_line()
        assert ended["error"] in ("StepMismatch", "PeerAborted")
        assert "step 2" in ended["text"]


@pytest.mark.parametrize("program", ["product_memory", "comparison_memory"])
def test_an_operation_on_ten_million_numbers_needs_less_than_64_mebibytes_besides(
    companies, program
):
    gateway, wallet, _ = companies.start_all(program, str(10**7))
    for process in (gateway, wallet):
        assert process.last_line()["result"] < 64 * MEBIBYTE


def test_an_estimate_is_what_two_processes_measure(companies):
    gateway, wallet, _ = companies.start_all("estimated")
    found, told = zip(
        *(process.last_line()["result"] for process in (gateway, wallet)), strict=True
    )
    dealt = sum(cost.pop("offline_bytes") for cost in found)
    assert [cost.pop("offline_bytes") for cost in told] == [dealt, dealt]
    assert found == told


def test_an_estimate_is_what_two_processes_without_a_dealer_measure(companies):
    gateway, wallet = companies.start_pair("estimated")
    found, told = zip(
        *(process.last_line()["result"] for process in (gateway, wallet)), strict=True
    )
    made = sum(cost.pop("offline_bytes") for cost in found)
    assert [cost.pop("offline_bytes") for cost in told] == [made, made]
    assert found == told
