"""The demo's tables."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from petcore.cli import render
from petcore.cli.demo_clearing import Clearing
from petcore.cli.demo_learned import Learned
from petcore.cli.demo_place import PARTIES, Place
from petcore.cli.demo_training import TOLERANCE, Training
from petcore.cli.results import megabytes
from petcore.config import load_config
from petcore.payments import format_amount

_TRAFFIC = {"sent": "bytes_sent", "received": "bytes_received", "offline": "offline_bytes"}


def show_parties(place: Place) -> None:
    """Show who takes part, and the fresh keys by which they know each other."""
    config = load_config(place.party(PARTIES[0]) / f"{PARTIES[0]}.toml")
    render.out.print(
        "Gateway and wallet are two companies that compute on data neither shows.\n"
        "The dealer gives them correlated randomness and sees no data."
    )
    table = _table(
        "Three processes, mutual TLS 1.3 between each pair", "party", "listens on", "pinned key"
    )
    for peer in config.everyone:
        table.add_row(peer.name, peer.address or "nothing", f"{peer.fingerprint[:32]}...")
    render.out.print(table)


def show_training(training: Training) -> None:
    """Show AUC by model, the uplift, and what the joint training cost."""
    title = (
        f"1. Joint training: {training.rows['trained']:,} customers, AUC on "
        f"{training.rows['held_out']:,} others"
    )
    table = _table(title, "model", "AUC >", "uplift of the joint model >")
    joint = training.auc["joint, MPC"]
    for name, auc in training.auc.items():
        uplift = f"{joint - auc:+.4f}" if name.endswith("alone") else ""
        table.add_row(name, f"{auc:.4f}", uplift)
    render.out.print(table)
    gap = abs(joint - training.auc["joint, plaintext"])
    render.out.print(f"MPC and plaintext differ by {gap:.6f} (at most {TOLERANCE} allowed).")
    _show_costs(training.reports)


def show_clearing(clearing: Clearing) -> None:
    """Show every participant's net position, as no single party of the demo could."""
    title = (
        f"2. Private clearing: {clearing.payments:,} payments, of which {clearing.declined:,} above "
        "their limit were left out unseen"
    )
    currencies = list(next(iter(clearing.positions.values())))
    table = _table(title, "participant", *(f"net in {code} >" for code in currencies))
    for participant, net in clearing.positions.items():
        table.add_row(participant, *(format_amount(net[code], code)[:-4] for code in currencies))
    render.out.print(table)
    render.out.print("Equal to the plaintext sums to the minor unit; each currency sums to zero.")
    _show_costs(clearing.reports)


def show_learned(learned: Learned) -> None:
    """Show the disclosures, and the bytes that the gateway received."""
    table = _table("3. What each party learned (disclosure log)", "who", "what", "shape", "why")
    for row in learned.disclosures:
        shape = " x ".join(map(str, row["shape"])) or "one value"
        table.add_row(", ".join(row["to"]), row["label"], f"{shape} {row['dtype']}", row["purpose"])
    table.add_row("dealer", "nothing but how much work there was", "", "")
    render.out.print(table)
    heads = ", ".join(f"{name} {head[:12]}..." for name, head in learned.heads.items())
    render.out.print(f"Both logs hold the same disclosures and their chains verify: heads {heads}")
    table = _table(
        "All that the gateway's processes received",
        "part",
        "from",
        "content",
        "payload >",
        "wire >",
    )
    for item in learned.received:
        sizes = (megabytes(item.payload), megabytes(item.wire))
        table.add_row(item.part, item.sender, item.content, *sizes)
    total = sum(item.payload for item in learned.received)
    table.add_row("[bold]total", "", "", f"[bold]{megabytes(total)}")
    render.out.print(table)
    render.out.print(
        f"Amounts and limits that the gateway could read: {learned.values_in_clear}. Over the links "
        "between parties only shares, masked values and the shares of the disclosures above travel."
    )


def _show_costs(reports: dict[str, dict[str, Any]]) -> None:
    table = _table("", "party", *(f"{what} >" for what in ("seconds", "rounds", *_TRAFFIC)))
    for name in PARTIES:
        report, cost = reports[name], reports[name]["cost"]
        traffic = (megabytes(cost[key]) for key in _TRAFFIC.values())
        table.add_row(name, f"{report['seconds']:.2f}", f"{cost['rounds']:,}", *traffic)
    render.out.print(table)
    used = reports[PARTIES[0]]["cost"]["correlations"]
    words = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in used.items())
    render.out.print(Text(f"correlations used: {words}", style="dim"))


def _table(title: str, *columns: str) -> Table:
    """Print the title, if any; make a table. A column named ``... >`` is aligned to the right."""
    if title:
        render.out.print(f"\n[bold]{title}")
    table = Table()
    for column in columns:
        right = column.endswith(">")
        table.add_column(
            column.removesuffix(">").rstrip(), justify="right" if right else "left", overflow="fold"
        )
    return table
