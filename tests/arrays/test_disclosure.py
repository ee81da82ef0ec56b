"""Nothing leaves the sharing without a label, a record and the sink's consent."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import errors
from tests.arrays.conftest import outcomes


def table(session: pc.Session) -> pc.SharedArray:
    return session.input([[1.5, 2.0]] if session.party == 0 else None, owner=0)


def test_every_disclosure_is_recorded_with_who_learns_what_and_why() -> None:
    sinks = [pc.MemorySink(), pc.MemorySink()]

    def program(session: pc.Session) -> None:
        x = table(session)
        session.open(x, label="table", purpose="demo", agreement="contract 7")
        session.reveal(x.sum() > 3, to="party1", label="is it large")
        session.export(x.astype("int64"), to="edge of the wallet", label="whole part")

    pc.simulate(program, sinks=sinks)
    assert list(sinks[0]) == list(sinks[1])
    opened, revealed, exported = sinks[0]
    assert opened == pc.Disclosure(
        step=1,
        label="table",
        recipients=("party0", "party1"),
        shape=(1, 2),
        dtype="fixed",
        purpose="demo",
        agreement="contract 7",
        kind="open",
    )
    assert (revealed.kind, revealed.recipients, revealed.dtype) == ("reveal", ("party1",), "bool")
    assert (exported.kind, exported.recipients) == ("export", ("edge of the wallet",))
    assert revealed.shape == ()
    assert opened.step < revealed.step < exported.step
    with pytest.raises(FrozenInstanceError):
        opened.label = "other"  # type: ignore[misc]


class Refusing:
    """A sink that refuses, and remembers what had been sent when it was asked."""

    def __init__(self) -> None:
        self.session: Any = None
        self.sent: list[int] = []

    def record(self, d: pc.Disclosure) -> None:
        self.sent.append(self.session.cost.bytes_sent)
        raise errors.DisclosureRefused(f"{d.label} is not in the agreement")


@pytest.mark.parametrize("kind", ["open", "reveal", "export"])
def test_a_sink_that_refuses_stops_the_disclosure_before_anything_is_sent(kind: str) -> None:
    sink = Refusing()

    def disclose(session: pc.Session, x: pc.SharedArray) -> Any:
        if kind == "open":
            return session.open(x, label="salaries")
        if kind == "reveal":
            return session.reveal(x, to=1, label="salaries")
        return session.export(x, to="edge", label="salaries")

    def program(session: pc.Session) -> Any:
        x = table(session)
        if session.party == 0:
            sink.session = session
            before = session.cost.bytes_sent
        try:
            return disclose(session, x)
        finally:
            if session.party == 0:
                assert sink.sent == [before]
                assert session.cost.bytes_sent == before

    mine, theirs = outcomes(program, sinks=[sink, None])
    assert isinstance(mine, errors.DisclosureRefused)
    assert isinstance(theirs, errors.PeerAborted)
    assert "party0" in str(theirs)
    assert "salaries" in str(theirs)


def test_a_sink_that_breaks_stops_the_opening_like_one_that_refuses() -> None:
    class Full:
        def record(self, d: pc.Disclosure) -> None:
            raise OSError("no space left on device")

    mine, theirs = outcomes(lambda s: s.open(table(s), label="x"), sinks=[None, Full()])
    assert isinstance(theirs, OSError)
    assert isinstance(mine, errors.PeerAborted)


@pytest.mark.parametrize("label", ["", "  ", None, 7])
def test_an_opening_without_a_label_is_refused(label: Any) -> None:
    def program(session: pc.Session) -> Any:
        x = table(session)
        for disclose in (
            lambda: session.open(x, label=label),
            lambda: session.reveal(x, to=0, label=label),
            lambda: session.export(x, to="edge", label=label),
        ):
            with pytest.raises(errors.LabelMissing, match="label"):
                disclose()
        assert len(session.sink) == 0  # type: ignore[arg-type]
        return "fine"

    assert pc.simulate(program) == ["fine", "fine"]


@pytest.mark.parametrize("label", ["a\nb", "x" * 257, "\x1b[31m"])
def test_a_label_that_would_garble_a_log_is_refused(label: str) -> None:
    def program(session: pc.Session) -> Any:
        with pytest.raises(errors.UsageError, match="printable"):
            session.open(session.zeros(1), label=label)

    pc.simulate(program)


def test_exported_shares_add_up_at_the_recipient() -> None:
    def program(session: pc.Session) -> Any:
        x = session.input([5, -7] if session.party == 0 else None, owner=0)
        return session.export(x, to="edge", label="x"), session.export(x > 0, to="edge", label="b")

    (words0, bits0), (words1, bits1) = pc.simulate(program)
    np.testing.assert_array_equal((words0 + words1)[0].view(np.int64), [5, -7])
    np.testing.assert_array_equal((bits0 ^ bits1)[0], [1, 0])


def test_shares_made_elsewhere_are_taken_up_as_they_are() -> None:
    words = np.array([[2**63, 5]], np.uint64)

    def program(session: pc.Session) -> Any:
        share = words if session.party == 0 else np.uint64(0) - words + np.uint64(9)
        opened = session.open(session.from_shares(share, "int64"), label="x")
        return opened.tolist()

    assert pc.simulate(program) == [[9, 9], [9, 9]]


@pytest.mark.parametrize(
    "share",
    [np.zeros(2, np.uint64), np.zeros((1, 2), np.int64), np.zeros((2, 2), np.uint64), [[1]]],
    ids=["no components", "signed", "three parties", "list"],
)
def test_a_share_of_the_wrong_form_is_refused(share: Any) -> None:
    def program(session: pc.Session) -> None:
        with pytest.raises(errors.UsageError, match="uint64"):
            session.from_shares(share, "int64")
        with pytest.raises(errors.UsageError, match="zeros and ones"):
            session.from_shares(np.array([[2]], np.uint8), "bool")

    pc.simulate(program)


def test_only_the_recipient_of_a_reveal_gets_values() -> None:
    def program(session: pc.Session) -> Any:
        return session.reveal(table(session), to=1, label="x")

    nothing, values = pc.simulate(program)
    assert nothing is None
    np.testing.assert_array_equal(values, [[1.5, 2.0]])


def test_a_memory_sink_keeps_the_latest_and_counts_what_it_dropped() -> None:
    sink = pc.MemorySink(capacity=2)

    def program(session: pc.Session) -> None:
        for i in range(5):
            session.open(session.zeros(1), label=f"{i}")

    pc.simulate(program, sinks=[sink, None])
    assert [d.label for d in sink] == ["3", "4"]
    assert sink[-1].label == "4"
    assert sink.dropped == 3
    assert isinstance(sink, pc.DisclosureSink)


@pytest.mark.parametrize("reason", [None, 7, "a\nb", "x" * 1025])
def test_a_reason_that_a_log_could_not_hold_is_refused_before_it_is_recorded(reason: Any) -> None:
    def program(session: pc.Session) -> Any:
        for options in ({"purpose": reason}, {"agreement": reason}):
            with pytest.raises(errors.UsageError, match="printable"):
                session.open(session.zeros(1), label="x", **options)
        with pytest.raises(errors.UsageError, match=r"recipient|to="):
            session.export(session.zeros(1), to=reason, label="x")
        assert len(session.sink) == 0  # type: ignore[arg-type]

    pc.simulate(program)


def test_the_sink_of_a_session_cannot_be_replaced() -> None:
    def program(session: pc.Session) -> None:
        with pytest.raises(AttributeError):
            session.sink = pc.MemorySink()  # type: ignore[misc]

    pc.simulate(program)
