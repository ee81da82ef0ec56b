"""One party of a silent extension and a VOLE in a process of its own, over TLS.

Its part is read from standard input; what it got goes to standard output, coded.
"""

import base64
import json
import os
import signal
import sys

import numpy as np

from petcore import _core

from .links import random_vectors

STEP = (1, "step 1: silent")


def coded(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def send(channel: _core.Channel, n: int) -> dict[str, str]:
    """Be the sender of both, over SoftSpokenOT."""
    base = _core.SoftSpokenSender(channel)
    q = _core.SilentSender(channel, base).extend(*STEP, n)
    b = _core.VoleSender(channel, base).extend(*STEP, n)
    return {"delta": coded(base.delta()), "q": coded(q), "b": coded(b)}


def receive(channel: _core.Channel, n: int) -> dict[str, str]:
    """Be the receiver of both."""
    base = _core.SoftSpokenReceiver(channel)
    choices = random_vectors("bits", n)
    t = _core.SilentReceiver(channel, base).extend(*STEP, choices, n)
    a, c = _core.VoleReceiver(channel, base).extend(*STEP, n)
    return {"choices": coded(choices), "t": coded(t), "a": coded(a), "c": coded(c)}


def main() -> None:
    told = json.load(sys.stdin)
    channel = _core.connect_tls(
        "127.0.0.1", told["port"], told["certificate"].encode(), told["key"].encode(),
        told["peer"], told["fingerprint"], 20, _core.Limits(deadline_s=60, silence_s=60),
    )  # fmt: skip
    if told["dies"]:
        channel.send(*STEP, bytes(20))
        os.kill(os.getpid(), signal.SIGKILL)
    json.dump(send(channel, told["n"]), sys.stdout)
    channel.close()


if __name__ == "__main__":
    main()
