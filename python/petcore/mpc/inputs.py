"""Sharing an input: the owner encodes and describes it, the others check what they are told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from petcore.errors import BadFrame, PetcoreError, StepMismatch, UsageError
from petcore.mpc.conversion import check_frac_bits, dtype_name
from petcore.mpc.core import Words
from petcore.mpc.fixed import encode, infer_dtype, plain_array
from petcore.mpc.metadata import NDIM_MAX, Metadata, unpack
from petcore.mpc.shared_array import SharedArray
from petcore.mpc.shared_base import is_shared

if TYPE_CHECKING:
    from petcore.mpc.session import Session


def share_input(
    session: Session, values: Any, owner: int, dtype: str | None, frac_bits: int | None
) -> SharedArray:
    """Share the owner's values; see `Session.input`."""
    owner_name = session.names[owner]
    if dtype is not None:
        dtype = dtype_name(dtype)
    if frac_bits is not None:
        frac_bits = check_frac_bits(frac_bits)
        if dtype not in (None, "fixed"):
            raise UsageError(f"frac_bits goes with dtype 'fixed', not {dtype!r}")
    if session.party == owner:
        words, meta = _encode_own(session, values, dtype, frac_bits)
        share, _ = session._core.input(owner, _sent(words), meta.pack())
    else:
        if values is not None:
            raise _tell(
                session,
                f"party {session.name} passed values to an input that {owner_name} owns",
                f"pass None at every party but {owner_name}",
            )
        share, raw = session._core.input(owner, None, b"")
        meta = _check_told(session, raw, share, owner_name, dtype, frac_bits)
    return _wrap(session, share, meta)


def _encode_own(
    session: Session, values: Any, dtype: str | None, frac_bits: int | None
) -> tuple[Words, Metadata]:
    """Encode the owner's values; every mistake in them is told to the other parties."""
    if values is None:
        raise _tell(
            session,
            f"party {session.name} owns this input but passed None",
            f"pass the values at {session.name}, as in: values if session.party == "
            f"{session.party} else None",
        )
    try:
        if is_shared(values):
            raise UsageError("the values are shared already; input takes plain values")
        array = plain_array(values)
        if array.ndim > NDIM_MAX:
            raise UsageError(
                f"{array.ndim} dimensions are more than {NDIM_MAX}; reshape the values"
            )
        kind = infer_dtype(array) if dtype is None and frac_bits is None else dtype or "fixed"
        bits = (session.frac_bits if frac_bits is None else frac_bits) if kind == "fixed" else 0
        words = np.ascontiguousarray(encode(array, kind, bits))
    except UsageError as error:
        session._fail(
            "usage",
            f"the input of {session.name} was not shared: its values were refused there (dtype, "
            f"range or NaN); the error at {session.name} names the place and the remedy",
        )
        raise UsageError(error.message, party=session.name, step="input") from None
    return words, Metadata(array.shape, kind, bits)


def _check_told(
    session: Session,
    raw: bytes,
    share: Words,
    owner: str,
    dtype: str | None,
    frac_bits: int | None,
) -> Metadata:
    """Check what the owner said against the share and against what this party asked for."""
    try:
        meta = unpack(raw, share.size // session._core.components, owner)
        if dtype is not None and meta.dtype != dtype:
            raise _differs(owner, f"dtype {meta.dtype}", f"{dtype}")
        if frac_bits is not None and meta.frac_bits != frac_bits:
            raise _differs(owner, f"{meta.frac_bits} fraction bits", f"{frac_bits}")
    except (BadFrame, StepMismatch) as error:
        session._fail("aborted", f"{session.name} refused an input: {error.message}")
        raise
    return meta


def _sent(words: Words) -> Words:
    """Give the flat words; the core takes no empty input, so an empty array sends one zero."""
    return words.reshape(-1) if words.size else np.zeros(1, np.uint64)


def _wrap(session: Session, share: Words, meta: Metadata) -> SharedArray:
    components = session._core.components
    kept = share.reshape(components, -1)[:, : math.prod(meta.shape)]
    shaped = kept.reshape(components, *meta.shape)
    if meta.dtype == "bool":
        # the lowest bits of additive shares of 0 or 1 are XOR shares of it
        shaped = (shaped & np.uint64(1)).astype(np.uint8)
    return SharedArray(session, shaped, meta.dtype, meta.frac_bits)


def _differs(owner: str, told: str, asked: str) -> StepMismatch:
    return StepMismatch(
        f"{owner} shares {told} where this party asked for {asked}; pass the same dtype and "
        "frac_bits to input() at every party, or leave them to the owner",
        party=owner,
        step="input",
    )


def _tell(session: Session, what: str, remedy: str) -> PetcoreError:
    session._fail("usage", f"{what}; {remedy}")
    return UsageError(f"{what}; {remedy}", party=session.name, step="input")
