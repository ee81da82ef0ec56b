"""Bringing two operands to one session, one dtype, one scale and one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from petcore.errors import UsageError
from petcore.mpc.conversion import bit_to_int, to_fixed
from petcore.mpc.core import Words
from petcore.mpc.fixed import Plain, encode, infer_dtype, plain_array
from petcore.mpc.shared_base import flat, is_shared

if TYPE_CHECKING:
    from petcore.mpc.session import Session
    from petcore.mpc.shared_array import SharedArray

_RANK = {"bool": 0, "int64": 1, "fixed": 2}


def same_session(x: SharedArray, *others: SharedArray) -> Session:
    """Give the session that all operands share, or raise."""
    for y in others:
        if y.session is not x.session:
            raise UsageError(
                f"operands belong to two sessions ({x!r} and {y!r}); open one with a label and "
                "input it into the other session"
            )
    return x.session


def require_shared(value: object, what: str) -> SharedArray:
    """Give the value back as a SharedArray, or raise naming what it was to be."""
    if not is_shared(value):
        raise UsageError(
            f"{what} must be a SharedArray, not {type(value).__name__}; make one with session.input"
        )
    return value


def public_operand(x: SharedArray, value: Any) -> Plain:
    """Read the public operand that meets x: bool, int64 or float64.

    Raises
    ------
    UsageError
        Where a float meets int64: exact numbers never become reals silently.
    """
    array = plain_array(value)
    if array.dtype.kind == "f" and x.dtype == "int64":
        raise UsageError(
            "an int64 share is exact and does not mix with public floats; say x.astype('fixed') "
            "first, or use an integer"
        )
    return array


def constant(session: Session, array: Plain, dtype: str, frac_bits: int) -> SharedArray:
    """Share a public array without hiding it; local."""
    zeros = session.zeros(array.shape, dtype, frac_bits=frac_bits if dtype == "fixed" else None)
    words = encode(array, dtype, frac_bits)
    return add_words(zeros, words)


def add_words(x: SharedArray, words: Words) -> SharedArray:
    """Add encoded public words of the same shape (XOR for bool); local."""
    core, share = x.session._core, flat(x._share)
    if x.dtype == "bool":
        return x._shaped(core.xor_public(share, words.astype(np.uint8).reshape(-1)), x.shape)
    return x._shaped(core.add_public(share, np.ascontiguousarray(words).reshape(-1)), x.shape)


def align(*operands: Any) -> list[SharedArray]:
    """Bring shared and public operands to one dtype and scale; at least one must be shared.

    Bits meeting numbers become int64 (1 round); int64 meeting fixed, and the smaller of two scales,
    are shifted up (local).
    """
    shared = [value for value in operands if is_shared(value)]
    if len(shared) == len(operands) and _alike(shared):
        return shared
    if not shared:
        raise UsageError("none of the operands is a SharedArray; use NumPy itself")
    session = same_session(*shared)
    plain = [None if is_shared(value) else plain_array(value) for value in operands]
    dtypes = [x.dtype for x in shared] + [infer_dtype(a) for a in plain if a is not None]
    dtype = max(dtypes, key=_RANK.__getitem__)
    if dtype == "fixed" and not any(x.dtype == "fixed" for x in shared):
        for x in shared:
            for a in plain:
                if a is not None:
                    public_operand(x, a)
    scales = [x.frac_bits for x in shared if x.dtype == "fixed"] or [session.frac_bits]
    frac_bits = max(scales) if dtype == "fixed" else 0
    return [
        constant(session, a, dtype, frac_bits)
        if a is not None
        else promote(value, dtype, frac_bits)
        for value, a in zip(operands, plain, strict=True)
    ]


def _alike(shared: list[SharedArray]) -> bool:
    """Tell whether all are of one dtype and scale already; they must be of one session."""
    if not shared:
        return False
    dtype, frac_bits = shared[0].dtype, shared[0].frac_bits
    same_session(*shared)
    return all(x.dtype == dtype and x.frac_bits == frac_bits for x in shared)


def promote(x: SharedArray, dtype: str, frac_bits: int) -> SharedArray:
    """Bring x up to a dtype and scale that are not below its own."""
    if x.dtype == "bool" and dtype != "bool":
        x = bit_to_int(x)
    if dtype == "fixed" and (x.dtype, x.frac_bits) != (dtype, frac_bits):
        return to_fixed(x, frac_bits)
    return x


def refuse_options(name: str, options: dict[str, Any], allowed: Sequence[str] = ()) -> None:
    """Raise where a NumPy call carries options that have no meaning on shares."""
    for option, value in options.items():
        if option not in allowed and value is not None and value is not np._NoValue:
            raise UsageError(f"{name} on a SharedArray does not take {option}=; leave it out")
