"""What a process counts and how it is: `/metrics` for Prometheus, `/health` for whoever starts it.

Every process has a registry of its own, so that several can be tested in one interpreter. Labels
come from small closed sets (participants, message types, codes): never ids, never amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from petcore.errors import UsageError

SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 8.0)
ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
LABELS: Final = frozenset({"peer", "message", "code", "outcome", "state", "step", "reason"})

Check = Callable[[], str]
"""Returns an empty text where all is well, else a few fixed words that say what is not."""


class Metrics:
    """The counters and the health of one process.

    Parameters
    ----------
    participant, role : str
        Whose process it is.
    """

    def __init__(self, participant: str, role: str) -> None:
        self.participant, self.role = participant, role
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        info = Gauge(
            "petcore_info", "Whose process this is.", ["name", "role"], registry=self.registry
        )
        info.labels(participant, role).set(1)
        self._checks: dict[str, Check] = {}

    def counter(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Counter:
        """Return a new counter, ``petcore_<name>_total``."""
        return Counter(f"petcore_{name}", help_text, _labels(labels), registry=self.registry)

    def gauge(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Gauge:
        """Return a new gauge, ``petcore_<name>``."""
        return Gauge(f"petcore_{name}", help_text, _labels(labels), registry=self.registry)

    def histogram(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = SECONDS,
    ) -> Histogram:
        """Return a new histogram, ``petcore_<name>``, over seconds where nothing else is said."""
        return Histogram(
            f"petcore_{name}", help_text, _labels(labels), registry=self.registry, buckets=buckets
        )

    def check(self, name: str, check: Check) -> None:
        """Add something that has to be well for the process to be healthy."""
        self._checks[name] = check

    def health(self) -> dict[str, object]:
        """Return ``status`` ("ok" or "degraded"), who this is, and every check ("ok" or why not)."""
        checks = {name: check() or "ok" for name, check in self._checks.items()}
        status = "ok" if all(word == "ok" for word in checks.values()) else "degraded"
        return {
            "status": status,
            "participant": self.participant,
            "role": self.role,
            "checks": checks,
        }

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def routes(self) -> list[Route]:
        """Return the routes of `/metrics` and `/health`; a degraded process answers 503."""

        async def metrics(_: Request) -> Response:
            return Response(self.text(), headers={"content-type": CONTENT_TYPE_PLAIN_1_0_0})

        return [Route("/metrics", metrics), *self.health_routes()]

    def health_routes(self) -> list[Route]:
        """Return the route of `/health` alone: what an edge counts is its owner's business.

        A node that read how many payments a wallet posted before and after a batch would know what
        was decided in it.
        """

        async def health(_: Request) -> Response:
            state = self.health()
            return JSONResponse(state, status_code=200 if state["status"] == "ok" else 503)

        return [Route("/health", health)]


def _labels(labels: Sequence[str]) -> Sequence[str]:
    for label in labels:
        if label not in LABELS:
            raise UsageError(f"{label!r} is no label; use one of {', '.join(sorted(LABELS))}")
    return labels
