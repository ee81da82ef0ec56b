"""How a demo network is: every process's health, and the few of its numbers that say most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

from prometheus_client.parser import text_string_to_metric_families as families
from rich.table import Table

from petcore.config import DEALER
from petcore.network.demo.place import ACQUIRER, NODE_A, NODE_B, WALLET, Place
from petcore.network.demo.running import MEMBERS, health, is_healthy, metrics

_ROLES = {
    NODE_A: "node A",
    NODE_B: "node B",
    WALLET: "wallet",
    ACQUIRER: "acquirer",
    DEALER: "dealer",
}
_NODE = {
    "batches": "petcore_batches_total",
    "rows": "petcore_batch_rows_sum",
    "rounds": "petcore_circuit_rounds",
    "waiting": "petcore_requests_waiting",
}
_SHOWN: Mapping[str, Mapping[str, str]] = {
    DEALER: {
        "sessions": "petcore_dealer_sessions",
        "requests": "petcore_dealer_requests_total",
        "bytes": "petcore_dealer_bytes_total",
    },
    NODE_A: _NODE | {"messages": "petcore_messages_total"},
    NODE_B: _NODE,
    WALLET: {
        "requests": "petcore_wallet_requests_total",
        "decided": "petcore_wallet_decisions_total",
        "held": "petcore_wallet_held",
    },
    ACQUIRER: {
        "answered": "petcore_acquirer_seconds_count",
        "open": "petcore_acquirer_open",
    },
}
_CPU = "process_cpu_seconds_total"


@dataclass(frozen=True)
class Row:
    """One process: whether it answers that all is well, what it says if not, what it counted."""

    name: str
    role: str
    healthy: bool
    word: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Return it as values for JSON."""
        return asdict(self)


def look(place: Place) -> list[Row]:
    """Ask every process of a network how it is, all at once."""
    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        return list(pool.map(lambda name: _look(place, name), MEMBERS))


def table(rows: Sequence[Row]) -> Table:
    """Return the rows for a terminal."""
    shown = Table("name", "role", "health", "counted")
    for row in rows:
        style = "green" if row.healthy else "red"
        counted = ", ".join(f"{name} {value:,.10g}" for name, value in row.numbers.items())
        shown.add_row(row.name, row.role, f"[{style}]{row.word}[/]", counted)
    return shown


def _look(place: Place, name: str) -> Row:
    state = health(place, name)
    if state is None:
        return Row(name, _ROLES[name], healthy=False, word="does not answer")
    checks = state.get("checks", {})
    wrong = [f"{part}: {said}" for part, said in checks.items() if said != "ok"]
    word = "; ".join(wrong) or str(state.get("status", "unknown"))
    return Row(name, _ROLES[name], is_healthy(state), word, _numbers(name, metrics(place, name)))


def _numbers(name: str, text: str) -> dict[str, float]:
    """Return what is shown of a process's metrics, each summed over its labels."""
    sums: dict[str, float] = {}
    for family in families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    found = {word: sums[metric] for word, metric in _SHOWN[name].items() if metric in sums}
    return found | ({"cpu s": round(sums[_CPU], 1)} if _CPU in sums else {})
