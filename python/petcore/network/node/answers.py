"""Answers out of node A's journal: what a request came to, for whoever may ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from petcore.network.envelope import Envelope
from petcore.network.ledger import Kind, NodeJournal, Record, State, split_key
from petcore.network.node.replies import Reply

_WORDS = {Kind.PAY: "pay", Kind.REFUND: "refund", Kind.CONSULT: "consult", Kind.CANCEL: "cancel"}
_POSTED = (State.POSTED, State.PARTIALLY_REFUNDED, State.REFUNDED)
_CANCELLED = (State.VOIDED, State.TOMBSTONED)


class Answers:
    """Makes replies of records.

    Parameters
    ----------
    journal : NodeJournal
        Of node A.
    nodes : tuple of str
        The names of A and B, in whose order decisions are given.
    """

    def __init__(self, journal: NodeJournal, nodes: tuple[str, str]) -> None:
        self._journal, self._nodes = journal, nodes

    def of(self, records: Sequence[Record], edge: str) -> list[Reply]:
        """Return the replies for one edge: what it may see of these requests."""
        numbers = [record.batch for record in records if record.batch is not None]
        envelopes = self._journal.envelopes(numbers) if numbers else {}
        return [self._reply(record, envelopes, edge) for record in records]

    def decided(
        self,
        record_key: str,
        kind: str,
        edge: str,
        check: Envelope,
        envelopes: Mapping[tuple[str, str], bytes],
    ) -> Reply:
        """Return the reply of a request that was decided just now."""
        sender, request_id = split_key(record_key)
        return Reply(
            "decided",
            sender,
            request_id,
            kind,
            "posted",
            (*self._both(envelopes, edge), check.for_recipient(edge).to_bytes()),
        )

    def _reply(
        self,
        record: Record,
        envelopes: Mapping[int, Mapping[tuple[str, str], bytes]],
        edge: str,
    ) -> Reply:
        sender, request_id = split_key(record.request)
        about = (sender, request_id, _WORDS.get(record.kind, ""), record.state.name.lower())
        if record.kind is Kind.CANCEL and record.answer is not None:
            return Reply("cancelled", *about, envelopes=(record.answer,))
        decided = record.state in _POSTED or record.state in _CANCELLED
        if decided and record.batch is not None and record.check is not None:
            both = self._both(envelopes.get(record.batch, {}), edge)
            return Reply("decided", *about, envelopes=(*both, record.check))
        if record.state in _CANCELLED:
            return Reply("cancelled", *about)
        if record.state is State.EXPIRED:
            message = "the request expired before it could be decided"
            return Reply("refused", *about, code="expired", message=message)
        return Reply("pending", *about)

    def _both(self, envelopes: Mapping[tuple[str, str], bytes], edge: str) -> list[bytes]:
        return [envelopes[node, edge] for node in self._nodes if (node, edge) in envelopes]
