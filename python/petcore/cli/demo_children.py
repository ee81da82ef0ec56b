"""The demo's processes: started, watched together, and gone when the demo is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from petcore.errors import InternalError, PeerLate

_POLL = 0.05  # seconds between looks at the children
_LINES = 12  # of a failed child, shown to the user
_WIDTH = "74"  # columns of what children write, so that it fits into an error shown here
_GRACE = 0.6  # seconds in which the others report what the first failure did to them


@dataclass(frozen=True)
class Child:
    """One running ``petcore`` command; its output goes to ``LOG.out`` and ``LOG.err``."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def words(self, lines: int) -> str:
        """Return the last lines that the child wrote for people."""
        text = self.log.with_suffix(".err").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.strip().split("\n")[-lines:])


class Children:
    """All children of one demo; a context manager that leaves none behind."""

    def __init__(self) -> None:
        """Start with no child."""
        self._running: list[Child] = []
        self._files = ExitStack()

    def __enter__(self) -> Children:
        """Give the children."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End whatever still runs."""
        for child in self._running:
            child.process.kill()
        for child in self._running:
            child.process.wait()
        self._files.close()

    def start(self, name: str, folder: Path, arguments: Sequence[str]) -> Child:
        """Start ``petcore ARGUMENTS`` in the party's folder."""
        log = folder / arguments[0]
        out = self._files.enter_context(log.with_suffix(".out").open("wb"))
        err = self._files.enter_context(log.with_suffix(".err").open("wb"))
        tether = [sys.executable, "-P", "-m", "petcore.cli.tethered", str(os.getpid())]
        process = subprocess.Popen(  # noqa: S603
            [*tether, *arguments],
            cwd=folder,
            env=os.environ | {"COLUMNS": _WIDTH},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        child = Child(name, log, process)
        self._running.append(child)
        return child

    def results(
        self, children: Sequence[Child], *, limit: float, tell: Callable[[str], None]
    ) -> list[dict[str, Any]]:
        """Wait for `children` and return the JSON object that each printed.

        Raises
        ------
        InternalError
            A child of the demo failed; its own words are in the message.
        PeerLate
            They were not done after `limit` seconds.
        """
        end = time.monotonic() + limit
        while any(child.process.poll() is None for child in children):
            self._check()
            tell(children[0].words(1))
            if time.monotonic() > end:
                raise PeerLate(f"the demo's processes were not done after {limit:.0f} s")
            time.sleep(_POLL)
        self._check()
        for child in children:
            self._running.remove(child)
        return [json.loads(child.log.with_suffix(".out").read_bytes()) for child in children]

    def _check(self) -> None:
        """Raise if a child failed, after a short wait for what the others say about it."""
        if not any(child.process.poll() for child in self._running):
            return
        end = time.monotonic() + _GRACE
        while time.monotonic() < end and None in [c.process.poll() for c in self._running]:
            time.sleep(_POLL)
        failed = [child for child in self._running if child.process.poll()]
        words = "\n".join(f"{child.name}:\n{child.words(_LINES)}" for child in failed)
        raise InternalError(f"a process of the demo failed\n{words}")
