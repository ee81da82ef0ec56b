"""How good a prediction is, computed in clear by whoever holds the labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from petcore.errors import UsageError


def roc_auc(y: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the ROC curve: the chance that a random 1 scores above a random 0, ties half.

    Computed from mean ranks (Mann and Whitney 1947): AUC = (R1 - n1 (n1 + 1) / 2) / (n1 n0) with R1
    the sum of the ranks of the n1 positives.

    Parameters
    ----------
    y
        Labels 0 or 1, shape (n,), both present.
    scores
        Finite numbers, shape (n,); higher means rather 1.

    Raises
    ------
    UsageError
        The shapes differ, a label is neither 0 nor 1, a class is absent, a score is NaN.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    labels, values = np.asarray(y), np.asarray(scores, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != values.shape:
        raise UsageError(f"y {labels.shape} and scores {values.shape} must have one same length")
    if not np.isin(labels, (0, 1)).all():
        raise UsageError("y must hold only 0 and 1")
    if not np.isfinite(values).all():
        raise UsageError("scores must be finite")
    positives = int(np.count_nonzero(labels))
    negatives = labels.size - positives
    if not positives or not negatives:
        raise UsageError("y holds one class only; the area under the curve needs both")
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    mean_rank = (last - count + 1 + last) / 2
    rank_sum = float(mean_rank[place][labels == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
