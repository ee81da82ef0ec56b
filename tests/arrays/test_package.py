"""Importing petcore is quick and does nothing; what it offers is found where it is used."""

from __future__ import annotations

import doctest
import importlib
import json
import subprocess
import sys

import pytest

import petcore as pc

MODULES = ["petcore", "petcore.errors", "petcore.mpc.session", "petcore.mpc.shared_array"]


def child(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_importing_petcore_loads_neither_the_core_nor_numpy_and_starts_nothing() -> None:
    code = (
        "import sys, threading, json, petcore; "
        "print(json.dumps([sorted(sys.modules), threading.active_count()]))"
    )
    modules, threads = json.loads(child(code))
    assert threads == 1
    assert not {"numpy", "petcore._core", "petcore.mpc", "cryptography"} & set(modules)


def test_the_mpc_layer_does_not_reach_up() -> None:
    modules = child("import sys, petcore.mpc; print(' '.join(sys.modules))").split()
    above = ("trust", "training", "payments", "cli", "connecting", "config")
    assert not [m for m in modules if m.startswith("petcore.") and m.split(".")[1] in above]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="sessoin"):
        pc.sessoin  # noqa: B018


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("petcore")
    except PackageNotFoundError:
        pytest.skip("petcore is not installed but run from its tree")
    assert pc.__version__ == installed


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run_as_they_stand(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
