"""How two parties without a dealer extend oblivious transfers, of which they make correlations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Method = Literal["auto", "softspoken", "silent"]
METHODS: tuple[str, ...] = get_args(Method)
LINK_MBIT_MAX = 1e6


@dataclass(frozen=True)
class Transfers:
    """How the parties extend oblivious transfers: by the speed of their link, or as they say.

    All parties must come to the same: it is a term of their handshake, "transfers".

    Parameters
    ----------
    method : {"auto", "softspoken", "silent"}
        "softspoken" (SoftSpokenOT) takes 128 / k bits on the link for each transfer, and the more
        computing the larger k is; "silent" takes 1.25 bits and the most computing. "auto" is
        "softspoken" wherever ``checked`` is true, however slow the link; where it is false, "silent"
        below 300 Mbit/s.
    link_mbit : float
        Megabits per second that the link between the parties carries. It chooses k, 4 to 8. It is
        declared, not measured.
    checked : bool
        Whether a party that receives transfers inconsistently, in order to learn the other's secrets,
        is caught. "silent" is secure only where both follow the protocol: who makes its transfers
        is not checked. So it needs ``checked=False``, and nothing else ever takes the check away.

    Examples
    --------
    >>> import petcore as pc
    >>> def product(session, x):
    ...     return x * x
    >>> for speed in (100, 1000, 10_000):
    ...     transfers = pc.Transfers(link_mbit=speed)
    ...     e = pc.estimate(product, ((1000,), "int64"), correlations="ot", transfers=transfers)
    ...     print(e.cost.offline_bytes)
    389000
    470000
    518000
    """

    method: Method = "auto"
    link_mbit: float = 1000.0
    checked: bool = True

    def fault(self) -> tuple[str, str] | None:
        """Return the name of what cannot be, and what to do; None where all is well."""
        if self.method not in METHODS:
            words = " or ".join(f'"{word}"' for word in METHODS)
            return "method", f"is {self.method!r}; write {words}"
        if not (math.isfinite(self.link_mbit) and 0 < self.link_mbit <= LINK_MBIT_MAX):
            return "link_mbit", f"must be above 0 and at most {LINK_MBIT_MAX:.0f} Mbit/s"
        if self.method == "silent" and self.checked:
            return "checked", (
                'is true, but "silent" does not check: set it to false as well, '
                'or method to "softspoken"'
            )
        return None
