"""Configurations: what is wrong is named with file, key and remedy."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from petcore.config import Limits, Link, Peer, Rule, load_config
from petcore.config_text import to_toml
from petcore.errors import ConfigError
from petcore.transfers import Transfers


@pytest.fixture
def file(gateway, tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(to_toml(gateway, tmp_path))
    return path


def edit(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return file


def test_what_is_written_is_read_back(gateway, tmp_path):
    config = replace(
        gateway,
        session='spring "q"\\\n\tüx',
        program="clearing",
        listen="0.0.0.0:7001",
        connect_wait=12.5,
        threads=3,
        limits=Limits(deadline=5.0, silence=2.0, inbox_bytes_max=1 << 22),
        link=Link(round_trip_ms=20.0, bandwidth_mbit=100.0),
        transfers=Transfers("silent", 100.0, checked=False),
        rules=(Rule("net *", ("wallet", "an edge"), "A-1"), Rule("auc", ("*",))),
        source=str(tmp_path / "gateway.toml"),
    )
    (tmp_path / "gateway.toml").write_text(to_toml(config, tmp_path), encoding="utf-8")
    assert load_config(tmp_path / "gateway.toml") == config


@pytest.mark.parametrize("rules", [None, ()])
def test_no_rules_and_an_empty_list_of_rules_are_different(gateway, tmp_path, rules):
    (tmp_path / "c.toml").write_text(to_toml(replace(gateway, rules=rules), tmp_path))
    assert load_config(tmp_path / "c.toml").rules == rules


def test_without_a_dealer_no_dealer_is_listed(gateway, tmp_path):
    config = replace(gateway, dealer=None, correlations="ot", source=str(tmp_path / "c.toml"))
    (tmp_path / "c.toml").write_text(to_toml(config, tmp_path), encoding="utf-8")
    assert load_config(tmp_path / "c.toml") == config
    assert [peer.name for peer in config.everyone] == ["gateway", "wallet"]


def test_a_dealer_may_be_listed_that_is_not_used(gateway, tmp_path):
    config = replace(gateway, correlations="ot", source=str(tmp_path / "c.toml"))
    (tmp_path / "c.toml").write_text(to_toml(config, tmp_path), encoding="utf-8")
    assert load_config(tmp_path / "c.toml") == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dealer": None}, r"dealer is missing \(a table\); or set correlations = \"ot\""),
        ({"correlations": "luck"}, r"correlations is 'luck'; write \"dealer\" or \"ot\""),
        (
            {"name": "dealer", "dealer": None, "correlations": "ot"},
            "dealer is missing .* in the dealer's own file",
        ),
    ],
)
def test_a_source_of_correlations_that_cannot_be_is_refused(gateway, changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(gateway, **changes).validate()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", Transfers()),
        ("link_mbit = 200", Transfers(link_mbit=200)),
        ('method = "softspoken"', Transfers("softspoken")),
        ("checked = false", Transfers(checked=False)),
        ('method = "silent"\nchecked = false', Transfers("silent", checked=False)),
    ],
)
def test_transfers_are_read_from_a_table(file, text, read):
    assert load_config(edit(file, "[limits]", f"[transfers]\n{text}\n[limits]")).transfers == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('method = "ferret"', r"transfers.method is 'ferret'; write \"auto\" or"),
        ("link_mbit = 0", "transfers.link_mbit must be positive"),
        ("link_mbit = 2e6", "transfers.link_mbit must be above 0 and at most 1000000"),
        ('link_mbit = "fast"', "transfers.link_mbit must be a number"),
        ("checked = 1", "transfers.checked must be true or false"),
        ('method = "silent"', "transfers.checked is true.*set it to false as well, or method"),
        ('method = "silent"\nchecked = true', "transfers.checked is true"),
        ("link_speed = 100", "transfers.link_speed is not a key that petcore knows"),
    ],
)
def test_transfers_that_cannot_be_are_refused(file, text, message):
    edit(file, "[limits]", f"[transfers]\n{text}\n[limits]")
    with pytest.raises(ConfigError, match=message):
        load_config(file)


def test_relative_paths_are_relative_to_the_file(file, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    config = load_config(file)
    assert config.key == tmp_path / "gateway.key.pem"
    assert config.log == tmp_path / "gateway.disclosures.jsonl"


def test_the_order_of_the_parties_is_the_party_index(gateway):
    assert gateway.names == ["gateway", "wallet"]
    assert [replace(gateway, name=name).party for name in ("gateway", "wallet", "dealer")] == [
        0,
        1,
        2,
    ]


def test_a_fingerprint_may_be_written_in_capitals(gateway, file):
    pinned = gateway.parties[0].fingerprint
    assert load_config(edit(file, pinned, pinned.upper())) == replace(gateway, source=str(file))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("session =", "sesion =", r"sesion is not a key.*did you mean 'session'\?"),
        ("deadline", "dead_line", r"limits\.dead_line is not a key.*did you mean 'deadline'"),
        ("[limits]", "[limit]", r"limit is not a key.*did you mean 'limits'"),
        ("[limits]", "[zzz]", r"zzz is not a key.*known here: .*limits"),
        ('name = "wallet"', 'nam = "wallet"', r"parties\[1\]\.name is missing.*'nam' is there"),
        ('name = "gateway"', "", r"name is missing \(text in quotes\)"),
        ('name = "gateway"', "name = 7", r"name must be text in quotes; it is 7"),
        ('name = "gateway"', 'name = "bank"', r"'bank' is none of gateway, wallet, dealer"),
        ("[identity]", "[identities]", r"identity is missing.*'identities' is there"),
        ("deadline = 30.0", 'deadline = "30"', r"limits\.deadline must be a number, such as 30"),
        ("deadline = 30.0", "deadline = true", r"limits\.deadline must be a number"),
        ("deadline = 30.0", "deadline = 0", r"limits\.deadline must be positive"),
        ("deadline = 30.0", "deadline = inf", r"limits\.deadline must be positive"),
        ("deadline = 30.0", "deadline = nan", r"limits\.deadline must be positive"),
        ("max = 65536", "max = 65536.5", r"message_bytes_max must be a whole number"),
        ("silence = 1.5", "silence = 0.5", r"silence must be at least twice"),
        ("[identity]", "threads = 0\n[identity]", r"threads must be positive"),
        ("[identity]", "threads = 2.5\n[identity]", r"threads must be a whole number"),
        ("[identity]", "threads = 5000\n[identity]", r"threads must be between 1 and 1024"),
        ('"127.0.0.1:7001"', '"127.0.0.1"', r"address of gateway.*host:port"),
        ('"127.0.0.1:7001"', '"127.0.0.1:70000"', r"address of gateway.*65535"),
        ('"127.0.0.1:7001"', '"127.0.0.1:0"', r"address of gateway.*1 to 65535"),
        ('"127.0.0.1:7001"', '":7001"', r"address of gateway.*host:port"),
        ('"127.0.0.1:7001"', '""', r"address of gateway"),
        ("[identity]", 'listen = "7001"\n[identity]', r"listen is '7001', not host:port"),
        ('address = "127.0.0.1:7001"', "", r"parties\[0\]\.address is missing"),
        ('name = "wallet"', 'name = "gateway"', r"distinct names"),
        ('name = "wallet"', 'name = "dealer"', r"none of them 'dealer'"),
        ('name = "wallet"', 'name = "The Wallet"', r"'The Wallet' must be 1 to 63 of"),
        ("[disclosure]", "[[disclosure]]", r"disclosure must be a table"),
        ("[[parties]]", "[parties]", r"is not TOML"),
        ("[limits]", "[limits", r"is not TOML: .*line"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_remedy(file, old, new, message):
    with pytest.raises(ConfigError, match=f"{re.escape(str(file))}: .*{message}"):
        load_config(edit(file, old, new))


@pytest.mark.parametrize("fingerprint", ["", "12ab", "g" * 64, "0" * 63])
def test_a_fingerprint_that_is_none_says_whom_to_ask(gateway, fingerprint):
    wallet = replace(gateway.parties[1], fingerprint=fingerprint)
    with pytest.raises(ConfigError, match=r"fingerprint of wallet.*ask wallet.*petcore pin"):
        replace(gateway, parties=(gateway.parties[0], wallet)).validate()


def test_one_party_alone_is_refused(gateway):
    with pytest.raises(ConfigError, match="at least two"):
        replace(gateway, parties=gateway.parties[:1]).validate()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('label = "x"', r"disclosure\.rules\[0\]\.to is missing"),
        ('label = "x"\nto = "wallet"', r"rules\[0\]\.to must be a list"),
        ('label = "x"\nto = [1]', r"rules\[0\]\.to must be a list of texts"),
        ('label = "x"\nto = []', r"disclosure\.rules must name a recipient"),
        ('label = "x"\nto = ["*"]\nagrement = "A"', r"agrement is not a key.*'agreement'"),
    ],
)
def test_a_rule_that_is_incomplete_is_refused(file, rule, message):
    edit(file, "[limits]", f"[[disclosure.rules]]\n{rule}\n\n[limits]")
    with pytest.raises(ConfigError, match=message):
        load_config(file)


def test_a_missing_file_is_named_with_the_command_that_writes_one(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml.*No such file.*petcore keygen"):
        load_config(tmp_path / "none.toml")


def test_a_binary_file_is_not_toml(tmp_path):
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(tmp_path / "c.toml")


@pytest.mark.parametrize(
    ("address", "split"),
    [("10.0.0.7:7001", ("10.0.0.7", 7001)), ("[::1]:80", ("::1", 80)), ("node.a:1", ("node.a", 1))],
)
def test_an_address_splits_into_host_and_port(address, split):
    assert Peer("x", address, "").host_port() == split


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("round_trip_ms = -1", r"link\.round_trip_ms must be positive or 0"),
        ("round_trip_ms = 30000", r"link\.round_trip_ms must be between 0 and 20000"),
        ("round_trip_ms = 2000", r"limits\.silence must be longer than link\.round_trip_ms"),
        ("bandwidth_mbit = 0.001", r"link\.bandwidth_mbit must be between 0\.01"),
        ("bandwidth = 10", r"link\.bandwidth is not a key.*bandwidth_mbit"),
    ],
)
def test_a_line_that_cannot_be_imitated_is_refused(file, row, expected):
    file.write_text(f"{file.read_text()}\n[link]\n{row}\n")
    with pytest.raises(ConfigError, match=expected):
        load_config(file)


def test_a_link_that_is_left_out_is_not_slowed_down(file):
    assert load_config(file).link == Link()
    file.write_text(f"{file.read_text()}\n[link]\nround_trip_ms = 0\n")
    assert load_config(file).link == Link()
