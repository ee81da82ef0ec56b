"""Link profiles: the lines between cities that `--link` imitates by shaping every channel."""

from __future__ import annotations

import argparse
import re

from petcore.config import Link

PROFILES = {
    "lan": Link(),  # as it is
    "metro": Link(round_trip_ms=2.0, bandwidth_mbit=1000.0),
    "regional": Link(round_trip_ms=20.0, bandwidth_mbit=500.0),
    "intercontinental": Link(round_trip_ms=150.0, bandwidth_mbit=100.0),
}
_UNITS = {"kbit": 1e-3, "mbit": 1.0, "gbit": 1e3}


def parse_link(text: str) -> Link:
    """Read a profile's name, or a line of one's own such as ``20ms,100Mbit``."""
    if text.lower() in PROFILES:
        return PROFILES[text.lower()]
    found = re.fullmatch(
        r"([\d.]+)ms(?:,([\d.]+)([kmg]bit)(?:/s)?)?", text.lower().replace(" ", "")
    )
    try:
        if found is None:
            raise ValueError
        rate = float(found[2]) * _UNITS[found[3]] if found[2] else 0.0
        return check(Link(float(found[1]), rate))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no line; use {', '.join(PROFILES)}, or ROUNDTRIPms,BANDWIDTHMbit such as "
            "20ms,100Mbit (at most 1400ms, at least 0.01Mbit)"
        ) from None


def check(link: Link) -> Link:
    if not (
        link.round_trip_ms <= 1400 and (link.bandwidth_mbit == 0 or link.bandwidth_mbit >= 0.01)
    ):
        raise ValueError
    return link


def describe(link: Link) -> str:
    if link == Link():
        return "loopback as it is"
    rate = f", {link.bandwidth_mbit:g} Mbit/s" if link.bandwidth_mbit else ""
    return f"loopback + {link.round_trip_ms:g} ms round trip{rate}"
