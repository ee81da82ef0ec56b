"""`petcore keys` and `petcore catalogue`, as an operator uses them; in processes of their own."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.published import verify_receipt


def petcore(*words, expect=0):
    done = CliRunner().invoke(app, [str(word) for word in words], prog_name="petcore")
    assert done.exit_code == expect, done.output
    return done.output


@pytest.fixture
def member(tmp_path):
    options = ["--keys", tmp_path / "keys", "--name", "node-a"]
    public = tmp_path / "public"
    public.mkdir()
    petcore("keys", "make", *options, "--public", public)
    return options, public


def shown(options):
    return json.loads(petcore("keys", "show", *options, "--json"))["epochs"]


def test_the_life_of_an_epoch_from_current_to_erased(member, tmp_path):
    options, public = member
    assert [row["state"] for row in shown(options)] == ["current"]
    petcore("keys", "rotate", *options, "--public", public)
    assert [row["state"] for row in shown(options)] == ["opens only", "current"]
    out = tmp_path / "receipt.json"
    petcore("keys", "erase", *options, "--epoch", 1, "--public", public, "--out", out)
    assert [row["state"] for row in shown(options)] == ["erased", "current"]
    document = PublicKeys.load(public).published("node-a")
    assert verify_receipt(json.loads(out.read_text()), document)
    assert document.receipts == (json.loads(out.read_text()),)


def test_showing_keys_prints_a_table_without_private_keys(member, tmp_path):
    options, _ = member
    output = petcore("keys", "show", *options)
    assert "current" in output
    secret = next((tmp_path / "keys").glob("*.key")).read_text()
    assert all(secret[i : i + 20] not in output for i in range(0, len(secret) - 20, 20))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["erase", "--epoch", "1"], "usage"),
        (["erase", "--epoch", "7"], "usage"),
        (["make"], "config"),
    ],
)
def test_wrong_use_is_refused_with_its_code(member, words, code):
    options, _ = member
    assert f"({code})" in petcore("keys", words[0], *options, *words[1:], expect=2)


def test_keys_of_an_unknown_member_are_an_error(tmp_path):
    assert "(config)" in petcore("keys", "show", "--keys", tmp_path, "--name", "nobody", expect=2)


def test_keys_that_do_not_continue_the_published_ones_are_not_published(member, tmp_path):
    _, public = member
    KeyRing.make(tmp_path / "forger", "node-a")
    options = ["--keys", tmp_path / "forger", "--name", "node-a", "--public", public]
    assert "go on from" in petcore("keys", "rotate", *options, expect=2)


@pytest.mark.processes
def test_two_processes_rotate_and_the_running_one_opens_both_epochs(member, tmp_path):
    _, public = member
    KeyRing.make(tmp_path / "bank", "shop-bank")
    PublicKeys.load(public).update(KeyRing.load(tmp_path / "bank", "shop-bank").public())
    code = f"""
import sys
from petcore.network.envelope import compose
from petcore.network.keyring import KeyRing, PublicKeys
ring = KeyRing.load({str(tmp_path / "bank")!r}, "shop-bank")
message = compose("cancel", "r", {{"payment": "p", "mpp": "purse", "content": "ab" * 32}},
    ring=ring, keys=PublicKeys.load({str(public)!r}), expires_in=60, counter=1,
    to={{"mpp": "purse", "node_a": "node-a", "node_b": "node-b"}})
sys.stdout.buffer.write(message.to_bytes())
"""
    from petcore.network.envelope import Envelope, verify

    keys = PublicKeys.load(public)
    for epoch in (1, 2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        envelope = Envelope.from_bytes(done.stdout)
        assert envelope.header.key.startswith(f"{epoch}-")
        verify(envelope, keys, recipient="node-a")
        bank = ["--keys", tmp_path / "bank", "--name", "shop-bank", "--public", public]
        rotate = [sys.executable, "-m", "petcore", "keys", "rotate", *map(str, bank)]
        subprocess.run(rotate, capture_output=True, check=True)


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_the_catalogue_is_printed_whole(form):
    output = petcore("catalogue", "--format", form)
    assert "payment_token" in output
    if form == "json":
        assert json.loads(output)["fields"]


def test_an_unknown_format_of_the_catalogue_is_refused():
    assert "markdown, json" in petcore("catalogue", "--format", "xml", expect=2)
