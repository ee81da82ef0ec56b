"""The process of a node: from its configuration to its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from petcore.config import load_config
from petcore.errors import ConfigError, PetcoreError
from petcore.network.circuit import RiskModel
from petcore.network.directory import Directory
from petcore.network.http import Peers, Server
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Database
from petcore.network.node.answers import Answers
from petcore.network.node.api import node_a_app, node_b_app
from petcore.network.node.cancels import Cancels
from petcore.network.node.config import NodeConfig, load_node
from petcore.network.node.consults import ConsultBudget
from petcore.network.node.core import Core
from petcore.network.node.follower import Follower
from petcore.network.node.intake import Intake
from petcore.network.node.lane import Lane
from petcore.network.node.notices import Notices
from petcore.network.node.pairing import Pairing
from petcore.network.node.pending import Pending
from petcore.network.node.settling import Settling, routes_a, routes_b
from petcore.network.node.wallets import Wallets
from petcore.trust.identity import Identity, load_identity
from petcore.trust.log import DisclosureLog
from petcore.trust.policy import LoggedPolicy, Policy

_TIDY_SECONDS = 900.0


async def run_node(
    config: NodeConfig | str | Path,
    *,
    stop: asyncio.Event | None = None,
    on_event: Callable[[str], None] | None = None,
) -> None:
    """Run node A or B until ``stop`` is set, or SIGTERM or SIGINT comes.

    Raises
    ------
    ConfigError
        The configuration, the directory, the keys or the address cannot be used; or both nodes
        belong to one legal entity and the directory does not say so.
    LedgerError
        The journal cannot be opened.
    """
    config = config if isinstance(config, NodeConfig) else load_node(config)
    directory = config.directory()
    identity = load_identity(config.certificate, config.key)
    with ExitStack() as own:
        core = _core(config, directory, own)
        stop = stop or asyncio.Event()
        _on_signals(stop)
        await _serve(config, core, identity, stop, on_event)


async def _serve(
    config: NodeConfig,
    core: Core,
    identity: Identity,
    stop: asyncio.Event,
    on_event: Callable[[str], None] | None,
) -> None:
    role = _NodeA(config, core, identity) if core.first else _NodeB(core)
    servers = [Server(role.app, config.listen, identity, core.directory)]
    if config.health_listen:
        plain = Starlette(routes=core.metrics.routes())
        servers.append(Server(plain, config.health_listen))
    ending = asyncio.Event()
    running = [asyncio.create_task(server.run(ending)) for server in servers]
    await role.start()
    core.log.info("the node serves", role=core.directory.member(core.name).role)
    if on_event is not None:
        on_event(f"{core.name} serves at {config.listen}")
    tidying = asyncio.create_task(_tidy(core))
    await stop.wait()
    tidying.cancel()
    core.log.info("the node ends")
    await role.drain()
    ending.set()
    await asyncio.gather(*running)
    await role.close()


async def _tidy(core: Core) -> None:
    """Forget from time to time; a journal that cannot be written says so where it matters more."""
    while True:
        try:
            await core.in_thread(core.tidy)
        except PetcoreError as error:
            core.log.failure("nothing could be tidied", error)
        await asyncio.sleep(_TIDY_SECONDS)


def _core(config: NodeConfig, directory: Directory, own: ExitStack) -> Core:
    session = load_config(config.session)
    names = [directory.node_a.name, directory.node_b.name]
    if session.names != names or session.name != config.name:
        raise ConfigError(
            f"{config.session}: its parties must be {' and '.join(names)}, in this order, and its "
            f"name {config.name}"
        )
    keys = PublicKeys.load(config.public)
    ring = KeyRing.load(config.keys, config.name)
    model = RiskModel.load(config.model) if config.model is not None else None
    log = own.enter_context(DisclosureLog(_beside(session.log), config.name, session="settlement"))
    database = Database.open(config.database)
    pairing = Pairing(session, directory.digest)
    core = Core(
        directory,
        config.name,
        ring=ring,
        keys=keys,
        database=database,
        pairing=pairing,
        model=model,
        held=config.held,
        sink=LoggedPolicy(Policy(session.rules), log),
        private=config.private,
    )
    own.callback(core.close)
    return core


def _beside(path: Path) -> Path:
    """Return the log of what is disclosed outside sessions, which own theirs."""
    return path.with_name(f"{path.stem}.nets{path.suffix}")


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


@dataclass(init=False)
class _NodeA:
    """Node A: intake, wallets, lane, notices."""

    app: Starlette

    def __init__(self, config: NodeConfig, core: Core, identity: Identity) -> None:
        limits = config.limits
        gather = limits.gather_ms / 1000
        self._core = core
        self._peers = Peers(identity, core.directory)
        answers = Answers(core.journal, (core.name, core.other.name))
        self._answers = answers
        self._notices = Notices(core, self._peers, answers)
        self._lane = Lane(
            core,
            self._peers,
            gather=gather,
            most=limits.batch_rows,
            within=self._notices.put,
            committed=self._committed,
            found=self._found,
        )
        self._wallets = Wallets(core, self._peers, gather=gather)
        self._cancels = Cancels(core, self._lane, self._wallets, self._find, limits.answer_seconds)
        self._intake = Intake(
            core,
            self._lane,
            self._wallets,
            self._cancels,
            answers,
            self._notices,
            ConsultBudget(limits.consults_per_minute),
            limits.answer_seconds,
        )
        self._settling = Settling(core, self._lane)
        self.app = node_a_app(core, self._intake, *routes_a(core, self._settling))
        core.metrics.check("session", lambda: "" if self._lane.together else "nodes apart")

    async def start(self) -> None:
        """Go on where the last process ended."""
        open_ones = await self._intake.recover()
        self._core.log.info("the journal was read", open=open_ones)
        self._notices.start()
        self._settling.start()
        self._lane.start()

    async def drain(self) -> None:
        """Take nothing new; finish the batch that runs; let nobody wait for another."""
        self._intake.drain()
        await self._lane.close()
        self._intake.let_go()

    async def close(self) -> None:
        """End everything else."""
        await self._intake.close()
        await self._cancels.close()
        await self._wallets.close()
        await self._notices.close()
        await self._peers.close()

    async def _committed(
        self, number: int, rows: Sequence[Pending], envelopes: dict[tuple[str, str], bytes]
    ) -> None:
        for pending in rows:
            row = pending.row
            pending.resolve(
                self._answers.decided(row.key, row.kind, row.acqp, row.check, envelopes)
            )
        self._notices.wake(list({row.row.mpp for row in rows} | {row.row.acqp for row in rows}))

    async def _found(self, ended: Sequence[Pending]) -> None:
        await self._intake.resolve_found(ended)

    def _find(self, record_key: str) -> Pending | None:
        return self._intake.pending(record_key)


class _NodeB:
    """Node B: it follows A."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._follower = Follower(core)
        self.app = node_b_app(core, self._follower, *routes_b(core, Settling(core)))
        core.metrics.check("session", lambda: "" if core.pairing.name else "nodes apart")

    async def start(self) -> None:
        """A begins."""

    async def drain(self) -> None:
        """Finish the batch that runs."""
        await self._follower.close()

    async def close(self) -> None:
        """There is nothing else."""
