"""A participant's side of a cut-off: ask both nodes, open the net, reconcile it, write the files."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from petcore.errors import BadFrame, PetcoreError, error_class
from petcore.network.directory import Directory, Role
from petcore.network.envelope import compose, pack, unpack
from petcore.network.http import Peers
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.ledger import Database, Documents
from petcore.network.replay import Counter
from petcore.network.settlement.csv_file import to_csv
from petcore.network.settlement.iso20022 import to_camt053, to_pacs009
from petcore.network.settlement.reconcile import (
    Entry,
    Reconciled,
    edge_entries,
    known_requests,
    reconcile,
)
from petcore.network.settlement.statement import Statement, open_statement
from petcore.trust.identity import Identity

_PAGES_MAX = 10_000
_SECONDS = 60.0


@dataclass(frozen=True)
class Member:
    """A participant that settles: who it is, and what it needs to open what is sealed to it."""

    name: str
    identity: Identity
    directory: Directory
    ring: KeyRing
    keys: PublicKeys


@dataclass(frozen=True)
class Records:
    """An edge's records: per currency what it recorded, and all requests that it had."""

    entries: Callable[[str], list[Entry]]
    known: Callable[[], set[str]]


async def cut_window(member: Member) -> int:
    """End the open window at both nodes, as node A's operator; return its number."""
    return int((await _ask(member, "POST", "/v1/windows/cut"))["window"])


async def current_window(member: Member) -> int:
    """Return the number of the open window."""
    return int((await _ask(member, "GET", "/v1/windows"))["current"])


async def fetch_statement(member: Member, window: int, currency: str) -> Statement:
    """Fetch a member's own net at a window from both nodes, and open it.

    Raises
    ------
    WindowOpen, NetWithheld, NetsBroken
        There is no net to open, or the nodes do not agree.
    LinkError
        Node A cannot be reached.
    """
    counter, name = Counter(), secrets.token_hex(8)
    requests = []
    nodes: tuple[Role, Role] = ("node_a", "node_b")
    for role in nodes:
        (node,) = member.directory.of_role(role)
        request = compose(
            "net_request",
            f"net-{window}-{currency}-{name}",
            {"window": window, "currency": currency},
            ring=member.ring,
            keys=member.keys,
            to={role: node.name},  # type: ignore[dict-item]  # two of the roles that envelopes know
            expires_in=_SECONDS,
            counter=counter.next(),
        )
        requests.append(request.to_bytes())
    peers = Peers(member.identity, member.directory, timeout=_SECONDS, itself=True)
    try:
        node_a = member.directory.node_a.name
        answers = unpack(await peers.post(node_a, "/v1/nets", pack(requests)), len(requests))
        for answer in answers:
            _raise_refusal(answer, node_a)
        items = await _items(peers, node_a, window, currency)
    finally:
        await peers.close()
    return open_statement(
        answers, items, ring=member.ring, keys=member.keys, directory=member.directory
    )


def settle_edge(
    database: Database, records: Records, statement: Statement, *, cut_off: int | None = None
) -> Reconciled:
    """Compare a statement with an edge's records, and remember which items it covered.

    Parameters
    ----------
    database
        The edge's, or one of settlement's own: here the items of statements are kept.
    """
    kept = Documents(database, f"settlement {statement.currency}")
    earlier: set[str] = set()
    for name, body in kept.all().items():
        if int(name) != statement.window:
            earlier.update(json.loads(body))
    done = reconcile(
        statement,
        records.entries(statement.currency),
        known=records.known(),
        earlier=earlier,
        cut_off=cut_off,
    )
    kept.put({str(statement.window): json.dumps(statement.items).encode()})
    return done


def ledger_records(
    database: Database, owner: str, purpose: str, *, owes: bool, known: set[str] | None = None
) -> Records:
    """Return the records of an edge's ledger: those on its accounts with the network."""
    from petcore.network.ledger import Accounts

    def entries(currency: str) -> list[Entry]:
        for account in Accounts(database).all():
            if (account.owner, account.purpose, account.currency) == (owner, purpose, currency):
                return edge_entries(database, account.number, owes=owes)
        return []

    return Records(entries, lambda: known_requests(database) if known is None else known)


def write_files(reconciled: Reconciled, directory: Directory, folder: Path) -> list[Path]:
    """Write CSV, and where the records add up camt.053 and (unless the net is 0) pacs.009."""
    statement, at = reconciled.statement, now_ms()
    stem = f"{statement.participant}-{statement.window}-{statement.currency}"
    files = {f"{stem}.csv": to_csv(reconciled)}
    if not any(b.kind == "sum" for b in reconciled.breaks):
        files[f"{stem}.camt.053.xml"] = to_camt053(reconciled, directory, at=at)
        if statement.net:
            files[f"{stem}.pacs.009.xml"] = to_pacs009(statement, directory, at=at)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


async def _items(peers: Peers, node_a: str, window: int, currency: str) -> list[str]:
    from urllib.parse import quote

    items: list[str] = []
    for _ in range(_PAGES_MAX):
        after = quote(items[-1], safe="") if items else ""
        path = f"/v1/windows/{window}/items/{currency}?after={after}"
        page = _object(await peers.get(node_a, path))
        found = page.get("items")
        if not isinstance(found, list) or not all(type(item) is str for item in found):
            break
        items += found
        if not page.get("more"):
            return items
    raise BadFrame(f"{node_a} did not list the items of a net", party=node_a)


async def _ask(member: Member, method: str, path: str) -> dict[str, Any]:
    node_a = member.directory.node_a.name
    peers = Peers(member.identity, member.directory, timeout=_SECONDS, itself=True)
    try:
        if method == "GET":
            return _object(await peers.get(node_a, path))
        return _object(await peers.post(node_a, path, b""))
    finally:
        await peers.close()


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadFrame("the node answered with something that is no JSON object")
    return value


def _raise_refusal(answer: bytes, party: str) -> None:
    if not answer.startswith(b"{"):
        return
    told = _object(answer)
    cls = error_class(str(told.get("code")))
    if not issubclass(cls, PetcoreError):
        raise BadFrame("a refusal without a code", party=party)
    raise cls(
        str(told.get("message"))[:500],
        code=str(told.get("code"))[:40],
        party=party,
        retryable=told.get("retryable") is True,
    )
