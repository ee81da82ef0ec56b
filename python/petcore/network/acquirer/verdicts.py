"""What the network says about a request, as the edge understands it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from petcore.network.acquirer.facts import (
    Asked,
    Ended,
    Learned,
    asked_of,
    end_of,
    name_of,
)
from petcore.network.acquirer.letters import Letters
from petcore.network.acquirer.orders import Code
from petcore.network.envelope import Envelope
from petcore.network.errors import EnvelopeMalformed
from petcore.network.ledger import Kind, Record, split_key
from petcore.network.node.replies import Reply

_REASONS: Final[dict[str, Code]] = {
    "balance": "balance",
    "token": "illegal",
    "expired": "cancelled",
    "state": "cancelled",
}
_REFUND_REASONS: Final[dict[str, Code]] = {"amount": "exceeds", "balance": "exceeds"}
_REFUSALS: Final[dict[str, Code]] = {
    "tombstoned": "cancelled",
    "expired": "cancelled",
    "inconsistent": "inconsistent",
    "unknown": "absent",
    "window": "too_late",
    "quota": "rejected",
}
_OVER: Final = frozenset({"voided", "expired", "tombstoned"})


@dataclass(frozen=True)
class Verdict:
    """A reply of node A about a request."""

    reply: Reply

    def end(self, record: Record, letters: Letters) -> Ended | Learned | None:
        """Return how the request ends by it, or what was learned; None where it says nothing yet.

        Raises
        ------
        EnvelopeError
            What came with the reply does not verify, or is about something else.
        """
        reply, asked = self.reply, asked_of(record)
        _, request_id = split_key(record.request)
        if (reply.sender, reply.id) != (letters.name, request_id):
            raise EnvelopeMalformed("node A answered about another request")
        if reply.status == "decided":
            return _decided(reply, record, asked, letters)
        if reply.status == "cancelled" and record.kind is Kind.CANCEL:
            return _cancelled(reply, asked, letters)
        if reply.status == "awaiting" and record.kind is Kind.PAY:
            said = letters.from_wallet(_one(reply), "awaiting", asked.mpp, request_id)
            return Learned(said["payment_id"], said["normal_url"])
        if reply.status == "refused":
            code = _REFUSALS.get(reply.code)
            return end_of(asked, code) if code is not None else None
        if reply.status == "pending" and reply.state in _OVER and record.kind is not Kind.CANCEL:
            return end_of(asked, "cancelled")
        return None


def without_notices(reply: Reply) -> Reply:
    """Return a reply that a notification brought, without the ``notify`` envelopes before it."""
    envelopes = reply.envelopes
    while envelopes and Envelope.from_bytes(envelopes[0]).header.type == "notify":
        envelopes = envelopes[1:]
    return replace(reply, envelopes=envelopes)


def _decided(reply: Reply, record: Record, asked: Asked, letters: Letters) -> Ended:
    if len(reply.envelopes) != 3:
        raise EnvelopeMalformed("a decision comes with the shares of both nodes and a check")
    _, request_id = split_key(record.request)
    approved, batch = letters.decision(reply.envelopes[:2], request_id)
    refund = name_of(record.kind) == "refund"
    check = "refund_check" if refund else "check"
    said = letters.from_wallet(reply.envelopes[2], check, asked.mpp, request_id)
    number, time = said["refund_id" if refund else "payment_id"], "payment_time"
    seconds = said["refund_time" if refund else time] / 1000
    if approved:
        return end_of(asked, "done", id=number, time=seconds, batch=batch)
    # The wallet knows nothing of what the nodes found wrong: then it says that it accepted.
    reasons = _REFUND_REASONS if refund else _REASONS
    return end_of(asked, reasons.get(said["reason"], "rejected"), id=number, batch=batch)


def _cancelled(reply: Reply, asked: Asked, letters: Letters) -> Ended:
    cancel_id = letters.cancel_id(asked.payment)
    said = letters.from_wallet(_one(reply), "cancelled", asked.mpp, asked.payment)
    if said["done"] == "too_late":
        return end_of(asked, "too_late")
    return end_of(asked, "done", id=cancel_id, time=said["cancel_time"] / 1000)


def _one(reply: Reply) -> bytes:
    if len(reply.envelopes) != 1:
        raise EnvelopeMalformed(f"a reply that is {reply.status} comes with one envelope")
    return reply.envelopes[0]
