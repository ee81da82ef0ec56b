"""The methods of a Session that compare sets of ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from petcore.mpc import psi
from petcore.mpc.psi_shares import SharedIntersection, intersect_shares

if TYPE_CHECKING:
    from petcore.mpc.session import Session


class Intersecting:
    """What `Session` offers on sets of ids."""

    def psi(
        self,
        ids: Any,
        *,
        to: Literal["both"] | int | str = "both",
        method: psi.Method = "auto",
        output: psi.Output = "indices",
        label: str = "intersection of ids",
        purpose: str = "",
        agreement: str = "",
        duplicates: Literal["refuse", "first"] = "refuse",
        memory: int = psi.MEMORY_DEFAULT,
        folder: str | Path | None = None,
        progress: psi.Progress | None = None,
    ) -> psi.Intersection:
        """Find which of this party's ids the other party has as well; two parties.

        Parameters
        ----------
        ids : iterable
            Each once: str (compared as UTF-8, not normalised), bytes, whole numbers (compared as
            decimal digits, so that 42 equals "42"), or a NumPy array of these. Read once, in pieces.
        to : "both", int or str
            Who learns it: both parties, or one by index or name.
        method : {"auto", "rr22", "ecdh"}
            "rr22" is fast, "ecdh" simple to audit and the one that can give the cardinality alone;
            "auto" takes "ecdh" for that and for sets of 512 ids or less, "rr22" otherwise
            (``session.explain("psi", n)`` says why).
        output : {"indices", "cardinality"}
            Which ids, or only how many.
        label, purpose, agreement : str
            What the sink records, once for the sizes and once for each who learns.
        duplicates : {"refuse", "first"}
            Of equal ids raise, naming the first that stands there again, or keep the first.
        memory : int
            Bytes that the sets may take, at 320 per id; what is more goes to files and is worked on
            in buckets. The smaller bound of the two parties counts.
        folder : str or Path, optional
            Where these files go, for as long as it takes; they hold keyed digests, no ids.
        progress : callable, optional
            Called as ``progress(what, done, total)``, what being "reading ids" or "intersecting".

        Raises
        ------
        UsageError
            Ids of another type, equal ids, or an option that cannot be; the peer gets PeerAborted.
        DisclosureRefused
            Where the sink's policy refuses.
        StepMismatch
            Where the parties disagree on ``to``, ``method``, ``output`` or ``label``.

        Rounds: 1 for the sizes, then those of the method for each bucket. Bytes, at 10^6 each: 22
        per id of who receives (the smaller set, where both learn), 8 per id of the other. Wrong: an
        id that is not common passes for common with probability 2^-40 over all ids ("ecdh": of a
        bucket). Adversary: semi-honest. Leaks: the number of ids of both, to both; nothing on ids
        that are not common.

        Examples
        --------
        >>> import petcore as pc
        >>> def program(session):
        ...     ids = [["Zoë", "Ada", "Kurt"], ["Ada", "Emmy", "Zoë"]][session.party]
        ...     common = session.psi(ids)
        ...     return [ids[i] for i in common.indices]
        >>> first, second = pc.simulate(program)
        >>> first == second, sorted(first)
        (True, ['Ada', 'Zoë'])
        """
        session = cast("Session", self)
        whom = None if to == "both" else session._index(to, "to")
        wish = psi.Wish(whom, method, output, label, purpose, agreement)
        return psi.intersect(session, ids, wish, psi.Local(duplicates, memory, folder, progress))

    def psi_shares(
        self,
        ids: Any,
        *,
        table: int | str,
        columns: Mapping[str, Any] | None = None,
        label: str = "intersection of ids, shared",
        purpose: str = "",
        agreement: str = "",
        duplicates: Literal["refuse", "first"] = "refuse",
    ) -> SharedIntersection:
        """Find which ids two parties share without either learning it; both compute on the result.

        The ids of one party lie in a table of bins, each id in one. Per bin there are shares of
        whether its id is common, and of the other party's columns for it.

        Parameters
        ----------
        ids : iterable
            As for `psi`; at most 2^24.
        table : int or str
            The party whose ids lie in the table; its bins are 1.27 per id and 256 more. The smaller
            set costs less there.
        columns : mapping, optional
            At the other party: by name, a whole or real number for each of its ids. At the party of
            the table: by the same names, their dtypes, "int64" or "fixed".
        label, purpose, agreement : str
            What the sink records, once, for the sizes.
        duplicates : {"refuse", "first"}
            As for `psi`.

        Raises
        ------
        UsageError
            Ids or columns that cannot be used, too many ids; the peer gets PeerAborted.
        StepMismatch
            Where the parties disagree on ``table``, the names or dtypes of columns, or ``label``.

        Rounds: 1 for the sizes, 6 or 7 for the table, then an equality of 40 bits and those of the
        bins, and a product for each column. Bytes for each id of the table: 28, for each other id 66
        (and 66 more for every two columns but the first), and the equality's. Wrong: as for `psi`,
        2^-40 over all bins. Adversary: semi-honest. Leaks: the number of ids of both, to both; to
        nobody which are common, or how many.

        Examples
        --------
        >>> import petcore as pc
        >>> def program(session):
        ...     if session.party == 0:
        ...         found = session.psi_shares(["ada", "kurt"], table=0, columns={"amount": "int64"})
        ...     else:
        ...         found = session.psi_shares(
        ...             ["emmy", "kurt"], table=0, columns={"amount": [10, 25]})
        ...     return int(session.open(found.columns["amount"].sum(), label="turnover in common"))
        >>> pc.simulate(program)
        [25, 25]
        """
        session = cast("Session", self)
        at = session._index(table, "table")
        wish = psi.Wish(None, "rr22", "indices", label, purpose, agreement)
        return intersect_shares(session, ids, at, columns or {}, duplicates, wish)
