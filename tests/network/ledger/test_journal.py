"""The journal: each id is accepted once, answered once, and never forgotten."""

import pytest
from sqlalchemy import delete, update

from petcore.errors import LedgerError, UsageError
from petcore.network.ledger import (
    Acceptance,
    Cancelled,
    EdgeJournal,
    Finish,
    Journal,
    Kind,
    Request,
    State,
    check_invariants,
    finals,
    key,
    split_key,
)
from petcore.network.ledger.records import Part
from petcore.network.ledger.tables import parts, requests

LATER = 1_750_000_600_000


def pay(name="ORDER-1", tag=b"t", expires=LATER, **more):
    return Request(key("shop-bank", name), Kind.PAY, tag, expires, **more)


def refund(name, payment, tag=b"r"):
    return Request(
        key("shop-bank", name), Kind.REFUND, tag, LATER, payment=key("shop-bank", payment)
    )


def outcomes(accepted):
    return [outcome for outcome, _ in accepted]


def test_an_id_is_new_once_and_stored_after_that(database):
    journal = Journal(database)
    assert outcomes(journal.accept([pay(), pay("ORDER-2")])) == [Acceptance.NEW] * 2
    [again] = journal.accept([pay(body=b"sealed anew")])
    assert again.outcome is Acceptance.STORED
    assert again.record is not None
    assert again.record.state is State.NEW


def test_the_same_id_with_other_content_is_inconsistent_and_changes_nothing(database):
    journal = Journal(database)
    journal.accept([pay(body=b"first")])
    assert outcomes(journal.accept([pay(tag=b"other", body=b"second")])) == [
        Acceptance.INCONSISTENT
    ]
    assert journal.find([pay().request])[pay().request].body == b"first"


def test_the_first_of_two_with_one_id_in_one_call_counts(database):
    journal = Journal(database)
    assert outcomes(journal.accept([pay(), pay(), pay(tag=b"other")])) == [
        Acceptance.NEW,
        Acceptance.STORED,
        Acceptance.INCONSISTENT,
    ]


def test_a_request_that_comes_after_its_time_is_refused_and_not_kept(database, clock):
    journal = Journal(database)
    assert outcomes(journal.accept([pay(expires=clock.now)])) == [Acceptance.EXPIRED]
    assert journal.find([pay().request]) == {}


def test_an_id_that_is_known_is_stored_even_after_its_time(database, clock):
    journal = Journal(database)
    journal.accept([pay()])
    clock.now = LATER + 1
    assert outcomes(journal.accept([pay()])) == [Acceptance.STORED]


def test_a_tombstone_refuses_a_payment_that_comes_late(database):
    journal = Journal(database)
    assert journal.tombstone([pay().request, pay().request]) == [True, True]
    assert outcomes(journal.accept([pay()])) == [Acceptance.TOMBSTONED]
    assert journal.tombstone([pay().request]) == [False]


def test_a_tombstone_does_not_touch_an_id_that_is_known(database):
    journal = Journal(database)
    journal.accept([pay()])
    assert journal.tombstone([pay().request]) == [False]
    assert outcomes(journal.accept([pay()])) == [Acceptance.STORED]


def test_what_has_not_ended_is_waiting_oldest_first(database, clock):
    journal = EdgeJournal(database)
    journal.accept([pay("B")])
    clock.now += 1
    journal.accept([pay("A"), pay("C")])
    journal.keep({key("shop-bank", "A"): b"check"})
    journal.finish([Finish(key("shop-bank", "C"), State.VOIDED, b"no")])
    waiting = journal.waiting()
    assert [split_key(record.request) for record in waiting] == [
        ("shop-bank", "B"),
        ("shop-bank", "A"),
    ]
    assert (waiting[1].state, waiting[1].check) == (State.RESERVED, b"check")


def test_a_request_ends_once(database):
    journal = EdgeJournal(database)
    journal.accept([pay()])
    posted = Finish(pay().request, State.POSTED, b"yes", 100, 90, 1)
    voided = Finish(pay().request, State.VOIDED, b"no")
    assert journal.finish([posted, voided]) == [True, False]
    before = finals(database)
    assert journal.finish([voided]) == [False]
    assert finals(database) == before == {pay().request: (State.POSTED, b"yes")}


def test_the_database_itself_refuses_to_change_an_end_or_an_answer(database):
    journal = EdgeJournal(database)
    journal.accept([pay()])
    journal.finish([Finish(pay().request, State.VOIDED, b"no")])
    answers = parts.c.part == int(Part.ANSWER)
    for change in (
        update(requests).values(state=int(State.POSTED)),
        update(requests).values(state=int(State.NEW)),
        delete(requests),
        update(parts).where(answers).values(content=b"yes"),
        delete(parts).where(answers),
    ):
        with pytest.raises(LedgerError), database.write() as connection:
            connection.execute(change)
    assert finals(database) == {pay().request: (State.VOIDED, b"no")}


def test_refunds_take_from_what_was_paid_until_nothing_is_left(database):
    journal = EdgeJournal(database)
    journal.accept([pay(), refund("R1", "ORDER-1"), refund("R2", "ORDER-1")])
    journal.finish([Finish(pay().request, State.POSTED, b"yes", 100, 90, 2)])
    journal.finish([Finish(key("shop-bank", "R1"), State.POSTED, b"yes", 40, 36, 1)])
    record = journal.find([pay().request])[pay().request]
    assert (record.state, record.seen, record.debit, record.fee) == (
        State.PARTIALLY_REFUNDED,
        60,
        54,
        1,
    )
    journal.finish([Finish(key("shop-bank", "R2"), State.POSTED, b"yes", 60, 54, 1)])
    assert journal.find([pay().request])[pay().request].state is State.REFUNDED
    assert [record.request for record in journal.refunds(pay().request)] == [
        "shop-bank/R1",
        "shop-bank/R2",
    ]
    assert check_invariants(database, clear=True) == []


def test_refunds_of_more_than_was_paid_are_refused_wholly(database):
    journal = EdgeJournal(database)
    journal.accept([pay(), refund("R1", "ORDER-1"), refund("R2", "ORDER-1")])
    journal.finish([Finish(pay().request, State.POSTED, b"yes", 100, 90, 2)])
    with pytest.raises(UsageError, match="more than its payment has left"):
        journal.finish(
            [
                Finish(key("shop-bank", name), State.POSTED, b"yes", 60, 50, 0)
                for name in ("R1", "R2")
            ]
        )
    assert journal.find([pay().request])[pay().request].seen == 100
    assert len(journal.waiting()) == 2


def test_a_cancellation_has_an_outcome_in_every_state(database):
    journal = EdgeJournal(database)
    journal.accept([pay("NEW"), pay("PAID"), pay("DECLINED"), refund("R", "PAID")])
    journal.finish([Finish(key("shop-bank", "PAID"), State.POSTED, b"yes", 5, 5, 0)])
    journal.finish([Finish(key("shop-bank", "DECLINED"), State.VOIDED, b"no")])
    keys = [key("shop-bank", name) for name in ("UNKNOWN", "NEW", "PAID", "DECLINED", "R")]
    assert journal.cancel(keys) == [
        Cancelled.TOMBSTONED,
        Cancelled.VOIDED,
        Cancelled.REVERSED,
        Cancelled.ALREADY,
        Cancelled.REFUSED,
    ]
    assert journal.cancel(keys[:4]) == [Cancelled.ALREADY] * 4
    paid = journal.find(keys)[key("shop-bank", "PAID")]
    assert (paid.state, paid.seen, paid.answer) == (State.VOIDED, 0, b"yes")


def test_what_was_kept_of_ended_requests_is_erased_and_their_ids_stay(database, clock):
    journal = EdgeJournal(database)
    journal.accept([pay("A", body=b"sealed"), pay("B", body=b"sealed")])
    journal.finish([Finish(key("shop-bank", "A"), State.POSTED, b"yes")])
    clock.now += 1000
    assert journal.forget_bodies(clock.now) == 1
    found = journal.find([key("shop-bank", name) for name in "AB"])
    assert [record.body for record in found.values()] == [None, b"sealed"]
    assert outcomes(journal.accept([pay("A")])) == [Acceptance.STORED]


@pytest.mark.parametrize(
    ("sender", "name"),
    [("a/b", "x"), ("", "x"), ("A", "x"), ("a", ""), ("a", "x" * 65), ("a", "\n"), ("a", "é")],
)
def test_a_key_is_a_name_and_a_printable_id(sender, name):
    with pytest.raises(UsageError):
        key(sender, name)


def test_a_request_that_is_badly_made_is_refused(database):
    journal = Journal(database)
    for bad in (
        Request("no-slash", Kind.PAY, b"t", LATER),
        Request("a/" + "x" * 200, Kind.PAY, b"t", LATER),
        pay(tag=b""),
        pay(tag=b"x" * 65),
        pay(payment="a/b"),
        Request("a/b", Kind.REFUND, b"t", LATER),
    ):
        with pytest.raises(UsageError):
            journal.accept([bad])
    assert journal.waiting() == []
