"""A network in one process, with a seed: channels that fail, members that die, and its laws.

Every fault is drawn from one generator, by the seed: which member dies at which write or message,
which message is lost, answered in vain, repeated or late. Threads and the clock are the machine's,
so a seed gives the same kind of weather, not the same storm twice.
"""

from __future__ import annotations

import asyncio
import contextvars
import shutil
import threading
from collections import Counter
from pathlib import Path

import httpx
import numpy as np

from petcore.errors import LedgerLocked, PeerClosed, PeerLate, PeerUnreachable
from petcore.network import http
from petcore.network.calling import _refusal
from petcore.network.demo.place import Place
from petcore.network.node import core as node_core
from petcore.network.node import process
from petcore.network.wallet import edge as wallet_edge

from .circuit import Pairing, authorise
from .members import INCARNATION, MEMBERS

FATES = ("arrives", "lost", "unanswered", "twice", "late")


class World:
    """The members of a network, and what lies between them.

    Parameters
    ----------
    place
        Its folder, a copy for this world alone.
    seed
        Of all faults.
    weather
        The share of each fate of a message but the first: in 1 / weather messages, each comes once.
    deaths
        The chance of a death or a broken session at each point where one can happen.
    """

    def __init__(self, place, seed, *, weather=0.04, deaths=0.05):
        self.place = place
        self.rng = np.random.default_rng(seed)
        self.weather, self.deaths = weather, deaths
        self.calm = False
        self._deck = []
        self.members = {}
        self.rooms = {}
        self.happened = Counter()
        self.loop = None
        self._lock = threading.Lock()
        self._reviving = set()
        self.stillborn = []

    def chance(self, name, where):
        """Say whether it happens here, and count it."""
        with self._lock:
            usual = self.deaths * (1 if "commit" in where else 0.3)  # a commit is the finer point
            happens = not self.calm and self.rng.random() < usual
            if happens:
                self.happened[f"{name}: {where}"] += 1
            return happens

    def fate(self):
        with self._lock:
            if self.calm or not self.weather:
                return "arrives"
            if not self._deck:
                self._deck = [*FATES[1:], *["arrives"] * (round(1 / self.weather) - 4)]
                self.rng.shuffle(self._deck)
            fate = self._deck.pop()
            self.happened[fate] += 1
            return fate

    def pause(self):
        with self._lock:
            return float(self.rng.uniform(0, 0.05))

    async def start(self):
        self.loop = asyncio.get_running_loop()
        self.loop.set_task_factory(remembering)
        for name in MEMBERS:
            self.revive(name)

    def revive(self, name):
        member = MEMBERS[name](self, name)
        member.start()
        self.members[name] = member

    def bury(self, member):
        """Clear a dead member away and begin its next life a little later."""
        member.clear()
        task = asyncio.create_task(self._next_life(member))
        self._reviving.add(task)
        task.add_done_callback(self._reviving.discard)

    async def _next_life(self, member):
        await asyncio.sleep(self.pause())
        while True:
            try:
                self.revive(member.name)
            except LedgerLocked:  # its old life still has the ledger
                await asyncio.sleep(0.02)
            except Exception as error:
                self.stillborn.append(f"{member.name}: {error!r}")
                await asyncio.sleep(0.1)
            else:
                return

    async def carry(self, source, target, method, path, body):
        """Bring a message of a member to another, and the answer back."""
        source.must_live()
        source.may_die("before a message")
        fate = self.fate()
        if fate == "lost":
            raise PeerLate(f"{target} did not answer", party=target)
        if fate == "late":
            await asyncio.sleep(self.pause())
        said = await self.deliver(source.name, target, method, path, body)
        if fate == "twice":
            await asyncio.sleep(self.pause())
            said = await self.deliver(source.name, target, method, path, body)
        source.must_live()
        source.may_die("after an answer")
        if fate == "unanswered":
            raise PeerLate(f"{target} did not answer", party=target)
        if said.status_code != 200:
            where = {"party": target, "address": "", "step": path}
            raise _refusal(said.content, said.status_code, where)
        return said.content

    async def deliver(self, source, target, method, path, body):
        member = self.members.get(target)
        if member is None or member.dead:
            raise PeerUnreachable(f"{target} cannot be reached", party=target)
        task = asyncio.create_task(
            answer(member, source, method, path, body), context=context_of(member)
        )
        try:
            return await asyncio.shield(task)  # a server goes on when its caller is gone
        except asyncio.CancelledError:
            if not member.dead or asyncio.current_task().cancelling():
                raise
            raise PeerClosed(f"{target} went away", party=target) from None

    async def end(self):
        """Stop everything; the ledgers are free after that."""
        self.calm = True
        for task in self._reviving:
            task.cancel()
        await asyncio.gather(*self._reviving, return_exceptions=True)
        for member in self.members.values():
            member.dead = True
            member.clear()
        for _ in range(3):  # what is cancelled may have begun something else
            mine = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in mine:
                task.cancel()
            if mine:
                await asyncio.wait(mine, timeout=2)


def context_of(member):
    """Return a context whose tasks belong to a member, or to nobody."""
    context = contextvars.Context()
    context.run(INCARNATION.set, member)
    return context


async def answer(member, source, method, path, body):
    """Have a member answer a message."""

    async def app(scope, receive, send):
        scope[http.PEER] = source
        await member.app(scope, receive, send)

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://member") as client:
        said = await client.request(method, path, content=body)
        member.must_live()
        return said


class Wire:
    """Stands for `petcore.network.http.Peers` of one member."""

    def __init__(self, world):
        self._world, self._member = world, INCARNATION.get()

    async def post(self, name, path, body, *, timeout=None, answer_bytes_max=0):
        return await self._bounded(self._carry(name, "POST", path, body), name, timeout)

    async def get(self, name, path, *, timeout=None, answer_bytes_max=0):
        return await self._bounded(self._carry(name, "GET", path, b""), name, timeout)

    async def close(self):
        pass

    def _carry(self, name, method, path, body):
        return self._world.carry(self._member, name, method, path, body)

    async def _bounded(self, work, name, timeout):
        try:
            async with asyncio.timeout(timeout or 10.0):
                return await work
        except TimeoutError:
            raise PeerLate(f"{name} did not answer", party=name) from None


def remembering(loop, work, **more):
    """Make a task, and have the member that it belongs to remember it."""
    task = asyncio.Task(work, loop=loop, **more)
    given = more.get("context")
    owner = INCARNATION.get() if given is None else given.get(INCARNATION)
    if owner is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.tasks.discard)
        if owner.dead:
            task.cancel()
    return task


def put_in_place(monkeypatch, world):
    """Have the members' code use the world's channels, sessions and shorter waits."""
    monkeypatch.setattr(http, "Peers", lambda *_, **__: Wire(world))
    monkeypatch.setattr(process, "Peers", lambda *_, **__: Wire(world))
    monkeypatch.setattr(
        process,
        "Pairing",
        lambda config, _: Pairing(
            world.rooms,
            config.names.index(config.name),
            lambda where: world.chance(config.name, where),
        ),
    )
    monkeypatch.setattr(node_core, "authorise", authorise)
    monkeypatch.setattr(wallet_edge, "SWEEP_SECONDS", 0.5)


def copy_of(place, root):
    """Return a copy of a network's folder, for one world."""
    shutil.copytree(place.root, root)
    config = Path(root) / "shop-bank" / "shop-bank.toml"
    times = "\n[times]\nanswer = 3.0\npoll = 0.3\ngive_up = 4.0\n"
    config.write_text(config.read_text() + times)
    return Place(Path(root))
