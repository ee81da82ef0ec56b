"""``petcore keygen``: make a party's key, and a configuration to start from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from petcore.cli import render
from petcore.config import DEALER, MAKERS, Config, Peer
from petcore.config_text import to_toml
from petcore.errors import UsageError
from petcore.trust.identity import identity_files, make_identity


def keygen(
    name: Annotated[str, typer.Option(help="This party: gateway, wallet, dealer, ...")],
    out: Annotated[Path, typer.Option(help="Directory for the files; made if absent.")],
    parties: Annotated[
        str, typer.Option(help="All computing parties, comma-separated, in the agreed order.")
    ] = "gateway,wallet",
    correlations: Annotated[
        str, typer.Option(help="Where they come from: dealer, or ot for none.")
    ] = DEALER,
) -> None:
    """Make a key pair, its certificate, and a configuration to fill in.

    Example: petcore keygen --name gateway --out keys
    """
    names = [part.strip() for part in parties.split(",")]
    if correlations not in MAKERS:
        known = ", ".join(MAKERS)
        raise UsageError(f"--correlations {correlations} is none of {known}; choose one of these")
    everyone = [*names, DEALER] if correlations == DEALER else names
    if name not in everyone:
        raise UsageError(
            f"--name {name} is none of {', '.join(everyone)}; "
            f"name all computing parties: --parties {name},wallet"
        )
    identity = make_identity(name)
    config = _first_config(name, identity.fingerprint, names, out, correlations)
    _check_names(config)
    certificate, key = identity.save(out)
    path = out / f"{name}.toml"
    if not path.exists():
        path.write_text(to_toml(config, out), encoding="utf-8")
    render.out.print(f"private key   {key} (keep it here)", soft_wrap=True)
    render.out.print(f"certificate   {certificate}", soft_wrap=True)
    render.out.print(f"configuration {path}", soft_wrap=True)
    render.out.print(f"fingerprint   [bold]{identity.fingerprint}[/bold]", soft_wrap=True)
    others = [other for other in everyone if other != name]
    render.out.print(
        f"\nNext: send the certificate to {', '.join(others)}, and tell them the fingerprint over a "
        "channel that you already trust. With their certificates here:"
    )
    certificates = " ".join(f"{other}.cert.pem" for other in others)
    render.out.print(f"  petcore pin --config {path} {certificates}", soft_wrap=True)


def _first_config(
    name: str, fingerprint: str, names: list[str], out: Path, correlations: str
) -> Config:
    def peer(other: str, port: int) -> Peer:
        address = "" if other == names[-1] else f"127.0.0.1:{port}"
        return Peer(other, address, fingerprint if other == name else "")

    certificate, key = identity_files(out, name)
    return Config(
        name=name,
        certificate=certificate,
        key=key,
        parties=tuple(peer(other, 7001 + i) for i, other in enumerate(names)),
        dealer=peer(DEALER, 7000) if correlations == DEALER else None,
        correlations=correlations,
        log=out / f"{name}.disclosures.jsonl",
    )


def _check_names(config: Config) -> None:
    """Raise ConfigError if the list of parties cannot work, whatever is filled in later."""
    known = config.parties[0].address, "0" * 64
    parties = tuple(Peer(peer.name, *known) for peer in config.parties)
    dealer = None if config.dealer is None else Peer(DEALER, *known)
    replace(config, parties=parties, dealer=dealer, source="--parties").validate()
