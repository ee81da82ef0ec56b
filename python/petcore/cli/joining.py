"""How commands meet the other parties: patiently, and saying for whom they wait."""

from __future__ import annotations

from pathlib import Path

from petcore.cli import render
from petcore.config import load_config
from petcore.connecting import connect
from petcore.mpc import Session

CONNECT_WAIT = 60.0  # seconds: the others are started by hand, in other terminals


def join(config_file: Path, *, program: str) -> Session:
    """Return the session of ``petcore <program>``; progress goes to stderr."""
    config = load_config(config_file)
    wait = CONNECT_WAIT if config.connect_wait is None else config.connect_wait
    return connect(config, program=program, connect_wait=wait, on_event=render.note)
