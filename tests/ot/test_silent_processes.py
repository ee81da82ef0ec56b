"""Two processes over TLS; the sender's is held to every target in turn."""

import base64
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from petcore import _core
from petcore.errors import PeerClosed
from petcore.trust.identity import make_identity

from . import dealt
from .links import bits_of
from .silent_party import receive

pytestmark = pytest.mark.processes
kernels = _core.kernels
N = 30_000
TIERS = {"portable": "portable", "aesni": "aesni", "vaes256": "avx2", "neon": "neon"}
TARGETS = [TIERS[target] for target in kernels.targets()["prg"] if target in TIERS]


def decoded(text: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint64).reshape(*shape)


@contextmanager
def meeting(target: str, *, dies: bool = False):
    """The receiver's channel, and the process of the sender at its other end."""
    gateway, wallet = make_identity("gateway"), make_identity("wallet")
    listener = _core.TlsListener("127.0.0.1", 0, gateway.certificate_pem, gateway.private_key_pem)
    told = {
        "port": listener.port,
        "certificate": wallet.certificate_pem.decode(),
        "key": wallet.private_key_pem.decode(),
        "peer": "gateway",
        "fingerprint": gateway.fingerprint,
        "n": N,
        "dies": dies,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.ot.silent_party"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PETCORE_TARGET": target},
    )
    with child:
        child.stdin.write(json.dumps(told))
        child.stdin.close()
        limits = _core.Limits(deadline_s=60, silence_s=60)
        yield listener.accept([("wallet", wallet.fingerprint)], 20, limits), child


@pytest.mark.parametrize("target", TARGETS)
def test_a_sender_on_any_target_agrees_with_a_receiver_in_another_process(target):
    with meeting(target) as (channel, child):
        mine = receive(channel, N)
        theirs = json.loads(child.stdout.read())
    assert child.returncode == 0
    delta = decoded(theirs["delta"], 1, 2)
    flips = bits_of(decoded(mine["choices"], -1), N).astype(np.uint64).reshape(N, 1)
    assert (decoded(theirs["q"], N, 2) == decoded(mine["t"], N, 2) ^ flips * delta).all()
    c, a = decoded(mine["c"], N, 2), decoded(mine["a"], N, 2)
    assert (decoded(theirs["b"], N, 2) == kernels.gf128_add_scaled(c, a, delta)).all()


def test_a_sender_killed_in_the_middle_of_its_trees_is_noticed():
    with meeting("portable", dies=True) as (channel, _):
        delta = dealt.random_blocks(1)
        receiver = _core.SilentReceiver(channel, dealt.Receiver(delta))
        with pytest.raises(PeerClosed):
            receiver.reserve(1, "step 1: silent", 1000)
