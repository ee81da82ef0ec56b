"""A party is its key: made once, kept secret, known by its fingerprint."""

import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from petcore.errors import ConfigError
from petcore.trust.identity import Identity, identity_files, load_identity, make_identity


@pytest.fixture(scope="module")
def wallet() -> Identity:
    return make_identity("wallet")


def test_the_fingerprint_is_the_sha256_of_the_public_key_in_the_certificate(wallet):
    public = x509.load_pem_x509_certificate(wallet.certificate_pem).public_key()
    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert wallet.fingerprint == sha256(der).hexdigest()


def test_the_certificate_is_self_signed_on_p256_and_carries_the_name(wallet):
    certificate = x509.load_pem_x509_certificate(wallet.certificate_pem)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.public_key().curve.name == "secp256r1"
    assert certificate.subject.rfc4514_string() == "CN=wallet"


def test_two_identities_of_one_name_have_different_keys(wallet):
    assert make_identity("wallet").fingerprint != wallet.fingerprint


def test_openssl_reads_what_is_written(wallet, tmp_path):
    certificate, key = wallet.save(tmp_path)
    for command in (["x509", "-in", certificate], ["pkey", "-in", key]):
        subprocess.run(["openssl", *command, "-noout"], check=True, timeout=20)


def test_a_saved_identity_loads_as_it_was(wallet, tmp_path):
    assert load_identity(*wallet.save(tmp_path / "new" / "folder")) == wallet


def test_the_private_key_file_is_readable_by_its_owner_alone(wallet, tmp_path):
    _, key = wallet.save(tmp_path)
    assert key.stat().st_mode & 0o777 == 0o600


def test_the_private_key_is_not_shown_by_repr(wallet):
    assert "PRIVATE" not in repr(wallet)


@pytest.mark.parametrize("which", [0, 1])
def test_an_existing_file_is_never_overwritten(wallet, tmp_path, which):
    path = identity_files(tmp_path, "wallet")[which]
    path.write_text("precious")
    with pytest.raises(ConfigError, match=r"not overwritten.*choose another directory"):
        wallet.save(tmp_path)
    assert path.read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_directory_that_cannot_be_made_is_named(wallet, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file.*cannot write the key files"):
        wallet.save(tmp_path / "file")


@pytest.mark.parametrize("name", ["", "x" * 64])
def test_a_name_that_fits_no_certificate_is_refused(name):
    with pytest.raises(ConfigError, match="1 to 63"):
        make_identity(name)


def test_a_missing_key_file_is_named_with_the_command_that_makes_one(wallet, tmp_path):
    certificate, key = wallet.save(tmp_path)
    key.unlink()
    with pytest.raises(ConfigError, match=r"wallet\.key\.pem.*No such file.*petcore keygen"):
        load_identity(certificate, key)


def test_a_key_that_others_may_read_is_refused(wallet, tmp_path):
    certificate, key = wallet.save(tmp_path)
    key.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_identity(certificate, key)


def test_a_key_of_another_identity_is_refused(wallet, tmp_path):
    certificate, key = wallet.save(tmp_path)
    key.write_bytes(make_identity("wallet").private_key_pem)
    with pytest.raises(ConfigError, match="does not belong to"):
        load_identity(certificate, key)


@pytest.mark.parametrize("which", ["certificate", "key"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"-----BEGIN NONSENSE-----\n"])
def test_rubbish_in_either_file_is_refused(wallet, tmp_path, which, content):
    paths = dict(zip(("certificate", "key"), wallet.save(tmp_path), strict=True))
    paths[which].write_bytes(content)
    with pytest.raises(ConfigError, match="petcore keygen"):
        load_identity(**paths)


def test_swapped_files_are_refused(wallet, tmp_path: Path):
    swapped = replace(
        wallet, certificate_pem=wallet.private_key_pem, private_key_pem=wallet.certificate_pem
    )
    with pytest.raises(ConfigError, match="is not a PEM certificate"):
        load_identity(*swapped.save(tmp_path))
