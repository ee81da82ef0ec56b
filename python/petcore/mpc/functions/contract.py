"""Contract: what each function promises, as data that tests and planners read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Contract:
    """Domain, error bound and cost of one function.

    Attributes
    ----------
    domain : callable
        frac_bits to (lowest, highest); for reciprocal and divide of the magnitude of the divisor.
    absolute, relative, units : float
        |result - f(x)| <= absolute + relative |f(x)| + units 2^-frac_bits, where f is taken at the
        encoded x.
    rounds : int
        For arrays of up to 2^13 elements (`petcore.functions` tells of longer ones).
    bytes_sent, offline_bytes : float
        Payload an element, sent by each party and by the dealer.
    """

    domain: Callable[[int], tuple[float, float]]
    absolute: float
    relative: float
    units: float
    rounds: int
    bytes_sent: float
    offline_bytes: float

    def bound(self, value: float, frac_bits: int) -> float:
        """Give the largest error allowed where the true result is ``value``."""
        return self.absolute + self.relative * abs(value) + self.units * 2.0**-frac_bits


def _window(frac_bits: int) -> tuple[float, float]:
    return 2.0**-frac_bits, 2.0 ** (48 - frac_bits)


def _anywhere(frac_bits: int) -> tuple[float, float]:
    return -(2.0 ** (59 - frac_bits)), 2.0 ** (59 - frac_bits)


CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {
        "exp": Contract(lambda f: (-(2.0 ** (40 - f)), 26.0), 0, 1e-5, 2, 5, 29.25, 42.75),
        "log": Contract(_window, 1e-5, 0, 2, 11, 56.0, 177.0),
        "sigmoid": Contract(_anywhere, 2e-4, 0, 2, 5, 17.9, 118.25),
        "tanh": Contract(_anywhere, 4e-4, 0, 2, 5, 18.4, 122.6),
        "sqrt": Contract(lambda f: (0.0, 2.0 ** (48 - f)), 0, 1e-5, 2, 12, 72.0, 149.0),
        "rsqrt": Contract(_window, 0, 2e-5, 2, 12, 72.0, 185.0),
        "reciprocal": Contract(
            lambda f: (2.0 ** max(1 - f, f - 35), 2.0 ** (48 - f)), 0, 4e-5, 2, 13, 89.6, 229.8
        ),
        "divide": Contract(
            lambda f: (2.0 ** (1 - f), 2.0 ** (44 - f)), 0, 5e-5, 2, 24, 256.8, 306.5
        ),
    }
)
