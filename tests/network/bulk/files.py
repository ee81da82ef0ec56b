"""A network of two wallets and two acquirers, and files of its payments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from petcore.network.directory import Directory

WALLETS = {"purse": "EUR", "kip": "JPY"}
ACQUIRERS = ("shop", "stall")
RATES = {("SGD", "EUR"): (2, 3), ("SGD", "JPY"): (1131, 10), ("JPY", "EUR"): (59, 100)}
CURRENCIES = ("SGD", "JPY", "EUR")
FEE = (125, 10_000)
NETWORK = "\n".join(
    [
        'name = "bulk"',
        *(
            f'[[participants]]\nname = "{name}"\nrole = "{role}"\nlegal_entity = "{name} Ltd"\n'
            f'url = "https://127.0.0.1:{9000 + i}"\ncertificate = "x"\nfingerprint = "{i:064x}"'
            for i, (name, role) in enumerate(
                [
                    ("gateway", "node_a"),
                    ("wallet", "node_b"),
                    *((name, "mpp") for name in WALLETS),
                    *((name, "acqp") for name in ACQUIRERS),
                ]
            )
        ),
        *(
            f'[[agreements]]\nid = "{m}-{a}"\nmpp = "{m}"\nacqp = "{a}"\n'
            f'currencies = ["SGD", "JPY", "EUR"]\nfee_num = {FEE[0]}\nfee_den = {FEE[1]}'
            for m in WALLETS
            for a in ACQUIRERS
        ),
        *(
            f'[[prefunding]]\nmpp = "{m}"\ncurrency = "{code}"\namount = {10**14}'
            for m, code in WALLETS.items()
        ),
        *(
            f'[[rates]]\nid = "{s}{t}"\nsource = "{s}"\ntarget = "{t}"\nnum = {n}\nden = {d}'
            for (s, t), (n, d) in {**RATES, ("EUR", "JPY"): (100, 59)}.items()
        ),
    ]
)


def directory(folder: Path, text: str = NETWORK) -> Directory:
    """Write ``network.toml`` and read it."""
    (folder / "network.toml").write_text(text)
    return Directory.load(folder / "network.toml")


def payments(n: int, terms: Directory, seed: int = 0) -> dict[str, Any]:
    """Make n payments of which about one in eight must be declined; columns in clear."""
    random = np.random.default_rng(seed)
    mpp = random.choice(list(WALLETS), n)
    acqp = random.choice(ACQUIRERS, n)
    currency = random.choice(CURRENCIES, n)
    payer = np.array([WALLETS[name] for name in mpp])
    amount = random.integers(1, 10**7, n)
    rates = {(s, t): terms.rate(s, t) for s in CURRENCIES for t in WALLETS.values()}
    num, den = (
        np.array([getattr(rates[pair], part) for pair in zip(currency, payer, strict=True)])
        for part in ("num", "den")
    )
    columns: dict[str, Any] = {
        "payment": [f"pay-{seed}-{i:08d}" for i in random.permutation(n)],
        "mpp": mpp,
        "acqp": acqp,
        "currency": currency,
        "payer_currency": payer,
        "amount": amount,
        "fee": -(-amount * FEE[0] // FEE[1]),
        "seen": amount.copy(),
        "debit": -(-amount * num // den),
    }
    columns["available"] = columns["debit"] + random.integers(0, 1000, n)
    columns["count_left"] = random.integers(1, 9, n)
    columns["sum_left"] = columns["debit"] + random.integers(0, 1000, n)
    wrong = random.random(n) < 1 / 8
    which = random.integers(0, 6, n)
    for i, (name, off) in enumerate(
        [("available", -1001), ("sum_left", -1001), ("fee", 1), ("debit", 1), ("seen", 1)]
    ):
        columns[name] = np.where(wrong & (which == i), np.abs(columns[name] + off), columns[name])
    columns["available"] = np.where(
        wrong & (which < 2),
        np.minimum(columns["available"], columns["debit"] - 1),
        columns["available"],
    )
    columns["count_left"] = np.where(wrong & (which == 5), 0, columns["count_left"])
    columns["good"] = ~wrong
    return columns


ROUTE = ("payment", "mpp", "acqp", "currency")
SIDES = {
    "acquirers": (*ROUTE, "amount", "fee"),
    "wallets": (*ROUTE, "payer_currency", "seen", "debit", "available", "count_left", "sum_left"),
}


def write(
    folder: Path, columns: dict[str, Any], more: dict[str, dict[str, Any]] | None = None
) -> list[Path]:
    """Write a file of the acquirers' side and one of the wallets', in different orders."""
    made = []
    for i, (side, names) in enumerate(SIDES.items()):
        order = np.random.default_rng(i).permutation(len(columns["payment"]))
        told = {name: columns[name] for name in names} | (more or {}).get(side, {})
        table = pa.table({name: np.asarray(column)[order] for name, column in told.items()})
        made.append(folder / f"{side}.parquet")
        pq.write_table(table, made[-1])
    return made


def expected_nets(columns: dict[str, Any], edge: str) -> dict[str, int]:
    """Add up what an edge gets, in clear."""
    nets: dict[str, int] = {}
    names = ("mpp", "acqp", "currency", "payer_currency", "seen", "debit", "fee", "good")
    for mpp, acqp, currency, payer, seen, debit, fee, good in zip(
        *(np.asarray(columns[name]).tolist() for name in names), strict=True
    ):
        if acqp == edge:
            nets[currency] = nets.get(currency, 0) + good * (seen - fee)
        if mpp == edge:
            nets[payer] = nets.get(payer, 0) - good * debit
    return nets
