"""The wallet's state machine: codes, holds, decisions, refunds, cancellations."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from petcore.errors import PetcoreError
from petcore.network.errors import DecisionUnclear, RequestInconsistent
from petcore.network.ledger import Database, Documents, check_invariants
from petcore.network.wallet.book import Book, User
from petcore.network.wallet.payments import Asked, Awaiting, Payments
from tests.network.members import make_members

HOUR = 3_600_000
START = 1_800_000_000_000  # 2027-01-15, 08:00 UTC


class Clock:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The directory, and a database whose tables are made; tests copy it."""
    folder = tmp_path_factory.mktemp("once")
    Database.open(folder / "empty.db").close()
    return make_members(folder).directory, folder / "empty.db"


@pytest.fixture
def wallet(tmp_path, clock, once):
    directory, empty = once
    shutil.copy(empty, tmp_path / "purse.db")
    database = Database.open(tmp_path / "purse.db", clock=clock)
    book = Book(database, "purse")
    book.add_user(
        User("alice", "EUR", count_limit=3, sum_limit=10_000, features=(5,)), balance=5_000
    )
    yield Payments(book, directory, features=2)
    assert check_invariants(database, clear=True) == []
    database.close()


def ask(clock, number, amount, *, code="", content="aa", kind="pay", seconds=600, **clear):
    clear |= {"content": content * 32, "merchant_currency": "SGD"}
    header = SimpleNamespace(
        type=kind,
        sender="shop-bank",
        request_id=number,
        expires=clock.now + seconds * 1000,
        clear=clear,
    )
    envelope = SimpleNamespace(header=header, to_bytes=lambda: b"message")
    return Asked(envelope, {"amount": amount, "currency": "SGD", "payment_token": code})


def balance(wallet, user="alice"):
    (found,) = wallet.book.users.get([user]).values()
    account = wallet.book.balance(found)
    state = wallet.book.accounts.get([account])[account]
    return state.posted, state.available


def pay(wallet, clock, number="p1", amount=300):
    code = wallet.book.new_codes("alice", seconds=60)[0]
    (payment,) = wallet.check([ask(clock, number, amount, code=code)])
    return payment


def refund(wallet, clock, number, amount, mode="original"):
    asked = ask(clock, number, amount, kind="refund", payment="p1", fx_mode=mode)
    (answer,) = wallet.check([asked])
    return answer


def test_a_payment_is_held_and_then_posted_once_whatever_is_repeated(wallet, clock):
    payment = pay(wallet, clock)
    assert (payment.state, payment.numbers.debit, payment.numbers.features) == ("held", 200, (5, 0))
    assert balance(wallet) == (5_000, 4_800)
    for _ in range(2):
        assert wallet.decide({"shop-bank/p1": 1}) == {"shop-bank/p1": "posted"}
        assert balance(wallet) == (4_800, 4_800)


def test_a_declined_payment_gives_back_the_hold_and_the_limits(wallet, clock):
    pay(wallet, clock)
    assert wallet.decide({"shop-bank/p1": 0}) == {"shop-bank/p1": "voided"}
    assert balance(wallet) == (5_000, 5_000)
    assert pay(wallet, clock, "p2").numbers.count_left == 3


def test_the_same_request_again_gets_the_same_numbers_and_holds_nothing_more(wallet, clock):
    code = wallet.book.new_codes("alice", seconds=60)[0]
    first, second = (wallet.check([ask(clock, "p1", 300, code=code)])[0] for _ in range(2))
    assert first == second
    assert balance(wallet) == (5_000, 4_800)


def test_payments_of_one_call_share_the_balance_and_the_limits(wallet, clock):
    codes = wallet.book.new_codes("alice", seconds=60, count=3)
    asked = [ask(clock, f"p{i}", 3_750, code=code) for i, code in enumerate(codes)]
    payments = wallet.check(asked)
    assert [p.numbers.reason for p in payments] == ["accepted", "accepted", "balance"]
    assert [p.numbers.available for p in payments] == [5_000, 2_500, 0]
    assert [p.numbers.count_left for p in payments] == [3, 2, 1]
    assert balance(wallet) == (5_000, 0)


def test_what_is_wrong_with_one_request_is_its_own_answer_only(wallet, clock):
    codes = wallet.book.new_codes("alice", seconds=60, count=3)
    asked = [ask(clock, f"p{i}", 300, code=code) for i, code in enumerate(codes)]
    asked[0].fields["currency"] = "JPY"  # the header says SGD
    asked[1].fields["currency"] = "KWD"  # to which there is no rate
    asked[1].envelope.header.clear["merchant_currency"] = "KWD"
    answers = wallet.check(asked)
    assert [getattr(a, "code", "") for a in answers] == ["field", "usage", ""]
    assert balance(wallet) == (5_000, 4_800)
    asked[1].fields["currency"] = asked[1].envelope.header.clear["merchant_currency"] = "SGD"
    assert wallet.check(asked[1:2])[0].state == "held"  # the refusal did not use the code


def test_a_request_that_the_wallet_declined_ends_with_the_nodes_word(wallet, clock):
    pay(wallet, clock, amount=9_000)
    assert [record.request for record in wallet.journal.waiting()] == ["shop-bank/p1"]
    assert wallet.decide({"shop-bank/p1": 0}) == {"shop-bank/p1": "voided"}
    assert wallet.journal.waiting() == []


def test_limits_are_per_day(wallet, clock):
    for number in ("p1", "p2", "p3"):
        pay(wallet, clock, number)
    assert pay(wallet, clock, "p4").numbers.reason == "limit"
    clock.now += 24 * HOUR
    assert pay(wallet, clock, "p5").numbers.reason == "accepted"
    assert pay(wallet, clock, "p6", amount=15_001 - 300).numbers.reason == "balance"


def test_the_sum_of_a_day_is_limited(wallet, clock):
    (alice,) = wallet.book.users.get(["alice"]).values()
    wallet.book.users.put({"alice": replace(alice, sum_limit=399)})
    assert pay(wallet, clock, "p1").numbers.reason == "accepted"
    payment = pay(wallet, clock, "p2")
    assert (payment.numbers.reason, payment.numbers.sum_left) == ("limit", 199)


def test_an_id_with_another_content_is_refused(wallet, clock):
    pay(wallet, clock)
    (answer,) = wallet.check([ask(clock, "p1", 300, content="bb")])
    assert answer.code == "inconsistent"


def test_limits_count_what_is_held(wallet, clock):
    states = [pay(wallet, clock, f"p{i}").numbers.reason for i in range(4)]
    assert states == ["accepted", "accepted", "accepted", "limit"]


def test_more_than_the_balance_is_answered_with_numbers_and_holds_nothing(wallet, clock):
    payment = pay(wallet, clock, amount=9_000)
    assert (payment.state, payment.numbers.reason) == ("voided", "balance")
    assert balance(wallet) == (5_000, 5_000)


@pytest.mark.parametrize("spoil", ["unknown", "used", "late"])
def test_a_code_works_once_and_not_for_long(wallet, clock, spoil):
    code = wallet.book.new_codes("alice", seconds=60)[0]
    if spoil == "used":
        wallet.check([ask(clock, "p0", 1, code=code)])
    if spoil == "late":
        clock.now += 61_000
    (payment,) = wallet.check(
        [ask(clock, "p1", 300, code="1" * 18 if spoil == "unknown" else code)]
    )
    assert (payment.numbers.reason, payment.numbers.available) == ("token", -1)
    assert payment.user == ""


def test_an_approval_of_what_the_wallet_declined_is_an_error_and_moves_nothing(wallet, clock):
    pay(wallet, clock, amount=9_000)
    (state,) = wallet.decide({"shop-bank/p1": 1}).values()
    assert isinstance(state, DecisionUnclear)
    assert "contradicts" in str(state)
    assert balance(wallet) == (5_000, 5_000)


@pytest.mark.parametrize("decision", [2, 2**64 - 1, 2**63])
def test_shares_that_add_up_to_no_bit_decide_nothing_and_stop_no_other(wallet, clock, decision):
    pay(wallet, clock, "p1")
    pay(wallet, clock, "p2")
    states = wallet.decide({"shop-bank/p2": decision, "shop-bank/p1": 1})
    assert states["shop-bank/p1"] == "posted"
    assert isinstance(states["shop-bank/p2"], DecisionUnclear)
    assert balance(wallet) == (4_800, 4_600)
    assert wallet.decide({"shop-bank/p2": 1}) == {"shop-bank/p2": "posted"}
    assert balance(wallet) == (4_600, 4_600)


def test_refunds_by_parts_give_back_everything_and_no_more(wallet, clock):
    pay(wallet, clock, amount=301)
    wallet.decide({"shop-bank/p1": 1})
    for number, amount in (("r1", 100), ("r2", 200), ("r3", 1)):
        assert refund(wallet, clock, number, amount).numbers.reason == "accepted"
        wallet.decide({f"shop-bank/{number}": 1})
    assert balance(wallet) == (5_000, 5_000)
    assert refund(wallet, clock, "r4", 1).numbers.reason == "amount"


@pytest.mark.parametrize("amount", [300, 301])
def test_one_refund_at_a_time_whatever_the_wallet_said_of_the_first(wallet, clock, amount):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    refund(wallet, clock, "r1", amount)
    assert refund(wallet, clock, "r2", 300).code == "refund_busy"
    wallet.decide({"shop-bank/r1": 0})
    assert refund(wallet, clock, "r3", 300).state == "held"


def test_a_refund_of_what_was_declined_is_declined_in_the_same_currencies(wallet, clock):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 0})
    answer = refund(wallet, clock, "r1", 1)
    assert (answer.numbers.seen, answer.numbers.reason) == (0, "state")
    assert (answer.rate, answer.payer_currency) == ("sgd-eur", "EUR")


def test_a_refund_of_a_payment_by_nobodys_code_is_declined_by_its_numbers(wallet, clock):
    wallet.check([ask(clock, "p1", 300, code="1" * 18)])
    wallet.decide({"shop-bank/p1": 0})
    assert refund(wallet, clock, "r1", 100).numbers.reason == "state"
    assert wallet.decide({"shop-bank/r1": 0}) == {"shop-bank/r1": "voided"}


@pytest.mark.parametrize(("amount", "decision"), [(300, 1), (9_000, 0)])
def test_a_refund_before_the_decision_has_come_is_to_be_asked_for_again(
    wallet, clock, amount, decision
):
    pay(wallet, clock, amount=amount)
    answer = refund(wallet, clock, "r1", 300)
    assert (answer.code, answer.retryable) == ("refund_busy", True)
    wallet.decide({"shop-bank/p1": decision})
    assert refund(wallet, clock, "r1", 300).state == ("held" if decision else "voided")


def test_a_refund_of_nothing_that_was_paid_is_refused(wallet, clock):
    assert refund(wallet, clock, "r1", 1).code == "field"
    wallet.check([ask(clock, "p1", 300)])  # it waits for its user
    assert refund(wallet, clock, "r2", 1).code == "field"


def test_a_cancelled_hold_is_free_again(wallet, clock):
    pay(wallet, clock)
    assert [wallet.cancel("shop-bank", "p1") for _ in range(2)] == ["voided", "voided"]
    assert balance(wallet) == (5_000, 5_000)


@pytest.mark.parametrize("decision", [0, 1])
def test_a_decision_that_comes_after_its_cancellation_moves_nothing(wallet, clock, decision):
    pay(wallet, clock)
    wallet.cancel("shop-bank", "p1")
    assert wallet.decide({"shop-bank/p1": decision}) == {"shop-bank/p1": "cancelled"}
    assert balance(wallet) == (5_000, 5_000)


@pytest.mark.parametrize("decision", [0, 1])
def test_a_cancellation_overtakes_a_refund_that_is_under_way(wallet, clock, decision):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    refund(wallet, clock, "r1", 150)
    assert wallet.cancel("shop-bank", "p1") == "reversed"
    assert wallet.decide({"shop-bank/r1": decision}) == {"shop-bank/r1": "cancelled"}
    assert balance(wallet) == (5_000, 5_000)


def test_only_payments_are_cancelled(wallet, clock):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    refund(wallet, clock, "r1", 150)
    with pytest.raises(RequestInconsistent, match="refund"):
        wallet.cancel("shop-bank", "r1")


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_a_decision_never_changes(wallet, clock, first, second):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": first})
    (state,) = wallet.decide({"shop-bank/p1": second}).values()
    assert isinstance(state, DecisionUnclear)
    assert balance(wallet)[0] == (4_800 if first else 5_000)


def test_a_posted_payment_is_reversed_inside_its_window_only(wallet, clock):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    assert [wallet.cancel("shop-bank", "p1") for _ in range(2)] == ["reversed", "reversed"]
    assert balance(wallet) == (5_000, 5_000)
    pay(wallet, clock, "p2")
    wallet.decide({"shop-bank/p2": 1})
    clock.now += 9 * HOUR  # 17:00 UTC is 01:00 of the next day at UTC+8
    assert wallet.cancel("shop-bank", "p2") == "too_late"
    assert wallet.cancel("shop-bank", "p2", asked=clock.now - 2 * HOUR) == "reversed"


def test_a_cancelled_payment_keeps_what_was_refunded_before(wallet, clock):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    refund(wallet, clock, "r1", 150)
    wallet.decide({"shop-bank/r1": 1})
    assert wallet.cancel("shop-bank", "p1") == "reversed"
    assert balance(wallet) == (5_000, 5_000)


def test_an_unknown_payment_that_is_cancelled_never_comes(wallet, clock):
    assert wallet.cancel("shop-bank", "p1") == "tombstoned"
    answer = pay(wallet, clock)
    assert isinstance(answer, PetcoreError)
    assert answer.code == "cancelled"
    assert balance(wallet) == (5_000, 5_000)


def test_a_payment_without_a_code_waits_for_its_user(wallet, clock):
    (answer,) = wallet.check([ask(clock, "p1", 300)])
    assert isinstance(answer, Awaiting)
    assert balance(wallet) == (5_000, 5_000)
    (alice,) = wallet.book.users.get(["alice"]).values()
    payment = wallet.agree("shop-bank/p1", alice)
    assert (payment.state, payment.numbers.debit) == ("held", 200)
    assert wallet.agree("shop-bank/p1", alice) == payment
    assert wallet.decide({"shop-bank/p1": 1}) == {"shop-bank/p1": "posted"}


def test_nobody_agrees_to_what_expired_or_was_cancelled(wallet, clock):
    (alice,) = wallet.book.users.get(["alice"]).values()
    wallet.check([ask(clock, "p1", 300), ask(clock, "p2", 300)])
    wallet.cancel("shop-bank", "p2")
    clock.now += 601_000
    for number in ("p1", "p2", "p3"):
        assert wallet.agree(f"shop-bank/{number}", alice).code == "request_expired"


def test_what_the_nodes_gave_up_is_released(wallet, clock):
    pay(wallet, clock)
    wallet.release("shop-bank/p1")
    assert balance(wallet) == (5_000, 5_000)


def test_consults_hold_nothing_and_are_counted(wallet, clock):
    code = wallet.book.new_codes("alice", seconds=60)[0]
    asked = [ask(clock, f"c{i}", 300, code=code, kind="consult") for i in range(4)]
    reasons = [payment.numbers.reason for payment in wallet.check(asked, consults=3)]
    assert reasons == ["accepted"] * 3 + ["token"]
    assert balance(wallet) == (5_000, 5_000)
    assert wallet.check([ask(clock, "p1", 300, code=code)])[0].state == "held"


def test_nothing_is_said_about_a_code_that_was_used(wallet, clock):
    code = wallet.book.new_codes("alice", seconds=60)[0]
    wallet.check([ask(clock, "p1", 300, code=code)])
    (answer,) = wallet.check([ask(clock, "c1", 300, code=code, kind="consult")])
    assert (answer.numbers.reason, answer.user) == ("token", "")


def test_codes_and_waiting_orders_are_erased_a_day_after_their_end(wallet, clock):
    pay(wallet, clock)
    wallet.check([ask(clock, "p2", 300)])  # it waits at the page
    assert wallet.tidy() == 0
    clock.now += 24 * 3600 * 1000
    assert wallet.tidy() == 0
    clock.now += 3600 * 1000
    assert wallet.tidy() == 2
    assert wallet.book.codes.all() == wallet.book.orders.all() == {}
    assert wallet.book.payments.get(["shop-bank/p1"])


def test_an_order_that_the_first_version_wrote_is_read_and_kept(wallet, clock):
    old = b'{"request":"shop-bank/p1","message":"00","tries":1}'
    Documents(wallet.book.database, "wallet order").put({"w1": old})
    (order,) = wallet.book.orders.get(["w1"]).values()
    wallet.book.orders.put({"w1": replace(order, tries=2)})
    clock.now += 10**12
    assert wallet.tidy() == 0
    assert wallet.book.orders.get(["w1"])["w1"].tries == 2


def test_a_refund_at_todays_rate_may_give_back_more_than_was_debited(wallet, clock):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    rates = tuple(replace(rate, num=4) for rate in wallet.directory.rates)
    wallet.directory = replace(wallet.directory, rates=rates)
    assert refund(wallet, clock, "r1", 300, "current").numbers.debit == 400
    wallet.decide({"shop-bank/r1": 1})
    assert balance(wallet) == (5_200, 5_200)
    assert wallet.cancel("shop-bank", "p1") == "reversed"
    assert balance(wallet) == (5_200, 5_200)


def test_a_refund_for_which_nothing_is_left_in_the_payers_currency_is_declined(wallet, clock):
    pay(wallet, clock)
    wallet.decide({"shop-bank/p1": 1})
    usual = wallet.directory
    rates = tuple(replace(rate, num=16, den=1) for rate in usual.rates)
    wallet.directory = replace(usual, rates=rates)
    assert refund(wallet, clock, "r1", 200, "current").numbers.reason == "accepted"
    wallet.decide({"shop-bank/r1": 1})
    before = balance(wallet)
    wallet.directory = usual
    assert refund(wallet, clock, "r2", 100).numbers.reason == "amount"
    wallet.decide({"shop-bank/r2": 0})
    assert balance(wallet) == before
