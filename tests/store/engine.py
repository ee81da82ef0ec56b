"""Forks two parties and a dealer again and again, kills them, and looks at what they used.

engine.py FOLDER ROUNDS SEED. Fill and use alternate; in most rounds one party, both, or the dealer is
killed by SIGKILL, at a random moment or (where `faults.c` is preloaded) at a random call by which
it writes, also as if the power were cut there, or its disk is full from there on. Prints one JSON
object: how often what was killed, how many cells were used, what was used twice, what came out wrong.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from petcore import _core
from petcore.errors import PetcoreError, StockExhausted
from petcore.trust.identity import Identity, make_identity

NAMES = ["gateway", "wallet", "dealer"]
KEYS = ["11" * 32, "22" * 32]
BEFORE, AFTER, TORN, FULL, STOP = 1, 2, 3, 4, 5
ACTIONS = {"before a write": BEFORE, "after a write": AFTER, "in a write": TORN}
POOLS = ["mul", "b2a", "and_bits", "msb"]
ORDERS = [
    *_core.stock_for("semi2k", "mul", 30_000),
    *_core.stock_for("semi2k", "b2a", 8_000),
    *_core.stock_for("semi2k", "and_bits", 64_000),
    *_core.stock_for("semi2k", "msb", 4_000, 20),
]


class Faults:
    """The preloaded library, if it is there."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self.there = hasattr(library, "fault_arm")
        self.library = library

    def arm(self, call: int, action: int, lossy: bool) -> None:
        self.library.fault_arm(ctypes.c_long(call), action, int(lossy))

    def count(self) -> int:
        self.library.fault_count.restype = ctypes.c_long
        return int(self.library.fault_count())


class Arena:
    """Three identities, their ports and their folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.identities: list[Identity] = [make_identity(name) for name in NAMES]
        self.ports = [free_port(), free_port()]  # of the gateway and of the dealer
        self.limits = _core.Limits(deadline_s=8.0, silence_s=2.0, heartbeat_s=0.2)

    def listen(self, me: int, port: int) -> Any:
        own = self.identities[me]
        pem = own.certificate_pem.decode(), own.private_key_pem.decode()
        return _core.TlsListener("127.0.0.1", port, *pem)

    def accept(self, listener: Any, *others: int) -> Any:
        pins = [(NAMES[i], self.identities[i].fingerprint) for i in others]
        return listener.accept(pins, 5.0, self.limits)

    def reach(self, me: int, other: int, port: int) -> Any:
        own, peer = self.identities[me], self.identities[other]
        pem = own.certificate_pem.decode(), own.private_key_pem.decode()
        return _core.connect_tls(
            "127.0.0.1", port, *pem, NAMES[other], peer.fingerprint, 5.0, self.limits
        )

    def party(self, me: int, fill: bool, seed: int) -> None:
        folder = self.folder
        store = _core.Store(
            str(folder / NAMES[me]), KEYS[me], me, NAMES[me], NAMES[1 - me],
            trace=str(folder / f"{NAMES[me]}.trace"),
        )  # fmt: skip
        dealer = self.reach(me, 2, self.ports[1]) if fill else None
        if me == 0:
            listener = self.listen(0, self.ports[0])
            peer = self.accept(listener, 1)
            listener.close()
        else:
            peer = self.reach(1, 0, self.ports[0])
        source = "dealer" if fill else "store"
        session = _core.Session(
            "semi2k", me, NAMES[:2], {1 - me: peer}, dealer, [], correlations=source, store=store
        )
        try:
            if fill:
                session.stock_up(ORDERS)
            else:
                use(session, seed, folder / "wrong")
        finally:
            session.close()
            store.close()

    def deal(self) -> None:
        listener = self.listen(2, self.ports[1])
        ends = [self.accept(listener, 0, 1) for _ in range(2)]
        ends.sort(key=lambda end: NAMES.index(end.peer_name))
        listener.close()
        _core.serve_dealer(NAMES[:2], ends, [])


def use(session: Any, seed: int, wrong: Path) -> None:
    """Run products, conversions, conjunctions and comparisons of random sizes until killed or empty."""
    rng = np.random.default_rng(seed)
    for _ in range(rng.integers(5, 40)):
        operation, n = POOLS[rng.integers(len(POOLS))], int(rng.integers(1, 700))
        x = rng.integers(0, 2**64, n, dtype=np.uint64)
        b = rng.integers(0, 2, n).astype(np.uint8)
        small = rng.integers(-(2**19), 2**19, n).astype(np.uint64)
        mine = session.party == 0

        def words(values: Any, mine: bool = mine) -> Any:
            return session.input(0, values if mine else None, b"")[0]

        def bits(values: Any, mine: bool = mine) -> Any:
            return session.input_bits(0, values if mine else None, b"")[0]

        if operation == "mul":
            a = words(x)
            good = np.array_equal(session.open(session.mul(a, a), "x"), x * x)
        elif operation == "b2a":
            good = np.array_equal(session.open(session.b2a(bits(b)), "x"), b)
        elif operation == "and_bits":
            share = bits(b)
            good = np.array_equal(session.open_bits(session.and_bits(share, share), "x"), b)
        else:
            sign = session.open_bits(session.msb(words(small), 20), "x")
            good = np.array_equal(sign, small >> np.uint64(63))
        if not good:
            with wrong.open("a") as file:
                file.write(f"{operation} {n}\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spawn(work: Any, log: Path) -> int:
    process = os.fork()
    if process:
        return process
    status = 0
    try:
        work()
    except StockExhausted:
        pass
    except PetcoreError as error:
        status = 1
        with log.open("a") as file:
            file.write(f"{type(error).__name__}: {error}\n")
    except BaseException as error:
        status = 2
        with log.open("a") as file:
            file.write(f"UNEXPECTED {type(error).__name__}: {error}\n")
    os._exit(status)


class Killer:
    def __init__(self, folder: Path, seed: int) -> None:
        self.arena, self.folder = Arena(folder), folder
        self.rng = np.random.default_rng(seed)
        self.faults = Faults()
        self.seconds = {True: 0.3, False: 0.2}  # of a round that nobody disturbs; fill or use
        self.calls = {True: 60, False: 40}
        self.kills: Counter[str] = Counter()

    def round(self, number: int, fill: bool, disturb: bool) -> None:
        rng = self.rng
        victims: list[int] = []
        if disturb:
            choices = [[0], [1], [0, 1], *([[2]] if fill else [])]
            victims = choices[rng.integers(len(choices))]
        at_call = self.faults.there and 2 not in victims and bool(rng.integers(4))
        phase = "prepare" if fill else "use"
        plans: dict[int, tuple[int, int, bool]] = {}
        if at_call:
            for victim in victims:
                name = str(rng.choice([*ACTIONS, "on a full disk"]))
                lossy = name != "on a full disk" and bool(rng.integers(2))
                call = int(rng.integers(1, self.calls[fill] + 1))
                plans[victim] = (call, ACTIONS.get(name, FULL), lossy)
                power = ", power cut" if lossy else ""
                self.kills[f"{phase}: {NAMES[victim]} {name}{power}"] += 1

        began = time.monotonic()
        running = self.start(number, fill, plans)
        if victims and not at_call:
            begin = 0.5 * int(rng.integers(2))  # half of them in the second half, when it is in use
            time.sleep(float(rng.uniform(begin, 1.1)) * self.seconds[fill])
            for victim in victims:
                os.kill(running[victim], signal.SIGKILL)
                self.kills[f"{phase}: {NAMES[victim]} at a random moment"] += 1
        self.wait(set(running.values()))
        if not victims:
            self.seconds[fill] = time.monotonic() - began
            if self.faults.there:
                counts = [int((self.folder / f"{n}.calls").read_text()) for n in NAMES[:2]]
                self.calls[fill] = max(*counts, 4)

    def start(
        self, number: int, fill: bool, plans: dict[int, tuple[int, int, bool]]
    ) -> dict[int, int]:
        """Start the processes of a session: by party, each with the fault that is planned for it."""

        def party(me: int) -> None:
            if self.faults.there:
                self.faults.arm(*plans.get(me, (1 << 40, 0, False)))
            try:
                self.arena.party(me, fill, number)
            finally:
                if self.faults.there:
                    (self.folder / f"{NAMES[me]}.calls").write_text(str(self.faults.count()))

        log = self.folder / "errors"
        running = {0: spawn(lambda: party(0), log), 1: spawn(lambda: party(1), log)}
        if fill:
            running[2] = spawn(self.arena.deal, log)
        return running

    def wait(self, running: set[int]) -> None:
        """Wait for all to end; who is left alone and still waits for its peer is killed too."""
        ends = time.monotonic() + 30.0
        while running:
            for process in list(running):
                ended, status = os.waitpid(process, os.WNOHANG)
                if ended:
                    running.remove(process)
                    if os.WIFSIGNALED(status):
                        ends = min(ends, time.monotonic() + 0.7)
            if running and time.monotonic() > ends:
                for process in running:
                    os.kill(process, signal.SIGKILL)
                self.kills["left alone"] += len(running)
                ends += 30.0
            time.sleep(0.002)

    def run(self, rounds: int) -> dict[str, Any]:
        gc.freeze()
        for number in range(rounds):
            fill = number % 4 == 0
            self.round(number, fill, disturb=number >= 4 and number % 16 != 0)
        self.round(rounds, True, False)
        self.round(rounds + 1, False, False)
        return self.report()

    def report(self) -> dict[str, Any]:
        """What was used, by both sides' traces: session, lot, first cell, number of cells."""
        sessions: list[dict[int, list[tuple[str, int]]]] = []
        repeated = 0
        for name in NAMES[:2]:
            by_session: dict[int, list[tuple[str, int]]] = {}
            seen: set[tuple[str, int]] = set()
            trace = self.folder / f"{name}.trace"
            for line in trace.read_text().splitlines():
                session, lot, first, cells = line.split()
                for cell in range(int(first), int(first) + int(cells)):
                    repeated += (lot, cell) in seen
                    seen.add((lot, cell))
                    by_session.setdefault(int(session), []).append((lot, cell))
            sessions.append(by_session)
        mismatched = 0
        for session in sessions[0].keys() | sessions[1].keys():
            pairs = zip(sessions[0].get(session, []), sessions[1].get(session, []), strict=False)
            mismatched += sum(a != b for a, b in pairs)
        used = [{cell for cells in side.values() for cell in cells} for side in sessions]
        full = sum(n for what, n in self.kills.items() if "full disk" in what)
        wrong, errors = self.folder / "wrong", self.folder / "errors"
        lines = errors.read_text().splitlines() if errors.exists() else []
        return {
            "kills": self.kills.total() - full,
            "full disks": full,
            "where": dict(sorted(self.kills.items())),
            "sessions": len(sessions[0].keys() | sessions[1].keys()),
            "used": len(used[0] | used[1]),
            "used by both": len(used[0] & used[1]),
            "reused": repeated,
            "mismatched": mismatched,
            "wrong": len(wrong.read_text().splitlines()) if wrong.exists() else 0,
            "unexpected": [line for line in lines if line.startswith("UNEXPECTED")],
            "errors": dict(Counter(line.split(":")[0] for line in lines)),
            "last errors": lines[-3:],
        }


if __name__ == "__main__":
    where, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(Killer(where, seed).run(rounds), indent=1))
