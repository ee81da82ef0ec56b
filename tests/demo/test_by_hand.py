"""``petcore train`` and ``petcore clear`` as in three terminals, on small CSV files."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import unboxed
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.config import load_config
from petcore.config_text import to_toml
from petcore.csv_columns import write_csv
from petcore.network.circuit import FeatureScale, RiskModel

pytestmark = pytest.mark.processes

PETCORE = [sys.executable, "-P", "-m", "petcore"]


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*PETCORE, *arguments],
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def at_both_parties(
    configs: dict[str, Path], arguments: dict[str, list[str]], *, dealer: bool = True
) -> dict[str, tuple[int, str, str]]:
    """Run dealer, gateway and wallet; return exit code, stdout and stderr by party."""
    folder = configs["gateway"].parent
    deal = ["dealer", "--once", "--config", str(configs["dealer"])]
    with (
        started(*deal, cwd=folder) if dealer else nullcontext(),
        started(*arguments["gateway"], cwd=folder) as gateway,
        started(*arguments["wallet"], cwd=folder) as wallet,
    ):
        ended = {}
        for name, process in (("gateway", gateway), ("wallet", wallet)):
            out, err = process.communicate(timeout=60)
            ended[name] = (process.returncode, out, err)
    return ended


def petcore(*arguments: str) -> str:
    """Run a command that talks to nobody, in this process."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def tables(folder: Path) -> None:
    random = np.random.default_rng(0)
    x, paid = random.normal(size=300), random.exponential(1000, size=300)
    label = (x + 0.5 * np.log1p(paid) - 3 + random.logistic(size=300) > 0).astype(int)
    ids, shuffled = np.arange(300), random.permutation(300)
    write_csv(folder / "gateway.csv", {"CUSTOMER": ids, "PAID": paid})
    wallet = {"CUSTOMER": ids, "AGE": x, "LATE": label}
    write_csv(folder / "wallet.csv", {name: column[shuffled] for name, column in wallet.items()})


def train(configs: dict[str, Path], name: str, *more: str) -> list[str]:
    own = ["--label", "LATE"] if name == "wallet" else ["--amount", "PAID"]
    config = ["--config", str(configs[name]), "--data", f"{name}.csv", "--id", "CUSTOMER"]
    return ["train", *config, *own, "--steps", "4", *more]


def make_do_without_dealer(configs: dict[str, Path]) -> None:
    for name in ("gateway", "wallet"):
        config = replace(load_config(configs[name]), dealer=None, correlations="ot")
        configs[name].write_text(to_toml(config, configs[name].parent), encoding="utf-8")


@pytest.mark.parametrize("correlations", ["dealer", "ot"])
def test_two_companies_train_on_their_own_files(
    configs: dict[str, Path], correlations: str
) -> None:
    folder = configs["gateway"].parent
    tables(folder)
    if correlations == "ot":
        make_do_without_dealer(configs)
    arguments = {n: train(configs, n, "--json", "--scores", f"{n}.scores") for n in configs}
    ended = at_both_parties(configs, arguments, dealer=correlations == "dealer")
    assert [code for code, _, _ in ended.values()] == [0, 0], ended
    gateway, wallet = (json.loads(out) for _, out, _ in ended.values())
    assert gateway["auc"] is None
    assert wallet["auc"] > 0.6
    assert gateway["label_party"] == "wallet"
    assert (gateway["rows_trained"], gateway["rows_held_out"], gateway["columns"]) == (240, 60, 2)
    assert len((folder / "wallet.scores").read_text(encoding="utf-8").splitlines()) == 61
    assert not (folder / "gateway.scores").exists()


def test_two_companies_keep_a_model_that_neither_knows(configs: dict[str, Path]) -> None:
    folder = configs["gateway"].parent
    tables(folder)
    kept = ["--keep", "fraud.share", "--version", "fraud-1", "--threshold", "0.4", "--json"]
    arguments = {name: train(configs, name, *kept) for name in ("gateway", "wallet")}
    for name, words in arguments.items():
        words[words.index("fraud.share")] = f"{name}.share"
    ended = at_both_parties(configs, arguments)
    assert [code for code, _, _ in ended.values()] == [0, 0], ended
    mine, theirs = (RiskModel.load(folder / f"{name}.share") for name in arguments)
    assert mine.name == theirs.name
    assert mine.threshold == theirs.threshold < 0
    weights = (mine.weights + theirs.weights).view(np.int64) / 2.0**18
    assert (weights > 0.2).all()
    assert FeatureScale.load(folder / "wallet.share.scale").names == ("AGE",)


def test_a_model_to_keep_needs_a_version_and_a_new_file(configs: dict[str, Path]) -> None:
    folder = configs["gateway"].parent
    tables(folder)
    (folder / "old.share").touch()
    for more, said in (
        (["--keep", "a.share"], "--version"),
        (["--keep", "old.share", "--version", "v"], "not overwritten"),
        (["--keep", "nowhere/a.share", "--version", "v"], "no folder"),
    ):
        with started(*train(configs, "wallet", *more), cwd=folder) as process:
            _, err = process.communicate(timeout=30)
        assert process.returncode == 2
        assert said in unboxed(err)


def test_different_options_are_named_at_both_parties(configs: dict[str, Path]) -> None:
    tables(configs["gateway"].parent)
    arguments = {
        "gateway": train(configs, "gateway"),
        "wallet": train(configs, "wallet", "--test-fraction", "0.5"),
    }
    for code, _, err in at_both_parties(configs, arguments).values():
        assert code == 1
        said = "".join(err.split())
        assert "HandshakeMismatch" in said
        assert "test_fraction=0.5" in said


def test_a_bad_file_is_refused_before_anyone_is_met(configs: dict[str, Path]) -> None:
    folder = configs["gateway"].parent
    (folder / "wallet.csv").write_text("CUSTOMER,AGE,LATE\n1,nan,0\n", encoding="utf-8")
    with started(*train(configs, "wallet"), cwd=folder) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "line 2, column 'AGE': is NaN" in unboxed(err)


def test_nodes_clear_payments_that_they_cannot_read(
    configs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = configs["gateway"].parent
    monkeypatch.chdir(folder)
    for name in ("gateway", "wallet", "shop", "purse"):
        petcore("sealkey", "--name", name, "--out", ".")
    route = {"payment": ["p1", "p2", "p3"], "mpp": ["purse"] * 3, "acqp": ["shop"] * 3}
    route["currency"] = ["EUR", "EUR", "JPY"]
    write_csv(folder / "shop.csv", route | {"amount": [1000, 2000, 300]})
    write_csv(folder / "purse.csv", route | {"limit": [1500, 1500, 1500]})
    for edge in ("shop", "purse"):
        petcore("share", f"{edge}.csv", "--out", "in", "--keys", ".")
    ended = at_both_parties(configs, {name: clear(configs, name) for name in configs})
    assert [code for code, _, _ in ended.values()] == [0, 0], ended
    nets: dict[str, Any] = {}
    for participant in ("shop", "purse"):
        files = [f"out/{participant}.{node}.sealed" for node in ("gateway", "wallet")]
        key = ["--key", f"{participant}.sealing.key"]
        nets[participant] = json.loads(petcore("combine", *files, *key, "--json"))["net"]
    assert nets == {"shop": {"EUR": 1000, "JPY": 300}, "purse": {"EUR": -1000, "JPY": -300}}


def clear(configs: dict[str, Path], name: str) -> list[str]:
    shares = [f"--payments=in/{edge}.{name}.sealed" for edge in ("shop", "purse")]
    keys = ["--key", f"{name}.sealing.key", "--keys", "."]
    rest = ["--out", "out", "--min-count", "1"]
    return ["clear", "--config", str(configs[name]), *shares, *keys, *rest]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--C", "-1"], "--C must be a positive number"),
        (["--C", "nan"], "--C must be a positive number"),
        (["--steps", "0"], "'--steps'"),
        (["--batch-size", "0"], "'--batch-size'"),
        (["--split-seed", "-1"], "'--split-seed'"),
        (["--scores", "none/scores.csv"], "there is no folder none"),
    ],
)
def test_a_wrong_option_is_refused_before_anyone_is_met(
    configs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, words: list[str], complaint: str
) -> None:
    monkeypatch.chdir(configs["gateway"].parent)
    tables(Path())
    done = CliRunner().invoke(app, train(configs, "wallet", *words))
    assert done.exit_code == 2
    assert complaint in unboxed(done.stderr)
    assert "connecting" not in done.stderr
