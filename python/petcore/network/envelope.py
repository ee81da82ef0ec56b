"""Messages on the wire: an open header, parts that only their recipients open, a signature.

::

    magic "petc1\\n" | header | parts table | signature (64 bytes) | part, part, ...

Every piece but the signature is preceded by its length (4 bytes, little-endian; 0 for a part that
was taken out on the way). Header and table are JSON in one form: what does not come out the same
when written again is refused. The table names every part's recipient, form, key, and SHA-256; the
signature (ES256) is over the digest of the header and the table, so it verifies whichever parts are
still there.

A part is sealed by HPKE (RFC 9180, base mode) to its recipient, by way of `petcore.network.lanes`;
it is bound to version, type, request id, sender, recipient, the set of fields, and the digest of
the header. What is sealed is padded to a size class, so a part's length tells the class only.

Adversary: whoever carries a message may read the header and drop or replay messages; everything
else is noticed. Leaks: header, size classes, which parts a recipient gets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from petcore.errors import UsageError
from petcore.network import parts
from petcore.network.directory import Directory
from petcore.network.errors import (
    ClockSkew,
    EnvelopeExpired,
    EnvelopeMalformed,
    RecipientWrong,
    SignatureWrong,
)
from petcore.network.fields import NODES, Message, Role
from petcore.network.header import (
    HEADER_MAX,
    LIFETIME_MAX_S,
    TABLE_MAX,
    Header,
    Part,
    dump,
    parse_header,
    parse_table,
    recipients,
    write_header,
)
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.kinds import ID, TIME_MAX
from petcore.network.lanes import OVERHEAD
from petcore.network.packing import ENVELOPE_MAX, LENGTH, pack, piece, unpack
from petcore.network.published import GRACE_MS
from petcore.network.schema import VERSION, message

__all__ = ["Envelope", "Header", "Part", "compose", "open_part", "pack", "unpack", "verify"]

MAGIC = b"petc1\n"
_SIGNATURE = 64


class Envelope:
    """One message as it travels; make it by `compose` or `from_bytes`."""

    __slots__ = ("_base", "_base_digest", "_bodies", "_signature", "_table", "header", "table")

    def __init__(
        self,
        header: Header,
        table: tuple[Part, ...],
        base: bytes,
        raw_table: bytes,
        signature: bytes,
        bodies: tuple[bytes, ...],
    ) -> None:
        self.header, self.table = header, table
        self._base, self._table, self._signature = base, raw_table, signature
        self._bodies = bodies
        self._base_digest = hashlib.sha256(base).digest()

    @property
    def digest(self) -> str:
        """Hex SHA-256 of what is signed: the same whichever parts are still there."""
        return hashlib.sha256(self._signed()).hexdigest()

    @property
    def size(self) -> int:
        """The padded size class: the largest of its parts', in bytes; 0 without parts."""
        return max((part.size for part in self.table), default=0)

    def to_bytes(self) -> bytes:
        """Return the message as it travels."""
        pieces = [
            MAGIC,
            LENGTH.pack(len(self._base)),
            self._base,
            LENGTH.pack(len(self._table)),
            self._table,
            self._signature,
        ]
        for body in self._bodies:
            pieces += (LENGTH.pack(len(body)), body)
        return b"".join(pieces)

    @classmethod
    def from_bytes(cls, content: bytes) -> Envelope:
        """Parse a message; its signature is not looked at.

        Raises
        ------
        EnvelopeMalformed
            It is cut short, too long, or not in the one form.
        FieldRefused
            The open header has an undeclared field, lacks one, or holds what its kind forbids.
        """
        if len(content) > ENVELOPE_MAX or not content.startswith(MAGIC):
            raise EnvelopeMalformed(f"no message, or one of more than {ENVELOPE_MAX} bytes")
        base, at = piece(content, len(MAGIC), HEADER_MAX)
        raw_table, at = piece(content, at, TABLE_MAX)
        signature, at = content[at : at + _SIGNATURE], at + _SIGNATURE
        header, table = parse_header(base), parse_table(raw_table)
        bodies = []
        for _ in table:
            body, at = piece(content, at, parts.PART_MAX + OVERHEAD)
            bodies.append(body)
        if at != len(content):
            raise EnvelopeMalformed("the message is cut short, or has bytes after its end")
        envelope = cls(header, table, base, raw_table, signature, tuple(bodies))
        envelope._check_parts()
        return envelope

    def for_recipient(self, *names: str) -> Envelope:
        """Return the message with no other parts than those of these members; it still verifies."""
        bodies = tuple(
            body if part.to in names else b""
            for part, body in zip(self.table, self._bodies, strict=True)
        )
        return Envelope(self.header, self.table, self._base, self._table, self._signature, bodies)

    def has_part(self, name: str) -> bool:
        """Say whether a part for a member is still there."""
        return any(
            part.to == name and body for part, body in zip(self.table, self._bodies, strict=True)
        )

    def _signed(self) -> bytes:
        return b"petcore envelope 1\n" + self._base_digest + self._table

    def _check_parts(self) -> None:
        declared = message(self.header.type)
        expected = [
            (name, "share" if _has_shares(declared, role) else "sealed")
            for role, name in self.header.to.items()
            if _has_part(declared, role)
        ]
        if [(part.to, part.form) for part in self.table] != expected:
            raise EnvelopeMalformed(f"{declared.name}: other parts than its recipients call for")
        for part, body in zip(self.table, self._bodies, strict=True):
            if part.size not in parts.SIZES:
                raise EnvelopeMalformed(f"the part for {part.to} is of no size class")
            if not body:
                continue
            fits = len(body) == part.size + OVERHEAD
            if not fits or hashlib.sha256(body).hexdigest() != part.digest:
                raise EnvelopeMalformed(f"the part for {part.to} is not the one that was signed")


def compose(
    type: str,
    request_id: str,
    values: Mapping[str, Any],
    *,
    ring: KeyRing,
    keys: PublicKeys,
    to: Mapping[Role, str],
    expires_in: float,
    counter: int,
    now: int | None = None,
) -> Envelope:
    """Write, seal and sign a message.

    Parameters
    ----------
    type, request_id
        A name of `schema.MESSAGES`; the caller's id of the request.
    values
        The fields in clear. Those that nodes get as shares are split here.
    ring, keys
        The sender's keys; everybody's public keys.
    to
        The member of each role that gets the message.
    expires_in
        Seconds until it expires, at most `LIFETIME_MAX_S`.
    counter
        Greater with every message of this sender (`replay.Counter`).
    now
        The time in ms, for tests.

    Raises
    ------
    FieldRefused
        A field is undeclared, missing, or holds what its kind forbids.
    UsageError
        Recipients, counter or lifetime do not fit.
    EpochUnknown
        A recipient published no keys.
    """
    declared = message(type)
    declared.check(values)
    created = now_ms() if now is None else now
    ordered = recipients(declared, to)
    if not 0 < expires_in <= LIFETIME_MAX_S or not 0 <= counter <= TIME_MAX or ID.check(request_id):
        raise UsageError("a message has an id, a counter, and a lifetime of at most a day")
    signer = ring.signer()
    header = Header(
        VERSION,
        type,
        request_id,
        ring.name,
        ordered,
        created,
        created + int(expires_in * 1000),
        counter,
        signer.key_id,
        {f.name: values[f.name] for f in declared.header if f.name in values},
    )
    base = write_header(header)
    base_digest = hashlib.sha256(base).digest()
    shares = parts.split(declared, values) if declared.shared and NODES[0] in ordered else {}
    table, bodies = [], []
    for role, name in ordered.items():
        if not _has_part(declared, role):
            continue
        content = shares[role] if role in shares else parts.sealed(declared, role, values)
        key, body = ring.seal(keys, name, content, _info(header, role, name, base_digest))
        form = "share" if role in shares else "sealed"
        table.append(Part(name, form, key, hashlib.sha256(body).hexdigest(), len(content)))
        bodies.append(body)
    raw_table = dump(table).encode()
    signature = signer.sign(b"petcore envelope 1\n" + base_digest + raw_table)
    return Envelope(header, tuple(table), base, raw_table, signature, tuple(bodies))


def verify(
    envelope: Envelope,
    keys: PublicKeys,
    *,
    now: int | None = None,
    directory: Directory | None = None,
    recipient: str | None = None,
) -> None:
    """Check who sent a message and that its time is now; return if all is well.

    Parameters
    ----------
    now
        The time in ms, for tests.
    directory
        If given, sender and recipients must be its members, in the roles that the message is for.
    recipient
        If given, this member must be among the recipients.

    Raises
    ------
    SignatureWrong, EpochUnknown
        The sender did not sign it, or by an unknown key, or in a role that sends no such message.
    RecipientWrong
        It is for others.
    EnvelopeExpired, ClockSkew
        Its time is over, or has not come; clocks may differ by `published.GRACE_MS`.
    """
    header = envelope.header
    at = now_ms() if now is None else now
    if header.expires + GRACE_MS < at:
        raise EnvelopeExpired(f"{header.type} expired; send it anew", party=header.sender)
    if header.created - GRACE_MS > at:
        raise ClockSkew(
            f"{header.type} of {header.sender} was made later than now; compare the two clocks",
            party=header.sender,
        )
    if recipient is not None and recipient not in header.to.values():
        raise RecipientWrong(f"{header.type} of {header.sender} is not for {recipient}")
    if directory is not None:
        _check_roles(header, directory)
    if not keys.verify(
        header.sender, header.key, envelope._signed(), envelope._signature, header.created
    ):
        raise SignatureWrong(
            f"{header.type} was not signed by {header.sender}, or was changed on its way",
            party=header.sender,
        )


def open_part(envelope: Envelope, ring: KeyRing) -> dict[str, Any]:
    """Open the part for a member; return its fields. Verify the message first.

    Shares come as integers from 0 to 2^64 - 1, lists of them as uint64 arrays.

    Raises
    ------
    RecipientWrong
        There is no part for this member.
    SealBroken
        The part does not open: it was sealed for another message, or changed.
    EpochUnknown
        It was sealed to a key that is erased, or is none of this member's.
    FieldRefused, EnvelopeMalformed
        What was sealed is not what the schema declares.
    """
    header = envelope.header
    for part, body in zip(envelope.table, envelope._bodies, strict=True):
        if part.to == ring.name and body:
            break
    else:
        raise RecipientWrong(f"{header.type} of {header.sender} has no part for {ring.name}")
    role = next(role for role, name in header.to.items() if name == part.to)
    info = _info(header, role, part.to, envelope._base_digest)
    content = ring.open(header.sender, part.key, body, info)
    return parts.opened(message(header.type), role, content)


def _has_shares(declared: Message, role: Role) -> bool:
    return bool(declared.shared) and role in NODES


def _has_part(declared: Message, role: Role) -> bool:
    return _has_shares(declared, role) or role in declared.sealed


def _info(header: Header, role: Role, recipient: str, base_digest: bytes) -> bytes:
    names = parts.field_set(header.type, role)
    text = "\n".join(
        (str(header.version), header.type, header.request_id, header.sender, recipient, names)
    )
    return b"petcore part 1\n" + text.encode() + b"\n" + base_digest


def _check_roles(header: Header, directory: Directory) -> None:
    declared = message(header.type)
    members = {p.name: p.role for p in directory.participants}
    if members.get(header.sender) not in declared.senders:
        raise SignatureWrong(
            f"{header.sender} is no member that sends {header.type}", party=header.sender
        )
    for role, name in header.to.items():
        if members.get(name) != role:
            raise RecipientWrong(f"{name} is not the network's {role}", party=header.sender)
