"""What ``petcore train`` and ``petcore clear`` say about their work, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

from petcore.cli import render
from petcore.mpc import Session


def cost_record(session: Session) -> dict[str, Any]:
    """Return what the session used at this party, ready for JSON."""
    cost = session.cost
    return {
        "rounds": cost.rounds,
        "bytes_sent": cost.bytes_sent,
        "bytes_received": cost.bytes_received,
        "offline_bytes": cost.offline_bytes,
        "correlations": dict(cost.correlations),
        "links": {name: dict(counters) for name, counters in session.links.items()},
    }


def print_record(record: dict[str, Any]) -> None:
    """Print one JSON object and nothing else."""
    render.out.file.write(json.dumps(record) + "\n")


def show_cost(record: dict[str, Any]) -> None:
    """Print seconds, rounds, bytes and correlations in one line."""
    cost = record["cost"]
    used = ", ".join(f"{n:,} {kind}" for kind, n in cost["correlations"].items())
    render.out.print(
        f"{record['seconds']:.1f} s, {cost['rounds']:,} rounds, {megabytes(cost['bytes_sent'])} sent, "
        f"{megabytes(cost['bytes_received'])} received, {megabytes(cost['offline_bytes'])} "
        f"offline; correlations: {used}",
        soft_wrap=True,
    )


def megabytes(n: int) -> str:
    """Write a number of bytes for people."""
    return f"{n / 1e6:,.1f} MB" if n >= 100_000 else f"{n:,} B"
