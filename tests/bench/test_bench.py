"""`python -m bench` as a person uses it: tiny runs, wrong options, what it writes."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ("--runs", "1", "--budget", "0.1")

pytestmark = pytest.mark.skipif(not (ROOT / "bench").is_dir(), reason="needs the checkout")


def bench(*words, expect=0, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def rows(*words, **environment):
    document = json.loads(bench("--json", "-", *TINY, *words, **environment).stdout)
    assert document["schema"] == "petcore-bench/1"
    return document, document["rows"]


def test_a_kernel_stands_beside_references_of_the_same_run():
    document, found = rows("--group", "kernels", "--filter", "10^4")
    assert {"uint64 add, 10^4", "uint64 sub, 10^4", "uint64 mul, 10^4"} == {
        r["name"] for r in found
    }
    ours = next(row for row in found if row["by"].startswith("petcore"))
    assert ours["reference"] == "NumPy out="
    assert ours["times_reference"] == pytest.approx(ours["reference_seconds"] / ours["median"])
    assert document["machine"]["targets"].keys() == {"prg", "ring", "bits", "fss"}


@pytest.mark.processes
def test_a_product_between_processes_has_time_rounds_bytes_and_error():
    _, (row,) = rows("--filter", "integer product", "--max-n", "1e3")
    assert (row["group"], row["n"], row["rounds"], row["error"]) == ("protocols", 1000, 1, 0.0)
    assert row["bytes_sent"] == 16_000
    assert row["offline_bytes"] > 0
    assert row["fastest"] <= row["median"] <= row["slowest"]
    assert row["reference_seconds"] > 0


@pytest.mark.processes
def test_an_intersection_has_the_bytes_of_both_parties_and_stands_beside_sets_in_clear():
    _, (row,) = rows("--group", "psi", "--filter", "rr22", "--max-n", "1e4")
    assert (row["group"], row["n"], row["rounds"]) == ("psi", 10_000, 6)
    assert 300_000 < row["bytes_sent"] < 600_000
    assert row["reference_seconds"] > 0


@pytest.mark.processes
def test_the_bytes_alone_stand_beside_other_lines_between_the_same_processes():
    _, found = rows("--group", "links", "--filter", "round")
    assert [row["by"] for row in found] == ["Python ssl", "petcore", "TCP in clear"]
    assert found[1]["times_reference"] > 0


@pytest.mark.processes
def test_a_line_is_slower_by_its_delay():
    document, (row,) = rows("--filter", "integer product", "--max-n", "1e3", "--link", "80ms,1Gbit")
    assert row["fastest"] >= 0.04
    assert document["link"]["round_trip_ms"] == 80
    assert document["link"]["bandwidth_mbit"] == 1000


@pytest.mark.processes
def test_the_table_is_for_people_and_json_goes_to_a_file_beside_it(tmp_path):
    file = tmp_path / "figures.json"
    told = ("--filter", "fixed-point product", "--max-n", "1e3", "--goals", "--json", str(file))
    said = bench(*told, *TINY).stdout
    for word in ("fixed-point product", "median", "rounds", "targets:", "TLS 1.3", "must reach"):
        assert word in said
    assert json.loads(file.read_text())["rows"]


@pytest.mark.processes
def test_a_peer_that_is_not_installed_is_named_with_where_to_read_more(tmp_path):
    home = {"HOME": str(tmp_path), "PETCORE_BENCH_SPU": str(tmp_path / "none")}
    said = bench("--filter", "integer product", "--max-n", "1e3", "--peers", *TINY, **home).stdout
    assert "who is trusted" in said
    for name in ("crypten", "spu"):
        assert f"{name}: not installed; bench/README.md says how" in said


@pytest.mark.processes
def test_a_peer_that_breaks_off_is_reported_and_costs_nothing_else(tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    python.chmod(0o755)
    told = ("--filter", "integer product", "--max-n", "1e3", "--peers", *TINY)
    said = bench(*told, "--peer-venv", f"spu={tmp_path}", HOME=str(tmp_path)).stdout
    assert "integer product" in said
    assert "gave 0 of 1 rows; no such module" in said


def test_a_peer_that_answers_stands_beside_petcore_with_its_trust(tmp_path):
    answers = [
        {"about": "SPU 9", "trust": "trusts everyone", "tls": False},
        {
            "group": "protocols",
            "name": "integer product",
            "n": 1000,
            "seconds": [5.0],
            "error": 0.0,
        },
    ]
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    lines = "\n".join(f"echo '{json.dumps(answer)}'" for answer in answers)
    python.write_text(f"#!/bin/sh\ncat > /dev/null\n{lines}\n")
    python.chmod(0o755)
    told = ("--filter", "integer product", "--max-n", "1e3", "--peers", *TINY)
    said = bench(*told, HOME=str(tmp_path), PETCORE_BENCH_SPU=str(tmp_path)).stdout
    assert "5 s, " in said
    assert "SPU 9: trusts everyone; no TLS" in said


@pytest.mark.processes
@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_a_plot_is_a_png(tmp_path):
    file = tmp_path / "cost.png"
    bench("--filter", "integer product", "--max-n", "1e3", "--plot", str(file), *TINY)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_plot_without_matplotlib_says_how_to_get_it(tmp_path):
    (tmp_path / "matplotlib.py").write_text("")
    code = (
        "import importlib.util, runpy, sys\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n, *r: None if n == 'matplotlib' else real(n, *r)\n"
        f"sys.argv = ['bench', '--plot', {str(tmp_path / 'x.png')!r}]\n"
        "runpy.run_module('bench', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'petcore[bench]'" in done.stderr


def test_counting_without_valgrind_says_how_to_get_it(tmp_path):
    said = bench("--callgrind", expect=1, PATH=str(tmp_path)).stderr
    assert "apt install valgrind" in said


def test_help_teaches_groups_links_and_examples():
    said = bench("--help").stdout
    for word in ("groups", "examples", "intercontinental", "dealer's work inside", "--peer-venv"):
        assert word in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--group", "kernel"], "'kernel' is none of kernels, links"),
        (["--max-n", "many"], "'many' is no number; write 100000 or 1e5"),
        (["--min-n", "1e6", "--max-n", "10"], "--min-n 1000000 is above --max-n 10"),
        (["--runs", "0"], "'0' is not between 1 and 1000"),
        (["--link", "moon"], "'moon' is no line; use lan, metro"),
        (["--link", "20ms,1Mbyte"], "is no line"),
        (["--plot", "x.pdf"], "--plot writes a PNG; call it x.png"),
        (["--json", "no/such/folder/x.json"], "is no folder to write to"),
        (["--peer-venv", "mpyc=/tmp"], "is not spu=DIR or crypten=DIR"),
        (["--peer-venv", "spu=/nowhere"], "has no bin/python"),
        (["--callgrind", "--peers"], "leave out --plot and --peers"),
    ],
)
def test_a_wrong_option_is_refused_with_what_to_write(words, expected):
    said = " ".join(bench(*words, expect=2).stderr.split())
    assert expected in said


def test_a_filter_that_leaves_nothing_is_said():
    assert "leave no row" in bench("--filter", "no such row", expect=1).stderr
