"""Keys: epochs, rotation, erasure, and what a member publishes."""

import base64
import json

import pytest

from petcore.errors import ConfigError, UsageError
from petcore.network import keyring
from petcore.network.envelope import compose, open_part, verify
from petcore.network.errors import EpochUnknown
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.published import GRACE_MS, verify_receipt

NOW = 1_790_000_000_000
HOUR = 3_600_000
VALUES = {"acqp": "shop-bank", "request": "ab" * 32, "payment_id": "w-1", "normal_url": "https://w"}


@pytest.fixture
def rings(tmp_path):
    """The rings of a wallet and an acquirer, who publish into one directory."""
    return [KeyRing.make(tmp_path, name, now=lambda: NOW) for name in ("purse", "shop-bank")]


def write(purse, keys, now=NOW):
    return compose(
        "awaiting", "r", VALUES, ring=purse, keys=keys, to={"acqp": "shop-bank"},
        expires_in=60, counter=1, now=now,
    )  # fmt: skip


def test_private_keys_are_readable_by_their_owner_only(rings, tmp_path):
    files = list(tmp_path.glob("*.key"))
    assert len(files) == 2
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    files[0].chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        KeyRing.load(tmp_path, files[0].name.split(".")[0])


def test_what_is_published_holds_no_private_key(rings, tmp_path):
    secret = base64.b64decode((tmp_path / "purse.epoch-1.key").read_bytes())
    published = rings[0].public()
    document = json.loads(published)
    contents = [base64.b64decode(v) for v in document["epochs"][0].values() if isinstance(v, str)]
    for at in range(0, len(secret), 32):
        assert all(secret[at : at + 32] not in content for content in contents)
    assert published == (tmp_path / "purse.keys.json").read_bytes()


def test_keys_are_never_made_over_existing_ones(rings, tmp_path):
    with pytest.raises(ConfigError, match="keys rotate"):
        KeyRing.make(tmp_path, "purse")


@pytest.mark.parametrize("name", ["", "../purse", "a/b", "a" * 64, "-x"])
def test_a_name_that_cannot_be_a_file_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="name"):
        KeyRing.make(tmp_path, name)


def test_after_a_rotation_old_messages_open_and_new_ones_use_the_new_keys(rings, tmp_path):
    purse, bank = rings
    keys = PublicKeys.load(tmp_path)
    before = write(purse, keys)
    assert bank.rotate(now=lambda: NOW + HOUR) == 2
    assert open_part(before, bank)["payment_id"] == "w-1"
    keys.refresh()
    after = write(purse, keys, NOW + HOUR)
    assert [e.table[0].key[:2] for e in (before, after)] == ["1-", "2-"]
    assert open_part(after, bank)["payment_id"] == "w-1"
    assert KeyRing.load(tmp_path, "shop-bank").epoch == 2


def test_a_process_that_runs_notices_what_another_one_rotated(rings, tmp_path):
    purse, bank = rings
    keys = PublicKeys.load(tmp_path)
    keys.sealer("shop-bank")
    KeyRing.load(tmp_path, "shop-bank").rotate(now=lambda: NOW + 1)
    keys.refresh()
    assert open_part(write(purse, keys), bank)["payment_id"] == "w-1"
    assert bank.epoch == 2
    KeyRing.load(tmp_path, "purse").rotate(now=lambda: NOW + 1)
    assert purse.refresh()
    assert not purse.refresh()
    verify(write(purse, keys), keys, now=NOW)


def test_a_process_that_only_sends_signs_with_the_epoch_that_another_one_began(
    rings, tmp_path, monkeypatch
):
    purse, _ = rings
    keys = PublicKeys.load(tmp_path)
    assert write(purse, keys).header.key.startswith("1-")
    KeyRing.load(tmp_path, "purse").rotate(now=lambda: NOW + 1)
    now = keyring.time.monotonic()
    monkeypatch.setattr(keyring.time, "monotonic", lambda: now + 2)
    envelope = write(purse, keys)
    assert envelope.header.key.startswith("2-")
    verify(envelope, keys, now=NOW)


def test_a_process_that_only_receives_forgets_what_another_one_erased(rings, tmp_path, monkeypatch):
    purse, bank = rings
    envelope = write(purse, PublicKeys.load(tmp_path))
    assert open_part(envelope, bank)
    other = KeyRing.load(tmp_path, "shop-bank")
    other.rotate()
    other.erase(1)
    now = keyring.time.monotonic()
    monkeypatch.setattr(keyring.time, "monotonic", lambda: now + 2)
    with pytest.raises(EpochUnknown, match="erased"):
        open_part(envelope, bank)


def test_a_retired_signature_key_does_not_sign_for_later_times(rings, tmp_path, monkeypatch):
    purse, _ = rings
    old = KeyRing.load(tmp_path, "purse")
    monkeypatch.setattr(old, "_look", lambda: None)  # as one who stole it
    purse.rotate(now=lambda: NOW + HOUR)
    keys = PublicKeys.load(tmp_path)
    verify(write(old, keys, NOW + HOUR + GRACE_MS), keys, now=NOW + HOUR)
    late = NOW + HOUR + GRACE_MS + 1
    with pytest.raises(EpochUnknown, match="not current"):
        verify(write(old, keys, late), keys, now=late)
    early = NOW + HOUR - GRACE_MS - 1
    with pytest.raises(EpochUnknown, match="not current"):
        verify(write(purse, keys, early), keys, now=early)


def test_what_was_sealed_in_an_erased_epoch_never_opens_again(rings, tmp_path):
    purse, bank = rings
    keys = PublicKeys.load(tmp_path)
    envelope = write(purse, keys)
    secret = (tmp_path / "shop-bank.epoch-1.key").read_bytes()
    assert open_part(envelope, bank)
    bank.rotate()
    bank.erase(1)
    assert not (tmp_path / "shop-bank.epoch-1.key").exists()
    assert all(secret.strip() not in file.read_bytes() for file in tmp_path.iterdir())
    for ring in (bank, KeyRing.load(tmp_path, "shop-bank")):
        with pytest.raises(EpochUnknown, match="epoch 1 of shop-bank was erased"):
            open_part(envelope, ring)


def test_a_process_that_runs_forgets_an_epoch_that_another_one_erased(rings, tmp_path):
    purse, bank = rings
    envelope = write(purse, PublicKeys.load(tmp_path))
    assert open_part(envelope, bank)
    other = KeyRing.load(tmp_path, "shop-bank")
    other.rotate()
    other.erase(1)
    bank.refresh()
    with pytest.raises(EpochUnknown, match="erased"):
        open_part(envelope, bank)


def test_the_receipt_of_an_erasure_is_signed_and_bound_to_its_epoch(rings, tmp_path):
    bank = rings[1]
    bank.rotate()
    bank.rotate()
    receipt = bank.erase(1, now=lambda: NOW + HOUR)
    document = PublicKeys.load(tmp_path).published("shop-bank")
    assert verify_receipt(receipt, document)
    assert receipt["at"] == NOW + HOUR
    for change in ({"epoch": 2}, {"at": 0}, {"member": "purse"}, {"key": bank.key_id}, {"x": 1}):
        assert not verify_receipt({**receipt, **change}, document)
    assert not verify_receipt(receipt, PublicKeys.load(tmp_path).published("purse"))
    assert bank.erase(1) == receipt
    assert bank.erased == (1,)


def test_the_current_epoch_and_unknown_epochs_are_not_erased(rings):
    with pytest.raises(UsageError, match="rotate first"):
        rings[0].erase(1)
    with pytest.raises(UsageError, match="never begun"):
        rings[0].erase(2)


def test_an_erasure_that_a_crash_cut_short_is_completed(rings, tmp_path):
    bank = rings[1]
    bank.rotate()
    (tmp_path / "shop-bank.epoch-1.key").unlink()
    again = KeyRing.load(tmp_path, "shop-bank")
    assert again.erased == ()
    assert verify_receipt(again.erase(1), PublicKeys.load(tmp_path).published("shop-bank"))


def test_a_rotation_that_a_crash_cut_short_is_begun_anew(rings, tmp_path):
    (tmp_path / "purse.epoch-2.key").write_bytes(b"half")
    assert rings[0].rotate() == 2
    assert KeyRing.load(tmp_path, "purse").epoch == 2


def tampered(tmp_path, change):
    file = tmp_path / "purse.keys.json"
    document = json.loads(file.read_bytes())
    change(document)
    file.write_bytes(json.dumps(document).encode())


def replace_key(document):
    document["epochs"][1]["signing"] = document["epochs"][0]["signing"]


@pytest.mark.parametrize(
    "change",
    [
        replace_key,
        lambda d: d["epochs"][1].update(made=d["epochs"][1]["made"] + 1),
        lambda d: d["epochs"].reverse(),
        lambda d: d["epochs"].pop(0),
        lambda d: d["epochs"].clear(),
        lambda d: d["epochs"][0].update(sealing="AAAA"),
        lambda d: d["epochs"][0].update(extra=1),
        lambda d: d["epochs"][0].update(epoch="1"),
        lambda d: d.update(name="../purse"),
        lambda d: d.update(name="shop-bank"),
        lambda d: d.pop("erasures"),
        lambda d: d["erasures"][0].update(at=1),
        lambda d: d["erasures"][0].update(by="1-00"),
        lambda d: d["erasures"][0].pop("signature"),
    ],
)
def test_a_changed_document_of_keys_is_refused(rings, tmp_path, change):
    rings[0].rotate()
    rings[0].erase(1)
    PublicKeys.load(tmp_path)
    tampered(tmp_path, change)
    with pytest.raises(ConfigError):
        PublicKeys.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"null", b"[" * 100_000])
def test_a_document_that_is_none_is_refused(rings, tmp_path, content):
    (tmp_path / "purse.keys.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"purse\.keys\.json"):
        PublicKeys.load(tmp_path)


def test_published_keys_are_accepted_only_as_a_continuation(rings, tmp_path):
    purse, _ = rings
    keys = PublicKeys.load(tmp_path)
    elsewhere = tmp_path / "forger"
    with pytest.raises(ConfigError, match="do not go on from"):
        keys.update(KeyRing.make(elsewhere, "purse", now=lambda: NOW).public())
    purse.rotate()
    assert keys.update(purse.public()).current.epoch == 2
    with pytest.raises(ConfigError, match="do not go on from"):
        keys.update(_first_epoch_only(purse.public()))


def _first_epoch_only(content):
    document = json.loads(content)
    del document["epochs"][1:]
    return json.dumps(document).encode()


def test_missing_keys_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"purse\.keys\.json"):
        KeyRing.load(tmp_path, "purse")
    with pytest.raises(EpochUnknown, match="no keys of 'purse'"):
        PublicKeys.load(tmp_path).sealer("purse")
