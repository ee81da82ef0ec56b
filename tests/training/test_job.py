import numpy as np
import pytest

import petcore as pc
from petcore.errors import UsageError
from petcore.training import LocalTable, Plan, train


def test_plans_that_differ_in_the_last_digit_differ_in_the_handshake() -> None:
    assert Plan(C=1.0).program() == Plan(C=1).program()
    assert Plan(C=1.0).program() != Plan(C=1.0000001).program()
    assert Plan(test_fraction=0.2).program() != Plan(test_fraction=0.20000001).program()


@pytest.mark.parametrize("holder", [0, 1])
def test_the_label_holder_alone_gets_the_chances_and_the_auc(holder: int) -> None:
    X = np.random.default_rng(0).normal(size=(200, 2))
    y = (X.sum(axis=1) > 0).astype(np.int64)

    def program(session: pc.Session) -> tuple[bool, bool]:
        labels = y if session.party == holder else None
        table = LocalTable(tuple(map(str, range(200))), ("x",), X[:, [session.party]], labels)
        outcome = train(session, table, Plan(max_iter=5))
        assert outcome.auc is None or outcome.auc > 0.95
        return outcome.auc is not None, outcome.probabilities is not None

    known = pc.simulate(program)
    assert known == [(party == holder,) * 2 for party in range(2)]


def test_held_out_labels_of_one_class_are_refused_before_the_training() -> None:
    def program(session: pc.Session) -> None:
        labels = np.zeros(20, np.int64) if session.party == 0 else None
        table = LocalTable(tuple(map(str, range(20))), ("x",), np.ones((20, 1)), labels)
        train(session, table, Plan())

    sinks = [pc.MemorySink(), pc.MemorySink()]
    with pytest.raises(UsageError, match="all alike"):
        pc.simulate(program, sinks=sinks)
    assert [d.label for d in sinks[0]] == ["row identifiers are equal"]
