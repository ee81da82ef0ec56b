"""What client and service say to each other: one request, one answer, both bytes.

::

    request   version (1 byte) || epoch (4, little-endian) || size of scope (1) || scope || elements
    answer    0 || elements || proof
    refusal   1 || size of code (1) || code || text
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

from petcore import oprf
from petcore.errors import (
    BadFrame,
    PetcoreError,
    PseudonymError,
    QuotaExceeded,
    ScopeRefused,
    UsageError,
)

VERSION = 1
IDS_MAX = 1024  # in one request, so that it fits one message of a channel
EPOCH_MAX = 2**32 - 1
_SCOPE = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,99}")
_HEAD = struct.Struct("<BIB")
_TEXT_MAX = 500
_REFUSALS: dict[str, type[PetcoreError]] = {
    error.default_code: error for error in (ScopeRefused, QuotaExceeded, BadFrame, PseudonymError)
}


@dataclass(frozen=True)
class Query:
    """What a client asks: blinded elements, for a scope in an epoch."""

    scope: str
    epoch: int
    elements: bytes

    @property
    def ids(self) -> int:
        """Number of ids behind the elements."""
        return len(self.elements) // oprf.ELEMENT_BYTES


def check_scope(scope: Any) -> str:
    """Return the scope, or raise UsageError: names compare byte by byte, so they are plain."""
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
        raise UsageError(
            f"a scope is 1 to 100 of a-z 0-9 . _ : / - and begins with a letter or digit, not {scope!r}"
        )
    return scope


def info_of(scope: str, epoch: int) -> bytes:
    """Return what binds a pseudonym to scope and epoch."""
    return b"petcore pseudonym v1\0" + epoch.to_bytes(4, "big") + scope.encode()


def write_query(query: Query) -> bytes:
    """Return the request's bytes."""
    scope = check_scope(query.scope).encode()
    return _HEAD.pack(VERSION, query.epoch, len(scope)) + scope + query.elements


def read_query(request: bytes) -> Query:
    """Read a request; raises BadFrame for what is none."""
    if len(request) < _HEAD.size:
        raise BadFrame("a request for pseudonyms ends before its head does")
    version, epoch, size = _HEAD.unpack_from(request)
    if version != VERSION:
        raise BadFrame(f"a request of version {version}; this service speaks version {VERSION}")
    scope = request[_HEAD.size : _HEAD.size + size]
    elements = request[_HEAD.size + size :]
    ids, rest = divmod(len(elements), oprf.ELEMENT_BYTES)
    if rest or not 1 <= ids <= IDS_MAX:
        raise BadFrame(f"a request holds 1 to {IDS_MAX} whole elements")
    try:
        return Query(check_scope(scope.decode("ascii")), epoch, elements)
    except (UnicodeDecodeError, UsageError):
        raise BadFrame("a request names a scope that is none") from None


def write_answer(evaluation: oprf.Evaluation) -> bytes:
    """Return the answer's bytes."""
    return b"\0" + evaluation.to_bytes()


def write_refusal(error: PetcoreError) -> bytes:
    """Return a refusal: the code and text of an error that the client may see."""
    shown = error if error.code in _REFUSALS else PseudonymError("the service failed")
    code = shown.code.encode()
    return b"\1" + bytes([len(code)]) + code + shown.message.encode()[:_TEXT_MAX]


def read_answer(answer: bytes) -> oprf.Evaluation:
    """Read an answer; raises the error of a refusal, or BadFrame for what is neither."""
    if answer[:1] == b"\0":
        return oprf.Evaluation.from_bytes(answer[1:], "poprf")
    if answer[:1] != b"\1" or len(answer) < 2:
        raise BadFrame("the pseudonym service sent no answer")
    code, text = answer[2 : 2 + answer[1]], answer[2 + answer[1] :][:_TEXT_MAX]
    error = _REFUSALS.get(code.decode("ascii", "replace"), PseudonymError)
    raise error(f"the pseudonym service says: {text.decode('utf-8', 'replace')}")
