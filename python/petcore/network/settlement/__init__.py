"""Settlement: what every participant nets at a cut-off, opened to it alone, checked, and written."""

from petcore.network.settlement.nets import Due, Nets, Withheld, items_digest
from petcore.network.settlement.reconcile import Break, Entry, Reconciled, reconcile
from petcore.network.settlement.settler import Settler
from petcore.network.settlement.statement import Statement, open_statement

__all__ = [
    "Break",
    "Due",
    "Entry",
    "Nets",
    "Reconciled",
    "Settler",
    "Statement",
    "Withheld",
    "items_digest",
    "open_statement",
    "reconcile",
]
