"""Programs on shared arrays, run at both parties by `petcore.simulate`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc


def shared_by_turns(session: pc.Session, arrays: tuple[Any, ...]) -> list[pc.SharedArray]:
    """Input array i from party i mod 2."""
    return [
        session.input(a if session.party == i % 2 else None, owner=i % 2)
        for i, a in enumerate(arrays)
    ]


def evaluate(function: Callable[..., Any], *arrays: Any) -> Any:
    """Run a function on shares of the arrays and give what it opens, equal at both parties."""

    def program(session: pc.Session) -> Any:
        result = function(*shared_by_turns(session, arrays))
        many = result if isinstance(result, list) else [result]
        opened = [session.open(x, label=f"result {i}") for i, x in enumerate(many)]
        return opened if isinstance(result, list) else opened[0]

    first, second = pc.simulate(program)
    for a, b in zip(first, second, strict=True) if isinstance(first, list) else [(first, second)]:
        np.testing.assert_array_equal(a, b)
    return first


def outcomes(*programs: Callable[[pc.Session], Any], **options: Any) -> list[Any]:
    """Run one program at both parties (or one each); give results or exceptions, by party.

    Fails where a party does not end within 10 s.
    """
    each = programs * 2 if len(programs) == 1 else programs
    caught: list[Any] = [None, None]

    def program(session: pc.Session) -> Any:
        try:
            with session:
                caught[session.party] = each[session.party](session)
        except Exception as error:
            caught[session.party] = error

    def run() -> None:
        with contextlib.suppress(pc.PetcoreError):  # the caught ones, raised once more
            pc.simulate(program, **options)

    runner = threading.Thread(target=run, daemon=True)
    runner.start()
    runner.join(10)
    assert not runner.is_alive(), "a party hangs"
    return caught


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240607)
