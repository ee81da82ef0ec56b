"""One error tree, drawn in its docstring, with stable codes."""

from __future__ import annotations

import re

import pytest

import petcore as pc
from petcore import errors


def tree(cls: type[errors.PetcoreError]) -> list[type[errors.PetcoreError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in tree(sub))]


def test_the_docstring_draws_every_class_with_its_code_and_whether_to_retry() -> None:
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"[\s│├└─]*([A-Z]\w+) {2,}([a-z-]+)( +yes)?( |$)", line)
        if match:
            drawn[match[1]] = (match[2], match[3] is not None)
    made = {
        cls.__name__: (cls.default_code, cls.default_retryable)
        for cls in tree(errors.PetcoreError)
        if cls.__module__ == "petcore.errors"
    }
    assert drawn == made


def test_codes_are_unique_and_every_class_is_public() -> None:
    classes = [cls for cls in tree(errors.PetcoreError) if cls.__module__ == "petcore.errors"]
    assert len({cls.default_code for cls in classes}) == len(classes)
    assert {cls.__name__ for cls in classes} | {"error_class", "from_core"} == set(errors.__all__)


@pytest.mark.parametrize("code", ["usage", "late", "step", "aborted", "broken", "correlation"])
def test_an_error_of_the_core_keeps_code_party_address_and_step(code: str) -> None:
    error = errors.from_core(code, "what, and the remedy", "wallet", "10.0.0.7:7100", "mul #3")
    assert (error.code, error.party, error.address, error.step) == (
        code,
        "wallet",
        "10.0.0.7:7100",
        "mul #3",
    )
    assert str(error) == "what, and the remedy [party wallet at 10.0.0.7:7100, step mul #3]"


def test_what_the_message_names_is_not_said_twice() -> None:
    error = errors.from_core("closed", "wallet at 10.0.0.7:1 left during mul", "wallet", "", "mul")
    assert str(error) == "wallet at 10.0.0.7:1 left during mul"


def test_an_unknown_code_is_a_defect_of_petcore() -> None:
    assert isinstance(errors.from_core("strange", "x"), errors.InternalError)


def test_errors_are_caught_by_the_classes_that_python_has_for_them() -> None:
    assert issubclass(errors.UsageError, (ValueError, TypeError))
    assert issubclass(errors.PeerLate, TimeoutError)
    assert issubclass(errors.PeerClosed, ConnectionError)
    assert issubclass(errors.DisclosureRefused, PermissionError)
    assert pc.PetcoreError is errors.PetcoreError
