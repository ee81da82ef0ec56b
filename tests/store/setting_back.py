"""One party dies at some call by which it writes, and the other is then put back to a backup.

setting_back.py FOLDER ROUNDS SEED, as engine.py, with `faults.c` preloaded. The backup was made before
the session in which the peer died, before one of the sessions before that, or while it ran: the
process is stopped at some call by which it writes, as a copy of a machine stops it. Nobody is put
back while its peer, put back earlier, has not met it since: two who were both put back cannot notice.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from itertools import product
from pathlib import Path

from petcore import _core
from tests.store.engine import ACTIONS, KEYS, NAMES, STOP, Killer

MOMENTS = ("before the session", "an earlier session", "while it runs")


class SettingBack(Killer):
    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        # Every part of a session as often as every other; the rest is drawn.
        parts = list(product((0, 1), ACTIONS, MOMENTS, range(3)))
        self.cases = [parts[i] for i in self.rng.permutation(len(parts))]
        self.backups: list[list[Path]] = [[], []]  # since the stock was last filled
        self.put_back: dict[int, int] = {}  # parties, and how many sessions they knew then

    def round(self, number: int, fill: bool, disturb: bool) -> None:
        if fill:
            self.backups = [[], []]
        if fill or not disturb:
            super().round(number, fill, disturb and number % 8 == 0)
            return
        kept, action, moment, third = self.cases[number % len(self.cases)]
        first, last = (max(2, int(part * self.calls[False] / 3)) for part in (third, third + 1))
        call = int(self.rng.integers(first, last + 1))
        plans = {1 - kept: (call, ACTIONS[action], bool(self.rng.integers(2)))}
        if moment == "while it runs":
            plans[kept] = (int(self.rng.integers(1, last + 1)), STOP, False)
        self.backups[kept].append(self.back_up(kept, f"{number}"))
        running = self.start(number, False, plans)
        backup = self.backups[kept][-1]
        if moment == "while it runs":
            backup = self.copy_when_stopped(running, kept, number) or backup
        elif moment == "an earlier session":
            backup = self.backups[kept][self.rng.integers(len(self.backups[kept]))]
        self.wait(set(running.values()))
        if self.sessions(1 - kept) == self.put_back.get(1 - kept):
            self.kills[f"{NAMES[1 - kept]} {action}"] += 1
            return
        self.kills[f"{NAMES[1 - kept]} {action}, then {NAMES[kept]} as {moment}"] += 1
        shutil.rmtree(self.folder / NAMES[kept])
        shutil.copytree(backup, self.folder / NAMES[kept])
        self.put_back[kept] = self.sessions(kept)

    def sessions(self, party: int) -> int:
        status = _core.Store.inspect(str(self.folder / NAMES[party]), KEYS[party])
        return int(status["sessions"])

    def back_up(self, party: int, name: str) -> Path:
        path = self.folder / f"{NAMES[party]}.{name}.backup"
        shutil.copytree(self.folder / NAMES[party], path)
        return path

    def copy_when_stopped(self, running: dict[int, int], party: int, number: int) -> Path | None:
        """Copy what a party has on its disk where it stops; None where it ends before."""
        process, status = os.waitpid(running[party], os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            del running[party]
            return None
        path = self.back_up(party, f"{number}.running")
        os.kill(process, signal.SIGCONT)
        return path


if __name__ == "__main__":
    where, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(SettingBack(where, seed).run(rounds), indent=1))
