"""A mistake at one party is a typed error at every party, at once, and never a hang."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore import _core, errors
from tests.arrays.conftest import outcomes

OWN = np.array([1.0, 2.0])


def own(session: pc.Session) -> Any:
    """Give values at party 0, None elsewhere."""
    return OWN if session.party == 0 else None


BAD_VALUES = {
    "nan": np.array([0.0, np.nan]),
    "infinite": np.array([[np.inf]]),
    "out_of_range": [0.0, 1.0, 2.0**45],
    "beyond_int64": np.array([2**63], np.uint64),
    "none": None,
    "text": ["a"],
    "ragged": [[1], [1, 2]],
    "complex": [1j],
    "objects": [2**70],
    "nine_dimensions": np.zeros((1,) * 9),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_values_that_only_the_owner_sees_fail_at_both_parties(name: str) -> None:
    def program(session: pc.Session) -> Any:
        return session.input(BAD_VALUES[name] if session.party == 0 else None, owner=0)

    mine, theirs = outcomes(program)
    assert isinstance(mine, errors.UsageError)
    assert isinstance(theirs, errors.PeerAborted)
    assert "party0" in str(theirs)


@pytest.mark.parametrize(
    ("name", "index"), [("nan", "[1]"), ("infinite", "[0, 0]"), ("out_of_range", "[2]")]
)
def test_the_owner_is_told_the_index_and_the_peer_no_data(name: str, index: str) -> None:
    mine, theirs = outcomes(lambda s: s.input(BAD_VALUES[name] if s.party == 0 else None, owner=0))
    assert index in str(mine)
    assert index not in str(theirs)
    assert "nan" not in str(theirs)
    assert "35184372088832" not in str(theirs)


def test_values_passed_by_a_party_that_does_not_own_them_fail_at_both() -> None:
    mine, theirs = outcomes(lambda s: s.input(OWN, owner=0))
    assert isinstance(theirs, errors.UsageError)
    assert "None" in str(theirs)
    assert not isinstance(mine, Exception) or isinstance(mine, errors.PeerAborted)


@pytest.mark.parametrize(
    "asked", [{"dtype": "int64"}, {"dtype": "bool"}, {"dtype": "fixed", "frac_bits": 12}]
)
def test_a_dtype_or_scale_that_differs_from_the_owners_fails_at_both(asked: Any) -> None:
    def program(session: pc.Session) -> Any:
        x = session.input(own(session), 0, **(asked if session.party == 1 else {}))
        return session.open(x, label="x")

    mine, theirs = outcomes(program)
    assert isinstance(theirs, errors.StepMismatch)
    assert "party0" in str(theirs)
    assert isinstance(mine, errors.PeerAborted)


def meta(magic: bytes = b"PCA1", dtype: int = 1, bits: int = 0, sizes: Any = (2,)) -> bytes:
    head = struct.pack("<4sBBBB", magic, dtype, bits, len(sizes), 0)
    return head + struct.pack(f"<{len(sizes)}Q", *sizes)


LIES = {
    "empty": b"",
    "rubbish": b"\xff" * 64,
    "too_long": meta() + bytes(100),
    "magic": meta(magic=b"PCA9"),
    "dtype": meta(dtype=3),
    "bits_of_int": meta(bits=18),
    "bits_beyond": meta(dtype=2, bits=63),
    "product": meta(sizes=(3,)),
    "huge": meta(sizes=(2**63, 2)),
    "wraps": meta(sizes=(2**33, 2**32 + 1)),
    "nine": meta(sizes=(2,) + (1,) * 8),
    "cut": meta()[:-1],
    "zero": meta(sizes=(0,)),
    "empty_but_vast": meta(sizes=(0, 2**40, 2**40)),
}


SENT = {"empty_but_vast": 1}


@pytest.mark.parametrize("name", LIES)
def test_an_owner_that_lies_about_its_input_is_refused_before_anything_is_made(name: str) -> None:
    def liar(session: pc.Session) -> Any:
        session._core.input(0, np.zeros(SENT.get(name, 2), np.uint64), LIES[name])
        return session.open(session.zeros(2), label="never")

    def honest(session: pc.Session) -> Any:
        return session.input(None, owner=0)

    mine, theirs = outcomes(liar, honest)
    assert isinstance(theirs, errors.BadFrame)
    assert theirs.party == "party0"
    assert isinstance(mine, errors.PeerAborted)


def shared(session: pc.Session) -> pc.SharedArray:
    return session.input(own(session), owner=0)


DIFFERENT = {
    "label": lambda s, x: s.open(x, label=f"from {s.name}"),
    "shape": lambda s, x: s.open(x[: s.party + 1], label="x"),
    "axes": lambda s, x: s.open(x.reshape((1, 2) if s.party else (2, 1)), label="x"),
    "scale": lambda s, x: s.open(x.astype("fixed", frac_bits=20 + s.party), label="x"),
    "dtype": lambda s, x: s.open(x if s.party else x._with(x._share, "int64"), label="x"),
    "kind": lambda s, x: s.open(x, label="x") if s.party else s.reveal(x, to=0, label="x"),
    "owner": lambda s, x: s.open(s.input(1, owner=s.party), label="x"),
    "recipient": lambda s, x: s.open(s.reveal(x, to=1 - s.party, label="x") or x, label="y"),
    "export": lambda s, x: s.export(x, to=f"edge {s.party}", label="x"),
    "program": lambda s, x: x * x if s.party else x > 0,
    "product": lambda s, x: x * x[0] if s.party else x[0] * x[1],
    "parameter": lambda s, x: s.agree(f"seed {s.party}"),
    "default_scale": lambda s, x: setattr(s, "frac_bits", 18 + s.party),
    "scale_at_one": lambda s, x: s.open(x, label="x") if s.party else setattr(s, "frac_bits", 20),
    "truncation": lambda s, x: setattr(s, "truncation", ("exact", "probabilistic")[s.party]),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_parties_that_do_different_things_never_get_a_result(name: str) -> None:
    mine, theirs = outcomes(lambda s: DIFFERENT[name](s, shared(s)))
    raised = [mine, theirs]
    assert all(isinstance(e, errors.AgreementError) for e in raised), raised
    assert any(isinstance(e, errors.StepMismatch) for e in raised), raised


def test_an_exception_in_one_program_reaches_the_other_by_its_name_only() -> None:
    def failing(session: pc.Session) -> Any:
        raise ZeroDivisionError("the salary is 5200")

    mine, theirs = outcomes(failing, lambda s: s.input(None, owner=0))
    assert isinstance(mine, ZeroDivisionError)
    assert isinstance(theirs, errors.PeerAborted)
    assert "party0" in str(theirs)
    assert "ZeroDivisionError" in str(theirs)
    assert "5200" not in str(theirs)


def test_a_party_that_leaves_early_ends_the_other_with_a_typed_error() -> None:
    mine, theirs = outcomes(lambda s: "done", lambda s: s.input(None, owner=0))
    assert mine == "done"
    assert isinstance(theirs, errors.PetcoreError)
    assert "party0" in str(theirs)


@pytest.mark.parametrize(
    "wait",
    [
        lambda s: s.input(None, owner=1 - s.party),
        lambda s: s.reveal(s.zeros(1), to=s.party, label="x"),
    ],
    ids=["input", "reveal"],
)
def test_parties_that_both_wait_for_the_other_end_at_the_deadline(
    wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = _core.Limits(deadline_s=0.3)
    monkeypatch.setattr(_core, "Limits", lambda: limits)
    raised = outcomes(wait)
    assert all(isinstance(e, (errors.PeerLate, errors.PeerAborted)) for e in raised), raised
    assert any(isinstance(e, errors.PeerLate) for e in raised)


METADATA_MISTAKES: dict[str, Callable[[pc.Session, pc.SharedArray], Any]] = {
    "broadcast": lambda s, x: x + np.zeros(3),
    "matmul": lambda s, x: x @ np.zeros((3, 2)),
    "reshape": lambda s, x: x.reshape(3),
    "axis": lambda s, x: x.sum(axis=1),
    "index": lambda s, x: x[5],
    "owner": lambda s, x: s.input(None, owner="nobody"),
    "to": lambda s, x: s.reveal(x, to=2, label="x"),
    "label": lambda s, x: s.open(x, label=" "),
    "not_shared": lambda s, x: s.open(OWN, label="x"),
    "dtype": lambda s, x: x & True,
}


@pytest.mark.parametrize("name", METADATA_MISTAKES)
def test_a_mistake_that_all_parties_see_raises_locally_and_the_session_goes_on(name: str) -> None:
    def program(session: pc.Session) -> Any:
        x = shared(session)
        before = session.cost
        with pytest.raises((errors.UsageError, errors.LabelMissing)):
            METADATA_MISTAKES[name](session, x)
        assert session.cost.bytes_sent == before.bytes_sent
        return session.open(x, label="x")

    for opened in outcomes(program):
        np.testing.assert_array_equal(opened, OWN)


def test_arrays_of_two_sessions_do_not_mix() -> None:
    def inner(session: pc.Session, other: pc.SharedArray) -> None:
        x = shared(session)
        for mix in (
            lambda: x + other,
            lambda: other * x,
            lambda: x < other,
            lambda: np.concatenate([x, other]),
            lambda: np.where(x > 0, other, 0),
            lambda: x @ other,
            lambda: session.open(other, label="x"),
        ):
            with pytest.raises(errors.UsageError, match="session"):
                mix()

    def outer(session: pc.Session) -> Any:
        x = shared(session)
        if session.party == 0:
            pc.simulate(inner, args=(x,))
        return session.open(x, label="both sessions are fine").tolist()

    assert pc.simulate(outer) == [[1.0, 2.0]] * 2


def test_a_closed_session_refuses_every_use() -> None:
    kept: list[Any] = []

    def program(session: pc.Session) -> None:
        kept.append((session, shared(session)))

    pc.simulate(program)
    session, x = kept[0]
    for use in (
        lambda: x + 1,
        lambda: x + x,
        lambda: x[0],
        lambda: session.zeros(2),
        lambda: session.open(x, label="x"),
        lambda: session.input(OWN, owner=session.party),
    ):
        with pytest.raises(errors.SessionBroken):
            use()
    session.close()


def test_a_broken_session_names_its_first_cause() -> None:
    def program(session: pc.Session) -> Any:
        with pytest.raises(errors.PetcoreError):
            session.input([np.nan] if session.party == 0 else None, owner=0)
        session.open(session.zeros(1), label="x")

    for error in outcomes(program):
        assert isinstance(error, errors.SessionBroken)
        assert "party0" in str(error)


def test_a_second_thread_is_told_that_the_session_is_busy() -> None:
    refused = threading.Event()

    def slow(session: pc.Session) -> Any:
        refused.wait(10)
        return session.input([1], owner=0).shape

    def doubly_used(session: pc.Session) -> Any:
        got: list[Any] = []

        def use() -> None:
            try:
                got.append(session.input(None, owner=0).shape)
            except errors.SessionBusy as error:
                got.append(error.code)
                refused.set()

        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return got

    assert outcomes(slow, doubly_used) == [(1,), ["busy", (1,)]]
