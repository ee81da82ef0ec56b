"""What a node counts."""

from __future__ import annotations

from petcore.mpc.cost import Cost
from petcore.network.metrics import ROWS, Metrics


class Meters:
    """The metrics of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self.messages = metrics.counter(
            "messages", "Messages that edges brought.", ["message", "outcome"]
        )
        self.refused = metrics.counter("refused", "Messages that were refused.", ["code"])
        self.batches = metrics.counter("batches", "Batches, by how they ended.", ["outcome"])
        self.rows = metrics.histogram("batch_rows", "Rows of a batch.", buckets=ROWS)
        self.circuit = metrics.histogram("circuit_seconds", "One run of the circuit.")
        self.batch_seconds = metrics.histogram(
            "batch_seconds", "A batch, from its first message to the other node to its commit."
        )
        self.answer = metrics.histogram("answer_seconds", "From a request to its decision.")
        self.rounds = metrics.gauge("circuit_rounds", "Rounds of the last batch.")
        self.bytes = metrics.counter("circuit_bytes", "Bytes sent to the other node by circuits.")
        self.meetings = metrics.counter("meetings", "Sessions with the other node.", ["outcome"])
        self.waiting = metrics.gauge("requests_waiting", "Requests that are not decided.")

    def computed(self, rows: int, cost: Cost) -> None:
        """Count one run of the circuit."""
        self.rows.observe(rows)
        self.circuit.observe(cost.seconds)
        self.rounds.set(cost.rounds)
        self.bytes.inc(cost.bytes_sent)
