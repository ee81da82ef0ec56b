"""Stock for exactly what a program takes, found out by a rehearsal over a dealer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from petcore import _core
from petcore.errors import PetcoreError, UsageError
from petcore.mpc.operations import OPERATIONS

Order = tuple[str, list[int], int, int]


class Rehearsed:
    """A session of the core that notes what its operations would take from a store."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.needs: dict[tuple[str, tuple[int, ...]], tuple[int, int]] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        operation = OPERATIONS.get(name)
        if operation is None or operation.kind not in ("shares", "other") or not operation.arrays:
            return found
        return functools.partial(self._note, name, found)

    def _note(self, name: str, call: Callable[..., Any], *args: Any) -> Any:
        try:
            result = call(*args)
        except UsageError:
            raise  # what is refused takes nothing
        except PetcoreError:
            self._need(name, args)
            raise
        self._need(name, args)
        return result

    def _need(self, name: str, args: tuple[Any, ...]) -> None:
        op, sizes = OPERATIONS[name].charge(name, args, self._session.components)
        for kind, dims, units, chunk in _core.stock_for("semi2k", op, *sizes):
            have, longest = self.needs.get((kind, tuple(dims)), (0, 1))
            self.needs[kind, tuple(dims)] = have + units, max(longest, chunk)


def orders(rehearsed: list[Rehearsed]) -> list[Order]:
    """What the parties take; programs that are not alike may take different things."""
    most: dict[tuple[str, tuple[int, ...]], tuple[int, int]] = {}
    for one in rehearsed:
        for key, need in one.needs.items():
            most[key] = max(need, most.get(key, need))
    return [(kind, list(dims), units, chunk) for (kind, dims), (units, chunk) in most.items()]
