"""The pseudonym service without a network: what links, what is refused, what is counted."""

import json
import struct

import pytest

from petcore import oprf
from petcore.errors import (
    BadFrame,
    ConfigError,
    PeerUntrusted,
    PseudonymError,
    QuotaExceeded,
    ScopeRefused,
    UsageError,
)
from petcore.pseudonyms import Grant, KeyRing, PseudonymClient, PseudonymService
from petcore.pseudonyms.journal import Journal

NOON = 20_000 * 86400 + 43200.0


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys() -> KeyRing:
    ring = KeyRing()
    ring.rotate()
    return ring


def make_service(keys: KeyRing, ids_per_day: int = 10_000, **options) -> PseudonymService:
    grants = {
        "wallet": Grant(("fraud-*", "limits"), ids_per_day),
        "acquirer": Grant(("fraud-2026",), ids_per_day),
    }
    return PseudonymService(keys, grants, **options)


def client_of(service: PseudonymService, keys: KeyRing, name: str = "wallet") -> PseudonymClient:
    return PseudonymClient(lambda request: service.answer(name, request), keys.public())


def test_two_clients_get_the_same_pseudonym_for_the_same_id_in_one_scope(keys):
    service = make_service(keys)
    wallet, acquirer = (client_of(service, keys, name) for name in ("wallet", "acquirer"))
    mine = wallet.pseudonyms(["anna", "bert", "Łódź"], scope="fraud-2026")
    theirs = acquirer.pseudonyms([b"bert", "Łódź".encode(), b""], scope="fraud-2026")
    assert mine[1:] == theirs[:2]
    assert len({*mine, *theirs}) == 4
    assert all(len(bytes.fromhex(pseudonym)) == 16 for pseudonym in mine)


def test_pseudonyms_of_other_scopes_and_epochs_have_nothing_in_common(keys):
    service, first = make_service(keys), keys.current
    keys.rotate()
    wallet = client_of(service, keys)
    made = {
        wallet.pseudonyms(["anna"], scope=scope, epoch=epoch)[0]
        for scope in ("fraud-2026", "fraud-2027", "limits")
        for epoch in (first, keys.current)
    }
    assert len(made) == 6
    assert wallet.pseudonyms(["anna"], scope="limits")[0] in made  # the newest epoch


def test_a_destroyed_key_serves_nobody(keys, tmp_path):
    service = make_service(keys)
    wallet = client_of(service, keys)
    keys.rotate()
    keys.destroy(1)
    with pytest.raises(ScopeRefused, match="destroyed"):
        wallet.pseudonyms(["anna"], scope="limits", epoch=1)
    with pytest.raises(ScopeRefused, match="pinned"):
        wallet.pseudonyms(["anna"], scope="limits", epoch=2)
    with pytest.raises(ScopeRefused):
        keys.destroy(1)
    keys.save(tmp_path / "keys")
    again = KeyRing.load(tmp_path / "keys")
    assert again.public() == keys.public()
    assert again.rotate() == 3


def test_batches_larger_than_a_request_are_cut(keys):
    service = make_service(keys)
    ids = [f"{i}" for i in range(1030)]
    made = client_of(service, keys).pseudonyms(ids, scope="limits")
    assert len(set(made)) == 1030
    assert service.counters()["wallet"]["requests"] == 2
    assert client_of(service, keys).pseudonyms(ids[-2:], scope="limits") == made[-2:]
    assert client_of(service, keys).pseudonyms([], scope="limits") == []


def test_the_service_sees_neither_id_nor_pseudonym(keys):
    service, seen = make_service(keys), []

    def transport(request: bytes) -> bytes:
        answer = service.answer("wallet", request)
        seen.extend([request, answer])
        return answer

    client = PseudonymClient(transport, keys.public())
    made = client.pseudonyms(["anna"] * 2, scope="limits")
    client.pseudonyms(["anna"], scope="limits")
    text = b"".join(seen)
    assert b"anna" not in text
    assert bytes.fromhex(made[0]) not in text
    elements = [seen[0][-66:-33], seen[0][-33:], seen[2][-33:]]
    assert len(set(elements)) == 3  # not even that the ids are equal


def test_a_service_with_another_key_is_found_out(keys):
    other = KeyRing()
    other.rotate()
    service = make_service(other)
    with pytest.raises(PeerUntrusted, match="another key"):
        client_of(service, keys).pseudonyms(["anna"], scope="limits")


@pytest.mark.parametrize(
    ("name", "scope"), [("acquirer", "limits"), ("stranger", "limits"), ("wallet", "marketing")]
)
def test_a_scope_that_is_not_granted_is_refused(keys, name, scope):
    service = make_service(keys)
    with pytest.raises(ScopeRefused, match="not granted"):
        client_of(service, keys, name).pseudonyms(["anna"], scope=scope)
    assert service.counters()[name]["refused"] == 1
    assert service.counters()[name]["ids"] == 0


def test_the_quota_of_a_day_bounds_how_many_ids_can_be_tried(keys):
    clock = Clock()
    service = make_service(keys, ids_per_day=10, clock=clock)
    wallet = client_of(service, keys)
    wallet.pseudonyms(["a"] * 8, scope="limits")
    with pytest.raises(QuotaExceeded, match="2 are left") as caught:
        wallet.pseudonyms(["a"] * 3, scope="limits")
    assert caught.value.retryable
    wallet.pseudonyms(["a"] * 2, scope="limits")
    client_of(service, keys, "acquirer").pseudonyms(["a"] * 10, scope="fraud-2026")
    clock.now -= 86400  # a clock set back gives nothing
    with pytest.raises(QuotaExceeded):
        wallet.pseudonyms(["a"], scope="limits")
    clock.now = NOON + 86400
    wallet.pseudonyms(["a"] * 10, scope="limits")
    assert service.counters()["wallet"] == {
        "requests": 3,
        "ids": 20,
        "refused": 2,
        "ids_today": 10,
    }


def test_quotas_survive_a_restart_by_the_journal(keys, tmp_path):
    clock, path = Clock(), tmp_path / "journal"
    journal = Journal(path)
    service = make_service(keys, ids_per_day=10, clock=clock, journal=journal)
    client_of(service, keys).pseudonyms(["a"] * 7, scope="limits")
    with pytest.raises(PseudonymError, match="another process"):
        Journal(path)
    journal.close()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(r["client"], r["scope"], r["epoch"], r["ids"]) for r in rows] == [
        ("wallet", "limits", 1, 7)
    ]
    with path.open("ab") as stream:
        stream.write(b'{"time": "half a li')  # the power failed
    service = make_service(keys, ids_per_day=10, clock=clock, journal=Journal(path))
    with pytest.raises(QuotaExceeded, match="3 are left"):
        client_of(service, keys).pseudonyms(["a"] * 4, scope="limits")


def test_a_journal_that_somebody_changed_is_refused(keys, tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b'{"time": 5}\n')
    with pytest.raises(PseudonymError, match="line 1"):
        make_service(keys, journal=Journal(path))


def test_what_cannot_be_journaled_is_not_answered(keys, tmp_path):
    journal = Journal(tmp_path / "journal")
    service = make_service(keys, journal=journal)
    journal.close()
    with pytest.raises(PseudonymError, match="journal"):
        client_of(service, keys).pseudonyms(["a"], scope="limits")
    assert service.counters()["wallet"]["ids"] == 0


POINT = oprf.PrivateKey.generate("poprf").public_key


def query(version: int = 1, epoch: int = 1, scope: bytes = b"limits", elements: bytes = POINT):
    return struct.pack("<BIB", version, epoch, len(scope)) + scope + elements


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\1\0\0",
        query(version=2),
        query(elements=b""),
        query(elements=POINT[:-1]),
        query(elements=POINT * 1025),
        query(elements=bytes(33)),
        query(elements=b"\2" + b"\xff" * 32),
        query(scope=b""),
        query(scope=b"UPPER"),
        query(scope="é".encode()),
        query(scope=b"limits")[:8],
        b"\xff" * 200,
    ],
)
def test_requests_that_are_none_are_refused_and_the_service_lives_on(keys, request_bytes):
    service = make_service(keys)
    answer = service.answer("wallet", request_bytes)
    assert answer[0] == 1
    with pytest.raises(BadFrame, match="service says"):
        PseudonymClient(lambda _: answer, keys.public()).pseudonyms(["a"], scope="limits")
    assert client_of(service, keys).pseudonyms(["a"], scope="limits")


@pytest.mark.parametrize(
    "answer", [b"", b"\0", b"\0" + bytes(97), b"\0" + POINT * 2 + bytes(64), b"\2rubbish", b"\1"]
)
def test_answers_that_are_none_are_refused(keys, answer):
    with pytest.raises(BadFrame):
        PseudonymClient(lambda _: answer, keys.public()).pseudonyms(["a"], scope="limits")


def test_a_refusal_of_an_unknown_kind_is_still_a_refusal(keys):
    refusal = b"\1\4oopsit\xff broke"
    with pytest.raises(PseudonymError, match="broke"):
        PseudonymClient(lambda _: refusal, keys.public()).pseudonyms(["a"], scope="limits")


@pytest.mark.parametrize("scope", ["", "UPPER", "a b", "é", "x" * 101, "-a", b"bytes", None])
def test_scopes_that_are_none_are_refused_before_anything_is_sent(keys, scope):
    with pytest.raises(UsageError, match="scope"):
        PseudonymClient(pytest.fail, keys.public()).pseudonyms(["a"], scope=scope)


def test_ids_are_text_or_bytes(keys):
    with pytest.raises(UsageError, match="not int"):
        PseudonymClient(pytest.fail, keys.public()).pseudonyms([5], scope="limits")


def test_keys_are_kept_where_nobody_else_reads(keys, tmp_path):
    path = tmp_path / "keys"
    keys.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    secret = keys.key(1).dump().hex()
    assert secret in path.read_text()
    assert secret not in repr(keys)
    with pytest.raises(UsageError, match="pickle"):
        keys.__reduce_ex__(4)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        KeyRing.load(path)


def damaged(text: str) -> list[str]:
    values = json.loads(text)
    return [
        "{}",
        "[]",
        json.dumps({**values, "format": "another"}),
        json.dumps({**values, "last": 0}),
        json.dumps({**values, "epochs": values["epochs"] * 2}),
        json.dumps({**values, "epochs": [{**values["epochs"][0], "secret": "00" * 32}]}),
        json.dumps({**values, "epochs": [{**values["epochs"][0], "secret": "zz"}]}),
    ]


def test_a_file_of_keys_that_is_damaged_or_absent_is_refused(keys, tmp_path):
    path = tmp_path / "keys"
    with pytest.raises(ConfigError, match="rotate"):
        KeyRing.load(path)
    keys.save(path)
    for text in damaged(path.read_text()):
        path.write_text(text)
        with pytest.raises(ConfigError, match="damaged"):
            KeyRing.load(path)
    path.write_text("no json")
    with pytest.raises(ConfigError, match="not a file"):
        KeyRing.load(path)


def test_an_empty_ring_has_no_epoch():
    with pytest.raises(ScopeRefused, match="rotate"):
        _ = KeyRing().current
