"""A small network in a folder: directory, certificates, free ports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from petcore.network.directory import Directory
from petcore.trust.identity import Identity, make_identity
from tests.conftest import free_ports

ROLES = {
    "node-a": ("node_a", "Gateway Ltd"),
    "node-b": ("node_b", "Trustee AG"),
    "purse": ("mpp", "Purse Inc"),
    "shop-bank": ("acqp", "Shop Bank"),
}

TERMS = """
[[agreements]]
id = "purse-shop"
mpp = "purse"
acqp = "shop-bank"
currencies = ["SGD", "JPY", "EUR"]
fee_num = 3
fee_den = 1000

[[prefunding]]
mpp = "purse"
currency = "EUR"
amount = 5_000_000_000

[[rates]]
id = "sgd-eur"
source = "SGD"
target = "EUR"
num = 2
den = 3
"""


@dataclass(frozen=True)
class Members:
    """The members' identities, addresses and the directory they share."""

    folder: Path
    directory: Directory
    identities: dict[str, Identity]
    listen: dict[str, str]


def make_members(folder: Path, *, extra: str = "", terms: str = TERMS) -> Members:
    """Write ``network.toml`` and everyone's key files into ``folder``."""
    ports = free_ports(len(ROLES))
    identities, listen, tables = {}, {}, []
    for (name, (role, entity)), port in zip(ROLES.items(), ports, strict=True):
        identities[name] = make_identity(name)
        identities[name].save(folder)
        listen[name] = f"127.0.0.1:{port}"
        tables.append(
            f'[[participants]]\nname = "{name}"\nrole = "{role}"\nlegal_entity = "{entity}"\n'
            f'url = "https://{listen[name]}"\ncertificate = "{name}.cert.pem"\n'
            f'fingerprint = "{identities[name].fingerprint}"\n'
        )
    path = folder / "network.toml"
    path.write_text(f'name = "test"\n{extra}\n' + "\n".join(tables) + terms)
    return Members(folder, Directory.load(path), identities, listen)
