"""What crosses the wire is what it was, byte for byte, unless somebody decided otherwise."""

import json
import shutil
from pathlib import Path

import pytest

from . import entropy
from .record import BASELINE

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, cc")

EXPECTED = json.loads(BASELINE.read_text())
HOW = "if that is meant: python -m tests.wire.record, and commit baseline.json with the change"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list]]:
    done = entropy.run_again(entropy.build(tmp_path_factory.mktemp("wire")), "--print")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", EXPECTED)
def test_the_wire_says_what_it_said(case, recorded):
    assert case in recorded, f"{case}: is recorded no more; {HOW}"
    for way, expected in EXPECTED[case].items():
        found = recorded[case].get(way)
        assert found == expected, f"{case}: {way} changed; {HOW} (whole: {recorded[case]})"
    assert recorded[case].keys() == EXPECTED[case].keys(), f"{case}: other links; {HOW}"


def test_every_case_has_a_baseline(recorded):
    assert recorded.keys() == EXPECTED.keys(), HOW


def test_no_baseline_is_a_failure():
    assert not [case for case, said in EXPECTED.items() if "error" in said]


def test_without_replaced_randomness_nothing_is_recorded():
    done = entropy.run_again(Path("/dev/null"), "--print")
    assert done.returncode != 0
    assert "system's own" in done.stderr
