"""The command line. It needs the extra ``petcore[cli]``; without it, it says so."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong use."""
    try:
        from petcore.cli.app import app  # Typer and Rich are an extra
    except ModuleNotFoundError as missing:
        if missing.name not in {"typer", "rich"}:
            raise
        sys.stderr.write("petcore's command line is not installed: pip install 'petcore[cli]'\n")
        sys.exit(2)
    app(prog_name="petcore")
