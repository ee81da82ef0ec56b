"""Batch: independent operations of one kind run as one, in the rounds of one."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from typing import Any, cast

import numpy as np

from petcore.mpc.core import Core
from petcore.mpc.deferred import Deferred, forced, kept, known, level_of
from petcore.mpc.operations import OPERATIONS, Operation

ELEMENTS_MAX = 1 << 22


class Batch:
    """Operations that wait to be run together, level by level.

    An operation's level is the length of the chain of operations that it depends on. All of one
    level, one name and equal parameters are joined into one call, in the order in which they were
    asked for, which is the same at every party.
    """

    def __init__(self, core: Core) -> None:
        self._inner = core
        self._waiting: list[Deferred] = []
        self._elements = 0
        self.asked: list[tuple[str, list[int]]] = []  # what waits, as operations of the core
        self.over = False
        self.core = cast(Core, BatchCore(core, self))

    def add(self, deferred: Deferred) -> None:
        """Take up what waits."""
        self._waiting.append(deferred)

    def make_room(self, elements: int) -> None:
        """Run what waits before it takes too much memory."""
        if self._elements + elements > ELEMENTS_MAX:
            self.run()
        self._elements += elements

    def run(self) -> None:
        """Run everything that waits."""
        waiting, self._waiting, self._elements, self.asked = self._waiting, [], 0, []
        levels: dict[int, list[Deferred]] = {}
        for deferred in waiting:
            levels.setdefault(deferred.level, []).append(deferred)
        for level in sorted(levels):
            groups: dict[Any, list[Deferred]] = {}
            for deferred in levels[level]:
                if deferred.group is not None:
                    groups.setdefault(deferred.group, []).append(deferred)
            for (name, *_), members in groups.items():
                self._join(name, members)
            for deferred in levels[level]:
                if deferred.group is None:
                    deferred.resolve()

    def end(self) -> None:
        """Forget what waits; it will have no value."""
        self._waiting.clear()
        self.asked.clear()
        self.over = True

    def _join(self, name: str, members: list[Deferred]) -> None:
        """Run one operation on the elements of all members, one after the other."""
        operation, parts = OPERATIONS[name], self._inner.components
        calls = [member.arguments() for member in members]
        arrays = [
            np.concatenate([call[i].reshape(parts, -1) for call in calls], axis=1)
            for i in range(operation.arrays)
        ]
        context = members[0].context
        assert context is not None  # noqa: S101  it has a group
        call = functools.partial(getattr(self._inner, name), *arrays, *calls[0][operation.arrays :])
        joined = context.run(call).reshape(parts, -1)
        ends = accumulate(member.size // parts for member in members)
        begin = 0
        for member, end in zip(members, ends, strict=True):
            member.become(joined[:, begin:end].flatten())
            begin = end


class BatchCore:
    """A core that defers what can be joined, and does the rest at once."""

    def __init__(self, core: Core, batch: Batch) -> None:
        self._inner, self._batch = core, batch
        for name, operation in OPERATIONS.items():
            call = getattr(core, name)
            if operation.kind == "shares":
                run = functools.partial(self._defer, name, operation, call)
            elif operation.kind == "local":
                run = functools.partial(self._locally, operation, call)
            else:
                run = functools.partial(_now, call)
            setattr(self, name, run)

    def __getattr__(self, name: str) -> Any:
        """Give what the core has."""
        return getattr(self._inner, name)

    def stock(self) -> dict[str, Any] | None:
        """Give what is in stock beyond what the operations that wait are going to take."""
        stock = self._inner.stock()
        if stock is None:
            return None
        taken: Counter[str] = Counter()
        for name, sizes in self._batch.asked:
            for pool, units in self._inner.takes(name, *sizes):
                taken[pool] += units
        pools = [p | {"units": max(0, p["units"] - taken[p["pool"]])} for p in stock["pools"]]
        return stock | {"pools": pools}

    def _defer(self, name: str, operation: Operation, call: Callable[..., Any], *args: Any) -> Any:
        arrays, parameters = args[: operation.arrays], args[operation.arrays :]
        size = arrays[0].size
        if size == 0 or any(array.size != size for array in arrays[1:]):
            return call(*forced(args))  # which answers, or says what is wrong
        self._batch.make_room(size)
        self._batch.asked.append(operation.charge(name, args, self._inner.components))
        arrays = known(arrays)
        return Deferred(
            self._batch,
            (size * operation.each(*parameters),),
            np.dtype(operation.word),
            call,
            (*map(kept, arrays), *parameters),
            level=level_of(arrays) + 1,
            group=(name, *parameters),
        )

    def _locally(self, operation: Operation, call: Callable[..., Any], *args: Any) -> Any:
        args = known(args)
        level = level_of(args)
        if level == 0:
            return call(*args)
        shape, word = (args[0].size,), np.dtype(operation.word)
        together = functools.partial(_contiguously, call)
        return Deferred(self._batch, shape, word, together, tuple(map(kept, args)), level=level)


def _now(call: Callable[..., Any], *args: Any) -> Any:
    return call(*forced(args))


def _contiguously(call: Callable[..., Any], *arrays: Any) -> Any:
    return call(*map(np.ascontiguousarray, arrays))
