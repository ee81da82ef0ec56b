"""Outbox, inbox, counters, replay marks and small records; and that migrations make the tables."""

import pytest
from sqlalchemy import inspect

from petcore.errors import LedgerError, UsageError
from petcore.network.ledger import (
    Counters,
    Database,
    Documents,
    Inbox,
    Mark,
    Outbox,
    Outgoing,
    ReplayMarks,
    Seen,
    Windows,
)
from petcore.network.ledger.outbox import INBOX_AHEAD
from petcore.network.ledger.tables import metadata
from petcore.network.ledger.version import HEAD, SCRIPTS


def letters(*recipients):
    return [Outgoing(name, "notify", f"shop/{i}", b"body") for i, name in enumerate(recipients)]


def put_half(database):
    with database.write():
        Outbox(database).put(letters("a"))
        raise KeyError


def test_letters_are_numbered_per_recipient_and_kept_until_acknowledged(database):
    outbox = Outbox(database)
    numbered = [(letter.recipient, letter.number) for letter in outbox.put(letters("a", "b", "a"))]
    assert sorted(numbered) == [("a", 1), ("a", 2), ("b", 1)]
    assert outbox.recipients() == ["a", "b"]
    outbox.acknowledge("a", [1, 7])
    assert [letter.number for letter in outbox.pending("a")] == [2]
    outbox.acknowledge("a", [2])
    assert [letter.number for letter in outbox.put(letters("a"))] == [3]
    assert [letter.number for letter in outbox.pending("a", above=3)] == []


def test_numbers_go_on_after_a_restart_and_with_a_transaction_that_failed(url, clock):
    with Database.open(url, clock=clock) as database:
        Outbox(database).put(letters("a"))
        with pytest.raises(KeyError):
            put_half(database)
    with Database.open(url, clock=clock) as database:
        assert [letter.number for letter in Outbox(database).put(letters("a"))] == [2]


def test_a_message_is_taken_once_in_whatever_order_it_comes(database):
    inbox = Inbox(database)
    assert inbox.take("a", [2, 2, 5]) == [True, False, True]
    assert inbox.take("a", [1, 2, 3]) == [True, False, True]
    assert inbox.take("a", [5, 4, 6, 1]) == [False, True, True, False]
    assert inbox.take("b", [1]) == [True]
    assert inbox.take("a", range(1, 8)) == [False] * 6 + [True]


@pytest.mark.parametrize("number", [0, -1, INBOX_AHEAD + 1])
def test_a_message_with_an_impossible_number_is_refused(database, number):
    with pytest.raises(UsageError, match="cannot be next"):
        Inbox(database).take("a", [1, number])
    assert Inbox(database).take("a", [1]) == [True]


def test_counters_never_give_a_number_twice(url):
    with Database.open(url) as database:
        assert list(Counters(database).reserve("x", 3)) == [1, 2, 3]
    with Database.open(url) as database:
        assert list(Counters(database).reserve("x")) == [4]
        assert list(Counters(database).reserve("y")) == [1]
        with pytest.raises(UsageError):
            Counters(database).reserve("x", 0)


def test_a_replayed_counter_is_known_until_it_is_pruned(database):
    marks = ReplayMarks(database)
    first, other = Mark("a", 1, "id-1", 100), Mark("a", 1, "id-2", 100)
    assert marks.see([first, first, other, Mark("b", 1, "id-1", 200)]) == [
        Seen.FRESH,
        Seen.SAME,
        Seen.OTHER,
        Seen.FRESH,
    ]
    assert marks.see([first]) == [Seen.SAME]
    assert marks.see([]) == []
    assert marks.prune(150) == 1
    assert marks.see([other]) == [Seen.FRESH]


def test_records_of_a_space_are_replaced_and_removed(database):
    users, codes = Documents(database, "users"), Documents(database, "codes")
    users.put({"alice": b"1", "bob": b"2"})
    codes.put({"alice": b"3"})
    users.put({"bob": b"4"})
    users.remove(["alice", "nobody"])
    assert (users.all(), users.get(["bob", "alice"])) == ({"bob": b"4"}, {"bob": b"4"})
    assert codes.get(["alice"]) == {"alice": b"3"}


def test_records_are_erased_after_their_end_and_others_stay(database):
    codes, users = Documents(database, "codes"), Documents(database, "users")
    codes.put({"old": b"1", "young": b"2", "lasting": b"3"}, until={"old": 99, "young": 100})
    users.put({"old": b"4"}, until={"old": 1})
    assert [codes.forget(100), codes.forget(100)] == [1, 0]
    assert codes.all() == {"young": b"2", "lasting": b"3"}
    assert users.all() == {"old": b"4"}


def test_a_database_of_the_first_version_is_brought_to_this_one_with_what_it_holds(url):
    from alembic import command
    from alembic.config import Config

    with Database.open(url) as database:
        Documents(database, "x").put({"name": b"kept"})
        with database.write() as connection:
            config = Config()
            config.set_main_option("script_location", str(SCRIPTS))
            config.attributes["connection"] = connection
            connection.exec_driver_sql("DROP INDEX documents_until")
            connection.exec_driver_sql("ALTER TABLE documents DROP COLUMN until")
            command.stamp(config, "0001")
    with pytest.raises(LedgerError, match="open it once for writing"):
        Database.open(url, reader=True)
    with Database.open(url) as database:
        assert Documents(database, "x").all() == {"name": b"kept"}
        assert Documents(database, "x").forget(2**62) == 0


def test_only_the_open_window_ends(database):
    windows = Windows(database)
    assert windows.current() == 1
    with pytest.raises(UsageError, match="window 1 is open"):
        windows.cut(2)
    assert windows.cut(1) == 2
    first = windows.get(1)
    assert first is not None
    assert first.closed is not None
    assert windows.get(9) is None


def test_the_migrations_make_the_tables_that_the_code_declares(database):
    with database.read() as connection:
        looked = inspect(connection)
        assert set(looked.get_table_names()) == {*metadata.tables, "alembic_version"}
        for name, table in metadata.tables.items():
            found = {column["name"]: column for column in looked.get_columns(name)}
            assert {n: c["nullable"] for n, c in found.items()} == {
                c.name: c.nullable for c in table.columns
            }
            kinds = {n: c["type"].python_type for n, c in found.items()}
            assert kinds == {c.name: c.type.python_type for c in table.columns}
            assert {index["name"] for index in looked.get_indexes(name)} >= {
                index.name for index in table.indexes
            }
            key = looked.get_pk_constraint(name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key]


def test_the_newest_migration_is_the_one_that_opening_expects():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_opening_again_changes_nothing_and_needs_no_migration_tool(url, monkeypatch):
    with Database.open(url):
        pass
    monkeypatch.setitem(__import__("sys").modules, "alembic", None)
    with Database.open(url) as database:
        assert Documents(database, "x").all() == {}
