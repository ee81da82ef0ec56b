"""A gateway, a wallet and a dealer on loopback, as processes of their own, with mutual TLS.

The two parties wait for commands at a pipe each, do them at the same time and answer; nothing is
measured that this process takes part in.
"""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from petcore.config import Config, Link, Peer
from petcore.connecting import connect, run_dealer
from petcore.trust.identity import make_identity

from .party import Party

NAMES = ("gateway", "wallet", "dealer")


class PartyFailed(Exception):
    """A party's process ended or raised; the text is its error."""


@dataclass
class Parties:
    """The two parties' ends of their pipes."""

    pipes: list[Connection]

    def ask(self, command: str, *arguments: Any) -> list[Any]:
        """Let both do a command at once; give what they answered, gateway first."""
        answers = []
        try:
            for pipe in self.pipes:
                pipe.send((command, arguments))
            for pipe in self.pipes:
                answers.append(pipe.recv())
        except (EOFError, ConnectionError):
            raise PartyFailed("a party's process ended; its error stands above") from None
        for failed, answer in answers:
            if failed:
                raise PartyFailed(answer)
        return [answer for _, answer in answers]


@contextmanager
def started(link: Link, threads: int) -> Iterator[Parties]:
    """Start the three processes; end them when the ``with`` block does."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        configs = make_configs(Path(folder), link, threads)
        pairs = [spawn.Pipe() for _ in range(2)]
        processes = [
            spawn.Process(target=run_dealer, args=(configs[2],), kwargs={"once": True}),
            *(
                spawn.Process(target=run_party, args=(config, theirs))
                for config, (_, theirs) in zip(configs, pairs, strict=False)
            ),
        ]
        for process in processes:
            process.start()
            stack.callback(end, process)
        for mine, theirs in pairs:
            theirs.close()
            stack.callback(mine.close)
        parties = Parties([mine for mine, _ in pairs])
        parties.ask("ready")
        yield parties
        parties.ask("stop")


def end(process: Any) -> None:
    process.join(2)
    process.kill()
    process.join()


def make_configs(folder: Path, link: Link, threads: int) -> list[Config]:
    peers, files = [], []
    for name in NAMES:
        identity = make_identity(name)
        files.append(identity.save(folder))
        peers.append(Peer(name, f"127.0.0.1:{free_port()}", identity.fingerprint))
    return [
        Config(
            name=name,
            certificate=certificate,
            key=key,
            parties=tuple(peers[:2]),
            dealer=peers[2],
            link=link,
            threads=threads,
            log=folder / f"{name}.jsonl",
        )
        for name, (certificate, key) in zip(NAMES, files, strict=True)
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_party(config: Config, pipe: Connection) -> None:
    with connect(config, program="bench", connect_wait=30.0) as session:
        party = Party(session, config)
        while True:
            command, arguments = pipe.recv()
            if command == "stop":
                pipe.send((False, None))
                return
            try:
                pipe.send((False, getattr(party, command)(*arguments)))
            except Exception as error:
                pipe.send((True, f"{session.name}: {type(error).__name__}: {error}"))
                raise
