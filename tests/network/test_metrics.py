"""Metrics and health of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette

from petcore.errors import UsageError
from petcore.network.metrics import Metrics


@pytest.fixture
def metrics():
    return Metrics("node-a", "node_a")


@pytest.fixture
def get(metrics) -> Callable[[str], httpx.Response]:
    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=metrics.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            return await http.get(path)

    return lambda path: asyncio.run(ask(path))


def test_counters_are_shown_in_the_text_format_of_prometheus(metrics, get):
    metrics.counter("requests", "Requests.", ["message", "outcome"]).labels("pay", "new").inc(3)
    metrics.histogram("batch_seconds", "Batches.").observe(0.03)
    text = get("/metrics")
    assert text.headers["content-type"].startswith("text/plain")
    assert 'petcore_requests_total{message="pay",outcome="new"} 3.0' in text.text
    assert 'petcore_batch_seconds_bucket{le="0.05"} 1.0' in text.text
    assert 'petcore_info{name="node-a",role="node_a"} 1.0' in text.text
    assert "process_cpu_seconds_total" in text.text


def test_two_processes_in_one_interpreter_count_apart(metrics):
    other = Metrics("node-b", "node_b")
    metrics.counter("batches", "Batches.").inc()
    assert b"petcore_batches_total 1.0" in metrics.text()
    other.counter("batches", "Batches.")
    assert b"petcore_batches_total 0.0" in other.text()


def test_health_is_ok_until_a_check_says_what_is_wrong(metrics, get):
    states = [""]
    metrics.check("session", lambda: states[-1])
    assert get("/health").json() == {
        "status": "ok",
        "participant": "node-a",
        "role": "node_a",
        "checks": {"session": "ok"},
    }
    states.append("peer away")
    answer = get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"session": "peer away"}


def test_a_label_that_could_name_a_person_or_an_order_is_refused(metrics):
    with pytest.raises(UsageError, match="is no label"):
        metrics.counter("requests", "Requests.", ["merchant"])
