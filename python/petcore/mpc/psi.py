"""Private set intersection: which ids two parties have in common, and nothing about the others."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from petcore.errors import BadFrame, InternalError, PetcoreError, UsageError
from petcore.mpc import opening
from petcore.mpc.disclosure import Disclosure
from petcore.mpc.psi_choice import (
    BUCKET_MAX,
    BUCKET_MIN,
    COUNT_MAX,
    OVERFLOW_BITS,
    bucket_limit,
    choose,
    number_of_buckets,
)
from petcore.mpc.psi_choice import MEMORY_DEFAULT as MEMORY_DEFAULT
from petcore.mpc.psi_ids import FILES, Index, OwnIds, Rows

if TYPE_CHECKING:
    from petcore.mpc.session import Session

Method = Literal["auto", "rr22", "ecdh"]
Output = Literal["indices", "cardinality"]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Intersection:
    """What a party knows after a private set intersection.

    Attributes
    ----------
    indices
        int64, (size,): where the common ids are in this party's own list; None for a party that is
        not to learn them. Index i of one party and index i of the other are the same id: both are
        in the order of a pseudorandom function of the ids, which tells nothing about the order in
        which either party held them. ``np.sort`` gives the order of the own list.
    size
        How many ids are in common; None for a party that is not to learn it.
    sizes
        How many ids each party brought, by party.
    dropped
        Own ids left out because they had stood before (``duplicates="first"``).
    method
        "rr22" or "ecdh".
    buckets
        In how many parts the sets were intersected.
    """

    indices: Index | None
    size: int | None
    sizes: tuple[int, int]
    dropped: int
    method: str
    buckets: int


@dataclass(frozen=True)
class Wish:
    """What the parties must agree on, and why; see `Session.psi`."""

    to: int | None
    method: Method
    output: Output
    label: str
    purpose: str
    agreement: str

    def text(self, names: tuple[str, ...]) -> str:
        """Return the wish as the parties compare it."""
        to = "both" if self.to is None else names[self.to]
        return f"sizes for {self.label!r}: {self.output} to {to} by {self.method}"


@dataclass(frozen=True)
class Local:
    """What this party alone decides; see `Session.psi`."""

    duplicates: str = "refuse"
    memory: int = MEMORY_DEFAULT
    folder: str | Path | None = None
    progress: Progress | None = None

    def report(self, what: str, done: int, total: int) -> None:
        """Tell how far the work is."""
        if self.progress is not None:
            self.progress(what, done, total)


def intersect(session: Session, ids: Any, wish: Wish, local: Local) -> Intersection:
    """Intersect; see `Session.psi`."""
    _check(session, wish, local)
    limit = bucket_limit(local.memory)
    known = len(ids) if hasattr(ids, "__len__") else 0
    core = session._core
    with OwnIds(core.psi_key(), threads=core.threads, limit=limit, folder=local.folder) as own:
        try:
            own.read(ids, lambda n: local.report("reading ids", n, max(n, known)))
            dropped = _settle_repeats(own, local.duplicates)
        except PetcoreError:
            session._fail("aborted", f"the ids of {session.name} cannot be used")
            raise
        return _with_peer(session, own, wish, local, limit, dropped)


def _check(session: Session, wish: Wish, local: Local) -> None:
    session._require_usable()
    if session.parties != 2:
        raise UsageError("psi is for two parties")
    if wish.method not in ("auto", "rr22", "ecdh"):
        raise UsageError(f"method is 'auto', 'rr22' or 'ecdh', not {wish.method!r}")
    if wish.output not in ("indices", "cardinality"):
        raise UsageError(f"output is 'indices' or 'cardinality', not {wish.output!r}")
    if wish.output == "cardinality" and wish.method == "rr22":
        raise UsageError(
            "method 'rr22' shows its receiver which ids are in common; for the cardinality alone "
            "pass method='ecdh' or 'auto'"
        )
    if local.duplicates not in ("refuse", "first"):
        raise UsageError(f"duplicates is 'refuse' or 'first', not {local.duplicates!r}")
    if type(local.memory) is not int or local.memory < 1:
        raise UsageError(f"memory is a number of bytes, not {local.memory!r}")
    opening.check_words(wish.label, wish.purpose, wish.agreement)


def _settle_repeats(own: OwnIds, duplicates: str) -> int:
    if duplicates == "first":
        return own.keep_first()
    repeat = own.first_repeat()
    if repeat is not None:
        raise UsageError(
            f"the id with index {repeat[1]} is the same as that with index {repeat[0]}; pass each "
            "id once, or duplicates='first' to keep the first of each"
        )
    return 0


def _with_peer(
    session: Session, own: OwnIds, wish: Wish, local: Local, limit: int, dropped: int
) -> Intersection:
    core = session._core
    _declare(session, wish, f"{wish.label}: number of ids", session.names, (2,), "int64")
    numbers = np.array([own.count, limit], np.uint64)
    theirs, their_limit = (int(n) for n in core.tell(wish.text(session.names), numbers))
    if theirs > COUNT_MAX or not BUCKET_MIN <= their_limit <= BUCKET_MAX:
        session._fail("frame", "a peer's number of ids cannot be")
        raise BadFrame(f"{session.names[1 - session.party]} named a number of ids that cannot be")
    sizes = (own.count, theirs) if session.party == 0 else (theirs, own.count)
    recipients = range(2) if wish.to is None else [wish.to]
    for party in recipients:
        shape = () if wish.output == "cardinality" else (sizes[party],)
        dtype = "int64" if wish.output == "cardinality" else "bool"
        _declare(session, wish, wish.label, (session.names[party],), shape, dtype)
    method = _method(wish, sizes)
    learns = session.party in recipients
    if not own.count or not theirs:
        empty = np.empty(0, np.int64) if learns and wish.output == "indices" else None
        return Intersection(empty, 0 if learns else None, sizes, dropped, method, 0)
    buckets = _number_of_buckets(session, max(sizes), min(limit, their_limit))
    if buckets > 1 and wish.output == "cardinality":
        raise _give_up(
            session,
            f"the sets need {buckets} buckets, and how many each has in common "
            "would show; allow more memory at both parties, or ask for indices",
        )
    found: list[tuple[int, Index]] = []
    for i, (digests, indices) in enumerate(own.buckets(buckets)):
        part = _bucket(session, wish, local, digests, indices, sizes, buckets)
        found += [] if part is None else [part]
        local.report("intersecting buckets", i + 1, buckets)
    if not learns:
        return Intersection(None, None, sizes, dropped, method, buckets)
    if wish.output == "cardinality":
        return Intersection(None, found[0][0], sizes, dropped, method, buckets)
    together = np.concatenate([part for _, part in found])
    return Intersection(together, len(together), sizes, dropped, method, buckets)


def _method(wish: Wish, sizes: tuple[int, int]) -> str:
    if wish.method != "auto":
        return wish.method
    return choose(wish.output, max(sizes))


def _number_of_buckets(session: Session, most: int, limit: int) -> int:
    number = number_of_buckets(most, limit)
    if number > FILES:
        raise _give_up(
            session,
            f"sets of {most:,} ids need {number} buckets of {limit:,}, but {FILES} is the most; "
            "allow more memory at both parties",
        )
    return number


def _give_up(session: Session, why: str) -> UsageError:
    """Tell the peer, and give the error to raise: both know the sizes, so both come here."""
    session._fail("aborted", "the sets do not fit the memory that a party allows")
    return UsageError(why)


def _bucket(
    session: Session,
    wish: Wish,
    local: Local,
    digests: Rows,
    indices: Index,
    sizes: tuple[int, int],
    buckets: int,
) -> tuple[int, Index] | None:
    """Intersect one bucket, filled up so that its number of ids tells nothing about them."""
    from petcore import _core

    full = [_core.bin_bound(size, buckets, OVERFLOW_BITS) for size in sizes]
    missing = full[session.party] - len(digests)
    if missing < 0:
        session._fail("internal", "a bucket of ids overflowed")
        raise InternalError("a bucket of ids overflowed, which happens once in 2^42; start again")
    if missing:
        fill = np.frombuffer(os.urandom(16 * missing), np.uint64).reshape(-1, 2)
        digests = np.concatenate((digests, fill))
    progress = functools.partial(local.report, "masking ids") if local.progress else None
    found = session._core.intersect(
        digests,
        full[1 - session.party],
        wish.to,
        _method(wish, sizes),
        wish.label,
        buckets,
        wish.output == "cardinality",
        progress,
    )
    if found is None:
        return None
    size, at = found
    return size, indices[at[at < len(indices)].astype(np.int64)]


def _declare(
    session: Session,
    wish: Wish,
    label: str,
    recipients: tuple[str, ...],
    shape: tuple[int, ...],
    dtype: str,
) -> None:
    kind: Literal["open", "reveal"] = "open" if len(recipients) > 1 else "reveal"
    step = session._core.step
    opening.ask_sink(
        session,
        Disclosure(step, label, recipients, shape, dtype, wish.purpose, wish.agreement, kind),
    )
