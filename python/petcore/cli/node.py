"""``petcore node``: node A or B of a payment network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render


def node(
    config: Annotated[Path, typer.Option(help="The node's configuration file.")],
) -> None:
    """Run node A or B of a payment network, until Ctrl-C or SIGTERM.

    It carries payments that it cannot read, and computes with the other node, on shares, whether they
    pass. It goes on where an earlier process ended, however that ended. Logs are lines of JSON on
    standard error; health_listen in the configuration shows /health and /metrics (Prometheus).

    Example: petcore node --config node-a.toml
    """
    from petcore.network import logs
    from petcore.network.http import run
    from petcore.network.node.config import load_node
    from petcore.network.node.process import run_node

    settings = load_node(config)
    logs.install(settings.name)
    run(run_node(settings, on_event=render.note))
