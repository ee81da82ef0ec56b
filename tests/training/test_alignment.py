import pytest

import petcore as pc
from petcore.errors import AgreementError
from petcore.training import require_same_rows


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        ([1, 2], ["1", "2"], True),
        (["a", "b"], ["b", "a"], False),
        (["a", "b"], ["a", "c"], False),
        (["a", "b"], ["a", "b", "c"], False),
        (["ab", "c"], ["a", "bc"], False),
    ],
)
def test_rows_are_compared_by_identifier_and_order(
    mine: list[object], theirs: list[object], same: bool
) -> None:
    def program(session: pc.Session) -> str:
        try:
            require_same_rows(session, mine if session.party == 0 else theirs)
        except AgreementError as error:
            return str(error)
        return ""

    said = pc.simulate(program)
    assert [text == "" for text in said] == [same, same]
    assert same or "sort by identifier" in said[0]


def test_only_one_bit_is_disclosed() -> None:
    sinks = [pc.MemorySink(), pc.MemorySink()]
    pc.simulate(require_same_rows, args=(["a", "b"],), sinks=sinks)
    assert [(d.shape, d.dtype) for d in sinks[0]] == [((), "bool")]
