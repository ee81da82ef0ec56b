"""A process that dies at any moment leaves a ledger whose rules hold, with all it was told is done."""

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from petcore.errors import (
    ConfigError,
    LedgerDamaged,
    LedgerError,
    LedgerLocked,
    LedgerNewer,
    UsageError,
)
from petcore.network.ledger import (
    Accounts,
    BatchState,
    Database,
    Journal,
    NodeJournal,
    Outbox,
    State,
    check_invariants,
    finals,
)
from petcore.network.ledger.tables import parts

SPENDER = Path(__file__).with_name("spender.py")


def spender(work, url, run=0, **more):
    return subprocess.Popen(
        [sys.executable, SPENDER, work, url, str(run)], stdout=subprocess.PIPE, text=True, **more
    )


def killed_after(process, lines):
    """Kill it after so many lines, and return all that it could say."""
    said = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    said += process.communicate(timeout=30)[0].splitlines()
    return [tuple(line.split()) for line in said]


def check_edge(url, said, before):
    with Database.open(url) as database:
        assert check_invariants(database, clear=True, before=before) == []
        records = Journal(database).find([name for word, name in said if word in ("held", "ended")])
        ended = {name for word, name in said if word == "ended"}
        assert {name for name, record in records.items() if not record.state.open} >= ended
        letters = [letter.request for letter in Outbox(database).pending("peer", limit=10**6)]
        after = finals(database)
        assert len(letters) == len(set(letters))
        assert set(letters) == set(after)
        spent = sum(state is State.POSTED for state, _ in after.values()) * 7
        user = next(a for a in Accounts(database).all() if a.owner == "user")
        assert user.posted % 10**9 == -spent % 10**9
        return after


@pytest.mark.processes
def test_an_edge_that_is_killed_at_random_loses_nothing_and_doubles_nothing(url):
    rng = np.random.default_rng(7)
    before = {}
    for run in range(3):
        said = killed_after(spender("spend", url, run), rng.integers(3, 40))
        assert said[0] == ("open",)
        before = check_edge(url, said[1:], before)
    assert len(before) > 3


@pytest.mark.processes
def test_a_node_that_is_killed_at_random_has_batches_that_count_wholly_or_not(url):
    rng = np.random.default_rng(8)
    for run in range(3):
        said = killed_after(spender("clear", url, run), rng.integers(2, 30))
        with Database.open(url) as database:
            assert check_invariants(database, clear=False) == []
            journal = NodeJournal(database)
            for word, number in said[1:]:
                batch = journal.batch(int(number))
                assert batch is not None
                assert batch.state >= BatchState[word.upper()]


@pytest.mark.processes
def test_a_full_disk_is_an_error_that_leaves_nothing_half_done(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Database.open(url):
        pass
    size = os.path.getsize(tmp_path / "ledger.db")

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 600_000, size + 600_000))

    process = spender("spend", url, preexec_fn=limited)
    said = [tuple(line.split()) for line in process.communicate(timeout=60)[0].splitlines()]
    assert process.returncode == 3
    assert said[-1] == ("refused", "ledger-full")
    assert check_edge(url, said[1:-1], {})
    process = spender("spend", url, 1)
    assert len(killed_after(process, 5)) >= 5


@pytest.mark.processes
def test_a_second_owner_is_refused_while_the_first_lives_and_let_in_after_it_died(url):
    first = spender("spend", url)
    assert first.stdout.readline() == "open\n"
    with pytest.raises(LedgerLocked) as caught:
        Database.open(url)
    assert (caught.value.code, caught.value.retryable) == ("ledger-locked", True)
    for _ in range(4):
        first.stdout.readline()
    with Database.open(url, reader=True) as reader:
        assert check_invariants(reader, clear=True) == []
    killed_after(first, 1)
    with Database.open(url) as database:
        assert check_invariants(database, clear=True) == []


def test_the_same_process_opens_a_ledger_once(url):
    with Database.open(url), pytest.raises(LedgerLocked):
        Database.open(url)
    with Database.open(url):
        pass


def test_a_reader_cannot_write(database, url):
    with Database.open(url, reader=True) as reader, pytest.raises(UsageError) as caught:
        Journal(reader).tombstone(["a/b"])
    assert "opened to read" in str(caught.value)


@pytest.mark.parametrize("damage", ["rubbish", "header", "middle"])
def test_a_damaged_file_is_named_and_left_alone(tmp_path, damage):
    path = tmp_path / "ledger.db"
    with Database.open(path) as database:
        Journal(database).tombstone([f"a/{index}" for index in range(2000)])
    content = bytearray(path.read_bytes())
    if damage == "rubbish":
        content = bytearray(b"not a database at all, " * 500)
    elif damage == "header":
        content[:16] = bytes(16)
    else:
        content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(LedgerDamaged) as caught, Database.open(path) as database:
        Journal(database).find(["a/7"])
    assert caught.value.retryable is False
    assert path.read_bytes() == bytes(content)


def test_a_ledger_of_a_newer_petcore_is_refused_and_left_alone(url):
    with Database.open(url) as database, database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for reader in (False, True):
        with pytest.raises(LedgerNewer, match="install a newer petcore"):
            Database.open(url, reader=reader)


def test_an_empty_database_is_not_made_by_who_only_reads(url):
    with pytest.raises(LedgerError, match="open it once for writing"):
        Database.open(url, reader=True)


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "sqlite://", "sqlite:///:memory:", "nonsense://", "://", "oracle://x"]
)
def test_other_databases_are_refused_by_name(url):
    with pytest.raises(ConfigError):
        Database.open(url)


def test_a_place_that_does_not_exist_or_may_not_be_written_is_an_error(tmp_path):
    with pytest.raises(LedgerError):
        Database.open(tmp_path / "nowhere" / "ledger.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(LedgerError):
        Database.open(tmp_path / "folder.db")


def write_half(database, journal):
    with database.write():
        journal.tombstone(["a/1"])
        raise KeyError


def hide_a_failure(database, journal):
    with database.write():
        with contextlib.suppress(KeyError):
            write_half(database, journal)
        journal.tombstone(["a/2"])


def test_a_part_that_failed_fails_the_whole_transaction_even_if_it_was_caught(database):
    journal = Journal(database)
    with pytest.raises(LedgerError, match="a part of the transaction failed"):
        hide_a_failure(database, journal)
    assert journal.find(["a/1", "a/2"]) == {}
    assert journal.tombstone(["a/1"]) == [True]


def test_an_error_inside_a_transaction_undoes_all_of_it(database):
    journal = Journal(database)
    with pytest.raises(KeyError):
        write_half(database, journal)
    assert journal.find(["a/1"]) == {}


def test_errors_of_the_database_hold_no_values(database):
    row = {"request": "shop/SECRET-42", "part": 0, "content": b"SECRET"}
    with pytest.raises(LedgerError) as caught, database.write() as connection:
        connection.execute(insert(parts), [row, row])
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_sqlite_syncs_every_commit_that_is_to_be_durable(tmp_path):
    with Database.open(tmp_path / "ledger.db") as database:
        with database.write() as connection:
            levels = [connection.exec_driver_sql("PRAGMA synchronous").scalar()]
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        with database.write(durable=False) as connection:
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
        with database.write() as connection:
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    assert levels == [2, 1, 2]  # FULL, NORMAL, FULL
    assert sqlite3.threadsafety
