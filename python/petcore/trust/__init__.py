"""Who a party is, what it may disclose, and the record of what it disclosed."""

from __future__ import annotations

from petcore.trust.chain import Verified, verify
from petcore.trust.identity import Identity, load_identity, make_identity, read_certificate
from petcore.trust.log import DisclosureLog
from petcore.trust.policy import LoggedPolicy, Policy

__all__ = [
    "DisclosureLog",
    "Identity",
    "LoggedPolicy",
    "Policy",
    "Verified",
    "load_identity",
    "make_identity",
    "read_certificate",
    "verify",
]
