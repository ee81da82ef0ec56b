"""The NEON rows, compiled for arm64 and run by an emulator of its processors."""

import shutil
import subprocess
from pathlib import Path

import pytest

from . import reference

ROOT = Path(__file__).parents[2]
COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64"
SOURCES = [
    "simd/cpu.cpp",
    "prg/prg_neon.cpp",
    "ring/ring_neon.cpp",
    "ring/ring_portable.cpp",
    "bits/bits_neon.cpp",
    "bits/bits_portable.cpp",
]
OPTIONS = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-static"]
KEY = bytes(range(16))

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed"),
    pytest.mark.skipif(shutil.which(EMULATOR) is None, reason=f"{EMULATOR} is not installed"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    program = tmp_path_factory.mktemp("neon") / "check"
    files = [ROOT / "csrc" / source for source in SOURCES]
    main = Path(__file__).parent / "neon" / "check.cpp"
    command = [COMPILER, *OPTIONS, f"-I{ROOT / 'csrc'}", *files, main, "-o", program]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert compiled.returncode == 0, compiled.stderr
    return subprocess.run([EMULATOR, program], capture_output=True, text=True, timeout=60)


def test_the_neon_rows_of_ring_and_bits_equal_the_portable_ones(run):
    assert run.returncode == 0, run.stderr


def test_the_neon_rows_of_aes_and_the_hash_match_the_reference(run):
    lines = [bytes.fromhex(line) for line in run.stdout.split()]
    assert len(lines) == 3 * 40
    for num_blocks in range(1, 41):
        blocks = bytes(i * 0x11 % 256 for i in range(16 * num_blocks))
        encrypted, stream, hashed = lines[3 * num_blocks - 3 : 3 * num_blocks]
        assert encrypted == reference.aes(KEY, blocks)
        assert stream == reference.keystream(KEY, 16 * num_blocks, 0xFFFFFFFE)
        assert hashed == reference.crh(blocks, 7, 0xFFFFFFFE, key=KEY)


def test_the_neon_row_gives_the_published_ciphertext_of_fips_197(run):
    assert run.stdout.split()[0] == "69c4e0d86a7b0430d8cdb78070b4c55a"  # appendix C.1
