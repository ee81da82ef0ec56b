"""Putting together, on shares, a table whose columns lie with different parties."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError
from petcore.mpc import Session, SharedArray, concatenate, stack
from petcore.training.preprocessing import Matrix


def survey(session: Session, own: Matrix, has_labels: bool) -> int:
    """Compare the sizes of the parties' tables and return the index of the party with the labels.

    Raises
    ------
    UsageError
        At every party, if the numbers of rows differ, are more than 2^(61 - 2 frac_bits), or not
        exactly one has the labels.

    Leaks: to all parties the numbers of rows and columns of each and who has labels.
    """
    mine = np.array([*own.shape, int(has_labels)])
    shares = [
        session.input(mine if session.party == party else None, owner=party, dtype="int64")
        for party in range(session.parties)
    ]
    sizes = session.open(
        stack(shares),
        label="size of each table and who holds the labels",
        purpose="check that the tables fit together",
    )
    rows, holders = sizes[:, 0], np.flatnonzero(sizes[:, 2])
    most = 1 << (61 - 2 * session.frac_bits)  # a sum of squares, one a row on average, has room
    if rows.max() > most:
        raise UsageError(
            f"{rows.max()} rows are more than {most}, which is what {session.frac_bits} fraction "
            "bits leave room for; train on a sample"
        )
    if (rows != rows[0]).any():
        counts = ", ".join(f"{n} at {name}" for n, name in zip(rows, session.names, strict=True))
        raise UsageError(f"every party must pass the same rows; there are {counts}")
    if holders.size != 1:
        who = " and ".join(session.names[i] for i in holders) or "no party"
        raise UsageError(f"exactly one party must pass the labels y; {who} did")
    return int(holders[0])


def input_columns(session: Session, own: Matrix) -> SharedArray:
    """Share this party's columns (or vector); return all parties', joined on the last axis."""
    parts = [
        session.input(own if session.party == party else None, owner=party, dtype="fixed")
        for party in range(session.parties)
    ]
    return concatenate(parts, axis=-1)


def input_labels(session: Session, y: npt.ArrayLike | None, holder: int, rows: int) -> SharedArray:
    """Share the labels 0 or 1 of party `holder`, int64, shape (rows,).

    Raises
    ------
    UsageError
        At the holder, if y has another shape, other values.
    """
    labels = None
    if session.party == holder:
        labels = np.asarray(y)
        if labels.shape != (rows,):
            raise UsageError(f"y must have one label per row, ({rows},), not {labels.shape}")
        if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
            raise UsageError("y must hold only 0 and 1; map your classes to them")
        labels = labels.astype(np.int64)
    return session.input(labels, owner=holder, dtype="int64")
