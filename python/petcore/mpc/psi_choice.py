"""Which method an intersection of ids takes where none is asked for, and why.

The rule looks at what both parties know: how many ids each has, and whether only their number in
common is wanted. "ecdh" is the one method that can give the number alone, and takes far fewer bytes for
sets of up to ECDH_MAX ids; "rr22" is faster for all others. The link's speed is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from petcore.errors import UsageError
from petcore.mpc.choice import LINK_BYTES_PER_SECOND, Alternative, Explanation

if TYPE_CHECKING:
    from petcore.mpc.core import Core

ECDH_MAX = 512  # up to here the few bytes of "ecdh" weigh more than the speed of "rr22"
BYTES_PER_ID = 320  # of memory, while a bucket is worked on
MEMORY_DEFAULT = 1 << 30
BUCKET_MIN, BUCKET_MAX = 1 << 8, 1 << 24
OVERFLOW_BITS = 42.0  # a bucket overflows with 2^-42
COUNT_MAX = 1 << 32
# What predictions assume of a core.
ECDH_IDS_PER_SECOND = 2500
RR22_IDS_PER_SECOND = 1e6
RR22_START_SECONDS = 0.05  # base transfers
_SIZES_BYTES = 16  # the number of ids and the limit that a party tells


class PsiExplanation(Explanation):
    """Which method an intersection takes, and why; ``bits`` are those of the digests compared."""

    def __str__(self) -> str:
        """Give a line for the choice and one for each alternative."""
        _, *rest = super().__str__().split("\n")
        first = f"psi of {self.elements:,} ids at each party: {self.method}, since {self.why}"
        return "\n".join([first, *rest])


def choose(output: str, most: int) -> str:
    """Give the method for sets of which the larger has so many ids."""
    return "ecdh" if output == "cardinality" or most <= ECDH_MAX else "rr22"


def bucket_limit(memory: int) -> int:
    """Return how many ids fit a bucket."""
    return min(max(memory // BYTES_PER_ID, BUCKET_MIN), BUCKET_MAX)


def number_of_buckets(most: int, limit: int) -> int:
    """Return how many buckets it takes: the fewest whose shares of the larger set fit the limit."""
    number = 1
    while -(-most // number) > limit:
        number *= 2
    return number


def explain_psi(core: Core, n: int) -> PsiExplanation:
    """Tell how sets of n ids each would be intersected, both to learn which; nothing is sent."""
    if not 1 <= n <= COUNT_MAX:
        raise UsageError("explain() takes sets of 1 to 2^32 ids")
    n = int(n)
    alternatives = ecdh, rr22 = _ecdh(core, n), _rr22(core, n)
    method = choose("indices", n)
    if method == "ecdh":
        why = (
            f"sets of up to {ECDH_MAX} ids take it little time, and {_sent(ecdh)} rather than "
            f"{_sent(rr22)}"
        )
    else:
        why = (
            f"sets of more than {ECDH_MAX} ids take it less time: about {rr22.seconds:.3g} s "
            f"rather than {ecdh.seconds:.3g} s"
        )
    return PsiExplanation("psi", n, 128, core.round_trip, method, why, alternatives)


def _sent(a: Alternative) -> str:
    return f"{a.bytes_sent:,} bytes"


def _ecdh(core: Core, n: int) -> Alternative:
    return _predict(core, "ecdh", n, n / ECDH_IDS_PER_SECOND)


def _rr22(core: Core, n: int) -> Alternative:
    return _predict(core, "rr22", n, RR22_START_SECONDS + n / RR22_IDS_PER_SECOND)


def _predict(core: Core, method: str, n: int, computing: float) -> Alternative:
    from petcore import _core

    buckets = number_of_buckets(n, bucket_limit(MEMORY_DEFAULT))
    full = n if buckets == 1 else _core.bin_bound(n, buckets, OVERFLOW_BITS)
    rounds, sent, received = 1, _SIZES_BYTES, _SIZES_BYTES
    for i in range(min(buckets, 2)):  # the base transfers belong to the first alone
        cost = _core.psi_cost(method, full, full, True, True, core.party == 0, buckets, i == 0)
        times = 1 if i == 0 else buckets - 1
        rounds += times * int(cost["rounds"])
        sent += times * int(cost["bytes"])
        received += times * int(cost["bytes_received"])
    seconds = rounds * core.round_trip / 2 + max(sent, received) / LINK_BYTES_PER_SECOND + computing
    return Alternative(method, rounds, sent, 0, seconds)
