"""The methods of a Session that compare sets of ids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from petcore.mpc import psi

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
            "auto" takes "ecdh" for that and for sets of 512 ids or less, "rr22" otherwise.
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
