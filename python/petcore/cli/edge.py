"""``petcore edge``: a wallet's or an acquirer's own end of the payment network."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render


class Role(StrEnum):
    """Whose edge it is."""

    ACQP = "acqp"
    MPP = "mpp"


def edge(
    role: Annotated[Role, typer.Option(help="acqp: an acquirer's edge; mpp: a wallet's.")],
    config: Annotated[Path, typer.Option(help="The edge's configuration file.")],
) -> None:
    """Run an edge on its owner's premises, until Ctrl-C or SIGTERM.

    An **acqp** edge answers merchants' systems in the Alipay+ dialect over TLS; a **mpp** edge keeps
    its users' balances and shows them a page to agree. Both seal and share what they know before it
    leaves, and talk to node A only. What they were in the middle of goes on after a crash.

    Logs are JSON lines on standard error, without amounts, ids or personal data.

    Example: petcore edge --role mpp --config purse/purse.toml
    """
    from petcore.network import logs

    logs.install(config.stem)
    render.note(f"edge {config.stem} ({role}): Ctrl-C ends it")
    _runner(role)(config)


def _runner(role: Role) -> Callable[[Path], None]:
    if role is Role.MPP:
        from petcore.network.wallet.edge import run_wallet

        return run_wallet
    from petcore.network.acquirer.process import run_acquirer

    return run_acquirer
