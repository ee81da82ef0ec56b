"""The field catalogue: who gets which field in which form, for how long, straight from the schema.

For the person who answers for data protection. Nothing here is written by hand: a field that is in
no row travels nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from petcore.network.fields import ROLES, Field, Message, Role
from petcore.network.schema import MESSAGES, VERSION

_TITLES: dict[Role, str] = {"acqp": "ACQP", "mpp": "MPP", "node_a": "node A", "node_b": "node B"}

FORMS = {
    "origin": "the sender's own, in clear at the sender",
    "clear": "in the open header",
    "token": "in the open header, a keyed digest or handle: linkable only in its scope and epoch",
    "sealed": "sealed to this role: nobody on the way reads it",
    "share": "an additive share mod 2^64, sealed to this node: tells nothing without the other",
    "-": "does not get it",
}


def form(message: Message, field: Field, role: Role) -> str:
    """Return in which form a role has a field: a key of `FORMS`."""
    if role in message.senders and field.forms.get(role) is None:
        return "origin"
    return "origin" if message.senders == (role,) else field.forms.get(role, "-")


def rows() -> Iterator[dict[str, Any]]:
    """Yield one record per message and field."""
    for message in MESSAGES.values():
        for field in message.fields:
            yield {
                "message": message.name,
                "field": field.name,
                "kind": field.kind.name,
                "class": field.cls,
                "forms": {role: form(message, field, role) for role in ROLES},
                "keep_days": field.keep_days,
                "optional": field.optional,
                "note": field.note,
            }


def to_json() -> str:
    """Return the catalogue as JSON, for programs."""
    messages = [
        {
            "name": m.name,
            "senders": list(m.senders),
            "recipients": list(m.recipients),
            "one_recipient": m.one_recipient,
            "note": m.note,
        }
        for m in MESSAGES.values()
    ]
    catalogue = {"version": VERSION, "forms": FORMS, "messages": messages, "fields": list(rows())}
    return json.dumps(catalogue, indent=1) + "\n"


def to_markdown() -> str:
    """Return the catalogue as Markdown, for people."""
    found = list(rows())
    lines = ["# Field catalogue of the payment network", ""]
    lines += [f"Version {VERSION} of the messages. Forms:", ""]
    lines += [f"- `{name}`: {meaning}" for name, meaning in FORMS.items()]
    for message in MESSAGES.values():
        senders = " or ".join(_TITLES[role] for role in message.senders)
        joined = " or " if message.one_recipient else ", "
        recipients = joined.join(_TITLES[role] for role in message.recipients)
        lines += ["", f"## {message.name}", "", f"{senders} → {recipients}: {message.note}.", ""]
        titles = [_TITLES[role] for role in ROLES]
        lines.append("| " + " | ".join(("field", "class", *titles, "days", "holds", "note")) + " |")
        lines.append("|" + "---|" * (len(titles) + 5))
        lines += [_line(row) for row in found if row["message"] == message.name]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    name = f"`{row['field']}`" + (" (optional)" if row["optional"] else "")
    forms = [row["forms"][role] for role in ROLES]
    cells = (name, row["class"], *forms, str(row["keep_days"]), row["kind"], row["note"])
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
