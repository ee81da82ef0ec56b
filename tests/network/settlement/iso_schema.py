"""Strict validation of ISO 20022 documents against the schema's classes of `pyiso20022`.

The classes were generated from the published XSDs and carry their restrictions as metadata; parsing
refuses unknown elements, `complaints` checks the restrictions, and writing the objects again shows
whether the elements stood in the schema's order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.serializers import XmlSerializer

_CONFIG = ParserConfig(
    fail_on_unknown_properties=True,
    fail_on_unknown_attributes=True,
    fail_on_converter_warnings=True,
)


def validate(content: bytes, message: str) -> Any:
    """Parse a document of a message such as ``camt_053_001_08``; AssertionError if it is wrong."""
    family = message[:4]
    document = import_module(f"pyiso20022.{family}.{message}.{message}").Document
    context = XmlContext()
    parsed = XmlParser(config=_CONFIG, context=context).from_bytes(content, document)
    found = list(complaints(parsed))
    assert not found, found
    again = XmlSerializer(context=context).render(parsed).encode()
    assert tags(again) == tags(content), "the elements stand in another order than the schema's"
    return parsed


def tags(content: bytes) -> list[str]:
    return [element.tag for element in ElementTree.fromstring(content).iter()]  # noqa: S314


def complaints(value: Any, where: str = "") -> Iterator[str]:
    """Yield what the schema's restrictions forbid."""
    for field in fields(value):
        meta = field.metadata
        name = f"{where}/{meta.get('name', field.name)}"
        held = getattr(value, field.name)
        items = held if isinstance(held, list) else [held]
        if isinstance(held, list) and len(held) < meta.get("min_occurs", 0):
            yield f"{name}: too few"
        if held is None and meta.get("required"):
            yield f"{name}: missing"
        for item in items:
            if is_dataclass(item):
                yield from complaints(item, name)
            elif item is not None:
                yield from _restricted(item, meta, name)


def _restricted(item: Any, meta: Any, name: str) -> Iterator[str]:
    text = item.value if isinstance(item, Enum) else item
    if isinstance(text, str):
        if len(text) < meta.get("min_length", 0) or len(text) > meta.get("max_length", 10**9):
            yield f"{name}: length {len(text)}"
        if "pattern" in meta and not re.fullmatch(meta["pattern"], text):
            yield f"{name}: {text!r} is not {meta['pattern']}"
    if isinstance(item, Decimal):
        _, digits, exponent = item.as_tuple()
        assert isinstance(exponent, int)
        if -exponent > meta.get("fraction_digits", 99) or len(digits) > meta.get(
            "total_digits", 99
        ):
            yield f"{name}: {item}"
        if item < meta.get("min_inclusive", item):
            yield f"{name}: {item}"
