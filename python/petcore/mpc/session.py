"""Session: one party's end of a computation on shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from petcore.errors import PetcoreError, SessionBroken, UsageError
from petcore.mpc import comparison, inputs, masked, opening
from petcore.mpc.batching import Batch, BatchCore
from petcore.mpc.choice import ComparisonChoice
from petcore.mpc.conversion import check_frac_bits, dtype_name
from petcore.mpc.core import Core
from petcore.mpc.cost import Cost
from petcore.mpc.declaring import Declaring
from petcore.mpc.disclosure import DisclosureSink, MemorySink
from petcore.mpc.empty import tolerate_empty
from petcore.mpc.fixed import FRAC_BITS_DEFAULT, Plain, encode, infer_dtype, plain_array
from petcore.mpc.intersecting import Intersecting
from petcore.mpc.operands import add_words
from petcore.mpc.profile import Profile, Region, record
from petcore.mpc.shared_array import SharedArray

if TYPE_CHECKING:
    from petcore.mpc.estimation import Estimate

_NO_REGION = nullcontext()


class Session(Declaring, ComparisonChoice, Intersecting):
    """One party's end of a computation on shares, over links that are already up.

    Made by `petcore.connect` or `petcore.simulate`; use it in a ``with`` statement, so that an
    exception here reaches the other parties at once as PeerAborted. All parties call the same
    operations in the same order. A failed operation breaks the session; the process lives on.

    Parameters
    ----------
    core : Core
        The compiled session; this object closes it.
    sink : DisclosureSink, optional
        Takes every disclosure before the share is sent; a `MemorySink` where left out.
    correlations : str
        Where the correlated randomness comes from, for people to read.
    on_close : callable, optional
        Called once, after the links are closed, to free what belongs to the session.

    Examples
    --------
    >>> import numpy as np, petcore as pc
    >>> def program(session):
    ...     salary = session.input(np.array([5200, 4100]) if session.party == 0 else None, owner=0)
    ...     rent = session.input(np.array([1900, 2300]) if session.party == 1 else None, owner=1)
    ...     return session.open(rent * 3 > salary, label="cannot afford the rent")
    >>> pc.simulate(program)[0]
    array([ True,  True])
    """

    def __init__(
        self,
        core: Core,
        *,
        sink: DisclosureSink | None = None,
        correlations: str = "dealer process",
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._core = tolerate_empty(core)
        self._on_close = on_close
        self._closed = False
        self._started = time.perf_counter()
        self._frac_bits = FRAC_BITS_DEFAULT
        self._truncation = "probabilistic"
        self._profile: Profile | None = None
        self._sink: DisclosureSink = MemorySink() if sink is None else sink
        self.correlations = correlations

    def __enter__(self) -> Self:
        """Use the session."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell the peers about an exception, by its name only, and close."""
        if kind is not None:
            self._fail("aborted", f"the program of {self.name} raised {kind.__name__}")
        self.close()

    def close(self) -> None:
        """Say goodbye to the peers and free the links; closing twice is fine."""
        if not self._closed:
            self._closed = True
            try:
                self._core.close()
            finally:
                if self._on_close is not None:
                    self._on_close()

    def __repr__(self) -> str:
        """Show the parties and the state."""
        state = "closed" if self._closed else f"step {self._core.step}"
        return f"Session({'/'.join(self.names)}, party={self.name}, {state})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: links and correlations stay in their process."""
        raise UsageError("a Session does not pickle; connect anew in the other process")

    @property
    def party(self) -> int:
        """This party's index."""
        return self._core.party

    @property
    def parties(self) -> int:
        """Number of parties."""
        return self._core.parties

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parties, by index."""
        return tuple(self._core.names)

    @property
    def name(self) -> str:
        """This party's name."""
        return self.names[self.party]

    @property
    def sink(self) -> DisclosureSink:
        """What takes every disclosure before the share is sent."""
        return self._sink

    @property
    def frac_bits(self) -> int:
        """Fraction bits of new fixed-point arrays (18).

        Every party sets it: 1 round, and StepMismatch where they disagree, since shares of two
        scales would add up to garbage.
        """
        return self._frac_bits

    @frac_bits.setter
    def frac_bits(self, value: int) -> None:
        bits = check_frac_bits(value)
        self.agree(f"frac_bits {bits}")
        self._frac_bits = bits

    @property
    def truncation(self) -> str:
        """Rounding of products: "probabilistic" (1 round) or "exact" (7); set as `frac_bits`."""
        return self._truncation

    @truncation.setter
    def truncation(self, value: str) -> None:
        if value not in ("probabilistic", "exact"):
            raise UsageError(f"truncation must be 'probabilistic' or 'exact', not {value!r}")
        self.agree(f"truncation {value}")
        self._truncation = value

    @property
    def cost(self) -> Cost:
        """What the session used so far at this party."""
        return Cost.from_core(self._core.cost(), time.perf_counter() - self._started)

    def stock(self) -> dict[str, Any] | None:
        """Return what is left of the correlations made ahead; None without a store.

        ``pools`` lists for each kind and size of correlation its ``units`` left, the ``target`` of
        the last plan, whether it is ``low``, and the units made ``online`` since the session began.
        """
        stock: dict[str, Any] | None = self._core.stock()
        return stock

    @property
    def links(self) -> dict[str, dict[str, int]]:
        """Bytes per link so far, by the name at its other end: payload and wire, sent and received."""
        counters: dict[str, dict[str, int]] = self._core.cost()["links"]
        return counters

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """Measure a stretch: the Cost it gives is filled in when the ``with`` block ends."""
        before, measured = self.cost, Cost()
        try:
            yield measured
        finally:
            measured._assign(self.cost - before)

    @contextmanager
    def profile(self) -> Iterator[Profile]:
        """Record a stretch by operation and by region; ``print(p)`` shows where its time went.

        Nothing is recorded, and nothing slowed down, outside the ``with`` block.

        Raises
        ------
        UsageError
            Where the session is being profiled already.

        Examples
        --------
        >>> import petcore as pc
        >>> def program(session):
        ...     x = session.input([0.5, -2.0] if session.party == 0 else None, owner=0)
        ...     with session.profile() as p, session.region("score"):
        ...         pc.functions.sigmoid(x * x)
        ...     return sorted(p.regions), p.table().split()[0]
        >>> pc.simulate(program)[0]
        ([('score',), ('score', 'sigmoid')], 'operation')
        """
        if self._profile is not None:
            raise UsageError("the session is being profiled already; name parts of it by region()")
        if isinstance(self._core, BatchCore):
            raise UsageError("profile() goes around batch(), not into it")
        core, self._profile = self._core, Profile(self.party, self.name)
        self._core = record(core, self._profile)
        try:
            yield self._profile
        finally:
            self._profile._end()
            self._core, self._profile = core, None

    def estimate(self, program: Callable[..., Any], *arguments: Any, **options: Any) -> Estimate:
        """Predict what a program will cost at this party; see `petcore.estimate`.

        The session's protocol, parties, frac_bits and truncation are assumed. Nothing is sent, and
        the other parties need not call it.
        """
        from petcore.mpc.estimation import estimate_like

        return estimate_like(self, program, *arguments, **options)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Run the operations of a ``with`` block together, so that many small ones cost few rounds.

        Inside the block, operations on shares wait; what does not depend on each other and is of
        one kind (products, comparisons, choices, truncations, ...) is joined into one operation
        when the block ends. A chain of k operations costs k operations' rounds, however many such
        chains there are. Results are the usual SharedArrays. What needs a value at once (an opening,
        a write in place, a matrix product, 2^22 waiting elements) runs what waits first.

        Where the block ends with an exception, what waited is dropped, and using it raises
        UsageError.

        Examples
        --------
        >>> import petcore as pc
        >>> def program(session):
        ...     x = session.input([3, 1, 2] if session.party == 0 else None, owner=0)
        ...     with session.measure() as cost, session.batch():
        ...         products = [x[i] * x[j] for i in range(3) for j in range(i)]
        ...     return cost.rounds, [int(session.open(p, label="product")) for p in products]
        >>> pc.simulate(program)[0]
        (1, [3, 6, 2])
        """
        if isinstance(self._core, BatchCore):
            yield  # the outer block runs everything
            return
        core, batch = self._core, Batch(self._core)
        self._core = batch.core
        try:
            yield
            batch.run()
        finally:
            batch.end()
            self._core = core

    @contextmanager
    def ahead(self, max_bytes: int = 4 << 20) -> Iterator[None]:
        """Have a dealer send in advance what the loops of a ``with`` block will use.

        The source of correlations learns what the block's operations need, in which order, and from
        the second turn of a loop on the dealer is asked for the next turns before they begin: an
        operation no longer waits for its answer. All parties guess alike; what was sent in vain is
        thrown away, never used. Without a dealer it changes nothing.

        Parameters
        ----------
        max_bytes : int
            How much may be on its way unused, at most half of the limit ``inbox_bytes_max``; the
            same at every party. The link holds the dealer back when this party falls behind.

        Raises
        ------
        UsageError
            ``max_bytes`` is too large for this party's limits.
        StepMismatch
            Where the parties disagree.

        Rounds: 2, for the beginning and the end. Leaks: to the dealer, that the same came again.

        Examples
        --------
        >>> import petcore as pc
        >>> def program(session):
        ...     x = session.input([1, -1] if session.party == 0 else None, owner=0)
        ...     with session.ahead():
        ...         for _ in range(9):
        ...             x = x * x * x
        ...     return session.open(x, label="power")
        >>> pc.simulate(program)[0]
        array([ 1, -1])
        """
        self._require_usable()
        self._core.ahead(max_bytes)
        yield
        self._core.ahead(0)

    @property
    def dealer_counters(self) -> dict[str, int]:
        """What `ahead` and ``verify_dealer`` did so far at this party.

        ``foreseen``: plans that were asked for ahead and used; ``discarded_bytes`` of those asked
        in vain; ``checked``: plans that were verified and thrown away; ``checked_bytes`` of these.
        """
        counters: dict[str, int] = self._core.cost()["dealer"]
        return counters

    def region(self, name: str) -> AbstractContextManager[None]:
        """Name what is done in a ``with`` block, for `profile`; regions nest."""
        return _NO_REGION if self._profile is None else Region(self._profile, name)

    def input(
        self,
        values: Any,
        owner: int | str,
        *,
        dtype: str | None = None,
        frac_bits: int | None = None,
    ) -> SharedArray:
        """Share the owner's values; shape, dtype and scale are learnt from the owner.

        Parameters
        ----------
        values : array_like or None
            At the owner: bools, integers within int64, or finite floats, of at most 8 dimensions.
            None at every other party.
        owner : int or str
            The owner's index or name.
        dtype : {"int64", "fixed", "bool"}, optional
            Inferred from the values where left out (floats give "fixed"). A party that passes it
            insists on it.
        frac_bits : int, optional
            Scale of a fixed array, 0 to 62; `frac_bits` of the session where left out.

        Raises
        ------
        UsageError
            At the owner for None, NaN, infinity or values out of range, naming the index; at
            another party for passing values. All others get PeerAborted at once.
        StepMismatch
            Where this party insists on another dtype or scale than the owner's.

        Rounds: 1 (the metadata). Bytes: the metadata only, a share is expanded from a common seed.
        Leaks: shape, dtype and scale.
        """
        return inputs.share_input(self, values, self._index(owner, "owner"), dtype, frac_bits)

    def from_shares(
        self, array: Any, dtype: str = "int64", frac_bits: int | None = None
    ) -> SharedArray:
        """Take this party's share of a value shared elsewhere, (components, *shape); local.

        The words are uint64, or uint8 zeros and ones for bool. They are copied.
        """
        name = dtype_name(dtype)
        share = np.array(array)
        word = np.uint8 if name == "bool" else np.uint64
        if share.dtype != word or share.ndim == 0 or share.shape[0] != self._core.components:
            raise UsageError(
                f"a share of {name} is {word.__name__} of shape ({self._core.components}, *shape), "
                f"not {share.dtype} {share.shape}"
            )
        if name == "bool" and np.any(share > 1):
            raise UsageError("shares of bools hold zeros and ones only")
        return SharedArray(self, share, name, self._scale(name, frac_bits))

    def zeros(
        self, shape: int | tuple[int, ...], dtype: str = "int64", *, frac_bits: int | None = None
    ) -> SharedArray:
        """Give an array of zeros whose shares are not secret; local."""
        name = dtype_name(dtype)
        sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        word = np.uint8 if name == "bool" else np.uint64
        share = np.zeros((self._core.components, *sizes), word)
        return SharedArray(self, share, name, self._scale(name, frac_bits))

    def constant(
        self, values: Any, dtype: str | None = None, *, frac_bits: int | None = None
    ) -> SharedArray:
        """Give public values the form of a shared array; all parties pass the same. Local."""
        array = plain_array(values)
        name = infer_dtype(array) if dtype is None else dtype_name(dtype)
        zeros = self.zeros(array.shape, name, frac_bits=frac_bits)
        return add_words(zeros, encode(array, name, zeros.frac_bits))

    def open(self, x: Any, *, label: str, purpose: str = "", agreement: str = "") -> Plain:
        """Open a shared array to every party.

        Returns bool, int64 or float64 values. The disclosure is recorded before the share is sent.

        Raises
        ------
        LabelMissing
            Without a label.
        DisclosureRefused
            Where the sink's policy refuses; the peers get PeerAborted.
        StepMismatch
            Where the parties disagree on label, shape, dtype or scale.

        Rounds: 1. Bytes: 8 per element and party (bools: 1/8). Leaks: the value, to every party.
        """
        return opening.open_array(self, x, label, purpose, agreement)

    def reveal(
        self, x: Any, *, to: int | str, label: str, purpose: str = "", agreement: str = ""
    ) -> Plain | None:
        """Open a shared array to one party, which gets the values; the others get None.

        Raises as `open`. Rounds: 1. Bytes: 8 per element, to the recipient. Leaks: the value, to
        the recipient.
        """
        return opening.reveal_array(self, x, self._index(to, "to"), label, purpose, agreement)

    def export(
        self, x: Any, *, to: str, label: str, purpose: str = "", agreement: str = ""
    ) -> Plain:
        """Give this party's share of an output meant for someone outside the session.

        Every party calls it and sends its share, (components, *shape) words, to the recipient, who
        adds them (XOR for bools). Recorded and agreed like an opening; raises as `open`.

        Rounds: 1, for the agreement. Leaks: the value, to the recipient.
        """
        return opening.export_share(self, x, to, label, purpose, agreement)

    def where(self, condition: Any, a: Any, b: Any) -> SharedArray:
        """Choose a where the condition holds and b elsewhere; see `petcore.where`."""
        return comparison.where(condition, a, b)

    def mask(self, x: Any) -> masked.MaskedMatrix:
        """Mask and open a matrix once, for products with many others.

        Rounds: 1. Bytes: 8 per element and party. Leaks: nothing.
        """
        return masked.mask(x)

    def _index(self, party: int | str, what: str) -> int:
        if isinstance(party, str) and party in self.names:
            return self.names.index(party)
        whole = isinstance(party, (int, np.integer)) and not isinstance(party, bool)
        if whole and 0 <= int(party) < self.parties:
            return int(party)
        raise UsageError(
            f"{what}={party!r} is no party; use an index below {self.parties} or one of "
            f"{', '.join(self.names)}"
        )

    def _scale(self, dtype: str, frac_bits: int | None) -> int:
        if dtype != "fixed":
            return 0
        return self.frac_bits if frac_bits is None else check_frac_bits(frac_bits)

    def _require_usable(self) -> None:
        if self._closed:
            raise SessionBroken("this session is closed; connect a new one")

    def _fail(self, code: str, text: str) -> None:
        """Tell the peers, whatever state the links are in; the caller raises the cause."""
        with suppress(PetcoreError):
            self._core.fail(code, text)
