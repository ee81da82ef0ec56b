"""Rows as tables for people: one per group, with the columns that mean something there."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from .goals import goal_of
from .peers.driver import Peer
from .rows import Row

_BETWEEN = ("operation", "n", "median", "spread", "rounds", "sent", "dealer", "error", "vs NumPy")
COLUMNS = {
    "kernels": ("kernel", "by", "median", "spread", "rate", "relative"),
    "links": ("kernel", "by", "median", "spread", "rate", "relative"),
    "protocols": _BETWEEN,
    "keys": ("kernel", "by", "median", "spread", "rate", "relative"),
    "fss": _BETWEEN,
    "batch": _BETWEEN,
    "functions": _BETWEEN,
    "training": _BETWEEN,
    "memory": ("operation", "n", "beyond"),
    "ot": ("kernel", "by", "n", "median", "spread", "rate", "bits each", "relative"),
    "psi": ("operation", "n", "median", "spread", "rounds", "sent", "relative"),
}
KERNELS = ("kernels", "links", "keys", "ot")  # tables without a party
TRUST = (
    "2 parties and a dealer process that sees no input; 64 bits, 18 fraction bits; TLS 1.3 with "
    "pinned keys, the dealer inside the clock"
)
WIDTH_MIN = 140  # narrower terminals wrap; no column is cut off
TITLES = {
    "kernels": "kernels: this process, one thread where not said; relative to the first of each block",
    "links": "links: bytes alone between two processes, each way; relative to Python's ssl",
    "protocols": "protocols: two processes and a dealer, TLS 1.3",
    "keys": "fss: keys of one-round comparisons, this process, one thread; relative to the hash alone",
    "fss": "fss: comparisons by keys and by trees, two processes and a dealer, TLS 1.3",
    "batch": "batch: a thousand pieces of 1,000, two processes and a dealer, TLS 1.3",
    "functions": "functions: two processes and a dealer, TLS 1.3",
    "training": "training: seconds per epoch, batch 128",
    "memory": "memory: the fuller party's peak beyond inputs and outputs",
    "ot": "ot: one direction, two processes, TLS 1.3; bits of both; relative to the first",
    "psi": "psi: text in, indices out at both; bytes of both; relative to Python's sets in clear",
}


def show(console: Console, rows: list[Row], goals: bool) -> None:
    for group in COLUMNS:
        chosen = [row for row in rows if row.group == group and not is_peer(row)]
        if chosen:
            console.print(make_table(group, chosen, goals))


def is_peer(row: Row) -> bool:
    return row.group not in KERNELS and row.by != "petcore"


def make_table(group: str, rows: list[Row], goals: bool) -> Table:
    table = titled(TITLES[group])
    columns = [*COLUMNS[group], *(("must reach", "reached") if goals else ())]
    for column in columns:
        left = column in ("kernel", "operation", "by")
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    previous = ""
    for row in rows:
        if group in KERNELS and previous not in ("", row.name + str(row.n)):
            table.add_section()
        cells = make_cells(row)
        if row.name + str(row.n) == previous:
            cells["kernel"] = ""
        previous = row.name + str(row.n)
        table.add_row(*(cells[column] for column in columns))
    return table


def make_cells(row: Row) -> dict[str, str]:
    goal = goal_of(row)
    return {
        "kernel": row.name,
        "operation": row.name,
        "by": row.by,
        "n": f"{row.n:,}",
        "median": duration(row.median),
        "spread": spread(row),
        "rate": rate(row),
        "rounds": "" if row.rounds is None else f"{row.rounds:,}",
        "sent": size(row.bytes_sent),
        "bits each": "" if row.bytes_sent is None else f"{8 * row.bytes_sent / row.n:.2f}",
        "dealer": size(row.offline_bytes),
        "error": ""
        if row.error is None
        else f"{row.error:.1e}{' rel' * (row.error_kind == 'relative')}",
        "relative": relative(row),
        "vs NumPy": relative(row),
        "beyond": "unknown here" if row.beyond is None else f"{row.beyond / 2**20:.1f} MiB",
        "must reach": goal.text() if goal else "",
        "reached": f"{goal.reached(row):.0%}" if goal else "",
    }


def duration(seconds: float) -> str:
    """Three digits, with the unit that suits."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1 or unit == "us":
            return (
                f"{seconds * factor:.3g} {unit}"
                if seconds * factor < 100
                else f"{seconds * factor:.0f} {unit}"
            )
    return ""


def spread(row: Row) -> str:
    """Fastest and slowest, against the median."""
    if len(row.seconds) < 2:
        return ""
    low, high = min(row.seconds) / row.median - 1, max(row.seconds) / row.median - 1
    return f"{low:+.0%} {high:+.0%}"


def relative(row: Row) -> str:
    if row.speed is None:
        return ""
    return f"{row.speed:.2f} x" if row.speed >= 0.1 else f"1/{1 / row.speed:,.0f}"


def size(count: int | None) -> str:
    if count is None:
        return ""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def heading(about: dict[str, Any], link: str, threads: int) -> str:
    targets = ", ".join(f"{kernel} {target}" for kernel, target in about["targets"].items())
    return (
        f"{about['processor']}, {about['cores']} cores usable, load {about['load']:.2f} before\n"
        f"petcore {about['petcore']} on Python {about['python']}, NumPy {about['numpy']}; "
        f"targets: {targets}\n{threads} threads in each process for large work; link: {link}"
    )


def titled(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )


def show_instructions(console: Console, rows: list[Row]) -> None:
    table = titled("instructions per element, counted by callgrind (AVX2 and AES-NI at most)")
    for column in ("group", "name", "by", "n", "instructions"):
        table.add_column(column, justify="right" if column in ("n", "instructions") else "left")
    for row in rows:
        each = f"{row.instructions or 0:,.2f}"
        table.add_row(row.group, row.name, row.by, f"{row.n:,}", each)
    console.print(table)


def show_peers(console: Console, rows: list[Row], peers: list[Peer], link: str) -> None:
    """The same work side by side: each peer's time, and how many times petcore's it is."""
    ours = [r for r in rows if r.by == "petcore" and r.seconds and r.group != "links"]
    found = [peer for peer in peers if any(row.by == peer.about for row in rows)]
    table = titled("side by side: median, times petcore's, largest error")
    for column in ("operation", "n", "petcore", *(peer.about for peer in found), "NumPy in clear"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    for row in ours:
        table.add_row(
            row.name,
            f"{row.n:,}",
            f"{duration(row.median)}{error_note(row)}",
            *(beside(row, rows, peer.about) for peer in found),
            duration(row.reference_seconds or 0.0),
        )
    if ours and found:
        console.print(table)
    console.print("who is trusted, and how the links are protected", style="bold")
    console.print(f"  petcore: {TRUST}; {link}", highlight=False)
    for peer in peers:
        if peer.about:
            tls = "TLS" if peer.tls else "no TLS, loopback as it is"
            console.print(f"  {peer.about}: {peer.trust}; {tls}", highlight=False)
        if peer.missing:
            console.print(f"  {peer.about or peer.name}: {peer.missing}", highlight=False)


def beside(ours: Row, rows: list[Row], by: str) -> str:
    for row in rows:
        if (row.group, row.name, row.n, row.by) == (ours.group, ours.name, ours.n, by):
            times = f"{row.median / ours.median:.3g} x"
            return f"{duration(row.median)}, {times}{error_note(row)}"
    return "-"


def error_note(row: Row) -> str:
    if not row.error:
        return ""
    return f"\nerror {row.error:.0e}{' rel' * (row.error_kind == 'relative')}"


def rate(row: Row) -> str:
    """Give thousands of millions of units per second, or millions where they are few."""
    if not row.seconds:
        return ""
    few = row.rate < 0.1
    return f"{row.rate * (1e3 if few else 1):.2f} {'M' if few else 'G'}{row.unit}/s"
