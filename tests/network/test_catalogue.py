"""The field catalogue is the schema, for people and for programs."""

import json

import pytest

from petcore.network.catalogue import FORMS, form, rows, to_json, to_markdown
from petcore.network.fields import ROLES
from petcore.network.schema import MESSAGES


def test_every_declared_field_has_exactly_one_row():
    listed = [(row["message"], row["field"]) for row in rows()]
    assert listed == [(m.name, f.name) for m in MESSAGES.values() for f in m.fields]


def test_every_form_in_the_catalogue_is_explained():
    assert {row["forms"][role] for row in rows() for role in ROLES} == set(FORMS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("amount", ["origin", "sealed", "share", "share"]),
        ("merchant_currency", ["origin", "clear", "clear", "clear"]),
        ("goods", ["origin", "sealed", "-", "-"]),
    ],
)
def test_a_row_says_in_which_form_each_role_has_the_field(name, expected):
    pay = MESSAGES["pay"]
    assert [form(pay, pay.by_name[name], role) for role in ROLES] == expected


def test_the_json_catalogue_can_be_read_by_programs():
    catalogue = json.loads(to_json())
    assert catalogue["version"] == 1
    assert len(catalogue["fields"]) == len(list(rows()))
    assert {m["name"] for m in catalogue["messages"]} == set(MESSAGES)


def test_every_table_of_the_markdown_has_the_columns_of_its_title():
    width = 0
    for line in to_markdown().splitlines():
        if line.startswith("| field"):
            width = line.count("|")
        elif line.startswith("|"):
            assert line.count("|") == width
    assert width == 10
