"""Receipts: what a node received of a batch, by form, signed; kept with the batch.

A receipt says that the node opened shares only, which parts it carried without a key to open them,
and which fields of open headers it saw. It is written in the transaction that keeps the batch's
results, so there is one for every batch that may count. It proves what the node's software did with
the messages it names by their digest, not that nobody copied its memory.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from petcore.errors import ConfigError
from petcore.network.directory import Directory
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.node.row import Row

SPACE = "receipts"
CONTRACTUAL = "contractual separation only"
INDEPENDENT = "nodes of two legal entities"


def make_receipt(
    directory: Directory,
    ring: KeyRing,
    number: int,
    digest: str,
    rows: Sequence[Row],
    *,
    model: str,
) -> bytes:
    """Return this node's signed receipt of a batch, as JSON."""
    opened: Counter[str] = Counter()
    carried: Counter[str] = Counter()
    clear: set[str] = set()
    for row in rows:
        for envelope in (row.request, row.check):
            clear |= {f"{envelope.header.type}.{name}" for name in envelope.header.clear}
            for part in envelope.table:
                if part.to == ring.name:
                    opened[part.form] += 1
                elif envelope.has_part(part.to):
                    carried[part.form] += 1
    receipt: dict[str, Any] = {
        "member": ring.name,
        "batch": number,
        "digest": digest,
        "model": model,
        "rows": len(rows),
        "opened": dict(opened),
        "carried": dict(carried),
        "clear": sorted(clear),
        "separation": CONTRACTUAL if directory.same_controller else INDEPENDENT,
        "at": now_ms(),
        "key": ring.key_id,
    }
    receipt["signature"] = base64.b64encode(ring.sign(_signed(receipt))).decode()
    return _canonical(receipt)


def verify_receipt(content: bytes, keys: PublicKeys) -> dict[str, Any]:
    """Return what a receipt says.

    Raises
    ------
    ConfigError
        It is no receipt, or its member did not sign it.
    """
    try:
        receipt = json.loads(content)
        signature = base64.b64decode(receipt["signature"], validate=True)
        member, key, at = str(receipt["member"]), str(receipt["key"]), int(receipt["at"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError("these bytes are no receipt of a batch") from error
    if not keys.verify(member, key, _signed(receipt), signature, at):
        raise ConfigError(f"{member} did not sign this receipt, or it was changed", party=member)
    return dict(receipt)


def _signed(receipt: dict[str, Any]) -> bytes:
    body = {name: value for name, value in receipt.items() if name != "signature"}
    return b"petcore receipt 1\n" + _canonical(body)


def _canonical(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
