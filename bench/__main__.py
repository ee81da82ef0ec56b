"""Print how long operations on shares take between two processes, beside the same in clear."""

from __future__ import annotations

import argparse
import json
import os

from rich.console import Console
from rich.table import Table

from petcore import _core

from .operations import OPERATIONS
from .processes import Job, Result, measure


def main() -> None:
    options = read_options()
    jobs: list[Job] = [
        (operation.name, size, options.runs)
        for operation in OPERATIONS
        for size in operation.sizes
        if options.filter in operation.name and size <= options.max_n
    ]
    if options.json:
        for result in measure(jobs):
            print(json.dumps(machine() | result), flush=True)
        return
    console = Console()
    table = make_table()
    with console.status("starting a gateway, a wallet and a dealer") as status:
        for result in measure(jobs):
            status.update(f"{result['operation']}, n = {result['n']:,}: done")
            table.add_row(*make_row(result))
    console.print(", ".join(f"{key} {value}" for key, value in machine().items()))
    console.print(table)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--filter", default="", help="only operations whose name contains this")
    parser.add_argument("--max-n", type=int, default=10**9, help="leave out larger sizes")
    parser.add_argument("--runs", type=int, default=7, help="runs per row (7)")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    return parser.parse_args()


def machine() -> dict[str, str]:
    return {
        "machine": processor(),
        "cores": str(os.cpu_count()),
        "target": _core.kernels.targets()["ring"][0],
        "link": "loopback, TLS 1.3",
    }


def processor() -> str:
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def make_table() -> Table:
    table = Table()
    for title in (
        "operation",
        "n",
        "median",
        "spread",
        "rounds",
        "sent",
        "dealer",
        "in clear",
        "x",
    ):
        table.add_column(title, justify="left" if title == "operation" else "right")
    return table


def make_row(result: Result) -> tuple[str, ...]:
    return (
        result["operation"],
        f"{result['n']:,}",
        milliseconds(result["seconds"]),
        f"{milliseconds(result['fastest'])} - {milliseconds(result['slowest'])}",
        str(result["rounds"]),
        megabytes(result["bytes"]),
        megabytes(result["dealer_bytes"]),
        milliseconds(result["clear_seconds"]),
        f"{result['seconds'] / result['clear_seconds']:.0f}",
    )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


def megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


if __name__ == "__main__":
    main()
