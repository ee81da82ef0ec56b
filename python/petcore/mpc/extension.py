"""How transfers are extended, as the compiled core takes it."""

from __future__ import annotations

from typing import Any

from petcore.errors import UsageError
from petcore.transfers import Transfers


def core_transfers(transfers: Transfers | None) -> Any:
    """Return the usual where there are none; raises UsageError for what cannot be."""
    from petcore import _core

    transfers = transfers or Transfers()
    if (fault := transfers.fault()) is not None:
        raise UsageError(f"transfers: {' '.join(fault)}")
    return _core.Transfers(transfers.method, transfers.link_mbit, transfers.checked)
