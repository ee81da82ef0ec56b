"""The public package ``ant-intl-alipayplus-mcp``, unmodified, as a client: it speaks MCP on stdio.

It needs an old MCP SDK, so it lives in a virtual environment of its own, made once and kept in
pytest's cache; ``PETCORE_ALIPAYPLUS_PYTHON`` names the interpreter of another one.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

PACKAGES = ("ant-intl-alipayplus-mcp==1.0.1", "mcp<2")
INSTALL_SECONDS = 100
ANSWER_SECONDS = 30.0
ADDRESS = "127.0.0.43"  # the client connects to port 443, whatever its gateway's URL says


@functools.cache
def _folder() -> Path:
    """Return a folder of this run."""
    folder = Path(tempfile.mkdtemp(prefix="alipayplus-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def interpreter(config: pytest.Config) -> Path:
    """Return a Python that has the package; skip the test where it cannot be had."""
    if named := os.environ.get("PETCORE_ALIPAYPLUS_PYTHON"):
        return Path(named)
    cache = getattr(config, "cache", None)  # absent under -p no:cacheprovider
    place = _folder() if cache is None else cache.mkdir("alipayplus")
    python, ready = place / "venv" / "bin" / "python", place / "ready"
    if not ready.exists():
        try:
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(place / "venv")],
                [str(python), "-m", "pip", "install", "--quiet", *PACKAGES],
            ):
                subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(
                f"ant-intl-alipayplus-mcp cannot be installed here ({type(error).__name__})"
            )
        ready.touch()
    return python


def need_port_443() -> None:
    """Skip the test where this user may not listen on port 443."""
    try:
        socket.create_server((ADDRESS, 443)).close()
    except OSError as error:
        pytest.skip(f"the client connects to port 443, which cannot be bound ({error.strerror})")


class Assistant:
    """What an AI assistant does with the package: start its server, call its tools."""

    def __init__(self, python: Path, **settings: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GATEWAY_URL": f"https://{ADDRESS}",
            "PAYMENT_REDIRECT_URL": "https://shop.example/thanks",
            "PAYMENT_NOTIFY_URL": "",
            "SETTLEMENT_CURRENCY": "",
            "MERCHANT_NAME": "Kopi",
            "MERCHANT_ID": "M1",
            "MERCHANT_MCC": "5814",
            "MERCHANT_REGION": "SG",
            **settings,
        }
        self._server = subprocess.Popen(
            [str(python), "-m", "alipayplusmcp.main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._number = 0
        self._read = b""
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        self._ask("initialize", hello)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for stream in (self._server.stdin, self._server.stdout):
            assert stream is not None
            stream.close()
        self._server.terminate()
        self._server.wait(20)

    def text(self, tool: str, **arguments: Any) -> str:
        """Call a tool; return what it says."""
        result = self._ask("tools/call", {"name": tool, "arguments": arguments})
        return str(result["content"][0]["text"])

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; return the answer of the acquirer, whose signature the package checked."""
        values = json.loads(self.text(tool, **arguments))
        assert isinstance(values, dict)
        return values

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._write({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        end = time.monotonic() + ANSWER_SECONDS
        while True:
            message = json.loads(self._line(end))
            if message.get("id") == self._number:
                result = message["result"]
                assert isinstance(result, dict)
                return result

    def _write(self, message: dict[str, Any]) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(message).encode() + b"\n")
        self._server.stdin.flush()

    def _line(self, end: float) -> bytes:
        assert self._server.stdout is not None
        while b"\n" not in self._read:
            ready, _, _ = select.select([self._server.stdout], [], [], end - time.monotonic())
            assert ready, "the package's server said nothing in time"
            more = os.read(self._server.stdout.fileno(), 1 << 16)
            assert more, "the package's server ended"
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line
