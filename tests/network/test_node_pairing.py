"""The session of two nodes: it breaks, and is made anew, without a new process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest

from petcore.config import load_config
from petcore.connecting import run_dealer
from petcore.errors import (
    HandshakeMismatch,
    PeerAborted,
    PeerUnreachable,
    PetcoreError,
    SessionBroken,
)
from petcore.mpc import Session
from petcore.network.node.pairing import Pairing


@pytest.fixture
def dealer(configs) -> Iterator[None]:
    stop = threading.Event()
    ready = threading.Event()
    thread = threading.Thread(
        target=run_dealer,
        args=(configs["dealer"],),
        kwargs={"stop": stop, "on_event": lambda _: ready.set()},
    )
    thread.start()
    ready.wait()
    yield
    stop.set()
    thread.join()


def with_pair(
    configs: Any, test: Callable[[Pairing, Pairing], Awaitable[Any]], **changes: str
) -> Any:
    async def whole() -> Any:
        a = Pairing(load_config(configs["gateway"]), "same")
        b = Pairing(load_config(configs["wallet"]), changes.get("directory", "same"))
        try:
            return await test(a, b)
        finally:
            a.close()
            b.close()

    return asyncio.run(whole())


def product(session: Session) -> int:
    x = session.input(np.array([6]) if session.party == 0 else None, owner=0)
    y = session.input(np.array([7]) if session.party == 1 else None, owner=1)
    return int(session.open(x * y, label="product")[0])


def both(name: str, a: Pairing, b: Pairing) -> Awaitable[list[int]]:
    return asyncio.gather(a.run(name, product), b.run(name, product))


@pytest.mark.usefixtures("dealer")
def test_two_nodes_meet_compute_and_stay_paired(configs):
    async def test(a: Pairing, b: Pairing) -> None:
        assert (a.state, a.name) == ("apart", "")
        await asyncio.gather(a.meet("one"), b.meet("one"))
        assert (a.state, b.name) == ("paired", "one")
        assert await both("one", a, b) == [42, 42]
        assert await both("one", a, b) == [42, 42]

    with_pair(configs, test)


@pytest.mark.usefixtures("dealer")
def test_a_computation_that_fails_at_one_node_parts_both_and_they_meet_again(configs):
    def defect(_: Session) -> int:
        raise ValueError("a defect at one node")

    async def test(a: Pairing, b: Pairing) -> None:
        await asyncio.gather(a.meet("one"), b.meet("one"))
        errors = await asyncio.gather(
            a.run("one", defect), b.run("one", product), return_exceptions=True
        )
        assert isinstance(errors[0], ValueError)
        assert isinstance(errors[1], PeerAborted)
        assert (a.state, b.state) == ("apart", "apart")
        with pytest.raises(SessionBroken):
            await a.run("one", product)
        await asyncio.gather(a.meet("two"), b.meet("two"))
        assert await both("two", a, b) == [42, 42]

    with_pair(configs, test)


@pytest.mark.usefixtures("dealer")
def test_meeting_again_while_one_node_still_believes_in_the_old_session_works(configs):
    async def test(a: Pairing, b: Pairing) -> None:
        await asyncio.gather(a.meet("one"), b.meet("one"))
        await b.part()  # as after a crash; A has not noticed
        assert a.state == "paired"
        await asyncio.gather(a.meet("two"), b.meet("two"))
        with pytest.raises(SessionBroken):
            await a.run("one", product)
        assert await both("two", a, b) == [42, 42]

    with_pair(configs, test)


@pytest.mark.usefixtures("dealer")
def test_nodes_with_another_directory_do_not_meet(configs):
    async def test(a: Pairing, b: Pairing) -> None:
        met = await asyncio.gather(a.meet("one"), b.meet("one"), return_exceptions=True)
        assert any(isinstance(error, HandshakeMismatch) for error in met)
        assert all(isinstance(error, PetcoreError) for error in met)
        assert (a.state, b.state) == ("apart", "apart")

    with_pair(configs, test, directory="other")


@pytest.mark.usefixtures("dealer")
def test_a_node_that_is_an_attempt_behind_catches_up(configs):
    """As after a crash of node A, whose last word before it had begun an attempt at node B."""

    async def test(a: Pairing, b: Pairing) -> None:
        answers = [b.meet("before the crash")]
        for attempt in range(6):
            answers.append(b.meet(f"{attempt}"))
            try:
                await a.meet(f"{attempt}")
                break
            except PetcoreError:
                await asyncio.sleep(0.1)  # node A pauses too: B learns of the failure
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        assert outcomes[-1] is None
        assert a.name == b.name == f"{attempt}"
        assert await both(a.name, a, b) == [42, 42]

    with_pair(configs, test)


def test_a_node_that_finds_nobody_says_so_and_can_try_again(configs):
    async def test(a: Pairing, b: Pairing) -> None:
        b._meet = 0.2
        for _ in range(2):
            with pytest.raises(PeerUnreachable):
                await b.meet("one")
            assert b.state == "apart"

    with_pair(configs, test)
