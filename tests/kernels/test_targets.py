import os
import subprocess
import sys

import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

from .reference import octets, words

kernels = _core.kernels
TIERS = {
    "avx512": kernels.cpu()["avx512"],
    "avx2": kernels.cpu()["avx2"],
    "aesni": kernels.cpu()["aesni"],
    "neon": kernels.cpu()["neon"],
    "portable": True,
}
ALL_TARGETS = {
    "prg": ["vaes512", "vaes256", "aesni", "neon", "portable"],
    "fss": ["vaes512", "vaes256", "aesni", "neon", "portable"],
    "ring": ["avx512", "avx2", "neon", "portable"],
    "bits": ["avx512", "avx2", "neon", "portable"],
}
CALLS = {
    "prg": lambda target: kernels.prg_fill(np.zeros(16, np.uint8), bytes(16), 0, target),
    "fss": lambda target: kernels.make_keys(
        words(1), words(2), words(2), words(1), 40, "below", target=target
    ),
    "ring": lambda target: kernels.add(words(3), words(3), target=target),
    "bits": lambda target: kernels.pack(octets(3), target),
}


def run_with(tier: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import numpy as np\n"
        "from petcore import _core\n"
        "k = _core.kernels\n"
        "out = np.zeros(100, np.uint8)\n"
        "k.prg_fill(out, bytes(16))\n"
        "x = np.arange(65, dtype=np.uint64) << np.uint64(40)\n"
        "print(out.tobytes().hex(), k.matmul(x[:64].reshape(8, 8), x[:8].reshape(8, 1)).tolist(),"
        " k.mul(x, x).tolist(), k.to_slices(x).tolist(),"
        " k.make_keys(x[:64], x[:64].repeat(2), x[:64].repeat(2), x[:64], 40, 'below').tolist())\n"
    )
    environment = {**os.environ, "PETCORE_TARGET": tier}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("kernel", CALLS)
def test_targets_are_listed_widest_first_and_end_with_portable(kernel):
    listed = kernels.targets()[kernel]
    assert listed == [name for name in ALL_TARGETS[kernel] if name in listed]
    assert listed[-1] == "portable"


@pytest.mark.parametrize("kernel", CALLS)
@pytest.mark.parametrize(
    "target", ["vaes512", "vaes256", "aesni", "avx512", "avx2", "neon", "sse9"]
)
def test_a_forced_target_runs_or_raises_naming_those_that_run(kernel, target):
    if target in kernels.targets()[kernel]:
        CALLS[kernel](target)
        return
    with pytest.raises(UsageError, match=f"'{target}'.*portable") as caught:
        CALLS[kernel](target)
    assert all(name in str(caught.value) for name in kernels.targets()[kernel])


@pytest.mark.processes
def test_every_tier_this_machine_has_gives_the_same_results_from_the_environment():
    usable = [tier for tier, runs in TIERS.items() if runs]
    results = [run_with(tier) for tier in ["", *usable]]
    assert [result.returncode for result in results] == [0] * len(results), results[-1].stderr
    assert len({result.stdout for result in results}) == 1


@pytest.mark.processes
@pytest.mark.parametrize("tier", ["sse9", next(t for t, runs in TIERS.items() if not runs)])
def test_a_tier_from_the_environment_that_cannot_run_raises(tier):
    result = run_with(tier)
    assert result.returncode == 1
    assert f"PETCORE_TARGET={tier}" in result.stderr
    assert "UsageError" in result.stderr
    assert "portable" in result.stderr
