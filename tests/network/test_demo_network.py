"""``petcore network``: a whole network of real processes, from its folder to its end."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.errors import ConfigError, PeerUnreachable, PeerUntrusted, PetcoreError
from petcore.network.acquirer.alipayplus.signing import SigningKey, VerifyingKey
from petcore.network.demo.merchant import Merchant
from petcore.network.demo.phone import agree, new_codes
from petcore.network.demo.place import existing, free_ports, make_place
from petcore.network.demo.running import MEMBERS, Running
from petcore.network.demo.status import look
from petcore.network.errors import PinRefused
from petcore.network.ledger import create_database
from tests.conftest import unboxed

SECONDS = 150


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (petcore network [^#\n]*)", README, re.MULTILINE)


def petcore(*args):
    """Run ``petcore network`` in this process; return what it printed and how it ended."""
    return CliRunner().invoke(app, ["network", *map(str, args)])


def processes_of(place):
    """Return the processes whose command line names the network's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"{place.root}/".encode() in command:
                found.append(int(entry.name))
    return found


def typed(command, folder):
    """Type a command of the README in a folder, by this interpreter's petcore."""
    return subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    making = typed(COMMANDS[0], folder)
    _, errors = making.communicate(timeout=SECONDS)
    assert making.returncode == 0, errors
    return existing(folder / "net")


@pytest.fixture(scope="module")
def down(tmp_path_factory):
    """Another network, which nobody starts."""
    return make_place(tmp_path_factory.mktemp("networks") / "down")


@pytest.fixture(scope="module")
def up(place):
    """The network as ``petcore network up`` runs it, stopped by Ctrl-C at the end."""
    child = typed(COMMANDS[1], place.root.parent)
    said = []
    for line in child.stderr:
        said.append(line)
        if "is up; Ctrl-C" in line:
            break
    assert "is up; Ctrl-C" in said[-1], "".join(said)
    assert len(processes_of(place)) == len(MEMBERS)
    yield child
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=SECONDS)
    assert child.returncode == 130
    assert processes_of(place) == []
    assert not any(row.healthy for row in look(place))


@pytest.fixture(scope="module")
def merchant(place, up):
    with Merchant(place) as client:
        yield client


def final(merchant, request, answer):
    """Return the result of a payment, asked for until it is known."""
    result = answer["result"]
    while result["resultStatus"] == "U":
        result = merchant.inquire(request).get("paymentResult", result)
    return result["resultCode"]


def test_a_payment_with_a_code_a_refund_of_a_part_and_of_the_rest(place, merchant):
    (code,) = new_codes(place, "alice")
    answer = merchant.pay("p-1", 1000, "SGD", code)
    assert final(merchant, "p-1", answer) == "SUCCESS"
    assert answer["paymentAmount"] == {"currency": "SGD", "value": "1000"}
    for refund, amount, code in (
        ("r-1", 400, "SUCCESS"),
        ("r-2", 601, "REFUND_AMOUNT_EXCEED"),
        ("r-3", 600, "SUCCESS"),
    ):
        told = merchant.refund("p-1", refund, amount, "SGD")
        while told["result"]["resultStatus"] == "U":
            told = merchant.refund("p-1", refund, amount, "SGD")
        assert told["result"]["resultCode"] == code
    done = merchant.inquire("p-1")["transactions"]
    assert [t["transactionRequestId"] for t in done if t["transactionStatus"] == "SUCCESS"] == [
        "r-1",
        "r-3",
    ]


def test_a_payment_is_cancelled(place, merchant):
    (code,) = new_codes(place, "bob")
    assert final(merchant, "p-2", merchant.pay("p-2", 500, "JPY", code)) == "SUCCESS"
    told = merchant.cancel("p-2")
    while told["result"]["resultStatus"] == "U":
        told = merchant.cancel("p-2")
    assert told["result"]["resultCode"] == "SUCCESS"
    known = merchant.inquire("p-2")
    assert known["paymentResult"]["resultCode"] == "ORDER_IS_CANCELED"
    assert [t["transactionType"] for t in known["transactions"]] == ["CANCEL"]


def test_a_user_agrees_at_the_wallets_page(place, merchant):
    answer = merchant.pay("p-3", 12, "KWD")
    assert answer["result"]["resultCode"] == "PAYMENT_IN_PROCESS"
    with pytest.raises(PetcoreError, match="status 403"):
        agree(place, answer["normalUrl"], "carol", pin="1")
    agree(place, answer["normalUrl"], "carol")
    assert final(merchant, "p-3", answer) == "SUCCESS"


def test_more_than_a_user_has_is_declined(place, merchant):
    (code,) = new_codes(place, "alice")
    answer = merchant.pay("p-4", 10_000_000, "EUR", code)
    assert final(merchant, "p-4", answer) == "USER_BALANCE_NOT_ENOUGH"


def test_a_code_needs_the_pin(place, up):
    with pytest.raises(PinRefused):
        new_codes(place, "alice", pin="1")
    with pytest.raises(PinRefused):
        new_codes(place, "nobody")


def test_a_merchant_believes_nobody_but_the_acquirer(place, merchant, monkeypatch):
    own = place.client / "SHOP_0001.rsa.pem"
    public = VerifyingKey.parse(SigningKey.load(own, "1").public_pem(), "1")
    monkeypatch.setattr(merchant, "_acquirer", public)
    with pytest.raises(PeerUntrusted, match="not signed by shop-bank"):
        merchant.inquire("p-1")


def test_the_commands_of_the_readme_work_word_for_word(place, up):
    words = [command.split()[2] for command in COMMANDS]
    assert words == ["init", "up", "pay", "status"]
    paying, looking = (typed(command, place.root.parent) for command in COMMANDS[2:])
    paid, errors = paying.communicate(timeout=SECONDS)
    assert json.loads(paid)["result"]["resultStatus"] == "S", errors
    assert looking.communicate(timeout=SECONDS)[0].count(" ok ") == len(MEMBERS)


def test_the_command_line_prints_codes_and_says_that_a_payment_was_not_made(place, up):
    assert len(petcore("code", place.root, "alice", "--count", "2").stdout.split()) == 2
    poor = petcore("pay", place.root, "100000000000")
    assert (poor.exit_code, "USER_BALANCE_NOT_ENOUGH" in poor.stdout) == (1, True)


def test_the_status_of_a_network_that_is_up(place, up, merchant):
    told = petcore("status", place.root, "--json")
    assert told.exit_code == 0
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    assert {name: row["word"] for name, row in rows.items()} == dict.fromkeys(MEMBERS, "ok")
    assert rows["node-a"]["numbers"]["rounds"] <= 4
    shown = petcore("status", place.root).stdout
    assert all(name in shown for name in MEMBERS)


def test_a_network_that_is_up_is_not_started_twice(place, up):
    second = petcore("up", place.root)
    assert (second.exit_code, "is up already" in unboxed(second.stderr)) == (2, True)
    assert up.poll() is None
    assert all(row.healthy for row in look(place))


def test_a_network_is_made_in_an_empty_folder_only(tmp_path):
    (tmp_path / "mine.txt").write_text("do not touch")
    told = petcore("init", tmp_path)
    assert (told.exit_code, "not an empty folder" in unboxed(told.stderr)) == (2, True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]


def test_a_database_that_is_there_already_is_not_taken(tmp_path, postgres):
    create_database(postgres, "petcore_taken")
    with pytest.raises(ConfigError, match="a database petcore_taken on this server already"):
        create_database(postgres, "petcore_taken")
    with pytest.raises(ConfigError, match="databases are made on a server"):
        create_database(f"sqlite:///{tmp_path}/x.db", "petcore_taken")


def test_private_keys_are_readable_by_their_owner_only(place):
    private = [*place.root.glob("*/*.key.pem"), *place.root.glob("*/*rsa.pem")]
    assert len(private) == 8
    assert {path.stat().st_mode & 0o077 for path in private} == {0}


@pytest.mark.parametrize("command", ["up", "status", "pay", "code"])
def test_a_folder_without_a_network_is_named(tmp_path, command):
    told = petcore(command, tmp_path)
    assert (told.exit_code, "holds no whole network" in unboxed(told.stderr)) == (2, True)


def test_a_network_that_is_down_says_so(down):
    told = petcore("status", down.root)
    assert told.exit_code == 1
    assert told.stdout.count("does not answer") == len(MEMBERS)
    with pytest.raises(PeerUnreachable, match="purse does not run"):
        new_codes(down, "alice")
    with Merchant(down) as client, pytest.raises(PeerUnreachable, match="shop-bank does not run"):
        client.inquire("p-1")


def test_a_member_that_cannot_start_takes_the_others_with_it(down):
    config = down.config("purse")
    config.write_text(config.read_text().replace("listen", "lisen", 1))
    with pytest.raises(PetcoreError, match=r"purse ended:(.|\n)*lisen"), Running(down):
        pass
    assert processes_of(down) == []


def test_a_folder_that_lacks_a_member_is_no_network(down):
    down.config("node-b").unlink()
    with pytest.raises(ConfigError, match=r"node-b\.toml is missing"):
        existing(down.root)


def test_ports_are_different_and_none_that_outgoing_connections_get():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert max(ports) < 32_768
