"""Numbers to ring words and back: int64 as it is, reals in fixed point, bits as zeros and ones.

A real x is the word round(x * 2^frac_bits) mod 2^64, ties to even; words from 2^63 on are
negative. Encoded magnitudes stay below 2^62, so that two of them can be compared. Both directions
are correctly rounded: scaling a float64 by a power of two is exact, so one rounding is all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from petcore.errors import UsageError
from petcore.mpc.core import Bits, Words

FRAC_BITS_DEFAULT = 18
FRAC_BITS_MAX = 62
LIMIT_BITS = 62
TRUNCATION_BITS_MAX = 61

Plain = NDArray[Any]


def plain_array(values: Any) -> Plain:
    """Turn public values into a bool, int64 or float64 array.

    Raises
    ------
    UsageError
        For anything else, for integers beyond int64, and for NaN and infinity; the message names
        the index and the remedy.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UsageError(f"the values are not a regular array ({error})") from None
    if array.dtype.kind == "b":
        return array.astype(np.bool_, copy=False)
    if array.dtype.kind == "i":
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "u":
        _refuse(array > np.uint64(2**63 - 1), "is above 2^63 - 1", "shift or split the values")
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
        _refuse(np.isnan(array), "is NaN", "fill or drop missing values first")
        _refuse(np.isinf(array), "is infinite", "clip the values first")
        return array
    raise UsageError(
        f"values of dtype {array.dtype} cannot be used; pass bools, integers within int64, or "
        "floats (money: integers in minor units)"
    )


def infer_dtype(array: Plain) -> str:
    """Give the shared dtype that fits a plain array: "bool", "int64" or "fixed"."""
    return {"b": "bool", "i": "int64"}.get(array.dtype.kind, "fixed")


def encode(array: Plain, dtype: str, frac_bits: int) -> Words:
    """Encode a plain array (see `plain_array`) as ring words of a shared dtype.

    Raises
    ------
    UsageError
        Where the plain dtype does not fit without loss of meaning, or a value is out of range.
    """
    if dtype == "bool":
        if array.dtype.kind != "b":
            raise UsageError(
                f"{array.dtype} values do not fit dtype 'bool'; compare them first, as in x != 0"
            )
        return array.astype(np.uint64)
    if dtype == "int64":
        if array.dtype.kind == "f":
            raise UsageError(
                "floats do not fit dtype 'int64'; round them to integers (money: minor units) or "
                "use dtype='fixed'"
            )
        return array.astype(np.int64).view(np.uint64)
    if array.dtype.kind == "f":
        return _encode_reals(array, frac_bits)
    return _shift_integers(array.astype(np.int64), frac_bits)


def decode(words: Words | Bits, dtype: str, frac_bits: int) -> Plain:
    """Decode ring words, or bits as zeros and ones: bool, int64, or float64 rounded to nearest."""
    if dtype == "bool":
        return np.asarray(words.view(np.bool_))
    signed = words.view(np.int64)
    if dtype == "int64":
        return signed
    return np.asarray(np.ldexp(signed.astype(np.float64), -frac_bits))


def scaled_multiplier(array: Plain, frac_bits: int) -> tuple[Words, int]:
    """Encode public reals that a share of frac_bits is to be multiplied by.

    Returns the words and their own fraction bits g: the product is truncated by g bits. Numbers
    below one get more fraction bits, so that the largest keeps frac_bits significant ones and
    1/30000 is as precise as 1/3; trailing zeros common to all are dropped, so that 2.0 needs no
    truncation and 0.5 one of a single bit.
    """
    largest = float(np.max(np.abs(array), initial=0.0))
    exponent = int(np.frexp(largest)[1]) - 1 if largest > 0 else 0
    g = max(0, min(frac_bits - min(exponent, 0), LIMIT_BITS - 2 - exponent, TRUNCATION_BITS_MAX))
    words = _encode_reals(array, g)
    low = int(np.bitwise_or.reduce(words, axis=None))
    zeros = min((low & -low).bit_length() - 1 if low else g, g)
    return np.asarray(words.view(np.int64) >> zeros).view(np.uint64), g - zeros


def _encode_reals(array: Plain, frac_bits: int) -> Words:
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(array, frac_bits))
    _refuse(
        np.abs(scaled) >= 2.0**LIMIT_BITS,
        f"is out of range for {frac_bits} fraction bits",
        f"keep magnitudes below 2^{LIMIT_BITS - frac_bits}, or use fewer frac_bits",
    )
    return np.asarray(scaled.astype(np.int64)).view(np.uint64)


def _shift_integers(array: NDArray[np.int64], frac_bits: int) -> Words:
    bound = 1 << (LIMIT_BITS - frac_bits)
    _refuse(
        (array >= bound) | (array <= -bound),
        f"is out of range for {frac_bits} fraction bits",
        f"keep magnitudes below 2^{LIMIT_BITS - frac_bits}, or use fewer frac_bits",
    )
    return np.asarray(array << frac_bits).view(np.uint64)


def _refuse(bad: Any, what: str, remedy: str) -> None:
    if not np.any(bad):
        return
    first = np.unravel_index(int(np.argmax(bad)), np.shape(bad))
    index = ", ".join(str(int(i)) for i in first)
    where = f"the value at index [{index}]" if index else "the value"
    raise UsageError(f"{where} {what}; {remedy}")
