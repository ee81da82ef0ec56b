"""How the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from petcore.errors import ConfigError, PetcoreError, UsageError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def exit_code(error: PetcoreError) -> int:
    """Return 2 for wrong use (of a command or a configuration), 1 for a failure."""
    return 2 if isinstance(error, UsageError | ConfigError) else 1


def note(text: str) -> None:
    """Tell a person what is going on (stderr, so that results can be piped)."""
    err.print(Text(text, style="dim"), soft_wrap=True)


def show_error(error: PetcoreError) -> None:
    """Print one panel: what happened and what to do, who, where, and whether to try again."""
    rows = Table.grid(padding=(0, 2))
    rows.add_row(Text(error.message, style="bold"))
    body = Table.grid(padding=(0, 2))
    for key, value in (
        ("party", error.party),
        ("address", error.address),
        ("step", "" if error.step in error.message else error.step),
        ("retry", "may help" if error.retryable else ""),
    ):
        if value:
            body.add_row(Text(key, style="dim"), Text(value))
    if body.row_count:
        rows.add_row(body)
    err.print(
        Panel(rows, title=f"{type(error).__name__} ({error.code})", title_align="left", style="red")
    )
