"""The directory that all members of a network share."""

from datetime import timedelta

import pytest

from petcore.errors import ConfigError, UsageError
from petcore.network.directory import Directory

MEMBERS = "\n".join(
    f"""
[[participants]]
name = "{name}"
role = "{role}"
legal_entity = "{entity}"
url = "https://127.0.0.1:{port}"
certificate = "{name}.cert.pem"
fingerprint = "{port:064x}"
"""
    for name, role, entity, port in (
        ("node-a", "node_a", "Gateway Ltd", 9001),
        ("node-b", "node_b", "Trustee AG", 9002),
        ("purse", "mpp", "Purse Inc", 9003),
        ("shop-bank", "acqp", "Shop Bank", 9004),
    )
)
TERMS = """
[[agreements]]
id = "purse-shop-1"
mpp = "purse"
acqp = "shop-bank"
currencies = ["SGD", "JPY"]
fee_num = 3
fee_den = 1000

[[prefunding]]
mpp = "purse"
currency = "EUR"
amount = 5_000_000

[[rates]]
id = "r1"
source = "SGD"
target = "EUR"
num = 2
den = 3
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "network.toml"
        path.write_text('name = "demo"\n' + text)
        return path

    return write


def test_a_directory_answers_who_may_pay_whom_at_which_fee_and_rate(write):
    directory = Directory.load(write(MEMBERS + TERMS))
    assert directory.node_a.name == "node-a"
    assert directory.agreement("shop-bank", "purse", "JPY").fee(1001) == 4
    assert directory.rate("SGD", "EUR").convert(100) == 67
    assert directory.rate("JPY", "JPY").convert(7) == 7
    assert directory.prefunded("purse", "EUR") == 5_000_000
    assert directory.prefunded("purse", "JPY") == 0
    assert directory.cancel_until.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize("amount", [1, 2, 3, 332, 333, 334, 10**12])
def test_fees_and_conversions_are_the_smallest_integers_not_below_the_exact_value(write, amount):
    directory = Directory.load(write(MEMBERS + TERMS))
    agreement, rate = directory.agreement_by_id("purse-shop-1"), directory.rate("SGD", "EUR")
    assert 0 <= agreement.fee(amount) * agreement.fee_den - amount * agreement.fee_num < 1000
    assert 0 <= rate.convert(amount) * rate.den - amount * rate.num < rate.den


def test_a_retired_rate_is_found_by_its_id_only(write):
    new = '\n[[rates]]\nid = "r2"\nsource = "SGD"\ntarget = "EUR"\nnum = 3\nden = 4\n'
    directory = Directory.load(write(MEMBERS + TERMS + "retired = true\n" + new))
    assert [r.id for r in directory.rates_from("SGD")] == ["r2"]
    assert directory.rate("SGD", "EUR").id == "r2"
    assert directory.rate_by_id("r1").convert(100) == 67
    with pytest.raises(UsageError, match="no rate 'r3'"):
        directory.rate_by_id("r3")


def test_the_digest_changes_with_every_character(write):
    digest = Directory.load(write(MEMBERS + TERMS)).digest
    assert Directory.load(write(MEMBERS + TERMS + "\n")).digest != digest


@pytest.mark.parametrize("question", ["member", "agreement", "agreement_by_id", "rate"])
def test_an_unknown_name_is_refused_by_what_it_asks_for(write, question):
    directory = Directory.load(write(MEMBERS + TERMS))
    arguments = {"member": 1, "agreement": 3, "agreement_by_id": 1, "rate": 2}[question]
    with pytest.raises(UsageError, match=r"no|none"):
        getattr(directory, question)(*["XXX"] * (arguments - 1), "YYY")


def test_two_nodes_of_one_legal_entity_are_refused_unless_it_is_said(write):
    text = MEMBERS.replace("Trustee AG", "Gateway Ltd")
    with pytest.raises(ConfigError, match="same_controller = true"):
        Directory.load(write(text))
    assert Directory.load(write("same_controller = true\n" + text)).same_controller


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('role = "mpp"', 'role = "wallet"', "must be one of acqp"),
        ('role = "node_b"', 'role = "node_a"', "exactly one participant of role node_a"),
        ("https://127.0.0.1:9003", "http://127.0.0.1:9003", "https://host:port"),
        ('name = "purse"', 'name = "Purse!"', "1 to 63"),
        ('name = "shop-bank"', 'name = "purse"', "twice"),
        ('mpp = "purse"\nacqp', 'mpp = "shop-bank"\nacqp', "no participant of role mpp"),
        ("fee_num = 3", "fee_num = 3000", "from 0 to 1000"),
        ("fee_num = 3", "fee_num = 0.3", "whole number"),
        ('"JPY"]', '"JPX"]', "ISO 4217"),
        ('target = "EUR"', 'target = "SGD"', "is the source currency"),
        ("num = 2", "num = 0", "positive"),
        ("num = 2", f"num = {1 << 23}", "from 1 to"),
        ("amount = 5_000_000", "amout = 5", "did you mean|amout"),
        ("fee_den = 1000", "fee_den = 1000\nfee_dem = 1", "did you mean 'fee_den'"),
    ],
)
def test_what_does_not_fit_together_is_named_with_its_remedy(write, old, new, message):
    text = MEMBERS + TERMS
    assert old in text
    with pytest.raises(ConfigError, match=message):
        Directory.load(write(text.replace(old, new, 1)))


def test_a_missing_or_broken_file_is_named(tmp_path, write):
    with pytest.raises(ConfigError, match=r"network\.toml: cannot be read"):
        Directory.load(tmp_path / "network.toml")
    with pytest.raises(ConfigError, match="is no TOML file"):
        Directory.load(write("= ="))
