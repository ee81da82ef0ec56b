"""Correlations made ahead: the store that a configuration names, and the plan for what goes into it.

A plan says in words of operations what a day needs; the compiled core says which correlations these
operations take. `plan_for` makes the plan from what `petcore.estimate` foretells of a program.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from petcore.config import Config, StoreConfig
from petcore.errors import ConfigError, UsageError
from petcore.mpc.operations import OPERATIONS
from petcore.mpc.profile import Profile
from petcore.tables import Table

PROTOCOL = "semi2k"
# What people call an operation, and what the core calls it.
_NAMES = {
    "less": "msb",
    "sign": "msb",
    "equal": "equal_zero",
    "and": "and_bits",
    "select": "mul_bit",
    "less by keys": "fss_sign",
    "equal by keys": "fss_zero",
    "between by keys": "fss_interval",
    "where_less by keys": "fss_select",
}
# The sizes of an operation beyond its elements: the key of each, and its value where left out.
_SIZES: dict[str, tuple[tuple[str, int | None], ...]] = {
    "mul": (("truncate", 0),),
    "square": (("truncate", 0),),
    "msb": (("bits", 64),),
    "equal_zero": (("bits", 64),),
    **dict.fromkeys(("fss_sign", "fss_zero", "fss_interval", "fss_select"), (("bits", 64),)),
    "bits": (("bits", 64),),
    "truncate": (("bits", None),),
    "truncate_exact": (("bits", None),),
    "and_bits": (),
    "mul_bit": (),
    "b2a": (),
    **dict.fromkeys(
        ("exp", "sigmoid", "tanh", "log", "sqrt", "rsqrt", "reciprocal"), (("frac_bits", 18),)
    ),
}
_MATRIX = ("rows", "inner", "columns")
_CHUNK = 512  # of a kind that is named itself: short enough for every kind
_log = logging.getLogger("petcore")


@dataclass(frozen=True)
class Order:
    """So many units of one kind and size of correlation; no segment of a store is longer than chunk."""

    kind: str
    sizes: tuple[int, ...]
    units: int
    chunk: int


@dataclass(frozen=True)
class Plan:
    """What a store shall hold."""

    orders: tuple[Order, ...]

    @property
    def term(self) -> str:
        """What both parties compare before they make anything."""
        text = repr(self.orders).encode()
        units = sum(order.units for order in self.orders)
        return f"{len(self.orders)} pools, {units:,} units, {sha256(text).hexdigest()[:16]}"

    @property
    def tuples(self) -> list[tuple[str, list[int], int, int]]:
        """What the core takes."""
        return [(o.kind, list(o.sizes), o.units, o.chunk) for o in self.orders]


def load_plan(path: str | Path, maker: str = "dealer") -> Plan:
    """Read a plan: what a store shall hold, as operations or as kinds of correlation.

    ::

        [[stock]]
        operation = "mul"     # or square, less, "less by keys", equal, and, select, matmul, ...
        elements = 1_000_000  # of each call
        truncate = 18         # by so many bits at once, as fixed point is; 0 where left out
        calls = 1             # so many of them; 1 where left out

        [[stock]]
        operation = "matmul"
        rows = 64
        inner = 30
        columns = 1

        [[stock]]
        kind = "multiplication"
        sizes = []
        units = 4096

    Parameters
    ----------
    path : str or Path
        A TOML file.
    maker : {"dealer", "ot"}
        Who makes the stock: operations take other correlations by other makers.

    Raises
    ------
    ConfigError
        The file cannot be read, or asks for what there is not.
    """
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error
    top = Table(file, values)
    rows = top.tables("stock", required=True)
    orders = [order for row in rows for order in _orders(row, maker)]
    top.done()
    if not orders:
        raise ConfigError(f"{file}: asks for nothing; add a table headed [[stock]]")
    return Plan(merged(orders))


def plan_for(profile: Profile, times: int = 1, maker: str = "dealer") -> Plan:
    """Plan what the operations of a profile take, so many times.

    Parameters
    ----------
    profile : Profile
        Of a session, or what `petcore.estimate(...).profile` foretells.
    times : int
        How often the stretch is going to run.
    maker : {"dealer", "ot"}
        Who makes the stock.

    Masked matrices are left out: no store holds correlations for them.

    Examples
    --------
    >>> import petcore as pc
    >>> from petcore.stock import plan_for
    >>> estimate = pc.estimate(lambda session, x: x * x, x=((1000,), "int64"))
    >>> [(order.kind, order.units) for order in plan_for(estimate.profile, times=30).orders]
    [('square', 30000)]
    """
    calls = [c for c in profile.calls if OPERATIONS[c.name].kind in ("shares", "other")]
    orders = [
        order
        for call in calls
        if OPERATIONS[call.name].arrays
        for order in orders_for(call.declared, call.sizes, times, maker)
    ]
    return Plan(merged(orders))


def merged(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Join the orders of one kind and size, and sort them, so that equal plans compare equal."""
    pools: dict[tuple[str, tuple[int, ...]], Order] = {}
    for order in orders:
        key = (order.kind, order.sizes)
        have = pools.get(key, Order(*key, 0, 1))
        pools[key] = Order(*key, have.units + order.units, max(have.chunk, order.chunk))
    return tuple(pools[key] for key in sorted(pools))


def orders_for(operation: str, sizes: Iterable[int], calls: int, maker: str) -> list[Order]:
    """What so many calls of an operation of the core take from a store."""
    from petcore import _core

    rows = _core.stock_for(PROTOCOL, operation, *sizes, maker=maker)
    return [Order(kind, tuple(dims), units * calls, chunk) for kind, dims, units, chunk in rows]


def _orders(row: Table, maker: str) -> list[Order]:
    if "kind" in row:
        kind, units = row.text("kind"), row.whole("units", 1)
        order = Order(kind, row.wholes("sizes"), units, _CHUNK)
        row.done()
        return [order]
    name = row.text("operation")
    operation, calls = _NAMES.get(name, name), row.whole("calls", 1)
    if operation == "matmul":
        sizes = [row.whole(key, None) for key in _MATRIX]
        sizes.append(int(row.number("truncate", 0, zero=True)))
    elif operation in _SIZES:
        sizes = [row.whole("elements", None)]
        for key, default in _SIZES[operation]:
            value = row.number(key, default, zero=True) if default == 0 else row.whole(key, default)
            sizes.append(int(value))
    else:
        known = ", ".join(sorted({*_NAMES, *_SIZES, "matmul"}))
        raise row.error("operation", f"is {name!r}; there are: {known}")
    row.done()
    try:
        return orders_for(operation, sizes, calls, maker)
    except UsageError as error:
        raise row.error("operation", f"{name!r} has no such sizes: {error}") from error


def store_of(config: Config) -> StoreConfig:
    """Return what a configuration says of its store; ConfigError where it says nothing."""
    if config.store is None:
        raise ConfigError(
            f"{config.source}: store is missing (a table): where the stock is kept and its key; "
            "add [store] with path and key_file"
        )
    return config.store


def store_key(config: Config) -> str:
    """Read the key of the store, 64 hexadecimal digits, from its file or the environment.

    Raises ConfigError where there is none, where it is not one, or where others may read the file.
    """
    store = store_of(config)
    remedy = "'openssl rand -hex 32' makes one"
    if store.key_env:
        text, where = os.environ.get(store.key_env, ""), f"the environment variable {store.key_env}"
        if not text:
            raise ConfigError(f"{where} is not set; it must hold the key of the store: {remedy}")
    else:
        file = store.key_file
        assert file is not None  # noqa: S101 - validate() has seen to it
        where = str(file)
        try:
            text = file.read_text(encoding="ascii")
            others = file.stat().st_mode & 0o077
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{file}: cannot be read as the key of the store ({error}); {remedy}: "
                f"(umask 077; openssl rand -hex 32 > {file})"
            ) from error
        if others:
            raise ConfigError(f"{file}: other users may read this key; run 'chmod 600 {file}'")
    text = text.strip()
    if len(text) != 64 or not all(digit in "0123456789abcdefABCDEF" for digit in text):
        raise ConfigError(f"{where}: is no key of a store, 64 hexadecimal digits; {remedy}")
    return text


def open_store(config: Config, on_event: Callable[[str], None] | None = None) -> Any:
    """Open the store of this party for its use alone.

    Raises
    ------
    ConfigError
        No store is configured, or its key cannot be read.
    StoreError
        It cannot be used: see the error tree.
    """
    from petcore import _core

    settings, key = store_of(config), store_key(config)

    def tell(text: str) -> None:
        _log.warning(text)
        if on_event is not None:
            on_event(text)

    return _core.Store(
        str(settings.path.absolute()),
        key,
        config.party,
        config.name,
        config.names[1 - config.party],
        settings.low,
        str(settings.trace.absolute()) if settings.trace else "",
        tell,
    )


def inspect(config: Config) -> dict[str, Any]:
    """Look at the store, also while another process uses it: pools, what is left, what is low."""
    from petcore import _core

    settings = store_of(config)
    status: dict[str, Any] = _core.Store.inspect(
        str(settings.path.absolute()), store_key(config), settings.low
    )
    return status


def discard(config: Config) -> None:
    """Throw the whole stock away; the peer must do the same before the two can work together."""
    store = open_store(config)
    try:
        store.discard()
    finally:
        store.close()
