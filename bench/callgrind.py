"""Instructions instead of time: what valgrind's callgrind counts does not depend on noise.

Valgrind emulates a processor with AVX2 and AES-NI at most, so wider targets are not counted. The
counted process waits before and after each piece of work while callgrind is told to count or dump
(Callgrind manual, section 6.3: callgrind_control).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .options import Options
from .rows import Row

REMEDY = "--callgrind needs valgrind and callgrind_control on the PATH: apt install valgrind"
PATIENCE = 300.0  # seconds for one command
ROOT = Path(__file__).parents[1]
# A protocol in one process, by threads over memory: both parties and the dealer are counted.
PROTOCOLS = ("integer product", "fixed-point product", "x < y", "sigmoid")
PROTOCOL_SIZES = (1_000, 10_000)


def is_possible() -> bool:
    return all(shutil.which(tool) for tool in ("valgrind", "callgrind_control"))


def plan(options: Options) -> list[str]:
    """Name the pieces of work that the filters leave, as the counted process knows them."""
    from . import kernels
    from .operations import OPERATIONS

    chosen = [
        f"kernels/{kernel.name}/{kernel.n}"
        for kernel in kernels.chosen(lambda name, n: options.wants("kernels", name, n))
        if kernel.n <= 1 << 20
    ]
    for operation in OPERATIONS:
        for n in PROTOCOL_SIZES:
            named = operation.name in PROTOCOLS and not operation.memory
            if named and options.wants(operation.group, operation.name, n):
                chosen.append(f"{operation.group}/{operation.name}/{n}")
    return chosen


def measure(pieces: list[str], report: Callable[[str], None]) -> Iterator[list[Row]]:
    """Count the instructions of each piece, one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"]
        command += [
            f"--callgrind-out-file={out}",
            sys.executable,
            "-m",
            "bench.counted",
            *pieces,
        ]  # nothing first: it is subtracted
        report("starting under valgrind")
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as counted:
            try:
                idle = count(counted, out)[0]  # a piece that does nothing comes first
                for piece in pieces:
                    report(piece)
                    total, by = count(counted, out)
                    group, name, n = piece.split("/")
                    each = max(0, total - idle) / int(n)
                    yield [Row(group, name, int(n), by, [], instructions=each)]
            finally:
                counted.kill()


def count(counted: subprocess.Popen[str], out: Path) -> tuple[int, str]:
    """Let the next piece run while callgrind counts; give the sum of the dump, and who ran."""
    by = wait_for(counted, "ready")
    control(counted.pid, "--instr=on")
    control(counted.pid, "--zero")
    tell(counted)
    wait_for(counted, "done")
    control(counted.pid, "--dump")
    control(counted.pid, "--instr=off")
    tell(counted)
    newest = max(out.parent.glob("out*"), key=lambda path: path.stat().st_mtime_ns)
    found = re.search(r"^(?:summary|totals): (\d+)", newest.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0, by


def tell(counted: Any) -> None:
    counted.stdin.write("go\n")
    counted.stdin.flush()


def wait_for(counted: Any, word: str) -> str:
    """Return what stands after the word; raise where the process ended instead."""
    for line in counted.stdout:
        if line.startswith(word):
            return str(line.removeprefix(word).strip())
    raise RuntimeError("the process under valgrind ended; its error stands above")


def control(pid: int, option: str) -> None:
    subprocess.run(
        ["callgrind_control", option, str(pid)],  # noqa: S607
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
