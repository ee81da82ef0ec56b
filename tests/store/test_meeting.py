"""When the parties meet they compare their stores and go on from the higher position of the two."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from petcore.errors import HandshakeMismatch, PeerAborted, PetcoreError
from tests.protocol.operations import share, words

from .conftest import NAMES, Pair

MUL = ("multiplication", [], 60_000, 32768)


def product(n: int):
    x = words(np.random.default_rng(n), n)

    def program(session):
        a = share(session, x, 0)
        return bool(np.array_equal(session.open(session.mul(a, a), "square"), x * x))

    return program


def traced(pair: Pair, party: int) -> tuple[dict[str, str], ...]:
    options: list[dict[str, str]] = [{}, {}]
    options[party] = {"trace": str(pair.paths[0].parent / "trace")}
    return tuple(options)


def used(pair: Pair) -> list[tuple[str, int]]:
    lines = (pair.paths[0].parent / "trace").read_text().split("\n")[:-1]
    cells = []
    for _, lot, first, count in map(str.split, lines):
        cells += [(lot, cell) for cell in range(int(first), int(first) + int(count))]
    return cells


@pytest.mark.parametrize("restored", [0, 1])
def test_a_backup_that_was_put_back_burns_up_to_the_peer(pair: Pair, tmp_path, restored):
    pair.make(MUL)
    assert pair.run(product(1000), options=traced(pair, restored)) == [True, True]
    shutil.copytree(pair.paths[restored], tmp_path / "backup")
    for n in (2000, 3000):
        assert pair.run(product(n), options=traced(pair, restored)) == [True, True]
    shutil.rmtree(pair.paths[restored])
    shutil.copytree(tmp_path / "backup", pair.paths[restored])
    assert pair.run(product(4000), options=traced(pair, restored)) == [True, True]
    cells = used(pair)
    assert len(cells) == 10_000 == len(set(cells))
    assert any("a backup was put back" in note for note in pair.notes[restored])
    assert any("burned here too" in note for note in pair.notes[restored])


def test_clones_of_a_machine_never_use_a_cell_twice(pair: Pair, tmp_path):
    """Two copies of one party take turns with the same peer."""
    pair.make(MUL)
    original = pair.paths[0]
    shutil.copytree(original, tmp_path / "clone")
    for turn in range(6):
        pair.paths[0] = original if turn % 2 == 0 else tmp_path / "clone"
        options = ({"trace": str(tmp_path / "trace")}, {})
        assert pair.run(product(500 + turn), options=options) == [True, True]
    pair.paths[0] = original
    cells = used(pair)
    assert len(cells) == len(set(cells)) == sum(500 + turn for turn in range(6))


def test_stores_of_different_making_are_refused_with_what_to_do(pair: Pair, tmp_path):
    pair.make(MUL)
    first = pair.paths[1]
    pair.paths[1] = tmp_path / "new"
    errors = pair.run(product(10))
    assert any(isinstance(error, HandshakeMismatch) for error in errors)
    assert all(isinstance(error, (HandshakeMismatch, PeerAborted)) for error in errors)
    assert any("not made together" in str(e) and "--discard" in str(e) for e in errors)
    pair.paths[1] = first
    assert pair.run(product(10)) == [True, True]


def discard(pair: Pair, *parties: int) -> None:
    for party in parties:
        store = pair.open(party)
        store.discard()
        store.close()


def test_discarding_at_both_starts_anew(pair: Pair):
    pair.make(MUL)
    discard(pair, 0, 1)
    assert pair.left(0) == pair.left(1) == {"multiplication": 0}
    pair.make(MUL)
    assert pair.run(product(10)) == [True, True]


def test_a_backup_from_before_a_discard_is_refused_by_name(pair: Pair, tmp_path):
    pair.make(MUL)
    shutil.copytree(pair.paths[1], tmp_path / "backup")
    discard(pair, 0, 1)
    pair.make(MUL)
    shutil.rmtree(pair.paths[1])
    shutil.copytree(tmp_path / "backup", pair.paths[1])
    errors = pair.run(product(10))
    assert any("run 'petcore stock --discard' at wallet" in str(error) for error in errors)
    discard(pair, 1)
    for result in pair.run(lambda s: s.stock_up([MUL]), correlations="dealer"):
        assert result is None
    assert pair.run(product(10)) == [True, True]


def test_a_lot_that_only_one_party_has_is_removed_and_told(pair: Pair):
    pair.make(MUL)
    pair.make((*MUL[:2], 2 * MUL[2], MUL[3]))
    newest = max(pair.paths[0].glob("*.lot"), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    assert pair.run(product(10)) == [True, True]
    assert pair.left(0) == pair.left(1) == {"multiplication": 59_990}
    assert any("not at gateway" in note for note in pair.notes[1])


def test_the_policy_at_zero_is_a_term(pair: Pair):
    pair.make(MUL)
    # one party would make online what the other refuses
    from petcore import _core

    errors: list[BaseException] = []
    peers = _core.memory_channels(*NAMES, _core.Limits(deadline_s=2.0))
    dealer = _core.memory_channels("dealer", NAMES[1], _core.Limits(deadline_s=2.0))
    import threading

    def party(i: int) -> None:
        store = pair.open(i)
        try:
            _core.Session(
                "semi2k", i, NAMES, {1 - i: peers[i]}, dealer[1] if i else None, [],
                correlations="store", store=store, at_zero="make" if i else "refuse",
            )  # fmt: skip
        except Exception as error:
            errors.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=party, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(errors) == 2
    assert any("at zero" in str(error) for error in errors)


def test_a_clean_end_gives_back_what_was_set_aside(pair: Pair):
    pair.make(MUL)
    for left in (59_999, 59_998, 59_997):
        assert pair.run(product(1)) == [True, True]
        assert pair.left(0) == pair.left(1) == {"multiplication": left}


def test_a_session_that_lost_its_link_gives_nothing_back(pair: Pair):
    """Whoever was put back in the middle of a session, memory and all, finds its link cut."""
    pair.make(MUL)

    def program(session):
        product(1000)(session)
        if session.party == 0:
            pair.peers[0].close()
        session.checkpoint("next")

    for error in pair.run(program):
        assert isinstance(error, PetcoreError)
    left = pair.left(0)["multiplication"]
    assert 50_000 < left < 59_000
    assert pair.left(1) == {"multiplication": 59_000}  # the peer heard a proper end
    assert pair.run(product(100)) == [True, True]
    assert pair.left(0) == pair.left(1) == {"multiplication": left - 100}


def test_a_session_that_ends_by_an_error_of_its_own_gives_back_what_it_did_not_use(pair: Pair):
    pair.make(MUL)

    def program(session):
        product(1000)(session)
        raise ValueError("the program's own")

    pair.run(program)
    assert pair.left(0) == pair.left(1) == {"multiplication": 59_000}


def test_only_few_operations_wait_until_the_peer_has_granted_more(pair: Pair):
    pair.make(MUL)
    peer = dict(enumerate(reversed(NAMES)))

    def program(session):
        a = share(session, words(np.random.default_rng(0), 300), 0)
        waits = 0
        for _ in range(190):
            before = session.cost()["links"][peer[session.party]]["payload_sent"]
            session.mul(a, a)
            sent = session.cost()["links"][peer[session.party]]["payload_sent"] - before
            extra = sent - session.declared("mul", 300)["bytes"]
            assert extra in (0, 8)
            waits += extra == 8
        return waits

    first, second = pair.run(program)
    assert first == second
    assert 1 <= first <= 40
