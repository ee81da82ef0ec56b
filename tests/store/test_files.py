"""What lies on the disk: sealed, for its owner alone, and refused whole where it was changed."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from petcore import _core
from petcore.errors import (
    SessionBroken,
    StockExhausted,
    StoreDamaged,
    StoreError,
    StoreKeyWrong,
    StoreLocked,
    UsageError,
)
from tests.protocol.operations import share, words

from .conftest import KEYS, Pair

MUL = ("multiplication", [], 60_000, 32768)


def product(n: int):
    x = words(np.random.default_rng(n), n)

    def program(session):
        a = share(session, x, 0)
        return bool(np.array_equal(session.open(session.mul(a, a), "square"), x * x))

    return program


def lots(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.lot"))


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def test_every_file_is_for_its_owner_alone(pair: Pair):
    pair.make(MUL)
    for folder in pair.paths:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_party_that_only_expands_keeps_seeds_and_nothing_is_in_clear(pair: Pair):
    pair.make(MUL)
    seeds, products = (lots(folder)[0].stat().st_size for folder in pair.paths)
    assert seeds < 1000
    assert 8 * 60_000 < products < 8 * 60_000 + 1000
    for folder in pair.paths:
        everything = np.frombuffer(b"".join(p.read_bytes()[200:] for p in lots(folder)), np.uint8)
        assert np.unique(everything).size > 100


def test_equal_stores_have_no_byte_in_common(pair: Pair, tmp_path):
    """Salts are drawn for each file, also where one journal follows the other."""
    pair.make(MUL)
    first = (pair.paths[1] / "journal").read_bytes()
    store = pair.open(1)
    store.close()
    second = (pair.paths[1] / "journal").read_bytes()
    assert first[20:52] != second[20:52]
    sealed = [np.frombuffer(raw[80:200], np.uint8) for raw in (first, second)]
    assert np.mean(sealed[0] == sealed[1]) < 0.1


def test_another_key_is_told_from_damage(pair: Pair):
    pair.make(MUL)
    with pytest.raises(
        StoreKeyWrong, match="another key; give the key that the store was made with"
    ):
        pair.open(0, key="33" * 32)
    with pytest.raises(StoreKeyWrong):
        _core.Store.inspect(str(pair.paths[0]), "33" * 32)


@pytest.mark.parametrize("key", ["", "11", "zz" * 32, "11" * 33])
def test_what_is_no_key_is_refused(pair: Pair, key):
    with pytest.raises(UsageError, match="64 hexadecimal digits; 'openssl rand -hex 32' makes one"):
        pair.open(0, key=key)


def test_a_store_of_another_pair_is_refused(pair: Pair):
    pair.make(MUL)
    with pytest.raises(StoreError, match="holds the stock of gateway with wallet, not of gateway"):
        _core.Store(str(pair.paths[0]), KEYS[0], 0, "gateway", "acquirer")


def test_there_is_no_stock_where_none_was_made(tmp_path):
    with pytest.raises(StoreError, match="holds no stock; 'petcore prepare' makes some"):
        _core.Store.inspect(str(tmp_path), KEYS[0])
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        _core.Store(str(tmp_path / "file" / "in"), KEYS[0], 0, "gateway", "wallet")


@pytest.mark.parametrize(
    "where", ["header", "first segment", "last byte", "short", "long", "empty"]
)
def test_a_damaged_lot_is_set_aside_whole_and_the_rest_is_used(pair: Pair, where):
    pair.make(MUL)
    pair.make((*MUL[:2], 2 * MUL[2], MUL[3]))
    path = min(lots(pair.paths[1]), key=lambda lot: lot.stat().st_mtime_ns)  # the one in use
    size = path.stat().st_size
    if where in ("short", "long", "empty"):
        os.truncate(path, {"short": size - 1, "long": size + 1, "empty": 0}[where])
    else:
        flip(path, {"header": 60, "first segment": 300, "last byte": size - 1}[where])
    found = []
    for _ in range(2):  # what is found in the middle of a session ends it; the next goes on
        results = pair.run(product(1000))
        found += [result for result in results if isinstance(result, StoreDamaged)]
        if results == [True, True]:
            break
    assert results == [True, True]
    assert len(found) == (where in ("first segment", "last byte"))
    assert pair.left(0) == pair.left(1)
    assert pair.left()["multiplication"] in (60_000 - 1000, 59_000)
    assert any(path.name in note for note in pair.notes[1])
    status = _core.Store.inspect(str(pair.paths[1]), KEYS[1])
    assert status["damaged"] == [f"{path.name}.damaged"]


def test_lots_cannot_take_each_others_places(pair: Pair):
    pair.make(MUL)
    pair.make((*MUL[:2], 2 * MUL[2], MUL[3]))
    first, second = lots(pair.paths[0])
    moved = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(moved)
    for error in pair.run(product(10)):
        assert isinstance(error, StockExhausted)


@pytest.mark.parametrize("at", [0, 60, 100, 200])
def test_a_damaged_journal_refuses_the_whole_store(pair: Pair, at):
    pair.make(MUL)
    flip(pair.paths[0] / "journal", at)
    with pytest.raises((StoreDamaged, StoreKeyWrong)):
        pair.open(0)


def test_a_journal_that_is_cut_short_is_refused(pair: Pair):
    pair.make(MUL)
    os.truncate(pair.paths[0] / "journal", 90)
    with pytest.raises(StoreDamaged, match="petcore stock --discard"):
        pair.open(0)


@pytest.mark.parametrize("name", ["journal", "lot"])
def test_another_version_of_the_format_is_named(pair: Pair, name):
    pair.make(MUL)
    path = pair.paths[0] / "journal" if name == "journal" else lots(pair.paths[0])[0]
    raw = bytearray(path.read_bytes())
    raw[16 if name == "journal" else 12] = 9
    path.write_bytes(raw)
    with pytest.raises(StoreError, match="version 9 of the format; this petcore reads version"):
        pair.open(0)


def test_a_lot_that_is_gone_is_told_and_not_used(pair: Pair):
    pair.make(MUL)
    lots(pair.paths[0])[0].unlink()
    for error in pair.run(product(10)):
        assert isinstance(error, StockExhausted)
    assert any("missing or damaged" in note for note in pair.notes[0])
    assert any("not at gateway" in note for note in pair.notes[1])


def test_a_second_process_is_refused_with_the_name_of_the_first(pair: Pair):
    pair.make(MUL)
    store = pair.open(0)
    code = (
        "import sys; from petcore import _core\n"
        f"_core.Store({str(pair.paths[0])!r}, {KEYS[0]!r}, 0, 'gateway', 'wallet')"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "StoreLocked" in other.stderr
    assert f"in use by process {os.getpid()}" in other.stderr
    with pytest.raises(StoreLocked):
        pair.open(0)
    assert _core.Store.inspect(str(pair.paths[0]), KEYS[0])["holder"] == os.getpid()
    store.close()
    pair.open(0).close()


def test_the_lock_of_a_killed_process_is_free(pair: Pair):
    pair.make(MUL)
    code = (
        "from petcore import _core; import time\n"
        f"s = _core.Store({str(pair.paths[0])!r}, {KEYS[0]!r}, 0, 'gateway', 'wallet')\n"
        "print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    pair.open(0).close()


def test_a_child_of_fork_can_neither_use_nor_give_back_its_copy(pair: Pair):
    pair.make(MUL)
    store = pair.open(0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.discard()
        except SessionBroken as error:
            status = 0 if "after fork() the child must open its own" in str(error) else 2
        store.close()
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(StoreLocked):
        pair.open(0)
    store.close()
    assert pair.left(0) == {"multiplication": 60_000}


def test_what_was_used_is_overwritten_and_a_used_lot_is_removed(pair: Pair):
    pair.make(MUL)
    path = lots(pair.paths[1])[0]
    before = path.read_bytes()
    assert pair.run(product(40_000)) == [True, True]
    after = path.read_bytes()
    assert len(after) == len(before)
    assert after[300:100_000] == bytes(99_700)  # what lay there is zero
    assert after[-1000:] == before[-1000:]
    assert pair.run(product(20_000)) == [True, True]
    for folder in pair.paths:
        assert not lots(folder)


def test_a_full_disk_refuses_and_what_is_there_stays(pair: Pair):
    """The limit is on the size of a file, which the system enforces as it does a full disk."""
    pair.make(MUL)
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.store.conftest import Pair\n"
        f"pair = Pair(Path({str(pair.paths[0].parent)!r}))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))\n"
        "order = ('multiplication', [], 2_000_000, 32768)\n"
        "for error in pair.run(lambda s: s.stock_up([order]), correlations='dealer'):\n"
        "    print(type(error).__name__, error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "StoreError" in ended.stdout, ended.stdout + ended.stderr
    assert "the disk is full: free some space, or make less stock" in ended.stdout
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert pair.run(product(1000)) == [True, True]
    assert pair.left(0) == pair.left(1) == {"multiplication": 59_000}
    assert not list(pair.paths[1].glob("*.draft"))


def test_a_copy_of_a_lot_that_was_used_up_is_not_taken_back(pair: Pair, tmp_path):
    pair.make(MUL)
    for folder in pair.paths:
        shutil.copy(lots(folder)[0], tmp_path / f"{folder.name}.kept")
    names = [lots(folder)[0].name for folder in pair.paths]
    assert pair.run(product(60_000)) == [True, True]
    for folder, name in zip(pair.paths, names, strict=True):
        shutil.copy(tmp_path / f"{folder.name}.kept", folder / name)
    for error in pair.run(product(10)):
        assert isinstance(error, StockExhausted)
    assert any("no part of this stock" in note for note in pair.notes[0])
