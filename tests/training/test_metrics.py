import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petcore.errors import UsageError
from petcore.training import roc_auc


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_the_auc_is_the_chance_that_a_one_scores_above_a_zero(
    pairs: list[tuple[bool, int]],
) -> None:
    ones = [score for label, score in pairs if label]
    zeros = [score for label, score in pairs if not label]
    if not ones or not zeros:
        return
    wins = sum((a > b) + 0.5 * (a == b) for a in ones for b in zeros)
    labels, scores = zip(*pairs, strict=True)
    assert roc_auc(np.array(labels, int), scores) == pytest.approx(wins / len(ones) / len(zeros))


@pytest.mark.parametrize(
    ("y", "scores", "what"),
    [
        ([1, 1], [0.1, 0.2], "one class"),
        ([0, 2], [0.1, 0.2], "only 0 and 1"),
        ([0, 1], [0.1, np.nan], "finite"),
        ([0, 1, 1], [0.1, 0.2], "same length"),
    ],
)
def test_unusable_labels_and_scores_are_refused(
    y: list[int], scores: list[float], what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        roc_auc(y, scores)
