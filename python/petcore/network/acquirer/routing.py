"""Which wallet a payment goes to, and under which agreement."""

from __future__ import annotations

from dataclasses import dataclass

from petcore.errors import ConfigError, UsageError
from petcore.network.directory import Agreement, Directory


@dataclass(frozen=True)
class Codes:
    """The beginnings of the payment codes that a wallet gives to its users."""

    mpp: str
    prefixes: tuple[str, ...]


class Routing:
    """Finds the wallet of a payment code.

    Parameters
    ----------
    directory
        Of the network.
    acquirer
        The edge's name.
    codes
        Whose codes begin how; the longest beginning counts.
    cashier
        The wallet of payments without a code; the only wallet there is where left out.
    """

    def __init__(
        self, directory: Directory, acquirer: str, codes: tuple[Codes, ...] = (), cashier: str = ""
    ) -> None:
        self._directory, self._acquirer = directory, acquirer
        wallets = [p.name for p in directory.of_role("mpp")]
        for name in [*(entry.mpp for entry in codes), *([cashier] if cashier else [])]:
            if name not in wallets:
                raise ConfigError(f"{name[:64]!r} is no wallet of the network {directory.name!r}")
        self._prefixes = sorted(
            ((prefix, entry.mpp) for entry in codes for prefix in entry.prefixes),
            key=lambda pair: -len(pair[0]),
        )
        self._usual = cashier or (wallets[0] if len(wallets) == 1 else "")

    @property
    def usual(self) -> str:
        """The wallet of payments without a code; UsageError where none is named."""
        if not self._usual:
            raise UsageError("no wallet is named for payments without a code")
        return self._usual

    def route(self, token: str, currency: str) -> Agreement:
        """Return the agreement that a payment falls under.

        Raises
        ------
        UsageError
            No wallet gives out such codes, or there is no agreement with it on the currency.
        """
        if not token:
            return self._directory.agreement(self._acquirer, self.usual, currency)
        for prefix, mpp in self._prefixes:
            if token.startswith(prefix):
                return self._directory.agreement(self._acquirer, mpp, currency)
        if self._prefixes and not self._usual:
            raise UsageError("no wallet is known that gives out such payment codes")
        return self._directory.agreement(self._acquirer, self.usual, currency)
