"""The processes of a demo network: started in order, watched, and gone when it ends."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from petcore.config import DEALER
from petcore.errors import ConfigError, PeerLate, PetcoreError
from petcore.network.demo.place import ACQUIRER, NODE_A, NODE_B, WALLET, Place

MEMBERS = (DEALER, NODE_B, NODE_A, WALLET, ACQUIRER)
READY_SECONDS = 120.0
_POLL = 0.1
_STOP_SECONDS = 15.0
_LINES = 8

Tell = Callable[[str], None]


@dataclass
class Member:
    """One member's process, and how often it was started."""

    name: str
    place: Place
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    files: ExitStack = field(default_factory=ExitStack)

    @property
    def log_file(self) -> Path:
        """Where its standard error goes."""
        return self.place.member(self.name) / f"{self.name}.log"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start its process, which ends with this one."""
        self.starts += 1
        log = self.files.enter_context(self.log_file.open("ab"))
        tether = [sys.executable, "-P", "-m", "petcore.cli.tethered", str(os.getpid())]
        self.process = subprocess.Popen(  # noqa: S603
            [*tether, *_command(self.name), "--config", str(self.place.config(self.name))],
            cwd=self.place.member(self.name),
            env=os.environ | {"COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches this process, which ends the others in order
        )

    def kill(self) -> None:
        """End its process at once, as SIGKILL does."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()

    def words(self) -> str:
        """Return the last lines of its log."""
        text = (
            self.log_file.read_text(encoding="utf-8", errors="replace")
            if self.log_file.exists()
            else ""
        )
        return "\n".join(text.strip().split("\n")[-_LINES:])


class Running:
    """A demo network that runs; a context manager that leaves no process behind.

    Parameters
    ----------
    place
        Where it lives.
    tell
        Gets one line of text per event.
    """

    def __init__(self, place: Place, tell: Tell = lambda _: None) -> None:
        self.place, self._tell = place, tell
        self.members = {name: Member(name, place) for name in MEMBERS}
        self._files = ExitStack()

    def __enter__(self) -> Running:
        """Start every process and wait until all are healthy; errors as `wait_ready`."""
        self._claim()
        try:
            for member in self.members.values():
                member.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop every process."""
        self.stop()

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when every member is healthy.

        Raises
        ------
        PeerLate
            One was not within ``seconds``; the message has the last lines of its log.
        PetcoreError
            One ended.
        """
        end = time.monotonic() + seconds
        waiting = dict(self.members)
        while waiting:
            for name, member in list(waiting.items()):
                if not member.alive:
                    raise PetcoreError(f"{name} ended:\n{member.words()}", party=name)
                if is_healthy(health(self.place, name)):
                    self._tell(f"{name} is up")
                    del waiting[name]
            if waiting and time.monotonic() > end:
                name, member = next(iter(waiting.items()))
                raise PeerLate(
                    f"{name} was not up within {seconds:.0f} s:\n{member.words()}", party=name
                )
            time.sleep(_POLL if waiting else 0)

    def watch(self, *, restart: bool = False) -> Iterator[None]:
        """Look after the processes, a look per step, for ever.

        Raises
        ------
        PetcoreError
            One ended by itself, and is not to be started again.
        """
        while True:
            for name, member in self.members.items():
                if member.alive:
                    continue
                if not restart:
                    raise PetcoreError(f"{name} ended:\n{member.words()}", party=name)
                self._tell(f"{name} ended and is started again")
                member.start()
            yield
            time.sleep(_POLL)

    def stop(self) -> None:
        """Ask every process to end, edges first; end by force what does not."""
        for member in reversed(self.members.values()):
            if member.alive and member.process is not None:
                member.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        for member in reversed(self.members.values()):
            if member.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    member.process.wait(max(0.1, end - time.monotonic()))
                member.kill()
            member.files.close()
        self._files.close()

    def _claim(self) -> None:
        """Make sure that nobody else runs the network; raises ConfigError."""
        lock = self._files.enter_context((self.place.root / "up.lock").open("ab"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._files.close()
            raise ConfigError(f"{self.place.root}: the network is up already") from error


def health(place: Place, name: str) -> dict[str, Any] | None:
    """Ask a member how it is; None where nobody answers."""
    answer = _get(place, name, "/health")
    with suppress(ValueError):
        found = json.loads(answer)
        return found if isinstance(found, dict) else None
    return None


def metrics(place: Place, name: str) -> str:
    """Return a member's metrics in Prometheus' text format; empty where nobody answers."""
    return _get(place, name, "/metrics")


def _get(place: Place, name: str, path: str) -> str:
    url = f"http://{health_address(place, name)}{path}"
    with suppress(httpx.HTTPError):
        # A context without authorities: the default one reads them all, for a plain connection.
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx.get(url, timeout=2.0, trust_env=False, verify=unused).text
    return ""


def health_address(place: Place, name: str) -> str:
    """Return where a member shows its health."""
    values = tomllib.loads(place.config(name).read_text(encoding="utf-8"))
    if name == DEALER:
        service = values["service"]
        return f"{service.get('health_host', '127.0.0.1')}:{service['health_port']}"
    return str(values.get("health") or values.get("health_listen"))


def is_healthy(state: dict[str, Any] | None) -> bool:
    """Say whether a member's answer means that it works."""
    return state is not None and state.get("status") == "ok"


def _command(name: str) -> list[str]:
    if name == DEALER:
        return ["dealer"]
    if name in (NODE_A, NODE_B):
        return ["node"]
    return ["edge", "--role", "mpp" if name == WALLET else "acqp"]
