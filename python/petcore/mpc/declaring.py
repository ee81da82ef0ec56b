"""What parties agree on, and exports declared before what they disclose is computed.

An agreement of its own costs a round. Where operations follow anyway, it can travel in the next
one: its step is then named after what was agreed on as well, and a party that says something else
gets StepMismatch from it, before any result exists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from petcore import _core
from petcore.errors import UsageError
from petcore.mpc.conversion import dtype_name
from petcore.mpc.core import Words
from petcore.mpc.deferred import forced
from petcore.mpc.disclosure import Disclosure
from petcore.mpc.fixed import Plain
from petcore.mpc.opening import ask_sink, check_recipient, check_words, described
from petcore.mpc.operands import require_shared

if TYPE_CHECKING:
    from petcore.mpc.core import Core
    from petcore.mpc.session import Session
    from petcore.mpc.shared_array import SharedArray


class Declaring:
    """The part of a session that agrees, and declares exports."""

    _core: Core

    def _require_usable(self) -> None:
        raise NotImplementedError

    def agree(self, what: str, *, wait: bool = True) -> None:
        """Return where every party says the same: public parameters that must not differ.

        The text may appear in a peer's error message: nothing secret belongs into it. With
        ``wait=False`` it returns at once, and the next operation fails where the parties differ.

        Raises
        ------
        StepMismatch
            At every party, where one says something else or is at another step.

        Rounds: 1; without waiting none. Leaks: whether the texts are equal, and to a party that
        differs the text.
        """
        self._require_usable()
        if wait:
            self._core.checkpoint(f"agree on {what}")
        else:
            self._core.bind_next(what)

    def declare_export(
        self,
        shape: int | tuple[int, ...],
        *,
        to: str,
        label: str,
        dtype: str = "int64",
        purpose: str = "",
        agreement: str = "",
    ) -> DeclaredExport:
        """Declare the export of a value that is about to be computed; see `Session.export`.

        The policy is asked and the disclosure recorded at once; that all parties declare the same
        is checked within the next operation. `DeclaredExport.share` gives this party's share.

        Rounds: none. Raises as `export`. Leaks: the value, to the recipient.

        Examples
        --------
        >>> import petcore as pc
        >>> def program(session):
        ...     x = session.input([3, 4] if session.party == 0 else None, owner=0)
        ...     declared = session.declare_export(2, to="auditor", label="squares")
        ...     return declared.share(x * x)
        >>> sum(pc.simulate(program))
        array([[ 9, 16]], dtype=uint64)
        """
        said = {to: shape}
        return self.declare_exports(
            said, label=label, dtype=dtype, purpose=purpose, agreement=agreement
        )[to]

    def declare_exports(
        self,
        shapes: Mapping[str, int | tuple[int, ...]],
        *,
        label: str,
        dtype: str = "int64",
        purpose: str = "",
        agreement: str = "",
    ) -> dict[str, DeclaredExport]:
        """Declare an export to each of several recipients, as `declare_export`, by their names.

        A record each; they reach the disk together.
        """
        self._require_usable()
        session, core = cast("Session", self), self._core
        check_words(label, purpose, agreement)
        name = dtype_name(dtype)
        if name == "fixed":
            raise UsageError("declare_export takes int64 or bool; export a fixed array by export()")
        made = {
            check_recipient(to): Disclosure(
                core.step, label, (to,), _sizes(shape), name, purpose, agreement, "export"
            )
            for to, shape in shapes.items()
        }
        if not made:
            return {}
        ask_sink(session, *made.values())
        texts = (f"{to}: {described(label, name, one.shape)}" for to, one in made.items())
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
        core.bind_next(f"{len(made)} exports of {label!r}, {digest}")
        return {to: DeclaredExport(session, one, core.step) for to, one in made.items()}

    def to_shares(self, x: SharedArray) -> Plain:
        """Give this party's share of x, (components, *shape) words, for its own keeping; local.

        `from_shares` takes it back, in this session or a later one. It is worth nothing on its own
        and discloses the value to whoever has the other party's too: what leaves this party goes
        through `export` or `declare_export`.
        """
        self._require_usable()
        share: Plain = forced(require_shared(x, "what is kept")._share)
        return share.copy()

    def common_words(self, n: int, purpose: str) -> Words:
        """Give n random words that all parties know and nobody else, the dealer neither; local.

        Others for each purpose, and after each operation. Source: AES-128-CTR under a key derived
        from the session's common seed.
        """
        self._require_usable()
        words: Words = np.empty(n, np.uint64)
        _core.kernels.prg_fill_words(words, self._core.common_key(purpose))
        return words


def _sizes(shape: int | tuple[int, ...]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


class DeclaredExport:
    """Leave to give one value to its recipient; made by `Session.declare_export`."""

    def __init__(self, session: Session, disclosure: Disclosure, step: int) -> None:
        self._session, self._step, self._used = session, step, False
        self.disclosure = disclosure

    def share(self, x: Any) -> Plain:
        """Give this party's share of x, (components, *shape) words; once.

        Raises
        ------
        UsageError
            x has another shape or dtype than declared, or belongs to another session; the export
            was used already; or no operation followed, in which the parties could have agreed.
        """
        array, declared = require_shared(x, "what is exported"), self.disclosure
        if self._used or array.session is not self._session:
            raise UsageError("an export is declared for one value of its session; declare another")
        if self._session._core.step == self._step:
            raise UsageError("nothing was computed since the export was declared; use export()")
        if array.shape != declared.shape or array.dtype != declared.dtype:
            raise UsageError(
                f"the export was declared for {declared.dtype} of shape {declared.shape}, not "
                f"{array.dtype} {array.shape}"
            )
        self._used = True
        return self._session.to_shares(array)
