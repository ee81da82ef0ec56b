"""``petcore psi`` and ``petcore train --align`` as in three terminals, and PSI between processes."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from petcore.cli.app import app
from petcore.csv_columns import read_csv, write_csv
from petcore.csv_ids import CsvIds
from petcore.errors import ConfigError
from petcore.trust.chain import verify
from tests.conftest import unboxed
from tests.demo.test_by_hand import at_both_parties, train
from tests.processes.conftest import companies as companies


def write_ids(folder: Path) -> tuple[list[str], list[str]]:
    gateway = [f"Kunde {n} é" for n in range(3000)]
    wallet = [f"Kunde {n} é" for n in range(2000, 6000)][::-1]
    write_csv(folder / "gateway.csv", {"phone": gateway, "x": np.arange(3000)})
    write_csv(folder / "wallet.csv", {"y": np.arange(4000), "phone": wallet})
    return gateway, wallet


def psi(configs: dict[str, Path], name: str, *more: str) -> list[str]:
    config = ["--config", str(configs[name]), "--ids", f"{name}.csv", "--column", "phone"]
    return ["psi", *config, "--json", *more]


@pytest.mark.processes
def test_two_companies_write_the_same_ids_under_the_same_numbers(configs: dict[str, Path]) -> None:
    folder = configs["gateway"].parent
    gateway, wallet = write_ids(folder)
    arguments = {n: psi(configs, n, "--out", f"{n}.out", "--memory", "1") for n in configs}
    ended = at_both_parties(configs, arguments)
    assert [code for code, _, _ in ended.values()] == [0, 0], ended
    records = [json.loads(out) for _, out, _ in ended.values()]
    assert [r["common"] for r in records] == [1000, 1000]
    assert [(r["own_ids"], r["other_ids"]) for r in records] == [(3000, 4000), (4000, 3000)]
    written = []
    for name, ids in (("gateway", gateway), ("wallet", wallet)):
        file = read_csv(folder / f"{name}.out")
        found = file.text("phone")
        assert list(found) == [i for i in ids if i in set(gateway) & set(wallet)]
        written.append(dict(zip(file.whole("match", low=0, high=999), found, strict=True)))
    assert written[0] == written[1]


@pytest.mark.processes
def test_one_company_alone_learns_how_many(configs: dict[str, Path]) -> None:
    folder = configs["gateway"].parent
    for name, ids in (("gateway", range(30)), ("wallet", range(20, 60))):
        write_csv(folder / f"{name}.csv", {"phone": list(ids)})
    arguments = {n: psi(configs, n, "--cardinality", "--to", "wallet") for n in configs}
    ended = at_both_parties(configs, arguments)
    assert [code for code, _, _ in ended.values()] == [0, 0], ended
    assert [json.loads(out)["common"] for _, out, _ in ended.values()] == [None, 10]


@pytest.mark.processes
def test_two_companies_train_on_the_rows_that_both_have(configs: dict[str, Path]) -> None:
    """The label follows the wallet's column but for noise: rows that are not aligned teach nothing."""
    folder = configs["gateway"].parent
    random = np.random.default_rng(0)
    x, paid = random.normal(size=400), random.exponential(1000, size=400)
    label = (3 * np.log1p(paid) - 19 + x + random.logistic(size=400) > 0).astype(int)
    first, second = random.permutation(400)[:330], random.permutation(400)[:350]
    write_csv(folder / "gateway.csv", {"CUSTOMER": first, "PAID": paid[first]})
    write_csv(folder / "wallet.csv", {"CUSTOMER": second, "AGE": x[second], "LATE": label[second]})
    ended = at_both_parties(configs, {n: train(configs, n, "--json", "--align") for n in configs})
    assert [code for code, _, _ in ended.values()] == [0, 0], ended
    gateway, wallet = (json.loads(out) for _, out, _ in ended.values())
    common = len(set(first) & set(second))
    assert gateway["rows_trained"] + gateway["rows_held_out"] == common
    assert wallet["auc"] > 0.7


@pytest.mark.processes
def test_two_processes_intersect_over_tls_and_log_what_they_disclose(companies) -> None:
    gateway, wallet, _ = companies.start_all("intersect", "20000")
    assert gateway.last_line()["result"] == wallet.last_line()["result"] == [10_000, 10_000]
    for name in ("gateway", "wallet"):
        assert verify(companies.configs[name].log).count == 3


@pytest.mark.processes
def test_a_large_set_takes_no_more_memory_than_it_is_allowed(companies) -> None:
    """800,000 ids on 32 MiB; what a process holds besides, such as freed pages, is 24 MiB at most."""
    gateway, wallet, _ = companies.start_all("intersect_memory", "800000")
    for process in (gateway, wallet):
        size, buckets, peak = process.last_line()["result"]
        assert (size, buckets) == (799_999, 8)
        assert peak < 56 << 20


@pytest.mark.processes
@pytest.mark.parametrize("victim", ["gateway", "wallet"])
def test_a_process_that_is_killed_while_sets_are_intersected_is_named(companies, victim) -> None:
    gateway, wallet, _ = companies.start_all("intersect_forever", "3000")
    parties = {"gateway": gateway, "wallet": wallet}
    assert gateway.line() == wallet.line() == {"state": "running"}
    parties.pop(victim).popen.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    for process in parties.values():
        ended = process.last_line()
        assert ended["error"] in ("PeerClosed", "PeerAborted")
        assert victim in ended["text"]
    assert time.monotonic() - killed < 5


def start(companies, correlations: str, *arguments: str) -> dict:
    started = (companies.start_pair if correlations == "ot" else companies.start_all)(*arguments)
    return dict(zip(("gateway", "wallet"), started[:2], strict=True))


@pytest.mark.processes
@pytest.mark.parametrize("correlations", ["dealer", "ot"])
def test_two_processes_compute_on_what_they_have_in_common_and_learn_the_results_alone(
    companies, correlations: str
) -> None:
    n = 5000
    common = np.arange(n // 2, n)  # of the gateway; the wallet counts them from 0
    total = int((common % 5 * (common - n // 2) * 3).sum())
    parties = start(companies, correlations, "turnover_in_common", f"{n}")
    for process in parties.values():
        assert process.last_line()["result"] == [n // 2, total]
    for name in parties:
        log = companies.configs[name].log
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [(line["kind"], line["label"]) for line in lines] == [
            ("open", "intersection of ids, shared: number of ids"),
            ("open", "how many in common"),
            ("open", "turnover in common"),
        ]
        assert verify(log).count == 3


@pytest.mark.processes
@pytest.mark.parametrize("victim", ["gateway", "wallet"])
def test_a_process_that_is_killed_while_they_compute_on_it_is_named(companies, victim) -> None:
    parties = start(companies, "dealer", "turnover_forever", "1000")
    assert all(process.line() == {"state": "running"} for process in parties.values())
    parties.pop(victim).popen.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    for process in parties.values():
        ended = process.last_line()
        assert ended["error"] in ("PeerClosed", "PeerAborted")
        assert victim in ended["text"]
    assert time.monotonic() - killed < 5


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--method", "kkrt"], "--method must be one of auto, rr22, ecdh"),
        (["--duplicates", "last"], "--duplicates must be one of refuse, first"),
        (["--out", "none/matches.csv"], "needs a folder that exists"),
        (["--out", "x.csv", "--cardinality"], "does not go with --cardinality"),
        (["--memory", "0"], "'--memory'"),
    ],
)
def test_a_wrong_option_is_refused_before_anyone_is_met(
    configs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, words: list[str], complaint: str
) -> None:
    monkeypatch.chdir(configs["gateway"].parent)
    done = CliRunner().invoke(app, psi(configs, "wallet", *words))
    assert done.exit_code == 2
    assert complaint in unboxed(done.stderr)
    assert "connecting" not in done.stderr


def test_ids_are_read_as_often_as_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffname, id\n"x, y", 7 \nz,"a""b"\n\n', encoding="utf-8")
    ids = CsvIds(path, "id")
    assert list(ids) == list(ids) == ["7", 'a"b']


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name\nx\n", "no column 'id'"),
        ("id,id\nx,y\n", "or two"),
        ("", "no column"),
        ("id,x\n1,2\n ,3\n", "line 3, column 'id'"),
        ("id,x\n1\n", "line 2"),
        ('id\n"a', "not a CSV file"),
        ("id\n\udcff\n", "not a CSV file in UTF-8"),
    ],
)
def test_a_file_without_ids_raises_and_never_quotes_a_cell(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=complaint):
        list(CsvIds(path, "id"))


def test_a_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        list(CsvIds(tmp_path / "none.csv", "id"))


def test_a_file_that_became_shorter_is_noticed(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", {"id": ["a", "b"]})
    with pytest.raises(ConfigError, match="changed"):
        CsvIds(tmp_path / "a.csv", "id").write_matches(tmp_path / "out.csv", np.array([0, 2]))
