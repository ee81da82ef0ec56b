"""``petcore doctor``: whether this machine computes rightly, and as fast as it should."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from petcore import diagnosis
from petcore.cli import render

_STYLES = {"ok": "green", "slow": "yellow", "failed": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    speed: Annotated[bool, typer.Option(help="Also measure, for at most ten seconds.")] = True,
) -> None:
    """Check this machine: processor, known answers of every kernel, a session on loopback, speed.

    Exits with status 1 if a self-test fails; a slow machine is reported and no failure.

    Example: petcore doctor
    """
    if not as_json:
        render.note("checking this machine; nothing leaves it")
    findings = list(diagnosis.examine(8.0 if speed else 0.0))
    failed = [finding for finding in findings if finding.verdict == "failed"]
    if as_json:
        document = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(document, indent=1))
    else:
        _show(findings)
        render.out.print(_verdict(findings))
    if failed:
        raise typer.Exit(1)


def _show(findings: list[diagnosis.Finding]) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    section = ""
    for finding in findings:
        if finding.section != section:
            table.add_section()
            section = finding.section
            table.add_row(Text(section, style="bold"))
        style = _STYLES.get(finding.verdict, "")
        table.add_row(
            Text(f"  {finding.name}"), Text(finding.verdict, style=style), Text(finding.detail)
        )
        if finding.hint:
            table.add_row("", "", Text(finding.hint, style="dim"))
    render.out.print(table)


def _verdict(findings: list[diagnosis.Finding]) -> Text:
    failed = [finding.name for finding in findings if finding.verdict == "failed"]
    slow = [finding.name for finding in findings if finding.verdict == "slow"]
    if failed:
        return Text(f"Do not compute here: {', '.join(failed)} failed.", style="bold red")
    if slow:
        return Text(f"It computes rightly; slower than expected: {', '.join(slow)}.")
    return Text("All well.", style="green")
