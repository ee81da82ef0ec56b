"""Making sure that row i means the same customer at every party, before any computing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petcore.errors import AgreementError
from petcore.mpc import Session

_WORDS = 4


def require_same_rows(session: Session, ids: Sequence[object]) -> None:
    """Return if every party has the same row identifiers in the same order; else raise at all.

    Each party hashes its own list; the digests are compared under MPC and only the answer is
    opened, so that a party whose list differs cannot try guesses against the other's digest.

    Parameters
    ----------
    session
        Every party calls this function.
    ids
        One identifier per row, compared as text.

    Raises
    ------
    AgreementError
        The lists differ.

    Leaks: to all parties one bit, whether the lists are equal.
    """
    own = _digest(ids)
    digests = [
        session.input(own if session.party == owner else None, owner=owner, dtype="int64")
        for owner in range(session.parties)
    ]
    same = session.constant(np.array(True))
    for digest in digests[1:]:
        same = same & (digest == digests[0]).all()
    if not session.open(same, label="row identifiers are equal", purpose="align the tables"):
        raise AgreementError(
            "the parties' row identifiers differ; let every party keep only the customers that all "
            "have, each once, and sort by identifier"
        )


def align_rows(session: Session, ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return which own rows to take, in which order, so that row i is the same customer everywhere.

    Parameters
    ----------
    session
        Both parties call this function.
    ids
        One identifier per row, each once.

    Returns
    -------
    indices
        int64, (common,): the same number at both parties, in an order that is random and common.

    Raises
    ------
    AgreementError
        The parties have no row in common.
    UsageError
        An identifier occurs twice.

    Leaks: to both parties which rows they have in common, and the sizes of the tables.
    """
    found = session.psi(ids, to="both", label="rows in common", purpose="align the tables")
    if not found.size or found.indices is None:
        raise AgreementError(
            "the parties have no row identifier in common; check that both name the column with "
            "the same kind of identifier, written the same way"
        )
    return found.indices


def _digest(ids: Sequence[object]) -> npt.NDArray[np.int64]:
    """Hash identifiers, each behind its length, to 256 bits as int64 words, shape (4,)."""
    hasher = hashlib.sha256(b"petcore row identifiers 1")
    for value in ids:
        text = str(value).encode()
        hasher.update(len(text).to_bytes(8, "little") + text)
    return np.frombuffer(hasher.digest(), dtype="<i8", count=_WORDS).astype(np.int64)
