"""What the tests of trust share: a disclosure, and the configuration of a gateway."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from petcore.config import Config, Peer
from petcore.mpc.disclosure import Disclosure
from petcore.trust.identity import identity_files, make_identity


def _disclosure(**changes: Any) -> Disclosure:
    usual: dict[str, Any] = {
        "step": 7,
        "label": "held-out AUC",
        "recipients": ("gateway", "wallet"),
        "shape": (3, 2),
        "dtype": "fixed",
        "purpose": "compare the models",
        "agreement": "DPA-2025-01",
        "kind": "open",
    }
    return Disclosure(**(usual | changes))


@pytest.fixture
def disclosure() -> Callable[..., Disclosure]:
    return _disclosure


@pytest.fixture
def gateway(tmp_path: Path) -> Config:
    identity = make_identity("gateway")
    identity.save(tmp_path)
    certificate, key = identity_files(tmp_path, "gateway")
    return Config(
        name="gateway",
        certificate=certificate,
        key=key,
        parties=(
            Peer("gateway", "127.0.0.1:7001", identity.fingerprint),
            Peer("wallet", "", make_identity("wallet").fingerprint),
        ),
        dealer=Peer("dealer", "127.0.0.1:7000", make_identity("dealer").fingerprint),
        log=tmp_path / "gateway.disclosures.jsonl",
    )
