"""Share files: from edges to nodes, and from nodes to participants."""

import json
from pathlib import Path

import numpy as np
import pytest

from petcore.errors import ConfigError
from petcore.payments import (
    Outbox,
    Routes,
    SealingKey,
    combine_shares,
    load_batch,
    read_position,
    share_payments,
)
from petcore.payments.sealing import seal

NODES = ("gateway", "wallet")
PURPOSE = "payment shares"
AMOUNTS = "payment,mpp,acqp,currency,amount\np2,w,a,JPY,700\np1,w,a,EUR,1250\n"
LIMITS = "payment,mpp,acqp,currency,limit\np1,w,a,EUR,2000\np2,w,a,JPY,0\n"


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, SealingKey]:
    made = {name: SealingKey.make(name) for name in (*NODES, "a", "w")}
    for key in made.values():
        key.save(tmp_path)
    return made


def shared(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        share_payments(folder / f"{name}.csv", folder, nodes=NODES, keys=folder)


def batch_of(folder: Path, node: str, *names: str) -> list[Path]:
    return [folder / f"{name}.{node}.sealed" for name in names]


def test_both_nodes_shares_add_up_to_amounts_and_limits_joined_by_payment(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    shared(tmp_path, amounts=AMOUNTS, limits=LIMITS)
    a, b = (
        load_batch(batch_of(tmp_path, n, "amounts", "limits"), key=keys[n], nodes=NODES)
        for n in NODES
    )
    assert a.program == b.program
    assert a.routes.ids.tolist() == ["p1", "p2"]
    assert combine_shares([a.amount, b.amount]).tolist() == [1250, 700]
    assert combine_shares([a.limit, b.limit]).tolist() == [2000, 0]


def test_shares_of_two_different_sharings_are_noticed_by_the_program(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    text = AMOUNTS.replace("amount\n", "amount,limit\n").replace("0\n", "0,9999\n")
    shared(tmp_path, first=text)
    shared(tmp_path, second=text)
    a = load_batch(batch_of(tmp_path, "gateway", "first"), key=keys["gateway"], nodes=NODES)
    b = load_batch(batch_of(tmp_path, "wallet", "second"), key=keys["wallet"], nodes=NODES)
    assert a.program != b.program


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (AMOUNTS.replace("1250", "-1250"), "line 3, column 'amount': must be from 1"),
        (AMOUNTS.replace("1250", "12.50"), "line 3, column 'amount': is not a whole number"),
        (AMOUNTS.replace("1250", "1_250"), "line 3, column 'amount': is not a whole number"),
        (AMOUNTS.replace("1250", "9" * 30), "line 3, column 'amount': is not a whole number"),
        (AMOUNTS.replace("1250", "9" * 15), "line 3, column 'amount': must be from 1"),
        (AMOUNTS.replace("EUR", "EURO"), "line 3: unknown currency 'EURO'"),
        (AMOUNTS.replace("p2", "p1"), "line 3, column 'payment': occurs twice"),
        (AMOUNTS.replace("acqp", "acquirer"), "no column 'acqp'"),
        (AMOUNTS.replace("amount", "value"), "no column 'amount' or 'limit'"),
    ],
)
def test_a_bad_payments_file_is_refused_with_its_place(
    tmp_path: Path, keys: dict[str, SealingKey], text: str, what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        shared(tmp_path, bad=text)
    assert not list(tmp_path.glob("*.sealed"))


def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    other = LIMITS.replace("p1,w,a", "p1,w,b")
    shared(tmp_path, amounts=AMOUNTS, limits=LIMITS, other=other)
    for names, what in (
        (("amounts",), "no file has a column of limits"),
        (("amounts", "other"), "not for the same payments and routes"),
    ):
        with pytest.raises(ConfigError, match=what):
            load_batch(batch_of(tmp_path, "wallet", *names), key=keys["wallet"], nodes=NODES)
    with pytest.raises(ConfigError, match=r"is a share for wallet of \['gateway', 'wallet'\]"):
        load_batch(
            batch_of(tmp_path, "wallet", "amounts"), key=keys["wallet"], nodes=("wallet", "b")
        )


def test_an_envelope_opens_for_its_reader_and_purpose_only(tmp_path: Path) -> None:
    mine, other = SealingKey.make("me"), SealingKey.make("me")
    envelope = seal(b"content", mine.public, "me", "purpose")
    assert mine.open(envelope, "purpose") == b"content"
    changed = bytes([*envelope[:-1], envelope[-1] ^ 1])
    for key, content, purpose in (
        (other, envelope, "purpose"),
        (mine, envelope, "another"),
        (mine, changed, "purpose"),
        (mine, b"", "purpose"),
    ):
        with pytest.raises(ConfigError, match="cannot be opened"):
            key.open(content, purpose)


def test_private_files_are_the_owners_only_and_never_overwritten(tmp_path: Path) -> None:
    _, private = SealingKey.make("me").save(tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
    assert SealingKey.load(private).name == "me"
    with pytest.raises(ConfigError, match="not overwritten"):
        SealingKey.make("me").save(tmp_path)


def test_a_participant_adds_up_one_file_per_node_of_one_batch(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    shared(tmp_path, amounts=AMOUNTS, limits=LIMITS)
    batch = load_batch(
        batch_of(tmp_path, "gateway", "amounts", "limits"), key=keys["gateway"], nodes=NODES
    )
    halves = [
        np.array([7, 2**64 - 5, 9], np.uint64),
        np.array([3, 2**64 - 1, -9 % 2**64], np.uint64),
    ]
    for node, half in zip(NODES, halves, strict=True):
        outbox = Outbox.prepare(batch.routes, tmp_path / "out", node=node, keys=tmp_path)
        outbox.write({"a": half, "w": half})
    files = [tmp_path / "out" / f"a.{node}.sealed" for node in NODES]
    assert read_position(files, key=keys["a"]).net == {"EUR": 10, "JPY": -6}
    with pytest.raises(ConfigError, match="one share file per node"):
        read_position([files[0], files[0]], key=keys["a"])
    with pytest.raises(ConfigError, match="cannot be opened by w"):
        read_position(files, key=keys["w"])


def test_an_outbox_that_cannot_be_filled_is_refused_before_clearing(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    routes = Routes.of(["p1"], ["w"], ["a"], ["EUR"])
    (tmp_path / "w.gateway.sealed").touch()
    with pytest.raises(ConfigError, match=r"w\.gateway\.sealed exists"):
        Outbox.prepare(routes, tmp_path, node="gateway", keys=tmp_path)
    (tmp_path / "a.sealing.pub").unlink()
    with pytest.raises(ConfigError, match=r"a\.sealing\.pub: cannot be read"):
        Outbox.prepare(routes, tmp_path, node="wallet", keys=tmp_path)


def written(folder: Path, routes: Routes, node: str, share: list[int]) -> Path:
    outbox = Outbox.prepare(routes, folder, node=node, keys=folder.parent)
    words = np.array(share, np.uint64)
    outbox.write({"a": words, "w": words})
    return folder / f"a.{node}.sealed"


def test_a_participant_is_not_given_the_sum_of_two_runs_or_of_different_currencies(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    euro = Routes.of(["p1"], ["w"], ["a"], ["EUR"])
    mine = written(tmp_path / "1", euro, "gateway", [5, 77])
    for folder, theirs, what in (
        ("2", [6, 2**64 - 78], "different runs"),
        ("3", [6, 0], "different runs"),
    ):
        with pytest.raises(ConfigError, match=what):
            read_position([mine, written(tmp_path / folder, euro, "wallet", theirs)], key=keys["a"])
    header = {"kind": "net position shares", "node": "wallet", "participant": "a"}
    header["batch"] = euro.digest()
    for rows in ("JPY,6\ncheck,18446744073709551539", "check,6\nEUR,18446744073709551539"):
        content = json.dumps(header).encode() + b"\ncurrency,share\n" + rows.encode() + b"\n"
        other = tmp_path / "a.wallet.sealed"
        other.write_bytes(seal(content, keys["a"].public, "a", "net position shares"))
        with pytest.raises(ConfigError, match="different currencies"):
            read_position([mine, other], key=keys["a"])


@pytest.mark.parametrize("head", [b"", b"null", b"[" * 4000, b'{"kind": "other"}', b"\xff"])
def test_a_header_that_is_rubbish_is_refused(
    tmp_path: Path, keys: dict[str, SealingKey], head: bytes
) -> None:
    path = tmp_path / "x.gateway.sealed"
    path.write_bytes(seal(head + b"\na,b\n1,2\n", keys["gateway"].public, "gateway", PURPOSE))
    with pytest.raises(ConfigError, match=f"does not hold {PURPOSE}"):
        load_batch([path], key=keys["gateway"], nodes=NODES)


def test_an_edge_cannot_name_a_participant_like_a_path_or_send_one_payment_twice(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    with pytest.raises(ConfigError, match=r"bad\.csv: the participant '\.\./w' needs a name"):
        shared(tmp_path, bad=AMOUNTS.replace(",w,", ",../w,"))
    shared(tmp_path, first=AMOUNTS, again=AMOUNTS, limits=LIMITS)
    paths = batch_of(tmp_path, "wallet", "first", "again", "limits")
    with pytest.raises(ConfigError, match="amounts do not go together: a payment id occurs twice"):
        load_batch(paths, key=keys["wallet"], nodes=NODES)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, keys: dict[str, SealingKey]) -> None:
    shared(tmp_path, a=AMOUNTS, w=LIMITS)
    cut = tmp_path / "cut.gateway.sealed"
    cut.write_bytes((tmp_path / "a.gateway.sealed").read_bytes()[:-1])
    for path in (cut, tmp_path / "a.wallet.sealed", tmp_path / "a.csv"):
        with pytest.raises(ConfigError, match=f"{path.name}: the envelope cannot be opened"):
            load_batch([path], key=keys["gateway"], nodes=NODES)


def test_an_output_folder_that_is_a_file_is_refused(
    tmp_path: Path, keys: dict[str, SealingKey]
) -> None:
    (tmp_path / "a.csv").write_text(AMOUNTS, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a\.csv: cannot be made"):
        share_payments(tmp_path / "a.csv", tmp_path / "a.csv", nodes=NODES, keys=tmp_path)


@pytest.mark.parametrize("name", ["", "../shop", "a/b", ".hidden", "x" * 64, "a\nb"])
def test_a_recipient_whose_name_is_no_file_name_gets_no_key(name: str) -> None:
    with pytest.raises(ConfigError, match="must be 1 to 63 of"):
        SealingKey.make(name)
