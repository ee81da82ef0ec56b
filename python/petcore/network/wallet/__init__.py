"""The wallet edge: on the wallet's premises, next to its own ledger."""
