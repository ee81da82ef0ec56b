"""Payments across nodes that cannot read them."""

from petcore.payments.batch import Batch, Routes
from petcore.payments.clearing import (
    accepted_amounts,
    clear,
    net_positions,
    plaintext_positions,
)
from petcore.payments.files import (
    Outbox,
    Position,
    load_batch,
    read_position,
    share_payments,
)
from petcore.payments.money import format_amount, minor_digits
from petcore.payments.routes import Payments, assign_routes
from petcore.payments.sealing import SealingKey
from petcore.payments.sharing import combine_shares, share_for_nodes

__all__ = [
    "Batch",
    "Outbox",
    "Payments",
    "Position",
    "Routes",
    "SealingKey",
    "accepted_amounts",
    "assign_routes",
    "clear",
    "combine_shares",
    "format_amount",
    "load_batch",
    "minor_digits",
    "net_positions",
    "plaintext_positions",
    "read_position",
    "share_for_nodes",
    "share_payments",
]
