"""One process of two that multiply over TLS: party.py FOLDER NAME PORT PROGRAM.

Prints JSON lines: the port it listens at, then what it made or the name of the error that ended it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from petcore import _core
from petcore.errors import PetcoreError

STEP = (7, "step 7: test")
N = 5000


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def connect(folder: Path, name: str, port: int) -> Any:
    other = "wallet" if name == "gateway" else "gateway"
    certificate, key = ((folder / f"{name}.{kind}").read_text() for kind in ("crt", "key"))
    fingerprint = (folder / f"{other}.pin").read_text()
    limits = _core.Limits(deadline_s=5.0)
    if name == "gateway":
        listener = _core.TlsListener("127.0.0.1", 0, certificate, key)
        say(port=listener.port)
        return listener.accept([(other, fingerprint)], 20.0, limits)
    return _core.connect_tls("127.0.0.1", port, certificate, key, other, fingerprint, 20.0, limits)


def own_words(name: str, n: int) -> np.ndarray:
    """What a party holds; the test knows it too."""
    return np.random.default_rng(len(name)).integers(0, 2**64, n, dtype=np.uint64)


def multiply(products: Any, name: str) -> list[int]:
    words = own_words(name, 2 * N)
    return products.cross_words(*STEP, words[:N], words[N:]).tolist()


def conjunction(products: Any, name: str) -> list[int]:
    words = own_words(name, 2 * N)
    return products.cross_bits(*STEP, words[:N], words[N:], 64 * N, "bits").tolist()


def endless(products: Any, name: str) -> list[int]:
    words = own_words(name, 2 * N)
    products.prepare(*STEP)
    say(state="running")
    while True:
        products.cross_words(*STEP, words[:N], words[N:])


def silent(products: Any, name: str) -> list[int]:
    products.prepare(*STEP)
    say(state="running")
    sys.stdin.readline()
    return []


def main() -> None:
    folder, name, port, program = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    try:
        channel = connect(folder, name, port)
        products = _core.OtProducts(channel, 0 if name == "gateway" else 1)
        made = globals()[program](products, name)
        sent = channel.counters()["payload_sent"]
        channel.close()
        say(made=made, sent=sent)
    except PetcoreError as error:
        say(error=type(error).__name__, party=error.party)


if __name__ == "__main__":
    main()
