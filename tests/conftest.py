"""What all tests share: no clock for hypothesis, and configurations that pin each other."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from hypothesis import settings

from petcore.config import Config, Limits, Peer
from petcore.config_text import to_toml
from petcore.trust.identity import make_identity

settings.register_profile("petcore", deadline=None)  # the machine may be busy
settings.load_profile("petcore")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: so would children
    signal.signal(signal.SIGINT, signal.default_int_handler)


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def unboxed(text: str) -> str:
    """Return what an error panel says, without its frame and its line breaks."""
    return " ".join(text.replace("│", " ").split())


@pytest.fixture
def configs(tmp_path: Path) -> dict[str, Path]:
    """Configuration files of gateway, wallet and dealer, with keys, on free loopback ports."""
    identities = {name: make_identity(name) for name in ("gateway", "wallet", "dealer")}
    gateway_port, dealer_port = free_ports(2)
    parties = (
        Peer("gateway", f"127.0.0.1:{gateway_port}", identities["gateway"].fingerprint),
        Peer("wallet", "", identities["wallet"].fingerprint),
    )
    dealer = Peer("dealer", f"127.0.0.1:{dealer_port}", identities["dealer"].fingerprint)
    paths = {}
    for name, identity in identities.items():
        certificate, key = identity.save(tmp_path)
        config = Config(
            name=name,
            certificate=certificate,
            key=key,
            parties=parties,
            dealer=dealer,
            limits=Limits(deadline=10.0, dealer_restart=1.0),
            log=tmp_path / f"{name}.disclosures.jsonl",
        )
        paths[name] = tmp_path / f"{name}.toml"
        paths[name].write_text(to_toml(config, tmp_path), encoding="utf-8")
    return paths
