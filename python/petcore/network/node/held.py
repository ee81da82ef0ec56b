"""Features that one node holds itself: what it knows of a route, for the risk model.

The node that holds them takes its numbers as its shares and the other takes zeros: they never leave
the node, and the circuit multiplies them with weights that stay shared. One JSON file::

    {"default": [0.0, 0.0], "routes": {"purse shop-bank SGD": [1.2, -0.4]}}

Numbers are standardised as for training. How many there are is public and the same at both nodes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from petcore.errors import ConfigError
from petcore.network.circuit import FEATURE_BITS
from petcore.network.circuit.features import FEATURE_MAX
from petcore.network.ledger.records import Words

_FILE_BYTES_MAX = 16 << 20


@dataclass(frozen=True)
class HeldFeatures:
    """A node's own features by route; empty tables at the node that has none.

    Attributes
    ----------
    count
        How many features the nodes hold, together with zeros of the other.
    routes
        By (mpp, acqp, merchant currency), shape (count,), times 2^FEATURE_BITS.
    default
        Of routes that the file does not name.
    """

    count: int = 0
    routes: dict[tuple[str, str, str], Words] = field(default_factory=dict, repr=False)
    default: Words | None = field(default=None, repr=False)

    @classmethod
    def load(cls, path: Path, count: int) -> HeldFeatures:
        """Read a file; ConfigError where it is none, or has another number of features."""
        try:
            content = path.read_bytes()[: _FILE_BYTES_MAX + 1]
            values = json.loads(content)
            default = _scaled(values["default"], count)
            routes = {
                _route(name): _scaled(numbers, count)
                for name, numbers in values.get("routes", {}).items()
            }
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f'{path}: needs "default" and "routes" with lists of {count} numbers of at most '
                f'{FEATURE_MAX}, by "MPP ACQP CURRENCY"'
            ) from error
        return cls(count, routes, default)

    def shares(self, mpp: str, acqp: str, currency: str) -> Words:
        """Return this node's shares of the features of a route, shape (count,)."""
        if self.default is None:
            return np.zeros(self.count, np.uint64)
        return self.routes.get((mpp, acqp, currency), self.default)


def _route(name: str) -> tuple[str, str, str]:
    mpp, acqp, currency = name.split(" ")
    return mpp, acqp, currency


def _scaled(numbers: Any, count: int) -> Words:
    if not isinstance(numbers, list) or len(numbers) != count:
        raise ValueError
    values = np.array([float(number) for number in numbers])
    if not np.all(np.abs(values) < FEATURE_MAX):  # NaN fails too
        raise ValueError
    scaled: Words = np.rint(values * (1 << FEATURE_BITS)).astype(np.int64).astype(np.uint64)
    return scaled
