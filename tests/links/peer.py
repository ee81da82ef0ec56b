"""The wallet in a process of its own; how it behaves is read from standard input."""

import json
import os
import signal
import sys

from petcore import _core

BLOCK = 8 << 20


def main() -> None:
    told = json.load(sys.stdin)
    channel = _core.connect_tls(
        "127.0.0.1", told["port"], told["certificate"].encode(), told["key"].encode(),
        "gateway", told["fingerprint"], 10, _core.Limits(),
    )  # fmt: skip
    {"stream": stream, "die": die, "stop": stop, "swap": swap}[told["behaviour"]](channel)


def stream(channel: _core.Channel) -> None:
    """Send until killed."""
    while True:
        channel.send(1, "step 1: stream", bytes(BLOCK))


def die(channel: _core.Channel) -> None:
    """Send something, then be gone without a word."""
    channel.send(1, "step 1: stream", bytes(100))
    os.kill(os.getpid(), signal.SIGKILL)


def stop(channel: _core.Channel) -> None:
    """Send something, then stand still with the link open."""
    channel.send(1, "step 1: stream", bytes(100))
    os.kill(os.getpid(), signal.SIGSTOP)


def swap(channel: _core.Channel) -> None:
    """Exchange one large vector both ways, then send back what came."""
    size = 64 << 20
    pattern = bytes(range(251)) * (size // 251 + 1)
    channel.send(2, "step 2: echo", channel.exchange(1, "step 1: swap", pattern[:size], size))
    channel.close()


if __name__ == "__main__":
    main()
