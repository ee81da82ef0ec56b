"""A participant's net, put together of both nodes' shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, open_part, verify
from petcore.network.errors import NetsBroken, RecipientWrong
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger.words import to_column
from petcore.network.settlement.nets import items_digest
from petcore.payments.money import MAX_AMOUNT


@dataclass(frozen=True)
class Statement:
    """What a participant nets: positive is owed to it, negative it owes; minor units.

    ``first`` to ``window`` are the windows covered, ``items`` the requests, declined ones too.
    """

    participant: str
    currency: str
    first: int
    window: int
    count: int
    net: int
    items: tuple[str, ...]


def open_statement(
    nets: Sequence[bytes],
    items: Sequence[str],
    *,
    ring: KeyRing,
    keys: PublicKeys,
    directory: Directory,
    now: int | None = None,
) -> Statement:
    """Open a net from the `net` envelopes of both nodes, and check that they are about the same.

    Parameters
    ----------
    nets
        One of node A and one of node B, in any order.
    items
        All items of the net, as the nodes list them.
    now
        The time in ms, for tests.

    Raises
    ------
    EnvelopeError
        An envelope is none, or not signed by its node.
    NetsBroken
        The nodes do not agree, the items are not those that they signed, or the sum cannot be.
    """
    shares: dict[str, int] = {}
    heads: list[dict[str, Any]] = []
    for content in nets:
        envelope = Envelope.from_bytes(content)
        verify(envelope, keys, directory=directory, recipient=ring.name, now=now)
        if envelope.header.type != "net":
            raise RecipientWrong(f"{envelope.header.type} is no net")
        shares[envelope.header.sender] = open_part(envelope, ring)["net"]
        heads.append(envelope.header.clear)
    nodes = {directory.node_a.name, directory.node_b.name}
    if set(shares) != nodes or len(nets) != len(nodes):
        raise NetsBroken("a net has two shares: one of node A and one of node B")
    head = heads[0]
    if head != heads[1]:
        raise NetsBroken(
            "the nodes do not agree on what a net covers: settle nothing, and tell both operators"
        )
    if items_digest(items) != head["items"] or len(items) != head["count"]:
        raise NetsBroken("the listed items are not those of the net; fetch the list again")
    net = to_column(sum(shares.values()))
    if abs(net) > head["count"] * MAX_AMOUNT:
        raise NetsBroken("the shares add up to more than the items can: the nodes' ledgers differ")
    return Statement(
        ring.name, head["currency"], head["first"], head["window"], head["count"], net, tuple(items)
    )
