"""Bulk: files of payments through the circuit and the ledger, chunk by chunk."""

from __future__ import annotations

from petcore.network.bulk.batch import BulkBatch
from petcore.network.bulk.edges import share_parquet
from petcore.network.bulk.joining import load_shares
from petcore.network.bulk.results import Results, ResultsBox, read_results
from petcore.network.bulk.running import BulkOutcome, Clearing

__all__ = [
    "BulkBatch",
    "BulkOutcome",
    "Clearing",
    "Results",
    "ResultsBox",
    "load_shares",
    "read_results",
    "share_parquet",
]
