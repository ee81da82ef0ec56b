"""Threads share large work and change no result."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import petcore as pc
from petcore import _core
from petcore.errors import UsageError
from petcore.threads import THREADS_MAX, thread_count

from .reference import words

kernels = _core.kernels
ROOT = Path(__file__).parents[2]
LARGE = 2_500_001  # enough to be shared by four threads
MATRICES = [(300, 200, 290), (131, 640, 211), (23, 40_000, 23), (40_000, 300, 1), (6, 300, 9000)]


@pytest.mark.parametrize("threads", [2, 5])
def test_matrix_products_are_the_same_with_any_number_of_threads(threads):
    for m, k, n in MATRICES:
        a, b = words((m, k), 1), words((k, n), 2)
        expected = kernels.matmul(a, b)
        assert (kernels.matmul(a, b, threads=threads) == expected).all(), (m, k, n)
        flipped = kernels.transpose(a)
        assert (kernels.matmul_transposed(flipped, b, threads=threads) == expected).all(), (m, k, n)


@pytest.mark.parametrize("threads", [2, 5])
def test_long_vectors_combine_the_same_with_any_number_of_threads(threads):
    x, y = words(LARGE, 1), words(LARGE, 2)
    assert (kernels.add(x, y, threads=threads) == x + y).all()
    assert (kernels.mul(x, y, threads=threads) == x * y).all()
    assert (kernels.scale(x, 5, threads=threads) == x * np.uint64(5)).all()
    assert (kernels.shift_right(x, 7, threads=threads) == x >> np.uint64(7)).all()
    assert (kernels.neg(x, threads=threads) == -x).all()
    assert (kernels.mul_add2(x, y, y, y, x, threads=threads) == x * y + y * y + x).all()
    assert kernels.sum(x, threads=threads) == int(x.sum())


def test_a_session_with_threads_multiplies_as_one_without():
    rng = np.random.default_rng(5)
    a, b = rng.integers(-1000, 1000, (300, 200)), rng.integers(-1000, 1000, (200, 290))

    def program(session):
        x = session.input(a if session.party == 0 else None, owner=0)
        y = session.input(b if session.party == 1 else None, owner=1)
        masked = session.mask(x)
        return [session.open(z, label="product") for z in (x @ y, x.T @ x, masked @ y)]

    for products in pc.simulate(program, threads=3):
        for got, expected in zip(products, (a @ b, a.T @ a, a @ b), strict=True):
            assert (got == expected).all()


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, THREADS_MAX + 1])
def test_a_number_of_threads_that_cannot_be_raises(threads):
    with pytest.raises(UsageError, match="threads"):
        thread_count(threads)
    with pytest.raises(UsageError, match="threads"):
        pc.simulate(lambda session: None, threads=threads)


def test_the_kernels_refuse_no_threads_and_too_many():
    for threads in (0, THREADS_MAX + 1):
        with pytest.raises(UsageError, match="threads"):
            kernels.neg(words(3), threads=threads)


def test_by_default_there_is_one_thread_for_each_core_of_the_process():
    assert 1 <= thread_count(None) <= THREADS_MAX
    assert thread_count(3) == 3


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler is installed")
def test_the_pool_covers_ranges_carries_errors_nests_and_survives_fork(tmp_path):
    sources = [ROOT / "csrc" / "base" / name for name in ("pool.cpp", "error.cpp")]
    command = ["c++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
    command += [f"-I{ROOT / 'csrc'}", *map(str, sources)]
    command += [str(Path(__file__).parent / "pool" / "check.cpp"), "-o", str(tmp_path / "check")]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert compiled.returncode == 0, compiled.stderr
    assert subprocess.run([tmp_path / "check"], timeout=60, check=False).returncode == 0
