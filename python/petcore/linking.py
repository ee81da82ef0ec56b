"""What the ends of links have in common: from a configuration to listeners, pins and limits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import petcore._core as _core
from petcore.config import Config, Peer, load_config, split_address
from petcore.errors import ConfigError
from petcore.trust.identity import Identity, load_identity

Report = Callable[[str], None]
_log = logging.getLogger("petcore")


def ready(config: Config | str | Path) -> Config:
    """Return the configuration, validated, from where it is."""
    return config.validate() if isinstance(config, Config) else load_config(config)


def read_identity(config: Config) -> Identity:
    """Return this process's certificate and key; raises ConfigError if they are not the pinned."""
    identity = load_identity(config.certificate, config.key)
    pinned = config.own.fingerprint
    if identity.fingerprint != pinned:
        raise ConfigError(
            f"{config.source}: the fingerprint of {config.name} is {pinned}, but {config.key} has "
            f"{identity.fingerprint}; peers would refuse this party: correct one of the two"
        )
    return identity


def own_address(config: Config) -> str:
    """Return the address to bind."""
    return config.listen or config.own.address


def listen(config: Config, identity: Identity) -> _core.TlsListener:
    """Bind the address; raises UsageError if that is not possible."""
    host, port = split_address(own_address(config), "the address to listen on")
    certificate, key = identity.certificate_pem.decode(), identity.private_key_pem.decode()
    return _core.TlsListener(host, port, certificate, key)


def pins(peers: tuple[Peer, ...] | list[Peer]) -> list[tuple[str, str]]:
    """Return names and fingerprints."""
    return [(peer.name, peer.fingerprint) for peer in peers]


def core_limits(config: Config) -> _core.Limits:
    """Return the bounds of every channel."""
    limits = config.limits
    return _core.Limits(
        frame_bytes_max=limits.frame_bytes_max,
        message_bytes_max=limits.message_bytes_max,
        inbox_bytes_max=limits.inbox_bytes_max,
        deadline_s=limits.deadline,
        silence_s=limits.silence,
        heartbeat_s=limits.heartbeat,
    )


def shaped(channel: _core.Channel, config: Config) -> _core.Channel:
    """Slow the link down where the configuration asks for it."""
    link = config.link
    channel.shape(
        round_trip_s=link.round_trip_ms / 1e3, bandwidth_bits_per_s=link.bandwidth_mbit * 1e6
    )
    return channel


def tell(event: str, on_event: Report | None, level: int = logging.INFO) -> None:
    """Report an event, and log it."""
    _log.log(level, event)
    if on_event is not None:
        on_event(event)
