"""An acquirer's edge as a process of its own, and node A played by the test, over real TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from petcore.network import http
from petcore.network.directory import Directory
from tests.conftest import free_ports

from .acquirer_network import Network, make_network
from .alipayplus import CLIENT, EDGE_KEY, MERCHANT_KEY, check_answer, headers
from .members import Members, make_members

TERMS = """
[[agreements]]
id = "agr-1"
mpp = "purse"
acqp = "shop-bank"
currencies = ["SGD", "JPY", "KWD"]
fee_num = 7
fee_den = 1000
"""
PROGRAM = (
    "import sys; from petcore.network.acquirer.process import run_acquirer as r; r(sys.argv[1])"
)


@dataclass
class Place:
    """A folder with all that an edge needs; ``address`` is where merchants call."""

    folder: Path
    members: Members
    network: Network
    config: Path
    address: str
    certificate: Path

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, str(self.config)])


def make_place(folder: Path, *, times: str = "", hooks: str = "https://127.0.0.1/") -> Place:
    members = make_members(folder, terms=TERMS)
    directory: Directory = members.directory
    network = replace(make_network(folder), directory=directory)
    shutil.copytree(network.folder, folder / "keys")
    for name, pem in (
        ("answers.rsa.pem", EDGE_KEY.private_pem()),
        ("client.rsa.pub.pem", MERCHANT_KEY.public_pem()),
    ):
        (folder / name).write_bytes(pem)
    certificate = make_certificate(folder, "merchants")
    (port,) = free_ports(1)
    config = folder / "shop-bank.toml"
    config.write_text(
        f"""
name = "shop-bank"
listen = "{members.listen["shop-bank"]}"
database = "sqlite:///shop-bank.db"
directory = "network.toml"
certificate = "shop-bank.cert.pem"
key = "shop-bank.key.pem"
keys = "keys"
public = "keys"
[merchants]
listen = "127.0.0.1:{port}"
certificate = "merchants.cert.pem"
key = "merchants.key.pem"
signing_key = "answers.rsa.pem"
signing_key_version = "{EDGE_KEY.version}"
ca = "merchants.cert.pem"
[[merchants.clients]]
id = "{CLIENT}"
notify = ["{hooks}"]
[[merchants.clients.keys]]
version = "1"
file = "client.rsa.pub.pem"
[times]
{times}
"""
    )
    return Place(folder, members, network, config, f"127.0.0.1:{port}", certificate)


def make_certificate(folder: Path, name: str, address: str = "127.0.0.1") -> Path:
    """Write a server certificate for an address and its key; return the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, file = serialization.Encoding.PEM, folder / f"{name}.cert.pem"
    file.write_bytes(certificate.public_bytes(pem))
    (folder / f"{name}.key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@contextlib.asynccontextmanager
async def node_a(place: Place) -> AsyncIterator[Network]:
    """Serve the network's answers where node A is."""
    network, members = place.network, place.members

    async def messages(request: Request) -> Response:
        assert http.caller(request, members.directory, "acqp") == "shop-bank"
        body = await http.read_body(request)
        return Response(await network.post("node-a", "/v1/messages", body))

    async def inquiry(request: Request) -> Response:
        return Response(await network.get("node-a", request.scope["raw_path"].decode()))

    app = Starlette(
        routes=[
            Route("/v1/messages", messages, methods=["POST"]),
            Route("/v1/requests/{sender}/{id:path}", inquiry),
        ],
        exception_handlers={Exception: http.on_error},
    )
    identity = members.identities["node-a"]
    stop = asyncio.Event()
    server = http.Server(app, members.listen["node-a"], identity, members.directory)
    serving = asyncio.create_task(server.run(stop))
    try:
        yield network
    finally:
        stop.set()
        await serving


class Merchant:
    """A merchant's system that calls the edge over TLS and checks what it signs."""

    def __init__(self, place: Place) -> None:
        context = ssl.create_default_context(cafile=str(place.certificate))
        self._http = httpx.AsyncClient(
            base_url=f"https://{place.address}", verify=context, timeout=20.0, trust_env=False
        )

    async def call(self, path: str, values: Any) -> dict[str, Any]:
        content = json.dumps(values).encode()
        head = headers(path, content, time=datetime.now(UTC).isoformat(timespec="seconds"))
        answer = await self._http.post(path, content=content, headers=head)
        assert answer.status_code == 200
        check_answer(path, answer)
        return json.loads(answer.content)

    async def until_up(self, process: subprocess.Popen[bytes]) -> None:
        async with asyncio.timeout(60):
            while process.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    await self._http.get("/")
                    return
                await asyncio.sleep(0.05)
        raise AssertionError("the edge ended by itself")

    async def close(self) -> None:
        await self._http.aclose()


@contextlib.asynccontextmanager
async def edge(place: Place) -> AsyncIterator[tuple[subprocess.Popen[bytes], Merchant]]:
    """Run the edge's process; it is asked to end, and killed if it does not."""
    process, merchant = place.start(), Merchant(place)
    try:
        await merchant.until_up(process)
        yield process, merchant
    finally:
        await merchant.close()
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
