"""Run this process with its randomness replaced; it refuses to go on without."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

SOURCE = Path(__file__).with_name("entropy.c")


def build(folder: Path) -> Path:
    """Compile the library that is preloaded."""
    library = folder / "entropy.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True, timeout=60)
    return library


def run_again(library: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m tests.wire.record`` in a process with the library preloaded."""
    return subprocess.run(
        [sys.executable, "-m", "tests.wire.record", *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def label(text: str) -> None:
    """Choose the stream of the calling thread."""
    ctypes.CDLL(None).wire_entropy(text.encode())


def is_replaced() -> bool:
    """Whether the core draws from chosen streams."""
    from petcore import _core

    if not hasattr(ctypes.CDLL(None), "wire_entropy"):
        return False
    drawn = []
    for _ in range(2):
        label("probe")
        drawn.append(_core.kernels.random_bytes(32))
    return drawn[0] == drawn[1] != bytes(32)


def label_threads(case: str) -> None:
    """Give every thread that starts from now on the stream of its name, in this case."""

    def run(self: threading.Thread) -> None:
        label(f"{case} / {self.name}")
        original(self)

    original = getattr(threading.Thread, "_original_run", threading.Thread.run)
    threading.Thread._original_run = original  # type: ignore[attr-defined]
    threading.Thread.run = run  # type: ignore[method-assign]
