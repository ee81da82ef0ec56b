"""Mutual TLS 1.3 between members: each end shows its certificate, each knows the other's already.

Nobody vouches for a certificate. A context trusts the members' own certificates and nothing else
(a client's context that of the one server it is for); afterwards the certificate that was shown is
looked up byte for byte.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from petcore.errors import ConfigError
from petcore.network.directory import Directory, Participant
from petcore.trust.identity import Identity, read_certificate


class Pins:
    """The certificates of the members, each read from its file and compared with its fingerprint.

    Raises ConfigError where a file cannot be read or holds another key than the directory says.
    """

    def __init__(self, members: Iterable[Participant]) -> None:
        self._pem: dict[str, str] = {}
        self._names: dict[bytes, str] = {}
        for member in members:
            _, fingerprint = read_certificate(member.certificate)
            if fingerprint != member.fingerprint:
                raise ConfigError(
                    f"{member.certificate}: is not the certificate of {member.name} that the "
                    "directory pins; ask that member for its file"
                )
            pem = member.certificate.read_text(encoding="ascii")
            self._pem[member.name] = pem
            self._names[ssl.PEM_cert_to_DER_cert(pem)] = member.name

    def name_of(self, certificate: bytes | None) -> str:
        """Return whose certificate (DER) this is; empty where it is no member's."""
        return self._names.get(certificate or b"", "")

    def pem(self, name: str | None = None) -> str:
        """Return the certificate of one member, or of all."""
        return self._pem[name] if name is not None else "".join(self._pem.values())


def server_context(identity: Identity, pins: Pins) -> ssl.SSLContext:
    """Return the context of a server that any member may call, and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context, identity, pins.pem())
    context.num_tickets = 0  # a resumed connection would show no certificate
    return context


def public_context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    """Return the context of a server for people and merchants, who show no certificate (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with _as_file(certificate + b"\n" + key) as path:
        context.load_cert_chain(path)
    return context


def client_context(identity: Identity, pins: Pins, server: str) -> ssl.SSLContext:
    """Return the context for calls to one member."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the pinned certificate says more than a host name
    _harden(context, identity, pins.pem(server))
    return context


def load_pins(directory: Directory) -> Pins:
    """Return the pins of all members that speak HTTP."""
    return Pins(member for member in directory.participants if member.url)


def _harden(context: ssl.SSLContext, identity: Identity, trusted: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    # Trust these very certificates: they are anchors themselves, and none of them may issue others.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=trusted)
    with _as_file(identity.certificate_pem + identity.private_key_pem) as path:
        context.load_cert_chain(path)


@contextmanager
def _as_file(secret: bytes) -> Iterator[str]:
    """Lend a secret as a file, which Python's ssl insists on; in memory where the system can."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("identity", os.MFD_CLOEXEC)
        try:
            os.write(fd, secret)
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
    else:
        with tempfile.TemporaryDirectory() as folder:  # made with mode 0700
            path = Path(folder) / "identity.pem"
            path.touch(0o600)
            path.write_bytes(secret)
            yield str(path)
