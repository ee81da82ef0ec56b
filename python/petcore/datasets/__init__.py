"""Open data that petcore's demo, documentation and tests run on."""

from petcore.datasets._credit_default import CreditDefault, load_credit_default

__all__ = ["CreditDefault", "load_credit_default"]
