"""A participant's settlement as CSV (RFC 4180): one line per item that moved money, then the net."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from petcore.network.settlement.nets import REVERSED
from petcore.network.settlement.reconcile import Reconciled
from petcore.payments.money import minor_digits

COLUMNS = (
    "record", "participant", "first_window", "window", "currency", "request", "reversal", "time",
    "minor_units", "amount",
)  # fmt: skip


def to_csv(reconciled: Reconciled) -> bytes:
    """Return the file: records `item` and one `net`; amounts are exact, in minor units and decimal.

    Positive is owed to the participant. Times are ISO 8601, UTC.
    """
    statement = reconciled.statement
    about = (
        statement.participant, statement.first, statement.window, statement.currency,
    )  # fmt: skip
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for entry in reconciled.entries:
        request = entry.item.removesuffix(REVERSED)
        reversal = "yes" if entry.item != request else "no"
        amount = decimal(entry.amount, statement.currency)
        when = iso_time(entry.created)
        rows.writerow(("item", *about, request, reversal, when, entry.amount, amount))
    net = decimal(statement.net, statement.currency)
    rows.writerow(("net", *about, "", "", "", statement.net, net))
    return text.getvalue().encode()


def decimal(minor: int, currency: str) -> str:
    """Write minor units as an exact decimal number of the currency.

    Examples
    --------
    >>> decimal(-1205, "EUR"), decimal(7, "KWD"), decimal(100, "JPY")
    ('-12.05', '0.007', '100')
    """
    digits = minor_digits(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    return ("-" if minor < 0 else "") + str(whole) + (f".{rest:0{digits}}" if digits else "")


def iso_time(ms: int) -> str:
    """Write a time in ms since 1970 as ISO 8601, UTC, to the second.

    Examples
    --------
    >>> iso_time(1_790_000_000_000)
    '2026-09-21T14:13:20Z'
    """
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
