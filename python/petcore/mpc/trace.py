"""A profile as a trace that Perfetto and Chrome read.

Format: "Trace Event Format" (Google, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU),
JSON object form, complete events ("ph": "X"), times in microseconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from petcore.mpc.profile import Profile, Span

_OPERATIONS, _REGIONS = 1, 2


def trace(profile: Profile) -> str:
    """Give the trace as JSON text."""
    events = [
        _named("process_name", profile, _OPERATIONS, profile.name),
        _named("thread_name", profile, _OPERATIONS, "operations"),
        _named("thread_name", profile, _REGIONS, "regions"),
    ]
    for call in profile.calls:
        arguments = {
            "sizes": list(call.sizes),
            "elements": call.elements,
            "rounds": call.cost.rounds,
            "bytes sent": call.cost.bytes_sent,
            "bytes received": call.cost.bytes_received,
            "offline bytes": call.cost.offline_bytes,
            "correlations": call.cost.correlations,
            "region": "/".join(call.region),
        }
        event = _complete(profile, _OPERATIONS, call.name, call.start, call.cost.seconds)
        events.append({**event, "cat": "operation", "args": arguments})
    for lane, span in _lanes(profile.spans):
        event = _complete(profile, _REGIONS + lane, span.region[-1], span.start, span.seconds)
        events.append({**event, "cat": "region", "args": {"region": "/".join(span.region)}})
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})


def _named(what: str, profile: Profile, track: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": profile.party, "tid": track, "args": {"name": name}}


def _complete(
    profile: Profile, track: int, name: str, start: float, seconds: float
) -> dict[str, Any]:
    return {
        "ph": "X",
        "name": name,
        "pid": profile.party,
        "tid": track,
        "ts": (profile.began + start) * 1e6,
        "dur": seconds * 1e6,
    }


def _lanes(spans: list[Span]) -> list[tuple[int, Span]]:
    """Put spans that overlap without one containing the other on tracks of their own."""
    placed: list[tuple[int, Span]] = []
    open_ends: list[list[float]] = []  # by track, of the spans that are not over, outermost first
    for span in sorted(spans, key=lambda span: (span.start, -span.seconds, len(span.region))):
        end = span.start + span.seconds
        for ends in open_ends:
            while ends and ends[-1] <= span.start:
                ends.pop()
        free = (i for i, ends in enumerate(open_ends) if not ends or end <= ends[-1])
        lane = next(free, len(open_ends))
        if lane == len(open_ends):
            open_ends.append([])
        open_ends[lane].append(end)
        placed.append((lane, span))
    return placed
