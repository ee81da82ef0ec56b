"""The members of a simulated network: their real code, on ledgers and channels that fail.

A member is made from its folder, as its process would be. When it dies, its ledger takes nothing
more, its tasks end wherever they are, and nothing that it says arrives; then it is made again.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import ExitStack

from petcore.errors import LedgerError
from petcore.network.acquirer.config import AcquirerConfig
from petcore.network.acquirer.orders import Answer
from petcore.network.acquirer.process import AcquirerEdge
from petcore.network.acquirer.watching import Watch
from petcore.network.ledger.writer import Writer
from petcore.network.node import process
from petcore.network.node.config import load_node
from petcore.network.wallet.config import WalletConfig
from petcore.network.wallet.edge import SWEEP_SECONDS, WalletEdge
from petcore.trust.identity import load_identity

INCARNATION: contextvars.ContextVar = contextvars.ContextVar("incarnation", default=None)


class Died(LedgerError):
    """What code of a dead member meets."""


class DyingWriter(Writer):
    """Commits, unless its member dies just before, or just after."""

    def __init__(self, engine, incarnation):
        super().__init__(engine)
        self._incarnation = incarnation

    def begin(self, *, durable):
        self._incarnation.must_live()
        return super().begin(durable=durable)

    def commit(self):
        self._incarnation.must_live()
        self._incarnation.may_die("before a commit")
        super().commit()
        self._incarnation.may_die("after a commit")


class Incarnation:
    """One life of a member, from its start to its death."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.dead = False
        self.tasks = set()
        self.app = None
        self.database = None
        self.life = None

    def must_live(self):
        if self.dead:
            raise Died(f"{self.name} is dead")

    def may_die(self, where):
        if self.world.chance(self.name, where):
            self.die()
            self.must_live()

    def die(self):
        """From any thread: nothing more is written or said; the rest is cleared away by the loop."""
        if not self.dead:
            self.dead = True
            nobodys = contextvars.Context()
            self.world.loop.call_soon_threadsafe(self.world.bury, self, context=nobodys)

    def start(self):
        """Make the member from its folder, in a context that its tasks inherit."""
        token = INCARNATION.set(self)
        try:
            self.make()
            self.database._writer.drop()
            self.database._writer = DyingWriter(self.database._engine, self)
            self.life = asyncio.create_task(self._live())
        finally:
            INCARNATION.reset(token)

    async def _live(self):
        try:
            await self.live()
        except Exception as error:  # a process that cannot begin ends, and is started again
            self.world.stillborn.append(f"{self.name}: {error!r}")
            self.die()

    def make(self):
        raise NotImplementedError

    async def live(self):
        raise NotImplementedError

    def clear(self):
        """Give back what a dead process would have lost."""
        for task in list(self.tasks):
            task.cancel()
        # A thread of it may be inside a transaction; it ends at its commit, with an error.
        threading.Thread(target=self.database.close, daemon=True).start()


class Node(Incarnation):
    def make(self):
        config = load_node(self.world.place.config(self.name))
        directory = config.directory()
        identity = load_identity(config.certificate, config.key)
        with ExitStack() as own:  # a ledger that is locked still ends what was opened before it
            self.core = process._core(config, directory, own)
            own.pop_all()  # that would wait for what a dead process leaves undone: `clear` does not
        self.database = self.core.database
        first = self.core.first
        self.role = (
            process._NodeA(config, self.core, identity) if first else process._NodeB(self.core)
        )
        self.app = self.role.app

    async def live(self):
        await self.role.start()

    def clear(self):
        self.core.sink._log.close()
        self.core.pairing.close()
        super().clear()


class Wallet(Incarnation):
    def make(self):
        self.edge = WalletEdge(WalletConfig.load(self.world.place.config(self.name)))
        self.database, self.app = self.edge.database, self.edge.app()

    async def live(self):
        await self.edge._every(SWEEP_SECONDS, self.edge._release_late, asyncio.Event())


class Acquirer(Incarnation):
    def make(self):
        process_ = AcquirerEdge(AcquirerConfig.load(self.world.place.config(self.name)))
        self.edge, self.database, self.app = process_.edge, process_.database, process_.members()

    async def live(self):
        await Watch(self.edge.flow).run()

    async def call(self, method, *arguments):
        """What a merchant's system asks; an answer that was lost with the process is "unclear"."""
        context = contextvars.Context()
        context.run(INCARNATION.set, self)
        work = asyncio.create_task(getattr(self.edge, method)(*arguments), context=context)
        try:
            return await work
        except (asyncio.CancelledError, LedgerError):
            if not self.dead:
                raise
            return Answer("unclear")


MEMBERS = {"node-a": Node, "node-b": Node, "purse": Wallet, "shop-bank": Acquirer}
