"""Every operation of the core has a row that says what it is charged for and what it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from petcore import _core
from petcore.mpc.core import Core
from petcore.mpc.estimation import _DryCore
from petcore.mpc.operations import OPERATIONS as ROWS

from .conftest import SOURCES
from .operations import OPERATIONS, Operation

STATE = {
    *("bind_next", "close", "common_key", "cost", "declared", "fail", "psi_key"),
    *("stock", "stock_up", "takes"),
}
UNUSED = {"input_bits"}  # an input of bits travels as words


def methods(kind: type) -> set[str]:
    return {
        name
        for name in dir(kind)
        if not name.startswith("_") and not isinstance(vars(kind).get(name), property)
    }


def test_every_operation_of_the_core_has_a_row() -> None:
    assert methods(Core) - STATE == set(ROWS), "add the operation to mpc/operations.py"
    assert methods(_core.Session) - STATE - UNUSED == set(ROWS)


def test_what_the_protocol_declares_can_be_asked_without_a_session(
    parties: Any, correlations: str
) -> None:
    def program(session: Any) -> Any:
        return session.declared("msb", 1000)

    maker = "dealer" if correlations == "store" else correlations
    expected = _core.declared("semi2k", "msb", 1000, correlations=maker)
    for said in parties(program).values():
        assert said == expected | ({"offline_bytes": 0} if correlations == "store" else {})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: op.name)
@pytest.mark.parametrize("correlations", SOURCES)
@pytest.mark.parametrize("n", [1, 1000])
def test_an_imitated_operation_gives_and_costs_what_the_real_one_does(
    parties: Any, correlations: str, operation: Operation, n: int
) -> None:
    if operation.needs_dealer and correlations != "dealer":
        pytest.skip("keys come from a dealer")
    inputs = operation.inputs(np.random.default_rng(n), n)

    def program(session: Any) -> Any:
        before = session.cost()
        result = operation.call(session, *inputs)
        return result.shape, result.dtype, session.cost()["rounds"] - before["rounds"]

    dry: Any = _DryCore(
        "semi2k", ["gateway", "wallet"], 0, iter([]), {"correlations": correlations}
    )
    result = operation.call(dry, *inputs)
    for found in parties(program).values():
        assert found == (result.shape, result.dtype, dry.cost()["rounds"])
