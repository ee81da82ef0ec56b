"""The service as a process of its own, the client as another, both by the command line."""

import csv
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from petcore import make_identity
from petcore.errors import PeerUnreachable, PeerUntrusted, ScopeRefused
from petcore.pseudonyms.serving import connect_pseudonyms

pytestmark = pytest.mark.processes


def petcore(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "petcore", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def bureau(tmp_path):
    """Give a folder with all files, and a service that runs until the end."""
    identities = {name: make_identity(name) for name in ("bureau", "wallet", "stranger")}
    for identity in identities.values():
        identity.save(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rotated = petcore("pseudonym", "rotate", "--keys", "pseudonym.keys.json", folder=tmp_path)
    assert rotated.returncode == 0, rotated.stderr
    (tmp_path / "bureau.toml").write_text(f"""
listen = "127.0.0.1:{port}"
[identity]
certificate = "bureau.cert.pem"
key = "bureau.key.pem"
[[clients]]
name = "wallet"
fingerprint = "{identities["wallet"].fingerprint}"
scopes = ["fraud-*"]
""")
    for name in ("wallet", "stranger"):
        (tmp_path / f"{name}.toml").write_text(f"""
{rotated.stdout}
[identity]
certificate = "{name}.cert.pem"
key = "{name}.key.pem"
[service]
name = "bureau"
address = "127.0.0.1:{port}"
fingerprint = "{identities["bureau"].fingerprint}"
""")
    service = subprocess.Popen(
        [sys.executable, "-m", "petcore", "pseudonym", "serve", "--config", "bureau.toml"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "listening" in service.stderr.readline()
    yield tmp_path
    service.terminate()
    service.communicate(timeout=10)


def test_a_column_of_ids_becomes_pseudonyms_across_processes(bureau):
    (bureau / "ids.csv").write_text("id,amount\nanna,5\nbert,7\nanna,9\n")
    arguments = ("--config", "wallet.toml", "--scope", "fraud-2026", "--out", "out.csv")
    done = petcore("pseudonym", "map", "ids.csv", *arguments, folder=bureau)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((bureau / "out.csv").read_text().splitlines()))
    assert [row["amount"] for row in rows] == ["5", "7", "9"]
    assert rows[0]["id"] == rows[2]["id"] != rows[1]["id"]
    with connect_pseudonyms(bureau / "wallet.toml") as client:
        assert client.pseudonyms(["anna"], scope="fraud-2026") == [rows[0]["id"]]
        with pytest.raises(ScopeRefused, match="not granted"):
            client.pseudonyms(["anna"], scope="marketing")
        assert client.pseudonyms(["bert"], scope="fraud-2026") == [rows[1]["id"]]
    refused = petcore(
        *("pseudonym", "map", "ids.csv", "--config", "wallet.toml"),
        *("--scope", "marketing", "--out", "never.csv"),
        folder=bureau,
    )
    assert refused.returncode == 1
    assert not (bureau / "never.csv").exists()


def test_a_client_that_nobody_pinned_is_refused(bureau):
    with (
        pytest.raises((PeerUntrusted, PeerUnreachable)),
        connect_pseudonyms(bureau / "stranger.toml", connect_wait=3) as client,
    ):
        client.pseudonyms(["anna"], scope="fraud-2026")


def test_a_rotation_is_seen_by_the_next_connection(bureau):
    rotated = petcore("pseudonym", "rotate", folder=bureau)
    assert "epoch = 2" in rotated.stdout
    with (bureau / "wallet.toml").open("a") as stream:
        stream.write(rotated.stdout)
    with connect_pseudonyms(bureau / "wallet.toml") as client:
        both = [client.pseudonyms(["anna"], scope="fraud-2026", epoch=e)[0] for e in (1, 2)]
        assert both[0] != both[1]
    assert petcore("pseudonym", "destroy", "--epoch", "1", folder=bureau).returncode == 0
    with connect_pseudonyms(bureau / "wallet.toml") as client:
        with pytest.raises(ScopeRefused, match="destroyed"):
            client.pseudonyms(["anna"], scope="fraud-2026", epoch=1)
        assert client.pseudonyms(["anna"], scope="fraud-2026")[0] == both[1]
