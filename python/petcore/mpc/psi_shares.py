"""Private set intersection in circuit form: nobody learns it, both compute on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from petcore.errors import BadFrame, PetcoreError, UsageError
from petcore.mpc import opening
from petcore.mpc.conversion import is_zero
from petcore.mpc.fixed import encode, infer_dtype, plain_array
from petcore.mpc.psi import Wish, _declare, _settle_repeats
from petcore.mpc.psi_ids import Index, OwnIds, Rows

if TYPE_CHECKING:
    from petcore.mpc.session import Session
    from petcore.mpc.shared_array import SharedArray

IDS_MAX, COLUMNS_MAX = 1 << 24, 64
_DTYPES = ("int64", "fixed")


@dataclass(frozen=True, eq=False)
class SharedIntersection:
    """A table of bins, some of which hold a common id; see `Session.psi_shares`.

    Attributes
    ----------
    member
        Shared bool, (bins,): whether the bin's id is common.
    columns
        The columns of the party without the table, shared, (bins,): its row of the common id, and
        zero in all other bins.
    ids
        int64, (bins,), at the party of the table: where the bin's id is in its own list, or -1 for
        an empty bin. None at the other party.
    sizes
        How many ids each party brought, by party.
    """

    member: SharedArray
    columns: Mapping[str, SharedArray]
    ids: Index | None
    sizes: tuple[int, int]
    _table: int

    def align(self, values: Any = None) -> SharedArray:
        """Share a column of the party of the table, put into its bins; zero in empty bins.

        That party passes one value for each of its ids, the other None. Multiply by `member` to
        keep the rows of common ids alone. Rounds and bytes as for `Session.input`.
        """
        session = self.member.session
        if self.ids is None:
            return session.input(values, owner=self._table)
        column = plain_array(values)
        if column.shape != (self.sizes[self._table],):
            session._fail("aborted", "a column does not fit the ids")
            raise UsageError(
                f"a column of this party has {self.sizes[self._table]} values, one for each id, "
                f"not the shape {column.shape}"
            )
        placed = np.zeros(len(self.ids), column.dtype)
        taken = self.ids >= 0
        placed[taken] = column[self.ids[taken]]
        return session.input(placed, owner=self._table)


def intersect_shares(
    session: Session,
    ids: Any,
    table: int,
    columns: Mapping[str, Any],
    duplicates: str,
    wish: Wish,
) -> SharedIntersection:
    """Intersect; see `Session.psi_shares`."""
    session._require_usable()
    if session.parties != 2:
        raise UsageError("psi is for two parties")
    if duplicates not in ("refuse", "first"):
        raise UsageError(f"duplicates is 'refuse' or 'first', not {duplicates!r}")
    opening.check_words(wish.label, wish.purpose, wish.agreement)
    core = session._core
    with OwnIds(core.psi_key(), threads=core.threads, limit=IDS_MAX) as own:
        try:
            own.read(ids, lambda n: None)
            length = own.count
            _settle_repeats(own, duplicates)
            if own.on_disk:
                raise UsageError(f"sets in circuit form have at most {IDS_MAX:,} ids")
            dtypes, words = _encoded(session, columns, length, session.party == table)
        except PetcoreError:
            session._fail("aborted", f"the ids or columns of {session.name} cannot be used")
            raise
        digests, indices = next(iter(own.buckets(1)))
    return _with_peer(session, (digests, indices, words[:, indices]), length, table, dtypes, wish)


def _encoded(
    session: Session, columns: Any, length: int, receives: bool
) -> tuple[dict[str, str], NDArray[np.uint64]]:
    """Give dtypes by name, and the words of the columns, (columns, ids)."""
    if not isinstance(columns, Mapping) or len(columns) > COLUMNS_MAX:
        raise UsageError(f"columns are a dict of at most {COLUMNS_MAX} columns by name")
    if receives:
        for name, dtype in columns.items():
            if dtype not in _DTYPES:
                raise UsageError(
                    f"column {name!r} comes from the other party; name its dtype here, 'int64' or "
                    f"'fixed', not {type(dtype).__name__}"
                )
        return dict(columns), np.empty((0, length), np.uint64)
    dtypes, words = {}, np.empty((len(columns), length), np.uint64)
    for i, (name, values) in enumerate(columns.items()):
        array = plain_array(values)
        dtypes[name] = infer_dtype(array)
        if dtypes[name] not in _DTYPES or array.shape != (length,):
            raise UsageError(
                f"column {name!r} has dtype {array.dtype} and shape {array.shape}; pass one whole "
                f"or real number for each of the {length} ids"
            )
        words[i] = encode(array, dtypes[name], session.frac_bits)
    return dtypes, words


def _with_peer(
    session: Session,
    own: tuple[Rows, Index, NDArray[np.uint64]],
    length: int,
    table: int,
    dtypes: dict[str, str],
    wish: Wish,
) -> SharedIntersection:
    from petcore import _core

    core, (digests, indices, words) = session._core, own
    _declare(session, wish, f"{wish.label}: number of ids", session.names, (2,), "int64")
    named = ", ".join(f"{name!r} {dtype}" for name, dtype in dtypes.items())
    what = f"sizes for {wish.label!r}: table at {session.names[table]}, columns {named or 'none'}"
    numbers = np.array([len(digests), length], np.uint64)
    theirs, their_length = (int(n) for n in core.tell(what, numbers))
    if not theirs <= their_length <= 1 << 32 or theirs > IDS_MAX:
        session._fail("frame", "a peer's number of ids cannot be")
        raise BadFrame(f"{session.names[1 - session.party]} named a number of ids that cannot be")
    receives = session.party == table
    if not len(digests):  # an id that nobody has, so that there is one
        drawn = np.frombuffer(_core.kernels.random_bytes(16), np.uint64)
        digests, words = drawn.reshape(1, 2), np.zeros((len(words), 1), np.uint64)
        indices = np.array([-1])
    at_table = max(1, len(digests) if receives else theirs)
    shares = core.intersect_shares(
        digests, max(1, theirs), table, len(dtypes), words.ravel(), wish.label
    )
    tags, column_words, ids_of_bins = shares
    member = is_zero(session.from_shares(tags[None]), bits=_core.circuit_tag_bits(at_table))
    parts = column_words.reshape(len(dtypes), 1, len(tags))
    out = {
        name: member * session.from_shares(part, dtype)
        for (name, dtype), part in zip(dtypes.items(), parts, strict=True)
    }
    ids = _own_ids(ids_of_bins, indices) if receives else None
    sizes = (length, their_length) if session.party == 0 else (their_length, length)
    return SharedIntersection(member, out, ids, sizes, table)


def _own_ids(ids_of_bins: NDArray[np.uint64], indices: Index) -> Index:
    ids = np.full(len(ids_of_bins), -1, np.int64)
    taken = ids_of_bins != np.uint64(2**64 - 1)
    ids[taken] = indices[ids_of_bins[taken].astype(np.int64)]
    return ids
