"""Replay protection by counter, digest and expiry."""

import pytest

from petcore.network.envelope import compose
from petcore.network.errors import EnvelopeReplayed
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.published import GRACE_MS
from petcore.network.replay import Counter, MemoryMarks, ReplayGuard, mark

NOW = 1_790_000_000_000


@pytest.fixture
def write(tmp_path):
    rings = {name: KeyRing.make(tmp_path, name, now=lambda: NOW) for name in ("a-bank", "b-bank")}
    KeyRing.make(tmp_path, "node-a")
    keys = PublicKeys.load(tmp_path)

    def write(counter, sender="a-bank", request_id="r"):
        return compose(
            "net_request", request_id, {"window": 1, "currency": "EUR"}, ring=rings[sender],
            keys=keys, to={"node_a": "node-a"}, expires_in=60, counter=counter, now=NOW,
        )  # fmt: skip

    return write


def test_a_message_is_new_once_and_after_that_it_comes_again(write):
    guard, envelope = ReplayGuard(MemoryMarks()), write(1)
    assert guard.admit([envelope]) == ["new"]
    assert guard.admit([envelope, write(2), envelope]) == ["again", "new", "again"]


def test_another_message_with_a_used_counter_is_a_replay(write):
    guard = ReplayGuard(MemoryMarks())
    guard.admit([write(1)])
    (refused,) = guard.admit([write(1, request_id="other")])
    assert isinstance(refused, EnvelopeReplayed)
    assert (refused.code, refused.party) == ("replayed", "a-bank")


def test_messages_may_come_in_any_order_and_senders_count_on_their_own(write):
    guard = ReplayGuard(MemoryMarks())
    assert guard.admit([write(5), write(3), write(5, "b-bank"), write(4)]) == ["new"] * 4


def test_marks_are_kept_as_long_as_any_clock_would_accept_the_message(write):
    marks, envelope = MemoryMarks(), write(1)
    guard = ReplayGuard(marks)
    guard.admit([envelope])
    last = NOW + 60_000 + 2 * GRACE_MS
    assert mark(envelope).until == last
    guard.tidy(last)
    assert guard.admit([envelope]) == ["again"]
    guard.tidy(last + 1)
    assert len(marks) == 0


def test_a_counter_grows_also_when_the_clock_stands_still_or_goes_back():
    times = iter([5, 5, 4, 9])
    counter = Counter(lambda: next(times))
    assert [counter.next() for _ in range(4)] == [5000, 5001, 5002, 9000]
