"""python -m bench.network: payments through a whole network on this machine.

Six processes (dealer, nodes A and B, a wallet's and an acquirer's edge, and this one as the merchant)
share the machine. Latency counts from the moment a payment was due. CPU time is what the kernel says
of each process, over the payments that were answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import ssl
import statistics
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from petcore.config import split_address
from petcore.network.acquirer.alipayplus.signing import SigningKey
from petcore.network.demo.place import ACQUIRER, CLIENT_ID, NODES, WALLET, Place, make_place
from petcore.network.demo.running import Running
from petcore.network.ledger import Database
from petcore.network.node.config import IN_CLEAR
from petcore.network.wallet.book import Book
from petcore.network.wallet.config import WalletConfig

from .machine import machine
from .merchant import PAY, Answer, Merchant, pay_body

_TICKS = os.sysconf("SC_CLK_TCK")
_USERS = 200
_WARM = 50


@dataclass(frozen=True)
class Load:
    """What one stretch of load came to."""

    name: str
    answers: list[Answer]
    seconds: float
    cpu: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        times = sorted(answer.seconds for answer in self.answers)
        count = len(times)
        return {
            "name": self.name,
            "payments": count,
            "per_second": count / self.seconds,
            "p50_ms": 1000 * statistics.median(times),
            "p99_ms": 1000 * times[min(count - 1, int(count * 0.99))],
            "max_ms": 1000 * times[-1],
            "codes": dict(Counter(answer.code for answer in self.answers)),
            "cpu_ms": {name: 1000 * used / count for name, used in self.cpu.items()},
        }


def main() -> None:
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder) / "net", options)
    if options.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=1))
    else:
        show(rows)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.network", description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="payments offered a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="for so long")
    parser.add_argument(
        "--callers",
        type=int,
        default=64,
        help="for the maximum: how many pay one after the other; 0: none",
    )
    parser.add_argument("--most", type=int, default=4000, help="payments for the maximum")
    parser.add_argument(
        "--round-trip-ms", type=float, default=0.0, help="of a shaped line between the nodes"
    )
    parser.add_argument(
        "--privacy",
        choices=("on", "off"),
        default="on",
        help="off: nodes decide in clear, to see what privacy costs",
    )
    parser.add_argument("--json", action="store_true", help="figures for a program")
    return parser.parse_args()


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    offered = int(options.rate * options.seconds)
    most = options.most if options.callers else 0
    place = make_place(folder, users=_USERS, balance=10**11, round_trip_ms=options.round_trip_ms)
    if options.privacy == "off":
        decide_in_clear(place)
    codes = make_codes(place, _WARM + offered + most)
    rows = []
    with Running(place) as running, tethered(place) as (loop, merchant):
        requests = [
            merchant.signed(PAY, pay_body(secrets.token_hex(12), code, 1 + i % 5000, "SGD"))
            for i, code in enumerate(codes)
        ]
        loop.run_until_complete(merchant.closed_loop(requests[:_WARM], 8))
        if offered:
            load = merchant.open_loop(requests[_WARM : _WARM + offered], options.rate)
            rows.append(timed(f"{options.rate:g}/s offered", running, loop, load))
        if most:
            load = merchant.closed_loop(requests[_WARM + offered :], options.callers)
            rows.append(timed(f"{options.callers} callers", running, loop, load))
    return [row.as_dict() for row in rows]


def decide_in_clear(place: Place) -> None:
    """Let the nodes open every batch to each other; they refuse it without the variable."""
    os.environ[IN_CLEAR] = "1"
    for name in NODES:
        config = place.config(name)
        config.write_text('privacy = "off"\n' + config.read_text(encoding="utf-8"))


def make_codes(place: Place, count: int) -> list[str]:
    """Let the wallet's users show payment codes; before it runs, since it owns its database."""
    config = WalletConfig.load(place.config(WALLET))
    with Database.open(config.database) as database:
        book = Book(database, WALLET)
        with database.write():
            each = -(-count // _USERS)
            users = [book.new_codes(f"user-{i}", seconds=3600, count=each) for i in range(_USERS)]
    return [code for some in zip(*users, strict=True) for code in some][:count]


@contextmanager
def tethered(place: Place) -> Iterator[tuple[asyncio.AbstractEventLoop, Merchant]]:
    """Give a loop and a merchant's system that trusts the acquirer's certificate alone."""
    values = tomllib.loads(place.config(ACQUIRER).read_text(encoding="utf-8"))
    host, port = split_address(values["merchants"]["listen"], "listen")
    tls = ssl.create_default_context(cafile=place.client / "merchants.cert.pem")
    tls.check_hostname = False
    key = SigningKey.load(place.client / f"{CLIENT_ID}.rsa.pem", "1")
    merchant = Merchant(host, port, CLIENT_ID, key, tls)
    loop = asyncio.new_event_loop()
    try:
        yield loop, merchant
        loop.run_until_complete(merchant.close())
    finally:
        loop.close()


def timed(name: str, running: Running, loop: asyncio.AbstractEventLoop, load: Any) -> Load:
    before, began = cpu_seconds(running), time.perf_counter()
    answers = loop.run_until_complete(load)
    seconds = time.perf_counter() - began
    after = cpu_seconds(running)
    return Load(name, answers, seconds, {key: after[key] - before[key] for key in after})


def cpu_seconds(running: Running) -> dict[str, float]:
    """Return the CPU time of every process so far, by member, and of this one."""
    found = {}
    for name, member in running.members.items():
        if member.process is not None:
            parts = Path(f"/proc/{member.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
            found[name] = (int(parts[11]) + int(parts[12])) / _TICKS
    own = os.times()
    found["merchant"] = own.user + own.system
    return found


def show(rows: Sequence[dict[str, Any]]) -> None:
    console = Console()
    about = machine()
    console.print(", ".join(f"{value}" for value in about.values()), highlight=False)
    for row in rows:
        table = Table(title=row["name"], title_justify="left")
        for column in ("payments/s", "p50", "p99", "max", "answers"):
            table.add_column(column, justify="right")
        codes = ", ".join(f"{count} {code}" for code, count in row["codes"].items())
        table.add_row(
            f"{row['per_second']:.1f}",
            f"{row['p50_ms']:.0f} ms",
            f"{row['p99_ms']:.0f} ms",
            f"{row['max_ms']:.0f} ms",
            codes,
        )
        console.print(table)
        hops = Table(title="CPU per payment", title_justify="left")
        for name in row["cpu_ms"]:
            hops.add_column(name, justify="right")
        hops.add_column("all", justify="right")
        hops.add_row(
            *(f"{used:.2f} ms" for used in row["cpu_ms"].values()),
            f"{sum(row['cpu_ms'].values()):.2f} ms",
        )
        console.print(hops)


if __name__ == "__main__":
    main()
