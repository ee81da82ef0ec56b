"""``petcore pin``: write into a configuration which keys the peers must show, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.config import DEALER, Config, Peer, load_config, split_address
from petcore.config_text import to_toml
from petcore.errors import ConfigError, UsageError
from petcore.trust import read_certificate


def pin(
    config: Annotated[Path, typer.Option(help="This party's configuration file.")],
    certificates: Annotated[
        list[Path] | None,
        typer.Argument(help="NAME.cert.pem of peers and dealer.", show_default=False),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(help="NAME=HOST:PORT, where a process listens; repeat it."),
    ] = None,
) -> None:
    """Pin the peers' keys: no process that shows another key will be spoken to.

    A certificate proves nothing by itself. Compare the fingerprints that this prints with their
    owners over a channel you already trust. The configuration is written anew, without comments
    of yours.

    Example: petcore pin --config gateway.toml wallet.cert.pem dealer.cert.pem
    --at dealer=10.1.2.3:7000
    """
    if not certificates and not at:
        raise UsageError("nothing to pin; give NAME.cert.pem of each peer, or --at NAME=HOST:PORT")
    settings = load_config(config, draft=True)
    for path in certificates or ():
        name, fingerprint = read_certificate(path)
        old = _peer(settings, name, str(path))
        if name == settings.name and old.fingerprint != fingerprint:
            raise ConfigError(f"{path}: is not the certificate of this {name}; keep its own key")
        settings = _with(settings, replace(old, fingerprint=fingerprint))
        render.out.print(f"{name:<12} {fingerprint}", soft_wrap=True)
    settings = _at(settings, at or ())
    config.write_text(to_toml(settings, config.parent), encoding="utf-8")
    missing = [p.name for p in settings.everyone if not p.fingerprint]
    still = f"still without a key: {', '.join(missing)}" if missing else "all keys are pinned"
    render.out.print(f"{config}: {still}", soft_wrap=True)


def _at(config: Config, places: Sequence[str]) -> Config:
    for place in places:
        name, _, address = place.partition("=")
        split_address(address, f"--at {name}")
        config = _with(config, replace(_peer(config, name, f"--at {place}"), address=address))
    return config


def _peer(config: Config, name: str, source: str) -> Peer:
    peers = {peer.name: peer for peer in config.everyone}
    if name not in peers:
        raise ConfigError(f"{source}: {name!r} is none of {', '.join(peers)} in {config.source}")
    return peers[name]


def _with(config: Config, peer: Peer) -> Config:
    if peer.name == DEALER:
        return replace(config, dealer=peer)
    parties = tuple(peer if old.name == peer.name else old for old in config.parties)
    return replace(config, parties=parties)
