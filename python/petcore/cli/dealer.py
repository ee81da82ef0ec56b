"""``petcore dealer``: the process that makes correlated randomness and sees no data."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.connecting import run_dealer


def dealer(
    config: Annotated[Path, typer.Option(help="The dealer's configuration file.")],
    once: Annotated[bool, typer.Option("--once", help="Serve one session, then exit.")] = False,
) -> None:
    """Serve correlated randomness to the parties, many sessions at once, until Ctrl-C or SIGTERM.

    The dealer sees no input and no output. Run it where neither party can read its memory. It keeps
    nothing on disk: when it ends, however it ends, and is started again within dealer_restart
    seconds ([limits] of the parties), their sessions go on.

    [[parties]] in its file lists the keys of all clients; without [[pairs]] the two of them are the
    one pair served. Each [[pairs]] names two: parties = ["gateway", "wallet"], and session = "..."
    where only one name is allowed. [service] bounds what is served: sessions_of_all, and for each
    client sessions, waiting, bytes_per_day (or for one: [[service.clients]] with its name);
    work_per_message, memory_per_session, meeting (seconds for the other half to come), drain
    (seconds that sessions have at the end). health_port = 9100 shows /health and /metrics
    (Prometheus) on localhost.

    Example: petcore dealer --config keys/dealer.toml
    """
    logging.getLogger("petcore").addHandler(logging.NullHandler())  # the notes say it all
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_dealer(config, once=once, on_event=render.note, stop=stop)
