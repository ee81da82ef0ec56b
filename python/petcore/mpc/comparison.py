"""Comparisons, logic and oblivious choice.

Two numbers are compared by the sign of their difference, which must not wrap: |x - y| < 2^63 in
encoded words. Fixed-point encodings stay below 2^62, so their comparison never does.

Who knows more says so: ``bits=b`` promises |x - y| < 2^(b-1) in encoded words, and the comparison
then opens and combines b bits instead of 64. An int64 is its own encoding; a fixed number is
encoded times 2^frac_bits, so that reals less than 1000 = 2^10 apart at 18 fraction bits are
``bits=29``. A broken promise makes the answer wrong, silently: nobody sees the numbers.

There are two methods, a tree of gates in several rounds and keys of function secret sharing in one
(csrc/protocol/semi2k/keyed.h). The session chooses by the rule of petcore.mpc.choice, which
`Session.explain` applies for people to see; ``method="tree"`` or ``"fss"`` overrides it. Costs are
given for a tree; keys take 1 round, bits / 8 bytes, and 16 bits - 104 bytes offline to each party.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.arithmetic import negate, subtract
from petcore.mpc.conversion import WORD_BITS, check_bits, invert, is_negative, is_zero
from petcore.mpc.fixed import encode, plain_array
from petcore.mpc.operands import align, public_operand, require_shared, same_session
from petcore.mpc.shared_base import common_shape, is_shared, lift, spread

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def less(x: Any, y: Any, *, bits: int | None = None, method: str | None = None) -> SharedArray:
    """Tell where x < y, broadcasting; either may be public, one is shared.

    ``bits=b`` promises |x - y| < 2^(b-1) in encoded words, 2 <= b <= 64 (fraction bits included);
    UsageError where b is out of bounds. ``method`` is "tree", "fss" or "auto"; the session's where
    left out.

    Rounds: 3, or 4 from 2^13 elements on (fewer for fewer bits) · Bytes: 14 an element, and 27 from
    the dealer; in 32 bits 7 and 13. Without a dealer 4 rounds, 40 bytes and 565 offline, of both
    parties together; in 32 bits 20 and 264 · Leaks: nothing.
    """
    check_bits(bits)
    if not (is_shared(x) or is_shared(y)):
        raise UsageError("a comparison needs a shared operand; compare public values with NumPy")
    if _both_bits(x, y):
        x, y = align(x, y)
        return logic(invert(x), y, "and")
    return is_negative(_difference(x, y), bits=bits, method=method)


def less_equal(
    x: Any, y: Any, *, bits: int | None = None, method: str | None = None
) -> SharedArray:
    """Tell where x <= y; operands, bits, method and cost as in ``less``."""
    return invert(less(y, x, bits=bits, method=method))


def greater(x: Any, y: Any, *, bits: int | None = None, method: str | None = None) -> SharedArray:
    """Tell where x > y; operands, bits, method and cost as in ``less``."""
    return less(y, x, bits=bits, method=method)


def greater_equal(
    x: Any, y: Any, *, bits: int | None = None, method: str | None = None
) -> SharedArray:
    """Tell where x >= y; operands, bits, method and cost as in ``less``."""
    return invert(less(x, y, bits=bits, method=method))


def equal(x: Any, y: Any, *, bits: int | None = None, method: str | None = None) -> SharedArray:
    """Tell where x == y, broadcasting; either may be public, one is shared; bits and
    method as in ``less``.

    Rounds: 3, or 4 from 2^13 elements on (fewer for fewer bits; bools: none) · Bytes: 12 an element,
    and 23 from the dealer · Leaks: nothing.
    """
    check_bits(bits)
    if not is_shared(x):
        require_shared(y, "one operand of equal()")
        x, y = y, x
    if _both_bits(x, y):
        return invert(logic(x, y, "xor"))
    return is_zero(_difference(x, y), bits=bits, method=method)


def not_equal(x: Any, y: Any, *, bits: int | None = None, method: str | None = None) -> SharedArray:
    """Tell where x != y; operands, bits, method and cost as in ``equal``."""
    return invert(equal(x, y, bits=bits, method=method))


def between(
    x: SharedArray, low: Any, high: Any, *, bits: int | None = None, method: str | None = None
) -> SharedArray:
    """Tell where low <= x < high, broadcasting; the bounds are public.

    ``bits=b`` promises -2^(b-1) <= x < 2^(b-1) in encoded words; a tree of 64 bits needs
    |x - low| and |x - high| below 2^63 besides. method as in ``less``. Where high <= low nothing is
    between. One key serves both bounds.

    Rounds: 3 or 4; by keys 1 · Bytes: 28 an element, and 54 offline; by keys 8 and 2 x 936 ·
    Leaks: nothing.
    """
    require_shared(x, "the first argument of between()")
    width = check_bits(bits)
    if x.dtype == "bool":
        raise UsageError("between() compares numbers, not bools")
    shape = common_shape(x.shape, np.shape(low), np.shape(high))
    ends = [encode(public_operand(x, end), x.dtype, x.frac_bits) for end in (low, high)]
    start, stop = (np.broadcast_to(end, shape).reshape(-1).view(np.int64) for end in ends)
    start = np.clip(start, -(2 ** (width - 1)), 2 ** (width - 1) - 1)
    stop = np.maximum(start, np.minimum(stop, min(2 ** (width - 1), 2**63 - 1)))
    core, words = x.session._core, spread(x._share, shape)
    if x.session._method("between", start.size, width, method) == "fss":
        inside = core.fss_interval(words, start.view(np.uint64), stop.view(np.uint64), width)
        # An interval of all numbers has length 0 modulo 2^width.
        whole = (stop - start == 2**width) if width < WORD_BITS else np.zeros(start.size, bool)
        if whole.any():
            inside = core.xor_public(inside.reshape(words.shape), whole.astype(np.uint8))
    else:
        parts = [core.add_public(words, (-end).view(np.uint64)) for end in (start, stop)]
        both = np.concatenate([part.reshape(words.shape) for part in parts], axis=1)
        below = core.msb(both, min(WORD_BITS, width + 1), 0).reshape(words.shape[0], 2, -1)
        inside = below[:, 0] ^ below[:, 1]
    return x._shaped(inside, shape, "bool")


def _difference(x: Any, y: Any) -> SharedArray:
    """Subtract; a public left operand is subtracted from with its sign turned."""
    if is_shared(x):
        if x.dtype == "bool":
            x, y = align(x, y)
        return subtract(x, y)
    array = public_operand(y, x)
    if y.dtype == "bool":
        x, y = align(array, y)
        return subtract(x, y)
    return negate(subtract(y, array))


def _both_bits(x: Any, y: Any) -> bool:
    kinds = [
        v.dtype == "bool" if is_shared(v) else plain_array(v).dtype.kind == "b" for v in (x, y)
    ]
    return all(kinds)


def logic(x: SharedArray, y: Any, op: str) -> SharedArray:
    """Combine bits by "and", "or" or "xor", broadcasting; y may be public bits.

    Rounds: 1 for and/or of shared bits, otherwise none. Leaks: nothing.
    """
    if not _both_bits(x, y):
        kind = y.dtype if is_shared(y) else plain_array(y).dtype
        raise UsageError(f"{op} needs bools, not {x.dtype} and {kind}; compare the numbers first")
    shape = common_shape(x.shape, np.shape(y))
    if not is_shared(y):
        return _logic_public(x, plain_array(y), op, shape)
    same_session(x, y)
    if op == "xor":
        return x._with(lift(x._share, len(shape)) ^ lift(y._share, len(shape)))
    if op == "or":
        return invert(logic(invert(x), invert(y), "and"))
    bits = x.session._core.and_bits(spread(x._share, shape), spread(y._share, shape))
    return x._shaped(bits, shape)


def _logic_public(x: SharedArray, array: Any, op: str, shape: tuple[int, ...]) -> SharedArray:
    if op == "and":
        return x._with(lift(x._share, len(shape)) & array.astype(np.uint8))
    if op == "or":
        return invert(_logic_public(invert(x), ~array, "and", shape))
    public = np.broadcast_to(array, shape).astype(np.uint8).reshape(-1)
    bits = x.session._core.xor_public(spread(x._share, shape), public)
    return x._shaped(bits, shape)


def where(condition: Any, a: Any, b: Any) -> SharedArray:
    """Choose a where the condition holds and b elsewhere, without learning which.

    The condition is a shared bool array, or public bools (then the choice is local). a and b are
    shared or public, of one dtype after promotion; everything broadcasts.

    Rounds: 1 for a shared condition (and 1 where bits meet numbers). Leaks: nothing.
    """
    if not is_shared(condition):
        return _where_public(condition, a, b)
    if condition.dtype != "bool":
        raise UsageError(
            f"the condition of where() must be bool, not {condition.dtype}; say x != 0 for numbers"
        )
    if is_shared(a) or is_shared(b):
        yes, no = align(a, b)
    else:
        yes, no = _public_choices(condition, a, b)
    same_session(condition, yes)
    shape = common_shape(condition.shape, yes.shape, no.shape)
    bits, left, right = (spread(v._share, shape) for v in (condition, yes, no))
    core = condition.session._core
    if yes.dtype == "bool":
        return yes._shaped(right.reshape(-1) ^ core.and_bits(bits, left ^ right), shape)
    return yes._shaped(core.select(bits, left, right), shape)


def _public_choices(condition: SharedArray, a: Any, b: Any) -> list[SharedArray]:
    left, right = plain_array(a), plain_array(b)
    kind = np.result_type(left, right)
    return [condition.session.constant(v.astype(kind)) for v in (left, right)]


def _where_public(condition: Any, a: Any, b: Any) -> SharedArray:
    chosen = plain_array(condition)
    if chosen.dtype.kind != "b":
        raise UsageError(
            f"the condition of where() must be bool, not {chosen.dtype}; compare first"
        )
    yes, no = align(a, b)
    shape = common_shape(chosen.shape, yes.shape, no.shape)
    left, right = lift(yes._share, len(shape)), lift(no._share, len(shape))
    return yes._with(np.where(chosen, left, right))


def where_less(
    x: Any, y: Any, a: Any, b: Any, *, bits: int | None = None, method: str | None = None
) -> SharedArray:
    """Choose a where x < y and b elsewhere: ``where(less(x, y), a, b)`` in one step.

    Numbers, shared or public, at least one of x and y and one of a and b shared; everything
    broadcasts; bits and method as in ``less``.

    Rounds: 4 or 5; by keys 2, the second of a bit an element · Leaks: nothing.
    """
    if not (is_shared(a) or is_shared(b)) or _both_bits(x, y):
        return where(less(x, y, bits=bits, method=method), a, b)
    yes, no = align(a, b)
    if yes.dtype == "bool":
        return where(less(x, y, bits=bits, method=method), yes, no)
    return _where_negative(_difference(x, y), yes, no, bits=bits, method=method)


def _where_negative(
    x: SharedArray,
    yes: SharedArray,
    no: SharedArray,
    *,
    bits: int | None = None,
    method: str | None = None,
) -> SharedArray:
    same_session(x, yes)
    width = check_bits(bits)
    shape = common_shape(x.shape, yes.shape, no.shape)
    if x.session._method("select", int(np.prod(shape)), width, method) == "tree":
        return where(is_negative(x, bits=bits, method="tree"), yes, no)
    sign, left, right = (spread(v._share, shape) for v in (x, yes, no))
    gain = x.session._core.fss_select(sign, left - right, width, 0)
    return yes._shaped(gain.reshape(right.shape) + right, shape)


def minimum(x: Any, y: Any) -> SharedArray:
    """Give the smaller of each pair, broadcasting; cost as of `where_less`. Leaks: nothing."""
    x, y = align(x, y)
    return logic(x, y, "and") if x.dtype == "bool" else where_less(x, y, x, y)


def maximum(x: Any, y: Any) -> SharedArray:
    """Give the larger of each pair, broadcasting; cost as of `where_less`. Leaks: nothing."""
    x, y = align(x, y)
    return logic(x, y, "or") if x.dtype == "bool" else where_less(x, y, y, x)


def absolute(x: SharedArray) -> SharedArray:
    """Give the magnitude; cost as of `where_less`. Leaks: nothing."""
    if x.dtype == "bool":
        return x._with(x._share.copy())
    return _where_negative(x, negate(x), x)


def clip(x: SharedArray, low: Any = None, high: Any = None) -> SharedArray:
    """Limit to [low, high]; either bound may be None. Rounds: 4 or 5 per bound. Leaks: nothing."""
    require_shared(x, "the first argument of clip()")
    if low is None and high is None:
        raise UsageError("clip() needs a lower or an upper bound")
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)
