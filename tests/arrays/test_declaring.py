"""Exports declared ahead, agreements that travel with the next operation, keys in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import errors
from petcore.errors import LabelMissing, StepMismatch, UsageError


def numbers(session: pc.Session) -> pc.SharedArray:
    return session.input([3, 4] if session.party == 0 else None, owner=0)


def test_a_declared_export_is_recorded_before_it_is_computed_and_costs_no_round() -> None:
    sinks = [pc.MemorySink(), pc.MemorySink()]

    def program(session: pc.Session) -> Any:
        x = numbers(session)
        with session.measure() as cost:
            declared = session.declare_export(2, to="edge", label="squares", purpose="test")
            assert len(session.sink) == 1  # type: ignore[arg-type]
            share = declared.share(x * x)
        return share, cost.rounds

    (a, rounds), (b, _) = pc.simulate(program, sinks=sinks)
    assert (a + b).tolist() == [[9, 16]]
    assert rounds == 1
    assert list(sinks[0]) == list(sinks[1])
    (record,) = sinks[0]
    assert (record.kind, record.recipients, record.shape) == ("export", ("edge",), (2,))


@pytest.mark.parametrize(
    "other", [{"to": "another"}, {"label": "cubes"}, {"shape": (1, 2)}, {"dtype": "bool"}, None]
)
def test_parties_that_declare_different_exports_do_not_compute(
    other: dict[str, Any] | None,
) -> None:
    def program(session: pc.Session) -> None:
        x = numbers(session)
        said = {"shape": 2, "to": "edge", "label": "squares"}
        if session.party == 0:
            session.declare_export(**said)  # type: ignore[arg-type]
        elif other is not None:
            session.declare_export(**{**said, **other})
        x * x

    with pytest.raises(StepMismatch):
        pc.simulate(program)


def test_a_declared_export_is_for_one_value_as_declared() -> None:
    def program(session: pc.Session) -> None:
        x = numbers(session)
        declared = session.declare_export(2, to="edge", label="squares")
        with pytest.raises(UsageError, match="nothing was computed"):
            declared.share(x)
        y = x * x
        for wrong in (y[:1], y > 3, 7):
            with pytest.raises(UsageError):
                declared.share(wrong)
        declared.share(y)
        with pytest.raises(UsageError, match="declare another"):
            declared.share(y)

    pc.simulate(program)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"label": ""}, LabelMissing),
        ({"label": "a\nb"}, UsageError),
        ({"to": " "}, UsageError),
        ({"purpose": "\x1b"}, UsageError),
        ({"dtype": "fixed"}, UsageError),
        ({"dtype": "text"}, UsageError),
    ],
)
def test_a_declaration_that_a_log_could_not_show_is_refused(
    said: dict[str, Any], error: type[Exception]
) -> None:
    def program(session: pc.Session) -> None:
        with pytest.raises(error):
            session.declare_export(2, **{"to": "edge", "label": "squares", **said})
        session.agree("all is well")

    pc.simulate(program)


class Refusing:
    def record(self, d: pc.Disclosure) -> None:
        raise errors.DisclosureRefused(f"{d.label} is not in the agreement")


def test_a_policy_that_refuses_a_declaration_ends_the_session_of_both() -> None:
    def program(session: pc.Session) -> None:
        session.declare_export(2, to="edge", label="squares")
        session.agree("never")

    with pytest.raises(errors.DisclosureRefused):
        pc.simulate(program, sinks=[Refusing(), None])


def test_an_agreement_without_waiting_holds_in_the_next_operation() -> None:
    def program(session: pc.Session, texts: tuple[str, str]) -> int:
        x = numbers(session)
        with session.measure() as cost:
            session.agree(texts[session.party], wait=False)
            session.agree("and this", wait=False)
            x * x
        x * x
        return cost.rounds

    assert pc.simulate(program, args=[("batch 7", "batch 7")]) == [1, 1]
    with pytest.raises(StepMismatch):
        pc.simulate(program, args=[("batch 7", "batch 8")])


def test_what_is_agreed_on_at_once_has_a_limit() -> None:
    def program(session: pc.Session) -> None:
        with pytest.raises(UsageError, match="digest"):
            session.agree("x" * (1 << 17), wait=False)

    pc.simulate(program)


def test_words_in_common_are_others_for_each_purpose_step_and_session() -> None:
    def program(session: pc.Session) -> list[int]:
        first = [int(session.common_words(1, purpose)[0]) for purpose in ("a", "b", "a")]
        session.agree("next")
        return [*first, int(session.common_words(2, "a")[0])]

    runs = [pc.simulate(program) for _ in range(2)]
    for mine, theirs in runs:
        assert mine == theirs
        assert mine[0] == mine[2]
        assert len({*mine}) == 3
    assert not {*runs[0][0]} & {*runs[1][0]}


def test_a_share_that_is_kept_comes_back_in_another_session() -> None:
    kept = pc.simulate(lambda session: session.to_shares(numbers(session) * 2))

    def program(session: pc.Session) -> Any:
        return session.open(session.from_shares(kept[session.party]), label="doubled")

    assert np.array_equal(pc.simulate(program)[0], [6, 8])


def test_exports_to_several_are_recorded_in_one_go_where_the_sink_can() -> None:
    class Many(pc.MemorySink):
        calls = 0

        def record_all(self, disclosures: Any) -> None:
            self.calls += 1
            for d in disclosures:
                self.record(d)

    sinks = [Many(), pc.MemorySink()]

    def program(session: pc.Session) -> Any:
        x = numbers(session)
        declared = session.declare_exports({"edge": 2, "bank": (1,)}, label="squares")
        y = x * x
        return declared["edge"].share(y), declared["bank"].share(y[:1])

    pc.simulate(program, sinks=sinks)
    assert sinks[0].calls == 1  # type: ignore[attr-defined]
    assert list(sinks[0]) == list(sinks[1])
    assert [d.recipients for d in sinks[0]] == [("edge",), ("bank",)]
