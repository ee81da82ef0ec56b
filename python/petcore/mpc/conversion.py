"""Moving a shared array from one dtype, or one scale, to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.fixed import FRAC_BITS_MAX
from petcore.mpc.shared_base import flat

if TYPE_CHECKING:
    from petcore.mpc.session import Session
    from petcore.mpc.shared_array import SharedArray

DTYPES = ("bool", "int64", "fixed")
WORD_BITS = 64


def dtype_name(dtype: Any) -> str:
    """Give the shared dtype for a name, or for a Python or NumPy type."""
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    if dtype in (bool, np.bool_):
        return "bool"
    if dtype in (int, np.int64):
        return "int64"
    raise UsageError(f"unknown dtype {dtype!r}; use 'int64', 'fixed' (reals) or 'bool'")


def check_frac_bits(frac_bits: int) -> int:
    """Check that frac_bits is an integer from 0 to 62."""
    if isinstance(frac_bits, bool) or not isinstance(frac_bits, (int, np.integer)):
        raise UsageError(f"frac_bits must be an integer, not {type(frac_bits).__name__}")
    if not 0 <= frac_bits <= FRAC_BITS_MAX:
        raise UsageError(f"frac_bits must be from 0 to {FRAC_BITS_MAX}, not {frac_bits}")
    return int(frac_bits)


def astype(x: SharedArray, dtype: Any, *, frac_bits: int | None = None) -> SharedArray:
    """Convert to another dtype; fixed to int64 rounds towards zero, as NumPy does.

    Rounds: bool to others 1; int64 to fixed none; fixed to int64 9 or 10 (a sign, its B2A and an
    exact truncation); others to bool 3 or 4. Leaks: nothing.
    """
    dtype = dtype_name(dtype)
    if frac_bits is not None and dtype != "fixed":
        raise UsageError(f"frac_bits goes with dtype 'fixed', not {dtype!r}")
    if dtype == "bool":
        return x._with(x._share.copy()) if x.dtype == "bool" else nonzero(x)
    if x.dtype == "bool":
        x = bit_to_int(x)
    if dtype == "fixed":
        target = x.frac_bits if x.dtype == "fixed" else x.session.frac_bits
        return to_fixed(x, check_frac_bits(target if frac_bits is None else frac_bits))
    return fixed_to_int(x) if x.dtype == "fixed" else x._with(x._share.copy())


def bit_to_int(x: SharedArray) -> SharedArray:
    """Turn bits into int64 zeros and ones. Rounds: 1. Leaks: nothing."""
    words = x.session._core.b2a(flat(x._share))
    return x._shaped(words, x.shape, "int64")


def check_bits(bits: int | None) -> int:
    """Check that bits is None, which stands for 64, or an integer from 2 to 64."""
    if bits is None:
        return WORD_BITS
    if isinstance(bits, bool) or not isinstance(bits, (int, np.integer)):
        raise UsageError(f"bits must be an integer, not {type(bits).__name__}")
    if not 2 <= bits <= WORD_BITS:
        raise UsageError(
            f"bits must be from 2 to {WORD_BITS}, not {bits}; it counts the bits of an encoded word"
            ", sign and fraction bits included"
        )
    return int(bits)


def nonzero(x: SharedArray) -> SharedArray:
    """Tell which elements differ from zero. Rounds: 3 or 4. Leaks: nothing."""
    return invert(is_zero(x))


def is_zero(x: SharedArray, *, bits: int | None = None, method: str | None = None) -> SharedArray:
    """Tell which elements of an int64 or fixed array are zero; bits, method as in ``is_negative``.

    Rounds: 3, or 4 from 2^13 elements on (fewer for fewer bits) · Bytes: 12 an element, and 23 from
    the dealer · Leaks: nothing.
    """
    width, core = check_bits(bits), x.session._core
    by_keys = x.session._method("equal", x.size, width, method) == "fss"
    flags = (core.fss_zero if by_keys else core.equal_zero)(flat(x._share), width)
    return x._shaped(flags, x.shape, "bool")


def is_negative(
    x: SharedArray, *, bits: int | None = None, drop: int = 0, method: str | None = None
) -> SharedArray:
    """Tell which elements of an int64 or fixed array are below zero.

    ``bits`` promises -2^(bits-1) <= x < 2^(bits-1) in encoded words (of a fixed array: fraction
    bits included), and saves bytes and rounds; where the promise is broken the answer is wrong.
    ``drop`` lowest bits of the words are neglected, for whom a threshold a little off will do: an
    element from 0 to 2^drop - 1 may count as negative, and the promise must hold by 2^drop more.
    ``method`` is "tree", "fss" (one round, and many bytes offline; see `Session.explain`), "auto",
    or the session's where left out. What follows is a tree's.

    Rounds: 3, or 4 from 2^13 elements on (fewer for fewer bits) · Bytes: 14 an element, and 27 from
    the dealer; in 32 bits 7 and 13. Without a dealer 4 rounds, 40 bytes and 565 offline, of both
    parties together; in 32 bits 20 and 264 · Leaks: nothing.
    """
    width = check_bits(bits)
    if not 0 <= drop < width:
        raise UsageError(f"drop must be from 0 to {width - 1}, not {drop}")
    core = x.session._core
    by_keys = x.session._method("less", x.size, max(2, width - drop), method) == "fss"
    flags = (core.fss_sign if by_keys else core.msb)(flat(x._share), width, drop)
    return x._shaped(flags, x.shape, "bool")


def invert(x: SharedArray) -> SharedArray:
    """Flip every bit; local."""
    ones = np.ones(x.size, np.uint8)
    return x._shaped(x.session._core.xor_public(flat(x._share), ones), x.shape)


def to_fixed(x: SharedArray, frac_bits: int) -> SharedArray:
    """Bring an int64 or fixed array to a scale: up is local, down is one truncation."""
    up = frac_bits - x.frac_bits
    if up < 0:
        return truncate(x, -up)
    return x._with(x._share << np.uint64(up), "fixed", frac_bits)


def fixed_to_int(x: SharedArray) -> SharedArray:
    """Round a fixed array towards zero to int64."""
    if x.frac_bits == 0:
        return x._with(x._share.copy(), "int64")
    nearly_one = np.uint64((1 << x.frac_bits) - 1)
    negative = bit_to_int(is_negative(x))
    raised = x._with(x._share + negative._share * nearly_one)
    return x._with(truncate(raised, x.frac_bits, "exact")._share, "int64")


def truncation_mode(session: Session, mode: str | None) -> str:
    """Give the mode asked for, or the session's where none is."""
    mode = session.truncation if mode is None else mode
    if mode not in ("probabilistic", "exact"):
        raise UsageError(f"truncation must be 'probabilistic' or 'exact', not {mode!r}")
    return mode


def truncate(x: SharedArray, bits: int, mode: str | None = None) -> SharedArray:
    """Divide by 2^bits and lower frac_bits by as much.

    ``"probabilistic"`` (the session's default): 1 round, at most 1 LSB off, for encoded magnitudes
    below 2^62. ``"exact"``: floor, 3 to 6 rounds (5 for 18 bits). Leaks: nothing beyond what the
    core states.
    """
    if bits == 0:
        return x
    mode = truncation_mode(x.session, mode)
    words = x.session._core.truncate(flat(x._share), bits, mode)
    return x._shaped(words, x.shape, "fixed", x.frac_bits - bits)
