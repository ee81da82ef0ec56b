"""The command line as a person uses it, wrong input as much as right input."""

import signal
import socket
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest
from typer.testing import CliRunner

from petcore.cli import render
from petcore.cli.app import app
from petcore.config import load_config
from petcore.mpc.disclosure import Disclosure
from petcore.trust.identity import load_identity
from petcore.trust.log import DisclosureLog


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    for console in (render.out, render.err):
        monkeypatch.setattr(console, "width", 400)


def petcore(*words: object, expect: int = 0) -> Any:
    """Run a command in this process, as `petcore WORDS` would."""
    done = CliRunner().invoke(app, [str(word) for word in words], prog_name="petcore")
    assert done.exit_code == expect, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def petcore_process(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "petcore", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def log_file(tmp_path):
    path = tmp_path / "gateway.jsonl"
    with DisclosureLog(path, "gateway", session="spring") as log:
        for label in ("held-out AUC", "net position of [acme]"):
            log.record(
                Disclosure(
                    step=3,
                    label=label,
                    recipients=("wallet",),
                    shape=(4,),
                    dtype="int64",
                    purpose="settle",
                    agreement="DPA-1",
                    kind="reveal",
                )
            )
    return path


@pytest.mark.processes
def test_python_m_petcore_version_prints_the_installed_version():
    assert petcore_process("version").stdout == f"petcore {version('petcore')}\n"


@pytest.mark.parametrize(
    "command", ["keygen", "pin", "dealer", "log show", "log verify", "log repair", "version"]
)
def test_every_command_explains_itself(command):
    text = petcore(*command.split(), "--help").stdout
    assert "Usage: petcore " + command in text
    assert "Example: petcore " in text or command == "version"


def test_without_a_command_the_commands_are_listed():
    text = petcore(expect=2).stdout
    assert all(command in text for command in ("keygen", "dealer", "log", "version"))


def test_a_misspelt_option_is_wrong_use():
    assert "No such option: --nam" in petcore("keygen", "--nam", "x", expect=2).stderr


def test_keygen_makes_an_identity_and_tells_its_fingerprint_and_what_to_do_next(tmp_path):
    text = petcore("keygen", "--name", "gateway", "--out", tmp_path / "keys").stdout
    files = {path.name for path in (tmp_path / "keys").iterdir()}
    assert files == {"gateway.cert.pem", "gateway.key.pem", "gateway.toml"}
    identity = load_identity(
        tmp_path / "keys" / "gateway.cert.pem", tmp_path / "keys" / "gateway.key.pem"
    )
    assert identity.fingerprint in text
    assert "Next: send the certificate to wallet, dealer" in text
    assert f"petcore pin --config {tmp_path / 'keys' / 'gateway.toml'} wallet.cert.pem" in text


@pytest.fixture
def keys(tmp_path):
    for name in ("gateway", "wallet", "dealer"):
        petcore("keygen", "--name", name, "--out", tmp_path)
    return tmp_path


def test_the_configurations_of_keygen_work_once_the_peers_are_pinned(keys):
    for name in ("gateway", "wallet", "dealer"):
        others = [path for path in keys.glob("*.cert.pem") if path != keys / f"{name}.cert.pem"]
        text = petcore("pin", "--config", keys / f"{name}.toml", *others).stdout
        assert "all keys are pinned" in text
    configs = [load_config(keys / f"{name}.toml") for name in ("gateway", "wallet", "dealer")]
    assert len({(config.parties, config.dealer) for config in configs}) == 1


def test_pin_tells_whose_key_is_still_missing_and_so_does_a_later_command(keys):
    text = petcore("pin", "--config", keys / "dealer.toml", keys / "wallet.cert.pem").stdout
    assert "still without a key: gateway" in text
    done = petcore("dealer", "--config", keys / "dealer.toml", expect=2)
    assert "ask gateway for its gateway.cert.pem and run 'petcore pin'" in done.stderr


def test_pin_writes_where_the_others_listen(keys):
    at = ("--at", "gateway=10.1.2.3:7101", "--at", "dealer=[::1]:7100")
    petcore("pin", "--config", keys / "wallet.toml", *at)
    config = load_config(keys / "wallet.toml", draft=True)
    assert (config.parties[0].address, config.dealer.address) == ("10.1.2.3:7101", "[::1]:7100")


def test_pin_refuses_what_it_cannot_use_and_leaves_the_configuration_alone(keys, tmp_path):
    config = keys / "wallet.toml"
    before = config.read_bytes()
    petcore("keygen", "--name", "acme", "--parties", "acme,bank", "--out", tmp_path / "acme")
    petcore("keygen", "--name", "wallet", "--out", tmp_path / "other")
    for words, complaint in (
        ([], "nothing to pin"),
        ([keys / "none.cert.pem"], "cannot be read"),
        ([keys / "wallet.key.pem"], "is not a PEM certificate"),
        ([tmp_path / "acme" / "acme.cert.pem"], "'acme' is none of gateway, wallet, dealer"),
        ([tmp_path / "other" / "wallet.cert.pem"], "is not the certificate of this wallet"),
        (["--at", "gateway=10.1.2.3"], "not host:port"),
        (["--at", "acme=10.1.2.3:1"], "'acme' is none of gateway, wallet, dealer"),
    ):
        assert complaint in petcore("pin", "--config", config, *words, expect=2).stderr
    assert config.read_bytes() == before


def test_keygen_does_not_overwrite_a_key(tmp_path):
    petcore("keygen", "--name", "wallet", "--out", tmp_path)
    before = (tmp_path / "wallet.key.pem").read_bytes()
    done = petcore("keygen", "--name", "wallet", "--out", tmp_path, expect=2)
    assert "ConfigError (config)" in done.stderr
    assert "not overwritten" in done.stderr
    assert (tmp_path / "wallet.key.pem").read_bytes() == before


def test_keygen_for_a_party_that_is_not_listed_says_how_to_list_it(tmp_path):
    done = petcore("keygen", "--name", "acme", "--out", tmp_path, expect=2)
    assert "--parties acme,wallet" in done.stderr
    petcore("keygen", "--name", "acme", "--out", tmp_path, "--parties", "acme,bank")


@pytest.mark.parametrize("parties", ["gateway", "gateway,gateway", "gateway,The Bank", "gateway,"])
def test_keygen_refuses_a_list_of_parties_that_cannot_work(tmp_path, parties):
    petcore("keygen", "--name", "gateway", "--out", tmp_path, "--parties", parties, expect=2)
    assert not list(tmp_path.iterdir())


def test_log_show_prints_who_learned_what_and_why(log_file):
    text = petcore("log", "show", log_file).stdout
    for word in ("held-out AUC", "net position of [acme]", "wallet", "settle", "DPA-1", "4 int64"):
        assert word in text


def test_log_show_as_json_is_the_file_itself(log_file):
    assert petcore("log", "show", log_file, "--json").stdout == log_file.read_text()


def test_log_verify_prints_count_and_head_and_accepts_that_head_later(log_file):
    text = petcore("log", "verify", log_file).stdout
    assert "2 records, the chain holds" in text
    head = text.split()[-1]
    assert petcore("log", "verify", log_file, "--head", head).stdout == text
    log_file.write_text(log_file.read_text().splitlines(keepends=True)[0])
    assert "cut off" in petcore("log", "verify", log_file, "--head", head, expect=1).stderr


def test_a_tampered_log_fails_in_both_commands_and_names_the_line(log_file):
    log_file.write_text(log_file.read_text().replace("acme", "evil"))
    for command in ("verify", "show"):
        done = petcore("log", command, log_file, expect=1)
        assert "LogCorrupt (log)" in done.stderr
        assert "line 2" in done.stderr
        assert "evil" not in done.stdout


def test_log_repair_sets_a_torn_line_aside(log_file):
    content = log_file.read_bytes()
    log_file.write_bytes(content[:-9])
    assert "petcore log repair" in petcore("log", "verify", log_file, expect=1).stderr
    assert f"{log_file}.torn-2" in petcore("log", "repair", log_file).stdout
    assert "1 records" in petcore("log", "verify", log_file).stdout


def test_a_missing_log_is_one_readable_panel(tmp_path):
    done = petcore("log", "show", tmp_path / "none.jsonl", expect=1)
    assert "cannot be read (No such file or directory)" in done.stderr
    assert done.stdout == ""


@pytest.mark.processes
def test_an_error_is_no_traceback_unless_debug_is_given(tmp_path):
    plain = petcore_process("log", "show", tmp_path / "none.jsonl")
    assert (plain.returncode, plain.stdout) == (1, "")
    assert "LogCorrupt (log)" in plain.stderr
    assert "Traceback" not in plain.stderr
    debug = petcore_process("--debug", "log", "show", tmp_path / "none.jsonl")
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr
    assert "petcore.errors.LogCorrupt" in debug.stderr


def test_the_dealer_refuses_the_configuration_of_a_party(tmp_path, configs):
    done = petcore("dealer", "--config", configs["gateway"], expect=2)
    assert "configuration of gateway, not of the dealer" in done.stderr


def test_the_dealer_names_a_configuration_that_is_not_there(tmp_path):
    done = petcore("dealer", "--config", tmp_path / "none.toml", expect=2)
    assert "none.toml" in done.stderr


def test_the_dealer_names_an_address_that_is_in_use(configs):
    host, port = load_config(configs["dealer"]).dealer.host_port()
    with socket.create_server((host, port)):
        done = petcore("dealer", "--config", configs["dealer"], "--once", expect=2)
    assert f"{host}:{port}" in done.stderr
    assert "in use" in done.stderr


@pytest.mark.processes
def test_the_dealer_stops_on_ctrl_c_without_a_traceback(configs):
    command = [sys.executable, "-m", "petcore", "dealer", "--config", configs["dealer"]]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert "listening on" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        last_words = process.stderr.read()
    assert last_words.endswith("stopped\n")
    assert "Traceback" not in last_words
    assert process.returncode == 130
