"""``petcore catalogue``: which field of the payment network reaches whom, in which form."""

from __future__ import annotations

from typing import Annotated

import typer

from petcore.cli import render
from petcore.errors import UsageError


def catalogue(
    form: Annotated[str, typer.Option("--format", help="markdown or json.")] = "markdown",
) -> None:
    """Print the field catalogue: class, form per recipient and retention of every field.

    Example: petcore catalogue > fields.md
    """
    from petcore.network.catalogue import to_json, to_markdown

    writers = {"markdown": to_markdown, "json": to_json}
    if form not in writers:
        raise UsageError(f"--format {form[:32]!r} is none of markdown, json; choose one of these")
    render.out.print(
        writers[form](), end="", soft_wrap=True, markup=False, highlight=False, emoji=False
    )
