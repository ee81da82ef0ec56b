"""The key pair and certificate by which a party is known to its peers.

A P-256 key with a self-signed X.509 certificate (RFC 5280). Nobody vouches for the certificate:
peers pin the fingerprint, the hex SHA-256 of the key's SubjectPublicKeyInfo in DER (as RFC 7469
pins keys), and exchange it over a channel that they trust already (a contract, a call).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from petcore.errors import ConfigError

_VALID = timedelta(days=3650)  # trust ends with the pin, not with the date


@dataclass(frozen=True)
class Identity:
    """A party's name, certificate, private key (both PEM) and fingerprint (64 hex digits)."""

    name: str
    certificate_pem: bytes
    private_key_pem: bytes = field(repr=False)
    fingerprint: str

    def save(self, directory: str | Path) -> tuple[Path, Path]:
        """Write ``<name>.cert.pem`` and ``<name>.key.pem`` (mode 0600); return the two paths.

        Raises ConfigError if either file exists (a key is never overwritten) or cannot be written.
        """
        certificate, key = identity_files(directory, self.name)
        for path in (certificate, key):
            if path.exists():
                raise ConfigError(
                    f"{path} exists and is not overwritten: peers may have pinned its key; "
                    "choose another directory or name, or move the old files away"
                )
        try:
            certificate.parent.mkdir(parents=True, exist_ok=True)
            _write_new(key, self.private_key_pem, 0o600)
            _write_new(certificate, self.certificate_pem, 0o644)
        except OSError as error:
            raise ConfigError(
                f"{directory}: cannot write the key files ({error.strerror})"
            ) from error
        return certificate, key


def make_identity(name: str) -> Identity:
    """Make a fresh key and certificate for the party called ``name`` (1 to 63 characters)."""
    if not 1 <= len(name) <= 63:
        raise ConfigError("the name of a party has 1 to 63 characters; choose another")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the peer's clock may be behind
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Identity(name, pem, private, _fingerprint(key.public_key()))


def load_identity(certificate: str | Path, key: str | Path) -> Identity:
    """Read an identity from its two PEM files.

    Raises ConfigError, naming the file and the remedy, if one is missing, is not what it should be,
    if the key may be read by others, or if key and certificate do not belong together.
    """
    certificate_pem, private_key_pem = _read(certificate), _read(key)
    mode = Path(key).stat().st_mode
    if mode & 0o077:
        raise ConfigError(f"{key}: other users may read this private key; run 'chmod 600 {key}'")
    name, public = _parse(certificate, certificate_pem)
    try:
        private = serialization.load_pem_private_key(private_key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{key}: is not an unencrypted PEM private key; run 'petcore keygen'"
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != public:
        raise ConfigError(
            f"{key}: does not belong to {certificate}; use the two files made together"
        )
    return Identity(name, certificate_pem, private_key_pem, _fingerprint(public))


def read_certificate(path: str | Path) -> tuple[str, str]:
    """Return name and fingerprint of a party from its public ``<name>.cert.pem``.

    The file proves nothing: compare the fingerprint with its owner over a trusted channel.

    Raises ConfigError if the file cannot be read or is not a certificate that petcore makes.
    """
    try:
        pem = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    name, public = _parse(path, pem)
    return name, _fingerprint(public)


def identity_files(directory: str | Path, name: str) -> tuple[Path, Path]:
    """Return where `Identity.save` puts the certificate and the key of ``name``."""
    return Path(directory) / f"{name}.cert.pem", Path(directory) / f"{name}.key.pem"


def _parse(path: str | Path, pem: bytes) -> tuple[str, ec.EllipticCurvePublicKey]:
    try:
        parsed = x509.load_pem_x509_certificate(pem)
        names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        public = parsed.public_key()
    except ValueError as error:
        raise ConfigError(f"{path}: is not a PEM certificate; run 'petcore keygen'") from error
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise ConfigError(f"{path}: does not hold a P-256 key; run 'petcore keygen'")
    return str(names[0].value) if names else "", public


def _fingerprint(public: ec.EllipticCurvePublicKey) -> str:
    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(der).hexdigest()


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); 'petcore keygen' makes a new identity"
        ) from error


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
