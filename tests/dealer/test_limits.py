"""Every client has limits; one that exceeds them hears which, and whose."""

from __future__ import annotations

import socket
import threading

import numpy as np
import pytest

from petcore import _core
from petcore.config_service import ClientLimits
from petcore.errors import ConfigError, DealerFull, DealerLimit, PeerAborted, PetcoreError
from petcore.mpc import Session

from .conftest import LONG, QUICK, Town, outcomes
from .test_service import PAIRS, product


def numbers(session: Session, n: int = 1000):
    return session.input(np.arange(n) if session.party == 0 else None, owner=0)


def test_too_many_sessions_of_a_client_are_refused_and_may_come_again(town: Town):
    town.serve(town.dealer(*PAIRS, each=ClientLimits(sessions=1)))
    opened, refused = threading.Barrier(3), threading.Event()

    def lasting(session: Session) -> list[int]:
        opened.wait(LONG)
        assert refused.wait(LONG)
        return product(session)

    first = town.start(town.pair("gateway", "wallet-a"), lasting)
    opened.wait(LONG)
    errors = outcomes(town.start(town.pair("gateway", "wallet-b"), product))
    refused.set()
    full = [error for error in errors if isinstance(error, DealerFull)]
    assert full
    assert full[0].retryable
    assert "gateway has 1 sessions" in str(full[0])
    assert all(isinstance(error, PetcoreError) for error in errors)
    assert outcomes(first) == [[10, 40]] * 2
    assert outcomes(town.start(town.pair("gateway", "wallet-b"), product)) == [[10, 40]] * 2


def test_the_sessions_of_all_clients_are_bounded(town: Town):
    town.serve(town.dealer(*PAIRS, sessions=1))
    opened, refused = threading.Barrier(3), threading.Event()

    def lasting(session: Session) -> None:
        opened.wait(LONG)
        assert refused.wait(LONG)

    first = town.start(town.pair("gateway", "wallet-a"), lasting)
    opened.wait(LONG)
    errors = outcomes(town.start(town.pair("wallet-a", "wallet-b"), product))
    refused.set()
    assert any(isinstance(e, DealerFull) and "serves 1 sessions" in str(e) for e in errors)
    outcomes(first)


def test_more_work_in_one_message_than_allowed_is_refused(town: Town):
    town.serve(town.dealer(*PAIRS, work_per_message=10**6))
    too_much = lambda session: numbers(session, 10**6) * numbers(session, 10**6)  # noqa: E731
    errors = outcomes(town.start(town.pair(*PAIRS[0]), too_much))
    limit = [error for error in errors if isinstance(error, DealerLimit)]
    assert limit
    assert not limit[0].retryable
    assert "work" in str(limit[0])
    assert outcomes(town.start(town.pair(*PAIRS[0]), product)) == [[10, 40]] * 2


def test_a_matrix_that_needs_more_memory_than_allowed_is_refused(town: Town):
    town.serve(town.dealer(*PAIRS, memory_per_session=10**6))

    def program(session: Session) -> object:
        x = numbers(session, 300 * 300).reshape(300, 300)
        return x @ x

    errors = outcomes(town.start(town.pair(*PAIRS[0]), program))
    assert any(isinstance(e, DealerLimit) and "memory" in str(e) for e in errors)


def test_bytes_of_a_day_are_counted_over_all_sessions_of_a_client(town: Town):
    each = ClientLimits(bytes_per_day=20_000)
    town.serve(town.dealer(*PAIRS, each=ClientLimits(), clients=(("wallet-a", each),)))

    def program(session: Session) -> None:
        x = numbers(session)
        x * x + x * (x + 1)

    errors = outcomes(town.start(town.pair("gateway", "wallet-a"), program))
    assert errors == [None, None]  # 16,000 bytes
    errors = outcomes(town.start(town.pair("gateway", "wallet-a"), program))
    limit = [error for error in errors if isinstance(error, DealerLimit)]
    assert limit
    assert "wallet-a may take 20000 bytes" in str(limit[0])
    assert outcomes(town.start(town.pair("gateway", "wallet-b"), program)) == [None, None]


def test_connections_that_wait_are_bounded_for_each_client(town: Town):
    events = town.serve(town.dealer(*PAIRS, each=ClientLimits(waiting=2)))
    certificate, key = town.files["wallet-b"]
    dealer = town.peers["dealer"]

    def dial():
        return _core.connect_tls(
            *dealer.host_port(), certificate.read_text(), key.read_text(), "dealer",
            dealer.fingerprint, 5.0,
        )  # fmt: skip

    held = [dial(), dial()]
    assert events.wait_for("wallet-b connected", 2)
    third = dial()
    with pytest.raises(DealerFull, match="wallet-b has 2 connections"):
        third.recv_message(0, "hello")
    assert outcomes(town.start(town.pair("gateway", "wallet-a"), product)) == [[10, 40]] * 2
    for channel in held:
        channel.close()
    assert events.wait_for("left before", 2)
    assert outcomes(town.start(town.pair("gateway", "wallet-b"), product)) == [[10, 40]] * 2


def test_a_half_that_never_meets_its_other_half_ends_by_a_deadline(town: Town):
    events = town.serve(town.dealer(*PAIRS, meeting=0.3))
    certificate, key = town.files["gateway"]
    dealer = town.peers["dealer"]
    channel = _core.connect_tls(
        *dealer.host_port(), certificate.read_text(), key.read_text(), "dealer",
        dealer.fingerprint, 5.0,
    )  # fmt: skip
    terms = [
        ("wire version", "3"),
        ("protocol", "semi2k"),
        ("ring", "Z_2^64"),
        ("parties", "gateway, wallet-a"),
        ("session", "session"),
    ]
    _core.agree(channel, terms, "handshake")
    tag = 0xCBF29CE484222325
    for byte in b"exchanging seeds":
        tag = ((tag ^ byte) * 0x100000001B3) % 2**64
    channel.send(tag, "exchanging seeds", bytes(33))
    with pytest.raises(PeerAborted, match="did not come within"):
        channel.recv_message(tag, "exchanging seeds")
    assert events.wait_for("in vain")


def test_rubbish_from_a_caller_leaves_the_service_running(town: Town):
    town.serve(town.dealer(*PAIRS))
    for rubbish in (b"", b"\x16\x03\x01\xff\xff" + bytes(1000), b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(town.peers["dealer"].host_port()) as caller:
            caller.sendall(rubbish)
    assert outcomes(town.start(town.pair(*PAIRS[0]), product)) == [[10, 40]] * 2


@pytest.mark.parametrize(
    ("pairs", "service", "words"),
    [
        ((("gateway",),), {}, "two parties"),
        ((("gateway", "gateway"),), {}, "two parties"),
        ((("gateway", "acme"),), {}, "'acme'"),
        ((PAIRS[0], PAIRS[0]), {}, "twice"),
        ((), {"clients": (("acme", ClientLimits()),)}, "acme"),
        ((), {"health_port": 70000}, "65535"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(town: Town, pairs, service, words):
    with pytest.raises(ConfigError, match=words):
        town.dealer(*pairs, limits=QUICK, **service)
