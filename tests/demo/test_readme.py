"""README's commands for three terminals, run word for word in one folder."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.conftest import free_ports

from petcore.trust import chain

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("\n## By hand") : README.index("\n## The payment network")]


def commands(text: str) -> list[str]:
    """The indented lines, without prompts; a backslash continues a line."""
    return re.findall(r"^    (petcore .*|for .*)$", text.replace("\\\n", ""), re.MULTILINE)


def typed(command: str, folder: Path) -> subprocess.Popen[str]:
    """Type the command where this petcore is first in PATH; `exec` makes it ours to kill."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "-c", command if command.startswith("for") else f"exec {command}"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def said(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out


@pytest.mark.processes
def test_the_commands_for_three_terminals_work_word_for_word(tmp_path: Path) -> None:
    snippet = re.search(r"```python\n(.*?)```", SECTION, re.DOTALL)
    subprocess.run([sys.executable, "-P", "-c", snippet[1]], cwd=tmp_path, check=True)
    gateway, dealer = free_ports(2)
    at = f"--at gateway=127.0.0.1:{gateway} --at dealer=127.0.0.1:{dealer}"
    output = ""
    with ExitStack() as running:
        started: list[subprocess.Popen[str]] = []
        for command in commands(SECTION):
            words = command.split("#")[0].split()
            process = running.enter_context(
                typed(f"{command.split('#')[0]} {at}" if words[1] == "pin" else command, tmp_path)
            )
            running.callback(process.kill)
            if words[1] == "dealer":
                continue
            started.append(process)
            if words[1] in ("train", "clear") and "gateway.toml" in words:
                continue  # it waits for the wallet, in the next terminal
            output += "".join(map(said, started))
            started.clear()
    assert "AUC on 6,000 held-out rows: 0.7" in output
    assert "161.20 EUR" in output
    assert "-161.20 EUR" in output
    assert [record["label"] for record in chain.read(tmp_path / "gateway.disclosures.jsonl")][
        -2:
    ] == ["net position of purse", "net position of shop"]
