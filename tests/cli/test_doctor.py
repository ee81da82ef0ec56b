"""`petcore doctor`: a sound machine passes, a broken answer is found, a slow one is explained."""

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from petcore import _core, diagnosis
from petcore.cli import render
from petcore.cli.app import app
from petcore.errors import PeerUnreachable
from petcore.mpc import kernel_speed, known_answers


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    for console in (render.out, render.err):
        monkeypatch.setattr(console, "width", 400)


def doctor(*words, expect=0):
    done = CliRunner().invoke(app, ["doctor", *words], prog_name="petcore")
    assert done.exit_code == expect, done.output
    return done.stdout


def findings(*words, expect=0):
    document = json.loads(doctor("--json", *words, expect=expect))
    assert document["ok"] == (expect == 0)
    return {finding["name"]: finding for finding in document["findings"]}


@pytest.fixture
def broken(monkeypatch):
    """Replace one kernel by one that answers wrongly."""

    def replace(name, wrong):
        names = [n for n in dir(_core.kernels) if not n.startswith("_")]
        double = SimpleNamespace(**{n: getattr(_core.kernels, n) for n in names})
        setattr(double, name, wrong)
        monkeypatch.setattr(known_answers, "kernels", double)

    return replace


def test_a_sound_machine_passes_and_shows_what_it_has():
    said = doctor("--no-speed")
    assert "All well" in said
    for word in ("features", "target of prg", "threads", "OpenSSL of the links", "entropy source"):
        assert word in said


def test_every_target_that_runs_here_is_tried():
    names = findings("--no-speed")
    for kernel, targets in _core.kernels.targets().items():
        for target in targets:
            assert names[f"{kernel}, target {target}"]["verdict"] == "ok"


def test_a_wrong_product_of_words_is_found_and_ends_with_status_1(broken):
    def wrong(x, y, out=None, target=""):
        product = _core.kernels.mul(x, y, out, target)
        product[-1] ^= np.uint64(1)
        return product

    broken("mul", wrong)
    found = findings("--no-speed", expect=1)["ring, target portable"]
    assert found["verdict"] == "failed"
    assert "x * y" in found["detail"]
    assert "do not use it for data" in found["hint"]
    assert "Do not compute here" in doctor("--no-speed", expect=1)


def test_a_wrong_aes_is_held_against_the_published_vector(broken):
    broken("aes", lambda blocks, key, target="": np.zeros_like(blocks))
    found = findings("--no-speed", expect=1)["prg, target portable"]
    assert "FIPS 197" in found["detail"]


def test_a_kernel_that_raises_is_a_failed_self_test_not_a_crash(broken):
    def crash(*_, **__):
        raise ValueError("no such luck")

    broken("to_slices", crash)
    found = findings("--no-speed", expect=1)["bits, target portable"]
    assert "no such luck" in found["detail"]


def test_a_source_of_entropy_that_repeats_itself_is_found(broken):
    broken("random_bytes", bytes)
    assert findings("--no-speed", expect=1)["entropy source"]["verdict"] == "failed"


def test_a_loopback_that_is_closed_is_named(monkeypatch):
    def refuse(*_, **__):
        raise PeerUnreachable("gateway could not be reached")

    monkeypatch.setattr(diagnosis, "try_session", refuse)
    found = findings("--no-speed", expect=1)["session over TLS on loopback"]
    assert "gateway could not be reached" in found["detail"]
    assert "127.0.0.1" in found["hint"]


def test_the_speed_check_measures_every_kernel_within_ten_seconds():
    began = time.perf_counter()
    names = findings()
    assert time.perf_counter() - began < 20  # ten are promised to an idle machine
    for kernel in kernel_speed.EXPECTED:
        assert names[kernel]["verdict"] in ("ok", "slow")


def test_a_slow_kernel_is_no_failure_and_gets_a_hint(monkeypatch):
    targets = {name: dict.fromkeys(rows, 1e9) for name, rows in kernel_speed.EXPECTED.items()}
    monkeypatch.setattr(kernel_speed, "EXPECTED", targets)
    found = findings()["PRG"]
    assert found["verdict"] == "slow"
    assert "load" in found["hint"]


def test_a_forced_target_is_shown_and_blamed():
    done = subprocess.run(
        [sys.executable, "-m", "petcore", "doctor", "--json"],
        env=os.environ | {"PETCORE_TARGET": "portable"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    names = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert names["target of prg"]["detail"].startswith("portable (also runs ")
    assert "unset it" in names["PRG"]["hint"]


def test_a_target_that_cannot_run_here_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "petcore", "doctor"],
        env=os.environ | {"PETCORE_TARGET": "quantum"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "PETCORE_TARGET=quantum" in done.stderr
