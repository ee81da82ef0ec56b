"""The table that users read says what the contracts say."""

from __future__ import annotations

import re

import pytest

import petcore as pc


@pytest.mark.parametrize("name", sorted(pc.functions.CONTRACTS))
def test_the_table_of_functions_gives_the_rounds_and_bytes_of_the_contract(name: str) -> None:
    rows = (pc.functions.__doc__ or "").split("==\n")[2]
    found = re.search(rf"^{name} .*?(\d+) +(\d+)$", rows, re.MULTILINE)
    assert found is not None
    contract = pc.functions.CONTRACTS[name]
    assert [int(n) for n in found.groups()] == [contract.rounds, round(contract.bytes_sent)]
