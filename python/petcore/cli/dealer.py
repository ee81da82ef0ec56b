"""``petcore dealer``: the process that makes correlated randomness and sees no data."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.connecting import run_dealer


def dealer(
    config: Annotated[Path, typer.Option(help="The dealer's configuration file.")],
    once: Annotated[bool, typer.Option("--once", help="Serve one session, then exit.")] = False,
) -> None:
    """Serve correlated randomness to the parties, session after session, until Ctrl-C.

    The dealer sees no input and no output. Run it where neither party can read its memory.

    Example: petcore dealer --config keys/dealer.toml
    """
    logging.getLogger("petcore").addHandler(logging.NullHandler())  # the notes say it all
    run_dealer(config, once=once, on_event=render.note)
