"""Health and counters over HTTP: off unless asked for, on localhost, and nothing secret."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from petcore.config import load_config
from petcore.config_service import ClientLimits
from petcore.config_text import to_toml
from petcore.errors import UsageError
from petcore.mpc import Session

from .conftest import LONG, Town, free_port, outcomes
from .test_service import PAIRS, product


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def value(metrics: str, line: str) -> int:
    (found,) = [row for row in metrics.splitlines() if row.startswith(line + " ")]
    return int(found.rsplit(" ", 1)[1])


def test_counters_tell_sessions_requests_units_and_bytes_of_each_client(town: Town):
    port = free_port()
    events = town.serve(town.dealer(*PAIRS, health_port=port))
    opened, looked = threading.Barrier(3), threading.Event()

    def program(session: Session) -> list[int]:
        opened.wait(LONG)
        assert looked.wait(LONG)
        return product(session)

    running = town.start(town.pair(*PAIRS[0], session="secret name"), program)
    opened.wait(LONG)
    assert json.loads(get(port, "/health")[1]) == {"status": "ok", "sessions": 1}
    assert value(get(port, "/metrics")[1], 'petcore_dealer_sessions_open{client="gateway"}') == 1
    looked.set()
    assert outcomes(running) == [[10, 40]] * 2
    assert events.wait_for("session served")
    assert outcomes(town.start(town.pair(*PAIRS[1]), product))
    assert events.wait_for("session served", 2)
    metrics = get(port, "/metrics")[1]
    served = 'petcore_dealer_sessions_total{client="%s",result="served"}'
    assert [value(metrics, served % name) for name in ("gateway", "wallet-a")] == [2, 1]
    assert value(metrics, 'petcore_dealer_bytes_total{client="wallet-a"}') == 16
    units = 'petcore_dealer_units_total{client="gateway",kind="multiplication"}'
    assert value(metrics, units) == 4
    assert "secret name" not in metrics
    assert "product" not in metrics


def test_metrics_are_in_the_text_format_that_prometheus_reads(town: Town):
    port = free_port()
    town.serve(town.dealer(*PAIRS, health_port=port))
    status, metrics = get(port, "/metrics")
    assert status == 200
    declared = set()
    for line in metrics.splitlines():
        if line.startswith("# "):
            assert line.split()[1] in ("HELP", "TYPE")
            declared.add(line.split()[2])
        else:
            name, number = line.rsplit(" ", 1)
            assert name.partition("{")[0] in declared
            float(number)


def test_refusals_are_counted(town: Town):
    port = free_port()
    town.serve(town.dealer(*PAIRS, health_port=port, sessions=1))
    opened, refused = threading.Barrier(3), threading.Event()

    def program(session: Session) -> None:
        opened.wait(LONG)
        assert refused.wait(LONG)

    running = town.start(town.pair(*PAIRS[0]), program)
    opened.wait(LONG)
    outcomes(town.start(town.pair(*PAIRS[1]), product))
    line = 'petcore_dealer_sessions_total{client="wallet-b",result="refused"}'
    assert value(get(port, "/metrics")[1], line) == 1
    refused.set()
    outcomes(running)


def test_other_pages_and_rubbish_are_refused_and_the_server_lives_on(town: Town):
    port = free_port()
    town.serve(town.dealer(*PAIRS, health_port=port))
    assert get(port, "/")[0] == 404
    assert get(port, "/../../etc/passwd")[0] == 404
    for rubbish in (b"\0" * 100, b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(rubbish)
    with socket.create_connection(("127.0.0.1", port)):  # says nothing
        assert get(port, "/health")[0] == 200


def test_a_port_in_use_is_named(town: Town):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        from petcore.connecting import run_dealer

        with pytest.raises(UsageError, match=str(port)):
            run_dealer(town.dealer(*PAIRS, health_port=port))


def test_a_configuration_with_pairs_and_limits_reads_back_as_it_was(town: Town, tmp_path):
    config = town.dealer(
        *PAIRS,
        sessions=7,
        meeting=3.0,
        health_port=9123,
        each=ClientLimits(sessions=2),
        clients=(("gateway", ClientLimits(sessions=5, bytes_per_day=10**9)),),
    )
    path = tmp_path / "dealer.toml"
    path.write_text(to_toml(config, tmp_path))
    read = load_config(path)
    assert (read.pairs, read.service) == (config.pairs, config.service)


@pytest.mark.processes
def test_the_service_ends_cleanly_on_sigterm_and_drops_who_waits_with_a_reason(
    town: Town, tmp_path
):
    path = tmp_path / "dealer.toml"
    path.write_text(to_toml(town.dealer(*PAIRS), tmp_path))
    command = [sys.executable, "-m", "petcore", "dealer", "--config", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        last_words = process.stderr.read()
    assert "Traceback" not in last_words
    assert process.returncode == 0
