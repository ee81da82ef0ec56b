"""The group ``ot``: oblivious transfer and what is made of it without a dealer, two processes.

An extension runs in one direction, the gateway sends and the wallet receives; products run in both.
They have a TLS channel of their own. What is needed once (base OTs) is made before the clock starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from petcore import _core

from .rows import Row, slower

if TYPE_CHECKING:
    from .options import Options
    from .processes import Parties

STEP = (1, "step 1: bench")
LARGE = 3 * (256 << 13)  # three of the largest refills of the silent extension
RUNS_MIN = 3


@dataclass(frozen=True)
class Extension:
    """``n`` units in one call; ``make`` takes a channel and the role, and gives what to call."""

    name: str
    by: str
    n: int
    unit: str
    make: Callable[[Any, bool], Callable[[int], object]]


def transfers(sends: bool, cot: Any) -> Callable[[int], object]:
    if sends:
        return lambda n: cot.extend(*STEP, n)
    choices = np.random.default_rng(1).integers(0, 2**64, LARGE // 64, np.uint64)
    return lambda n: cot.extend(*STEP, choices[: n // 64], n)


def soft_spoken(channel: Any, sends: bool, k: int) -> Any:
    kind = _core.SoftSpokenSender if sends else _core.SoftSpokenReceiver
    return kind(channel, k)


def silent(channel: Any, sends: bool) -> Any:
    kind = _core.SilentSender if sends else _core.SilentReceiver
    return kind(channel, soft_spoken(channel, sends, 4))


def vole(channel: Any, sends: bool) -> Callable[[int], object]:
    kind = _core.VoleSender if sends else _core.VoleReceiver
    made = kind(channel, soft_spoken(channel, sends, 4))
    return lambda n: made.extend(*STEP, n)


def words(n: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2**64, n, np.uint64)


def products(channel: Any, first: bool, method: str, k: int) -> Callable[[int], object]:
    """Shares of n products, by the same method of both parties."""
    made = _core.OtProducts(channel, 0 if first else 1, k=k)
    made.prepare(*STEP)
    one, other = words(LARGE // 64), words(LARGE // 64)
    calls: dict[str, Callable[[int], object]] = {
        "words": lambda n: made.cross_words(*STEP, one[:n], other[:n]),
        "squares": lambda n: made.word_products(*STEP, one[:n]),
        "bits": lambda n: made.cross_bits(*STEP, one[: n // 64], other[: n // 64], n, "bits"),
        "numbers": lambda n: made.bit_products(*STEP, one[: n // 64], n, "words"),
        "tables": lambda n: made.lookups_16(
            *STEP, words(n // 128 * 32), n // 2, one[: n // 128 * 4], n // 2, 2
        ),
    }
    return calls[method]


MADE = (
    *(("multiplication triples", "words", 1 << 16, "triple", k) for k in (3, 4, 5)),
    ("AND triples", "bits", 1 << 22, "triple", 4),
    ("squares", "squares", 1 << 16, "square", 4),
    ("daBits", "numbers", 1 << 20, "daBit", 4),
    ("look-ups of 2 bits in 16 entries", "tables", 1 << 18, "look-up", 4),
)

EXTENSIONS = (
    *(
        Extension(
            "correlated transfers",
            f"SoftSpokenOT, k = {k}",
            LARGE,
            "COT",
            lambda channel, sends, k=k: transfers(sends, soft_spoken(channel, sends, k)),
        )
        for k in (4, 2, 3, 5, 6, 7, 8)
    ),
    Extension(
        "correlated transfers",
        "silent",
        LARGE,
        "COT",
        lambda channel, sends: transfers(sends, silent(channel, sends)),
    ),
    Extension("VOLE over GF(2^128)", "silent", 1_300_000, "VOLE", vole),
    *(
        Extension(
            name,
            f"SoftSpokenOT, k = {k}",
            n,
            unit,
            lambda channel, first, method=method, k=k: products(channel, first, method, k),
        )
        for name, method, n, unit, k in MADE
    ),
)


def plan(options: Options) -> list[Extension]:
    """What the filters leave."""
    if options.plot:
        return []
    return [e for e in EXTENSIONS if options.wants("ot", f"{e.name} {e.by}", e.n)]


def opened(channel: Any) -> Any:
    """Let a channel be silent while a party computes: nothing here sends heartbeats."""
    channel.set_limits(_core.Limits(silence_s=60, deadline_s=60))
    return channel


def extend(channel: Any, sends: bool, place: int, runs: int) -> dict[str, Any]:
    """Time runs of one extension; the first one warms up. Bytes are those this party sends."""
    extension = EXTENSIONS[place]
    call = extension.make(channel, sends)
    call(128)
    seconds, sent = [], 0
    for _ in range(runs + 1):
        channel.exchange(1, STEP[1], b"!", 1)  # both start the clock together
        before, began = channel.counters()["payload_sent"], time.perf_counter()
        call(extension.n)
        seconds.append(time.perf_counter() - began)
        sent = channel.counters()["payload_sent"] - before
    return {"seconds": seconds[1:], "bytes_sent": sent}


def measure(
    chosen: list[Extension], options: Options, report: Callable[[str], None], parties: Parties
) -> Iterator[list[Row]]:
    """Give a row for each, beside the first of its name; bytes are those of both parties."""
    rows: list[Row] = []
    for extension in chosen:
        report(f"{extension.name}, {extension.by}, n = {extension.n:,}")
        runs = max(RUNS_MIN, options.runs // 3)
        answers = parties.ask("extend", EXTENSIONS.index(extension), runs)
        row = Row("ot", extension.name, extension.n, extension.by, [])
        row.work, row.unit = float(extension.n), extension.unit
        row.seconds = slower(*(answer["seconds"] for answer in answers))
        row.bytes_sent = sum(answer["bytes_sent"] for answer in answers)
        first = next((other for other in rows if other.name == row.name), None)
        if first:
            row.reference, row.reference_seconds = first.by, first.median
        rows.append(row)
        yield [row]
