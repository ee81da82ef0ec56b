"""Three configurations become a session, or an error that says what to do."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import petcore._core as _core
from petcore.config import Config, Link, Peer, Rule, StoreConfig, load_config
from petcore.connecting import connect, run_dealer
from petcore.errors import (
    ConfigError,
    DisclosureRefused,
    HandshakeMismatch,
    LogCorrupt,
    PeerAborted,
    PeerUnreachable,
    PeerUntrusted,
    PetcoreError,
    UsageError,
)
from petcore.mpc import Session
from petcore.transfers import Transfers
from petcore.trust import chain
from petcore.trust.identity import make_identity

LONG = 20.0  # seconds: never reached unless something hangs


def add(session: Session) -> list[int]:
    x = session.input(np.array([1, 2]) if session.party == 0 else None, owner=0)
    y = session.input(np.array([10, 20]) if session.party == 1 else None, owner=1)
    return list(session.open(x * y, label="product", purpose="a test"))


def run(config: Config | Path, job: Callable[[Session], Any] = add, **options: Any) -> Any:
    with connect(config, **{"connect_wait": LONG, **options}) as session:
        return job(session)


@pytest.fixture
def loaded(configs) -> dict[str, Config]:
    return {name: load_config(path) for name, path in configs.items()}


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


class Events(list[str]):
    """The lines that a service reports; tests wait for one of them."""

    def __init__(self) -> None:
        self._more = threading.Condition()

    def __call__(self, text: str) -> None:
        with self._more:
            self.append(text)
            self._more.notify_all()

    def wait_for(self, words: str) -> bool:
        with self._more:
            return self._more.wait_for(lambda: any(words in text for text in self), LONG)


@pytest.fixture
def dealer(loaded, pool):
    """A dealer's service, running; the lines it reported."""
    events, stop = Events(), threading.Event()
    service = pool.submit(run_dealer, loaded["dealer"], on_event=events, stop=stop)
    try:
        assert events.wait_for("listening")
        yield events
    finally:
        stop.set()
        service.result(LONG)


def both(pool, gateway, wallet, **options):
    """Start both parties; return what each returned or raised."""
    futures = [pool.submit(run, config, **options) for config in (gateway, wallet)]
    return [future.exception(LONG) or future.result() for future in futures]


def test_two_parties_and_a_dealer_compute_over_tls(loaded, pool, dealer):
    results = both(pool, loaded["gateway"], loaded["wallet"])
    assert results == [[10, 40], [10, 40]]


def add_only(session: Session) -> list[int]:
    x = session.input(np.array([1, 2]) if session.party == 0 else None, owner=0)
    return list(session.open(x + 1, label="sum"))


def without_dealer(loaded: dict[str, Config]) -> list[Config]:
    parties = (loaded["gateway"], loaded["wallet"])
    return [replace(config, dealer=None, correlations="ot") for config in parties]


def test_two_parties_compute_over_tls_without_a_dealer(loaded, pool):
    gateway, wallet = without_dealer(loaded)
    assert both(pool, gateway, wallet, job=add_only) == [[2, 3], [2, 3]]


def test_a_party_that_never_makes_the_second_connection_is_named(loaded, pool):
    gateway, wallet = without_dealer(loaded)

    def call_once() -> Any:
        channel = _core.connect_tls(
            *gateway.parties[0].host_port(),
            *(path.read_text() for path in (wallet.certificate, wallet.key)),
            "gateway",
            gateway.parties[0].fingerprint,
            LONG,
            _core.Limits(),
        )
        terms = [("petcore", version("petcore")), ("correlations", "ot")]
        _core.agree(channel, terms, "handshake")
        return channel

    first = pool.submit(call_once)
    with pytest.raises(PeerUnreachable, match="wallet did not call"):
        connect(gateway, connect_wait=1.0)
    first.result(LONG).close()


@pytest.mark.parametrize("without", ["gateway", "wallet"])
def test_parties_with_other_sources_of_correlations_both_learn_the_difference(
    loaded, pool, dealer, without
):
    # One of them makes or waits for a second connection, the other does not.
    parties = loaded | {without: replace(loaded[without], dealer=None, correlations="ot")}
    refused = both(pool, parties["gateway"], parties["wallet"])
    for error in refused:
        assert isinstance(error, HandshakeMismatch)
        assert re.search("'correlations' is '(ot|dealer)' here and '(ot|dealer)' at", str(error))


@pytest.mark.parametrize(
    ("here", "there", "term"),
    [
        (Transfers(), Transfers(link_mbit=100), "k = 5, checked' here and 'softspoken, k = 8"),
        (Transfers(), Transfers(checked=False), "k = 5, checked' here and .* not checked'"),
        (Transfers(), Transfers("silent", 1000, False), "checked' here and 'silent, k = 5'"),
    ],
)
def test_parties_that_extend_transfers_differently_both_learn_the_difference(
    loaded, pool, here, there, term
):
    gateway, wallet = without_dealer(loaded)
    refused = both(
        pool, replace(gateway, transfers=here), replace(wallet, transfers=there), job=add_only
    )
    assert all(isinstance(error, HandshakeMismatch) for error in refused)
    assert all("the term 'transfers' is" in str(error) for error in refused)
    assert re.search(term, str(refused[0]))


def test_speeds_that_come_to_the_same_need_not_be_equal(loaded, pool):
    gateway, wallet = without_dealer(loaded)
    near = Transfers(link_mbit=1000), Transfers(link_mbit=1200)
    parties = (replace(c, transfers=t) for c, t in zip((gateway, wallet), near, strict=True))
    assert both(pool, *parties, job=add_only) == [[2, 3], [2, 3]]


def test_stores_with_other_policies_at_zero_both_learn_the_difference(loaded, pool, tmp_path):
    """Only one of them expects a second connection."""
    key = tmp_path / "store.key"
    key.write_text("ab" * 32)
    key.chmod(0o600)
    parties = [
        replace(
            loaded[name],
            dealer=None,
            correlations="store",
            store=StoreConfig(tmp_path / name, key, maker="ot", at_zero=policy),
        )
        for name, policy in (("gateway", "make"), ("wallet", "refuse"))
    ]
    refused = both(pool, *parties)
    assert all(isinstance(error, HandshakeMismatch) for error in refused)
    assert "'at zero' is 'make by ot' here and 'refuse' at wallet" in str(refused[0])


def test_every_party_logs_the_opening_under_its_session(loaded, pool, dealer):
    both(pool, loaded["gateway"], loaded["wallet"])
    for name in ("gateway", "wallet"):
        (record,) = chain.read(loaded[name].log)
        assert (record["label"], record["to"]) == ("product", ["gateway", "wallet"])
        assert (record["party"], record["session"]) == (name, "session")
    assert not loaded["dealer"].log.exists()


def test_the_log_is_free_as_soon_as_the_session_is_closed(loaded, pool, dealer):
    both(pool, loaded["gateway"], loaded["wallet"])
    both(pool, loaded["gateway"], loaded["wallet"])
    assert chain.verify(loaded["gateway"].log).count == 2


@pytest.mark.processes
def test_three_processes_started_in_any_order_meet(configs):
    party = """
import sys, numpy as np
from petcore.connecting import connect
with connect(sys.argv[1], connect_wait=20) as session:
    x = session.input(np.array([3]) if session.party == 0 else None, owner=0)
    print(session.open(x + 4, label="sum")[0])
"""
    commands = [
        [sys.executable, "-c", party, configs["wallet"]],
        [sys.executable, "-c", party, configs["gateway"]],
        [sys.executable, "-m", "petcore", "dealer", "--once", "--config", configs["dealer"]],
    ]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    assert [out for out, _ in outputs] == ["7\n", "7\n", ""]
    assert "session served" in outputs[2][1]


def test_an_absent_dealer_is_named_with_its_address(loaded):
    with pytest.raises(PeerUnreachable, match="dealer") as caught:
        connect(loaded["gateway"], connect_wait=0.2)
    assert loaded["dealer"].dealer.address in str(caught.value)


def test_no_threads_are_refused_before_anyone_is_met(loaded):
    with pytest.raises(UsageError, match="threads"):
        connect(loaded["gateway"], threads=0)


def test_an_absent_wallet_is_named(loaded, dealer):
    with pytest.raises(PeerUnreachable, match="wallet did not call"):
        connect(loaded["gateway"], connect_wait=0.2)


def test_an_absent_gateway_is_named_with_its_address(loaded, dealer):
    with pytest.raises(PeerUnreachable, match="gateway") as caught:
        connect(loaded["wallet"], connect_wait=0.2)
    assert loaded["gateway"].parties[0].address in str(caught.value)


def test_a_party_that_gave_up_does_not_spoil_the_next_attempt(loaded, pool, dealer):
    with pytest.raises(PeerUnreachable):
        connect(loaded["gateway"], connect_wait=0.2)
    assert both(pool, loaded["wallet"], loaded["gateway"]) == [[10, 40], [10, 40]]


def test_a_failed_attempt_frees_log_and_port(loaded):
    for _ in range(2):
        with pytest.raises(PeerUnreachable):
            connect(loaded["gateway"], connect_wait=0.1)


def test_a_party_with_another_key_is_refused_at_both_ends(loaded, pool, dealer, tmp_path):
    stranger = make_identity("wallet")
    certificate, key = stranger.save(tmp_path / "stranger")
    wallet = loaded["wallet"]
    posing = replace(
        wallet,
        certificate=certificate,
        key=key,
        parties=(wallet.parties[0], replace(wallet.parties[1], fingerprint=stranger.fingerprint)),
    )
    refused = both(pool, loaded["gateway"], posing, connect_wait=1.0)
    assert isinstance(refused[0], PeerUnreachable)
    assert isinstance(refused[1], PeerUntrusted)


def test_the_dealer_reports_a_stranger_by_its_fingerprint(loaded, dealer, tmp_path):
    stranger = make_identity("wallet")
    certificate, key = stranger.save(tmp_path / "stranger")
    parties = (loaded["wallet"].parties[0], Peer("wallet", "", stranger.fingerprint))
    with pytest.raises(PeerUntrusted, match="dealer"):
        connect(replace(loaded["wallet"], certificate=certificate, key=key, parties=parties))
    assert dealer.wait_for(stranger.fingerprint)


def test_another_program_is_named_at_both_parties_and_the_dealer_goes_on(loaded, pool, dealer):
    futures = [
        pool.submit(run, loaded["gateway"], program="train"),
        pool.submit(run, loaded["wallet"], program="clear"),
    ]
    for future in futures:
        with pytest.raises(HandshakeMismatch, match=r"program.*(train|clear)"):
            future.result(LONG)
    assert both(pool, loaded["gateway"], loaded["wallet"]) == [[10, 40], [10, 40]]
    assert dealer.wait_for("session failed")
    assert dealer.wait_for("session served")


def test_a_disclosure_that_the_policy_refuses_ends_the_session_at_both(loaded, pool, dealer):
    strict = replace(loaded["gateway"], rules=(Rule("net position *", ("*",)),))
    refused = both(pool, strict, loaded["wallet"])
    assert isinstance(refused[0], DisclosureRefused)
    assert isinstance(refused[1], PeerAborted)
    assert chain.verify(strict.log).count == 0


def test_a_log_that_was_tampered_with_stops_the_party_before_it_meets_anyone(loaded):
    loaded["gateway"].log.write_text("{}\n")
    with pytest.raises(LogCorrupt, match="line 1"):
        connect(loaded["gateway"])


def test_a_party_that_does_not_know_its_own_key_is_told_so(loaded):
    wrong = replace(loaded["gateway"].parties[0], fingerprint="0" * 64)
    config = replace(loaded["gateway"], parties=(wrong, loaded["gateway"].parties[1]))
    with pytest.raises(ConfigError, match="peers would refuse this party"):
        connect(config)


def test_the_program_must_be_the_one_in_the_configuration(loaded):
    with pytest.raises(ConfigError, match="program is 'clear'; this is 'train'"):
        connect(replace(loaded["gateway"], program="clear"), program="train")


def test_the_dealers_configuration_is_no_partys_and_the_other_way_round(loaded):
    with pytest.raises(ConfigError, match="petcore dealer"):
        connect(loaded["dealer"])
    with pytest.raises(ConfigError, match="not of the dealer"):
        run_dealer(loaded["gateway"])


@pytest.mark.parametrize("name", ["gateway", "dealer"])
def test_an_address_in_use_is_named(loaded, name):
    config = loaded[name]
    own = config.dealer if name == "dealer" else config.parties[0]
    with (
        socket.create_server(own.host_port()),
        pytest.raises(UsageError, match=f"{own.address}.*in use"),
    ):
        connect(config) if name == "gateway" else run_dealer(config)


def test_once_raises_what_ended_the_session(loaded, pool):
    service = pool.submit(run_dealer, loaded["dealer"], once=True)
    both(
        pool,
        loaded["gateway"],
        loaded["wallet"],
        job=lambda session: add(session) if session.party else 1 // 0,
    )
    assert isinstance(service.exception(LONG), PetcoreError)


def test_a_configured_line_slows_the_rounds_of_a_session_down(loaded, pool):
    slow = {name: replace(c, link=Link(round_trip_ms=100.0)) for name, c in loaded.items()}
    service = pool.submit(run_dealer, slow["dealer"], once=True)

    def timed(session: Session) -> float:
        with session.measure() as cost:
            assert add(session) == [10, 40]
        return cost.seconds

    for seconds in pool.map(lambda name: run(slow[name], timed), ("gateway", "wallet")):
        assert seconds >= 0.1  # of its rounds, one way each, two at least wait for the peer
    service.result(LONG)
