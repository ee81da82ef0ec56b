"""The open header of a message and the table of its parts, as JSON in one form.

What does not come out the same when it is written again is refused, so there is one sequence of
bytes for one header.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from petcore.errors import UsageError
from petcore.network.errors import EnvelopeMalformed, FieldRefused
from petcore.network.fields import Message, Role
from petcore.network.kinds import ID, NAME, TIME_MAX
from petcore.network.schema import VERSION, message

HEADER_MAX = 256 << 10
TABLE_MAX = 4 << 10
LIFETIME_MAX_S = 24 * 3600

_PARTS_MAX = 4
_HEADER_KEYS = ("clear", "counter", "created", "expires", "id", "key", "sender", "to", "type", "v")
dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Part(NamedTuple):
    """What the signed table says of a part: recipient, form, key id, hex digest, size class."""

    to: str
    form: str
    key: str
    digest: str
    size: int


class Header(NamedTuple):
    """What everybody on the way may read. Times in ms since 1970, UTC.

    ``to`` maps roles to members; ``clear`` holds the fields of the open header.
    """

    version: int
    type: str
    request_id: str
    sender: str
    to: dict[Role, str]
    created: int
    expires: int
    counter: int
    key: str
    clear: dict[str, Any]

    @property
    def recipient(self) -> str:
        """The member that acts on it."""
        return self.to.get(message(self.type).main) or next(iter(self.to.values()))


def recipients(declared: Message, to: Mapping[Role, str]) -> dict[Role, str]:
    """Return the members of a message's roles in their order; UsageError if they do not fit."""
    ordered = {role: to[role] for role in declared.recipients if role in to}
    wanted = 1 if declared.one_recipient else len(declared.recipients)
    if len(ordered) != len(to) or len(to) != wanted or len(set(to.values())) != len(to):
        raise UsageError(
            f"{declared.name} goes to {'one' if declared.one_recipient else 'each'} of "
            f"{', '.join(declared.recipients)}; name their members"
        )
    return ordered


def write_header(header: Header) -> bytes:
    """Return the header as it travels; FieldRefused if it is too long."""
    values = {
        "clear": header.clear,
        "counter": header.counter,
        "created": header.created,
        "expires": header.expires,
        "id": header.request_id,
        "key": header.key,
        "sender": header.sender,
        "to": header.to,
        "type": header.type,
        "v": header.version,
    }
    base = dump(values).encode()
    if len(base) > HEADER_MAX:
        raise FieldRefused(f"{header.type}: the open header has more than {HEADER_MAX} bytes")
    return base


def _parse(content: bytes) -> Any:
    """Parse JSON that is in the one form: no spaces, no key twice, ASCII."""
    try:
        value = json.loads(content)
        if dump(value).encode() == content:
            return value
    except (ValueError, RecursionError):
        pass
    raise EnvelopeMalformed("header and table are JSON in one form, and this is another")


def parse_header(base: bytes) -> Header:
    """Parse a header; EnvelopeMalformed or FieldRefused if it is not what the schema declares."""
    values = _parse(base)
    if type(values) is not dict or tuple(values) != _HEADER_KEYS:
        raise EnvelopeMalformed("the header has other keys than a header has")
    if values["v"] != VERSION or type(values["type"]) is not str:
        raise EnvelopeMalformed(f"a message of another version than {VERSION}")
    declared = message(values["type"])
    to, clear = values["to"], values["clear"]
    numbers = (values["counter"], values["created"], values["expires"])
    if (
        type(to) is not dict
        or type(clear) is not dict
        or any(type(n) is not int or not 0 <= n <= TIME_MAX for n in numbers)
        or not 0 < values["expires"] - values["created"] <= LIFETIME_MAX_S * 1000
        or any(map(NAME.check, (values["sender"], *to.values())))
        or ID.check(values["id"])
        or ID.check(values["key"])
    ):
        raise EnvelopeMalformed(f"{declared.name}: the header holds what it must not")
    try:
        ordered = recipients(declared, to)
    except UsageError as error:
        raise EnvelopeMalformed(str(error)) from None
    if list(ordered) != list(to):
        raise EnvelopeMalformed(f"{declared.name}: the recipients are in another order")
    names = tuple(field.name for field in declared.header if field.name in clear)
    if names != tuple(clear):
        raise FieldRefused(f"{declared.name}: the open header has an undeclared field")
    declared.check_fields(declared.header, clear)
    return Header(
        VERSION, declared.name, values["id"], values["sender"], ordered, values["created"],
        values["expires"], values["counter"], values["key"], clear,
    )  # fmt: skip


def parse_table(content: bytes) -> tuple[Part, ...]:
    """Parse the table of parts; EnvelopeMalformed if it is none."""
    rows = _parse(content)
    if (
        type(rows) is not list
        or len(rows) > _PARTS_MAX
        or any(type(row) is not list or len(row) != 5 for row in rows)
        or any(type(item) is not str for row in rows for item in row[:4])
        or any(type(row[4]) is not int for row in rows)
    ):
        raise EnvelopeMalformed("the table of parts is none")
    return tuple(Part(*row) for row in rows)
