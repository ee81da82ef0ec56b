"""Part 3 of the demo: what each party learned, from the parties' own logs and counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from petcore.cli.demo_place import PARTIES, Place
from petcore.errors import InternalError
from petcore.trust import chain

_FIELDS = ("label", "to", "kind", "shape", "dtype", "purpose", "agreement")


@dataclass(frozen=True)
class Received:
    """Bytes that the gateway's processes took in over one link, in one part of the demo."""

    part: str
    sender: str
    content: str
    payload: int
    wire: int


@dataclass(frozen=True)
class Learned:
    """Disclosures as both parties logged them, and what the gateway received."""

    disclosures: list[dict[str, Any]]
    heads: dict[str, str]
    received: list[Received]
    values_in_clear: int

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "disclosures": self.disclosures,
            "log_heads": self.heads,
            "gateway_received": [vars(row) for row in self.received],
            "values_in_clear_at_gateway": self.values_in_clear,
        }


def audit(
    place: Place,
    parts: dict[str, dict[str, dict[str, Any]]],
    edge_bytes: int,
    values_in_clear: int,
) -> Learned:
    """Verify both logs, compare them, and add up what the gateway received.

    Parameters
    ----------
    place
        The demo's folders.
    parts
        By part of the demo and party, what ``petcore train`` and ``petcore clear`` reported.
    edge_bytes
        Bytes of sealed shares that the edges sent to the gateway.
    values_in_clear
        Amounts and limits among them that the gateway could read.

    Raises
    ------
    LogCorrupt
        A chain does not hold.
    InternalError
        The parties logged different disclosures, or the gateway could read a value.
    """
    logs = {}
    heads = {}
    for name in PARTIES:
        heads[name] = chain.verify(place.log(name)).head
        records = chain.read(place.log(name))
        logs[name] = [{field: record[field] for field in _FIELDS} for record in records]
    if logs["gateway"] != logs["wallet"]:
        raise InternalError("gateway and wallet logged different disclosures")
    if values_in_clear:
        raise InternalError(f"the gateway could read {values_in_clear} amounts or limits")
    received = [
        Received(part, sender, content, link["payload_received"], link["wire_received"])
        for part, reports in parts.items()
        for sender, content in (
            ("wallet", "shares and masked values"),
            ("dealer", "correlations"),
        )
        for link in [reports["gateway"]["cost"]["links"][sender]]
    ]
    edges = Received("clearing", "9 edges", "shares and routes, sealed", edge_bytes, edge_bytes)
    return Learned(logs["gateway"], heads, [*received, edges], values_in_clear)
