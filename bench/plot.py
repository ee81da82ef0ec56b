"""How cost grows with the number of elements, as a picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from .rows import Row

REMEDY = "--plot draws with matplotlib, which is not installed: pip install 'petcore[bench]'"


def is_possible() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def draw(rows: list[Row], path: Path, subtitle: str) -> None:
    """Write a PNG with two panels over n: seconds, with NumPy dashed, and bytes per element."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(12, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    times, traffic = figure.subplots(1, 2)
    times.set_yscale("log")
    for (name, by), line in sorted(lines(rows).items()):
        label = name if by == "petcore" else f"{name}, {by.split(' ')[0]}"
        (drawn,) = times.plot(
            [row.n for row in line],
            [row.median for row in line],
            "o-" if by == "petcore" else "^:",
            label=label,
            markersize=4,
        )
        if by != "petcore":
            continue
        times.fill_between(
            [row.n for row in line],
            [min(row.seconds) for row in line],
            [max(row.seconds) for row in line],
            alpha=0.2,
            color=drawn.get_color(),
        )
        clear = [row.reference_seconds for row in line]
        times.plot([row.n for row in line], clear, "--", color=drawn.get_color(), linewidth=0.8)
        sent = [((row.bytes_sent or 0) + (row.offline_bytes or 0)) / row.n for row in line]
        traffic.plot([row.n for row in line], sent, "o-", label=name, markersize=4)
    traffic.set_yscale("log", base=2)
    traffic.yaxis.set_major_formatter(ScalarFormatter())
    finish(times, "seconds (dashed: NumPy in clear)", legend=True)
    finish(traffic, "bytes per element, sent to the peer and by the dealer", legend=False)
    figure.suptitle(f"what an operation on shares costs\n{subtitle}", fontsize=10)
    figure.savefig(path, dpi=130)


def lines(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each curve, by size."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.n):
        if row.seconds:
            found.setdefault((row.name, row.by), []).append(row)
    return found


def finish(panel: Any, title: str, *, legend: bool) -> None:
    panel.set_xscale("log")
    panel.set_xlabel("elements")
    panel.set_title(title, fontsize=10)
    panel.grid(True, which="major", alpha=0.3)
    if legend:
        panel.legend(fontsize=8)
