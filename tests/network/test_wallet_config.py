"""The wallet edge's configuration: what it says of files that cannot work."""

import pytest

from petcore.errors import ConfigError
from petcore.network.wallet.config import WalletConfig

GOOD = """
name = "purse"
listen = "127.0.0.1:9003"
database = "sqlite:///purse.db"
directory = "../network.toml"
certificate = "purse.cert.pem"
key = "purse.key.pem"
keys = "keys"
public = "../public"
"""


def load(tmp_path, text):
    path = tmp_path / "purse.toml"
    path.write_text(text)
    return WalletConfig.load(path)


def test_paths_are_relative_to_the_file(tmp_path):
    config = load(tmp_path, GOOD)
    assert config.database == f"sqlite:///{tmp_path}/purse.db"
    assert config.directory == tmp_path / "../network.toml"
    assert (config.cashier, config.hold_seconds, config.consults) == (None, 600.0, 3)


def test_databases_elsewhere_stay_where_they_are(tmp_path):
    for url in ("sqlite:////var/lib/purse.db", "postgresql://purse@db/purse"):
        assert load(tmp_path, GOOD.replace("sqlite:///purse.db", url)).database == url


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("name", "nmae"), "nmae"),
        (('listen = "127.0.0.1:9003"', ""), "listen is missing"),
        (('"127.0.0.1:9003"', "9003"), "listen must be text"),
        (('"127.0.0.1:9003"', '"127.0.0.1"'), "listen"),
        (('"keys"', "[]"), "keys must be text"),
        (("", "[cashier]\nlisten = '127.0.0.1:1'\n"), "cashier.url is missing"),
        (("", "[cashier]\nlisten = 'x'\nurl = 'https://x'\n"), "cashier.listen"),
        (("", "[cashier]\nlisten = '127.0.0.1:1'\nurl = 'ftp://x'\n"), "cashier.url"),
        (("", "[limits]\nhold_seconds = -1\n"), "limits.hold_seconds must be positive"),
        (("", "[limits]\nconsults = 1.5\n"), "limits.consults must be a whole number"),
        (("", "[limits]\ncode_secnods = 1\n"), "did you mean 'code_seconds'"),
        (("", "features = 65\n"), "features must be"),
        (("", "features = 1.5\n"), "features must be"),
        (("", "features = true\n"), "features must be"),
        (("", "= ="), "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, complaint):
    old, new = change
    text = GOOD.replace(old, new, 1) if old else GOOD + new
    with pytest.raises(ConfigError, match=r"purse\.toml") as met:
        load(tmp_path, text)
    assert complaint in str(met.value)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        WalletConfig.load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml"):
        WalletConfig.load(tmp_path / "binary.toml")
