"""Models that companies train together without showing each other their rows."""

from petcore.training.alignment import require_same_rows
from petcore.training.job import Outcome, Plan, train
from petcore.training.logistic_regression import LogisticRegression
from petcore.training.metrics import roc_auc
from petcore.training.plaintext import PlaintextLogisticRegression
from petcore.training.preprocessing import Standardizer, compress_amounts
from petcore.training.tables import LocalTable, load_table, split_rows

__all__ = [
    "LocalTable",
    "LogisticRegression",
    "Outcome",
    "PlaintextLogisticRegression",
    "Plan",
    "Standardizer",
    "compress_amounts",
    "load_table",
    "require_same_rows",
    "roc_auc",
    "split_rows",
    "train",
]
