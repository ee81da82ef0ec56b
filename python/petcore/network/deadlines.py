"""Until when a payment can be cancelled."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta


def cancel_until(paid: int, cut_off: time) -> int:
    """Return the last moment at which a payment may be cancelled, in ms since 1970.

    Parameters
    ----------
    paid
        When it was made, in ms since 1970.
    cut_off
        The time of the next day, with its offset from UTC, in whose time zone a day is counted.
    """
    day = datetime.fromtimestamp(paid / 1000, UTC).astimezone(cut_off.tzinfo).date()
    end = datetime.combine(day + timedelta(days=1), cut_off)
    return int(end.timestamp() * 1000)
