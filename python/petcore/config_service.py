"""What a dealer's configuration says beyond its own key: which pairs it serves, and how much.

::

    [[pairs]]                             # without pairs: the two parties, in their order
    parties = ["gateway", "wallet"]       # names of [[parties]], in the order both agree on
    session = "scoring"                   # the only name their sessions may bear; left out: any

    [service]
    health_port = 9100                    # /health and /metrics over HTTP; left out: none

    [[service.clients]]                   # what differs for one client
    name = "gateway"
    sessions = 64
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from petcore.errors import ConfigError
from petcore.tables import Table


@dataclass(frozen=True)
class Pair:
    """Two parties that the dealer serves with each other, in the order both agree on."""

    parties: tuple[str, ...]
    session: str = ""


@dataclass(frozen=True)
class ClientLimits:
    """What one client may use at once, and in a day.

    ``sessions`` and ``waiting`` bound the sessions that run and the connections that wait for
    their other half; ``bytes_per_day`` (UTC; counted anew when the dealer starts) what is dealt to
    its sessions.
    """

    sessions: int = 16
    waiting: int = 32
    bytes_per_day: int = 1 << 40


@dataclass(frozen=True)
class Service:
    """How a dealer serves.

    ``sessions`` bounds those of all clients. One message may ask for ``work_per_message`` (words
    expanded or sent, and multiply-adds), one request for ``memory_per_session`` bytes. A party
    waits ``meeting`` seconds for its other half. At the end of the service the sessions have
    ``drain`` seconds to end. ``health_port`` None: no HTTP.
    """

    sessions: int = 256
    work_per_message: int = 1 << 38
    memory_per_session: int = 2 << 30
    meeting: float = 20.0
    drain: float = 2.0
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    each: ClientLimits = ClientLimits()
    clients: tuple[tuple[str, ClientLimits], ...] = ()

    def limits_of(self, client: str) -> ClientLimits:
        """Return what this client may use."""
        return dict(self.clients).get(client, self.each)


def read_pairs(rows: Sequence[Table]) -> tuple[Pair, ...]:
    """Read the ``[[pairs]]`` list."""
    pairs = tuple(Pair(row.texts("parties"), row.text("session", "")) for row in rows)
    for row in rows:
        row.done()
    return pairs


def read_service(table: Table) -> Service:
    """Read the ``[service]`` table."""
    usual = Service()
    each = _client(table, usual.each)
    clients = []
    for row in table.tables("clients"):
        clients.append((row.text("name"), _client(row, each)))
        row.done()
    service = Service(
        sessions=table.whole("sessions_of_all", usual.sessions),
        work_per_message=table.whole("work_per_message", usual.work_per_message),
        memory_per_session=table.whole("memory_per_session", usual.memory_per_session),
        meeting=table.number("meeting", usual.meeting),
        drain=table.number("drain", usual.drain, zero=True),
        health_host=table.text("health_host", usual.health_host),
        health_port=table.whole("health_port", 9100) if "health_port" in table else None,
        each=each,
        clients=tuple(clients),
    )
    table.done()
    return service


def _client(table: Table, usual: ClientLimits) -> ClientLimits:
    return ClientLimits(
        **{f.name: table.whole(f.name, getattr(usual, f.name)) for f in fields(usual)}
    )


def check_service(
    pairs: Sequence[Pair], service: Service, names: Sequence[str], source: str
) -> None:
    """Raise ConfigError for the first pair or limit that cannot work."""
    for pair in pairs:
        if len(pair.parties) != 2 or len(set(pair.parties)) != 2:
            raise ConfigError(f"{source}: pairs must each name two parties, not {pair.parties}")
        for name in pair.parties:
            if name not in names:
                raise ConfigError(f"{source}: pairs names {name!r}, which is none of [[parties]]")
    if len({(pair.parties, pair.session) for pair in pairs}) < len(pairs):
        raise ConfigError(f"{source}: pairs lists the same pair twice; a pair may be reused")
    for name, _ in service.clients:
        if name not in names:
            raise ConfigError(f"{source}: service.clients names {name!r}, none of [[parties]]")
    if service.health_port is not None and service.health_port > 65535:
        raise ConfigError(f"{source}: service.health_port must be at most 65535")


def service_text(pairs: Sequence[Pair], service: Service) -> list[str]:
    """Return the lines of a configuration file that differ from the usual ones."""
    lines: list[str] = []
    for pair in pairs:
        lines += ["", "[[pairs]]", f"parties = {_texts(pair.parties)}"]
        lines += [f'session = "{pair.session}"'] if pair.session else []
    usual = Service()
    own = _changed(replace(service, clients=(), each=usual.each), usual)
    own = [line.replace("sessions =", "sessions_of_all =", 1) for line in own]
    own += _changed(service.each, usual.each)
    rows: list[str] = []
    for name, limits in service.clients:
        rows += ["", "[[service.clients]]", f'name = "{name}"', *_changed(limits, service.each)]
    return [*lines, *(["", "[service]", *own] if own or rows else []), *rows]


def _changed(value: Any, usual: Any) -> list[str]:
    lines = []
    for field in fields(value):
        now = getattr(value, field.name)
        if now != getattr(usual, field.name):
            lines.append(f"{field.name} = " + (f'"{now}"' if isinstance(now, str) else repr(now)))
    return lines


def _texts(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
