"""What a declaration is: fields with class, form per recipient and retention; messages of fields.

Everything else derives from declarations: what is accepted, what is sealed to whom, the catalogue,
the tests that look for leaks. `petcore.network.schema` holds the declarations themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from petcore.errors import UsageError
from petcore.network.errors import FieldRefused
from petcore.network.kinds import Kind

Role = Literal["acqp", "mpp", "node_a", "node_b"]
ROLES: tuple[Role, ...] = get_args(Role)
NODES: tuple[Role, Role] = ("node_a", "node_b")

Class = Literal["personal", "financial", "business", "operational"]

Form = Literal["clear", "sealed", "share", "token"]
"""How a field reaches a role: in the open header, sealed to it, as an additive share sealed to it,
or in the open header as a handle or pseudonym that is linkable only inside its scope and epoch."""


@dataclass(frozen=True)
class Field:
    """One field of one message.

    Attributes
    ----------
    name, kind, cls
        What it is called, may hold, and is about.
    forms
        Form per role; a role that is absent gets nothing.
    keep_days
        How long whoever receives it keeps it.
    optional
        Whether it may be left out.
    note
        What it means, for people.
    """

    name: str
    kind: Kind
    cls: Class
    forms: Mapping[Role, Form]
    keep_days: int
    optional: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        open_to = {r for r, form in self.forms.items() if form in ("clear", "token")}
        shared = {r for r, form in self.forms.items() if form == "share"}
        if not self.forms or (open_to and len(set(self.forms.values())) > 1):
            raise UsageError(f"{self.name}: is in the open header for all recipients or for none")
        if shared and (not self.kind.words or shared != set(NODES) or self.optional):
            raise UsageError(f"{self.name}: only a required number is shared, between both nodes")

    @property
    def in_header(self) -> bool:
        """Whether it travels in the open header."""
        return next(iter(self.forms.values())) in ("clear", "token")


@dataclass(frozen=True)
class Message:
    """One type of message: who sends it, to whom, and its fields in their order on the wire.

    Attributes
    ----------
    senders, recipients
        Roles. With ``one_recipient`` a message goes to one of the recipients, else to all.
    main
        The recipient that acts on it; others read along.
    """

    name: str
    senders: tuple[Role, ...]
    recipients: tuple[Role, ...]
    fields: tuple[Field, ...]
    one_recipient: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise UsageError(f"{self.name}: a field is declared twice")
        for field in self.fields:
            if extra := set(field.forms) - {*self.recipients, *self.senders}:
                raise UsageError(f"{self.name}.{field.name}: {extra} gets no such message")

    @property
    def main(self) -> Role:
        """The first recipient."""
        return self.recipients[0]

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def header(self) -> tuple[Field, ...]:
        """The fields in the open header."""
        return tuple(field for field in self.fields if field.in_header)

    @cached_property
    def sealed(self) -> dict[Role, tuple[Field, ...]]:
        """Per role that gets a sealed part, its fields."""
        return {r: found for r in self.recipients if (found := tuple(self._with("sealed", r)))}

    @cached_property
    def shared(self) -> tuple[Field, ...]:
        """The fields that are split between the nodes."""
        return tuple(self._with("share", NODES[0]))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    def check(self, values: Mapping[str, Any]) -> None:
        """Refuse values that the declaration does not allow.

        Raises
        ------
        FieldRefused
            A field is undeclared, missing, or holds what its kind forbids. No value is repeated.
        """
        if undeclared := values.keys() - self._names:
            names = ", ".join(sorted(str(name)[:64] for name in undeclared))
            raise FieldRefused(f"{self.name}: {names} is not declared; see 'petcore catalogue'")
        self.check_fields(self.fields, values)

    def check_fields(self, fields: tuple[Field, ...], values: Mapping[str, Any]) -> None:
        """Refuse values of these fields; as `check`, but other names are the caller's matter."""
        for field in fields:
            if field.name not in values:
                if field.optional:
                    continue
                raise FieldRefused(f"{self.name}: {field.name} is missing")
            if complaint := field.kind.check(values[field.name]):
                raise FieldRefused(f"{self.name}: {field.name} {complaint}")

    def _with(self, form: Form, role: Role) -> Iterator[Field]:
        return (field for field in self.fields if field.forms.get(role) == form)
