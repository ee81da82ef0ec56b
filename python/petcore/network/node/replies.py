"""Replies: what becomes of messages, as it travels; see `petcore.network.node.api`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from petcore.errors import BadFrame, PetcoreError

Status = Literal["decided", "pending", "awaiting", "cancelled", "accepted", "refused", "unknown"]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
REPLIES_MAX: Final = 1024
ENVELOPES_MAX: Final = 4096
_INDEX_BYTES_MAX: Final = 1 << 20
_TEXT_MAX: Final = 500


@dataclass(frozen=True)
class Reply:
    """What became of one message: a status, and the envelopes that go with it.

    ``sender`` and ``id`` are the request's; ``state`` is the node's and never tells approved from
    declined. ``code``, ``message`` and ``retryable`` say why something was refused. ``number``
    counts notifications to one recipient, from 1; 0 in answers.
    """

    status: Status
    sender: str
    id: str
    kind: str = ""
    state: str = ""
    envelopes: tuple[bytes, ...] = field(default=(), repr=False)
    code: str = ""
    message: str = ""
    retryable: bool = False
    number: int = 0


def refused(sender: str, request_id: str, error: PetcoreError, kind: str = "") -> Reply:
    """Return the reply to a message that is not dealt with."""
    return Reply(
        "refused",
        sender,
        request_id,
        kind,
        code=error.code,
        message=error.message[:_TEXT_MAX],
        retryable=error.retryable,
    )


def write_replies(replies: Sequence[Reply]) -> list[bytes]:
    """Return replies as a list to be packed; an envelope that several share goes once."""
    places: dict[bytes, int] = {}
    index: list[dict[str, Any]] = []
    for reply in replies:
        row: dict[str, Any] = {
            name: value
            for name in ("status", "sender", "id", "kind", "state", "code", "message", "number")
            if (value := getattr(reply, name))
        }
        if reply.retryable:
            row["retryable"] = True
        if reply.envelopes:
            row["envelopes"] = [places.setdefault(e, len(places)) for e in reply.envelopes]
        index.append(row)
    text = json.dumps({"replies": index}, separators=(",", ":")).encode()
    return [text, *places]


def read_replies(items: Sequence[bytes], expected: int | None = None) -> list[Reply]:
    """Read what `write_replies` made, unpacked.

    Raises
    ------
    BadFrame
        It is not that, or holds another number of replies than expected.
    """
    if not 1 <= len(items) <= ENVELOPES_MAX or len(items[0]) > _INDEX_BYTES_MAX:
        raise BadFrame("replies without an index, or larger than agreed")
    try:
        rows = json.loads(items[0])["replies"]
        replies = [_read(row, items[1:]) for row in rows]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BadFrame("replies whose index cannot be read") from error
    if len(replies) > REPLIES_MAX or (expected is not None and len(replies) != expected):
        raise BadFrame(f"{len(replies)} replies came where {expected} were due")
    return replies


def _read(row: dict[str, Any], envelopes: Sequence[bytes]) -> Reply:
    status = row["status"]
    if status not in STATUSES:
        raise ValueError
    texts = {
        name: row.get(name, "") for name in ("sender", "id", "kind", "state", "code", "message")
    }
    if not all(isinstance(text, str) and len(text) <= _TEXT_MAX for text in texts.values()):
        raise ValueError
    number, places = row.get("number", 0), row.get("envelopes", [])
    if not isinstance(number, int) or not 0 <= number < 1 << 53 or len(places) > 8:
        raise ValueError
    if any(not isinstance(place, int) or place < 0 for place in places):
        raise ValueError
    return Reply(
        status,
        **texts,
        envelopes=tuple(envelopes[place] for place in places),
        retryable=row.get("retryable") is True,
        number=number,
    )
