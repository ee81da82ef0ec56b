"""The one place through which a value leaves the sharing.

Check the label, ask the sink, only then send: a sink that raises stops the disclosure here, and the
peers are told. What is opened (kind, label, dtype, scale, shape) is bound into the step, so parties
who disagree on it get StepMismatch instead of garbage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from petcore.errors import LabelMissing, UsageError
from petcore.mpc.disclosure import Disclosure, Kind, ManySink
from petcore.mpc.fixed import Plain, decode
from petcore.mpc.operands import require_shared
from petcore.mpc.shared_base import flat

if TYPE_CHECKING:
    from petcore.mpc.session import Session
    from petcore.mpc.shared_array import SharedArray

LABEL_LENGTH_MAX = 256
REASON_LENGTH_MAX = 1024


def open_array(session: Session, x: Any, label: str, purpose: str, agreement: str) -> Plain:
    """Open to every party; see `Session.open`."""
    array = _ready(session, x, label)
    bound = _declare(session, array, "open", session.names, label, purpose, agreement)
    core = session._core
    words = (core.open_bits if array.dtype == "bool" else core.open)(flat(array._share), bound)
    return _decoded(array, words)


def reveal_array(
    session: Session, x: Any, to: int, label: str, purpose: str, agreement: str
) -> Plain | None:
    """Open to one party; see `Session.reveal`."""
    array = _ready(session, x, label)
    recipient = (session.names[to],)
    bound = _declare(session, array, "reveal", recipient, label, purpose, agreement)
    core = session._core
    send = core.reveal_bits if array.dtype == "bool" else core.reveal
    words = send(flat(array._share), to, bound)
    return None if words is None else _decoded(array, words)


def export_share(
    session: Session, x: Any, to: object, label: str, purpose: str, agreement: str
) -> Plain:
    """Give this party's share of an output for someone outside; see `Session.export`."""
    array = _ready(session, x, label)
    bound = _declare(session, array, "export", (check_recipient(to),), label, purpose, agreement)
    session._core.checkpoint(bound)
    return array._share.copy()


def _ready(session: Session, x: Any, label: object) -> SharedArray:
    _check_label(label)
    array = require_shared(x, "what is disclosed")
    if array.session is not session:
        raise UsageError(f"{array!r} belongs to another session; open it there")
    return array


def check_recipient(to: object) -> str:
    """Give the name of a recipient outside the session, or refuse it."""
    if not isinstance(to, str) or not to.strip():
        raise UsageError("export needs to=, the name of the recipient outside the session")
    _require_printable(to, "a recipient's name", LABEL_LENGTH_MAX)
    return to


def described(label: str, dtype: str, shape: tuple[int, ...], frac_bits: int = 0) -> str:
    """Name a value as it is bound into a step."""
    sizes = "x".join(str(n) for n in shape) or "scalar"
    scale = f" with {frac_bits} fraction bits" if dtype == "fixed" else ""
    return f"{label!r} ({dtype} {sizes}{scale})"


def check_words(label: object, purpose: object, agreement: object) -> None:
    """Refuse a missing label, and words that a log could not show as they are."""
    _check_label(label)
    _check_reasons(purpose, agreement)


def ask_sink(session: Session, *disclosures: Disclosure) -> None:
    """Record disclosures; where the sink refuses one, tell the peers and raise what it raised."""
    disclosure = disclosures[0]
    try:
        if len(disclosures) > 1 and isinstance(session.sink, ManySink):
            session.sink.record_all(disclosures)
        else:
            for disclosure in disclosures:
                session.sink.record(disclosure)
    except BaseException:
        session._fail(
            "aborted",
            f"{session.name} did not {disclosure.kind} {disclosure.label!r}: its policy or its "
            "disclosure log refused",
        )
        raise


def _check_label(label: object) -> None:
    if not isinstance(label, str) or not label.strip():
        raise LabelMissing(
            "every disclosure needs a label that says what the value is, as in label='total'"
        )
    _require_printable(label, "a label", LABEL_LENGTH_MAX)


def _check_reasons(purpose: object, agreement: object) -> None:
    for text, what in ((purpose, "a purpose"), (agreement, "an agreement")):
        _require_printable(text, what, REASON_LENGTH_MAX)


def _require_printable(text: object, what: str, longest: int) -> None:
    """Refuse what a disclosure log could not hold, or not show, as it is."""
    if not isinstance(text, str) or len(text) > longest or not text.isprintable():
        raise UsageError(f"{what} is printable text of at most {longest} characters")


def _declare(
    session: Session,
    x: SharedArray,
    kind: Kind,
    recipients: tuple[str, ...],
    label: str,
    purpose: str,
    agreement: str,
) -> str:
    """Ask the sink, and give the text that binds the disclosure into its step."""
    _check_reasons(purpose, agreement)
    made = Disclosure(
        session._core.step, label, recipients, x.shape, x.dtype, purpose, agreement, kind
    )
    ask_sink(session, made)
    outside = f"export to {recipients[0]}: " if kind == "export" else ""
    return outside + described(label, x.dtype, x.shape, x.frac_bits)


def _decoded(x: SharedArray, words: Any) -> Plain:
    return decode(words, x.dtype, x.frac_bits).reshape(x.shape)
