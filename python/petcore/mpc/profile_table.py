"""A profile as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from petcore.mpc.cost import Cost, readable_bytes

if TYPE_CHECKING:
    from petcore.mpc.profile import Path_, Profile, Total

_HEAD = ("calls", "elements", "rounds", "sent", "received", "offline", "seconds", "share")
_OUTSIDE = "(outside the core)"


def table(profile: Profile) -> str:
    """Show the totals by operation, the longest first, and by region below the one around it."""
    whole = profile.cost
    operations = sorted(profile.operations.items(), key=lambda item: _weight(item[1].cost))
    rows = [_row(name, total, whole) for name, total in operations]
    local = whole.seconds - sum(total.cost.seconds for _, total in operations)
    if whole.seconds > 0:
        rows.append((_OUTSIDE, *("",) * 6, f"{local:.4f}", _share(local, whole.seconds), ""))
    calls = sum(total.calls for _, total in operations)
    elements = sum(total.elements for _, total in operations)
    rows.append(_cells("total", calls, elements, whole, whole))
    head = ("operation", *_HEAD, "correlations")
    text = _aligned([head, *rows])
    if profile.regions:
        rows = [
            _row("  " * (len(path) - 1) + path[-1], profile.regions[path], whole)
            for path in _in_order(profile.regions)
        ]
        text += "\n\n" + _aligned([("region", *_HEAD, "correlations"), *rows])
    return text


def _in_order(regions: dict[Path_, Total], above: Path_ = ()) -> list[Path_]:
    """List every region before those inside it, the longest of its level first."""
    here = [path for path in regions if path[:-1] == above]
    here.sort(key=lambda path: _weight(regions[path].cost))
    return [path for top in here for path in (top, *_in_order(regions, top))]


def _weight(cost: Cost) -> tuple[float, int, int]:
    return -cost.seconds, -cost.rounds, -cost.bytes_sent


def _row(name: str, total: Total, whole: Cost) -> tuple[str, ...]:
    return _cells(name, total.calls, total.elements, total.cost, whole)


def _cells(name: str, calls: int, elements: int, cost: Cost, whole: Cost) -> tuple[str, ...]:
    used = ", ".join(f"{n:,} {kind}" for kind, n in cost.correlations.items())
    return (
        name,
        f"{calls:,}",
        f"{elements:,}" if elements else "",
        f"{cost.rounds:,}",
        readable_bytes(cost.bytes_sent),
        readable_bytes(cost.bytes_received),
        readable_bytes(cost.offline_bytes),
        f"{cost.seconds:.4f}" if whole.seconds else "",
        _share(cost.seconds, whole.seconds),
        used,
    )


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole > 0 else ""


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Align the first and last column to the left, the others to the right; drop empty ones."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        cells = [
            cell.ljust(width) if i in (0, len(columns) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
