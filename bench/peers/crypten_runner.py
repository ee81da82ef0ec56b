"""CrypTen: two processes, its trusted first party, as a user gets it. Run by its own Python."""

from __future__ import annotations

import os
import sys
import types
import warnings
from typing import Any

from bench import data
from bench.peers import work


def load() -> Any:
    """Import CrypTen under a torch that no longer has some names its ONNX converter looks for."""
    warnings.filterwarnings("ignore")
    import torch.onnx

    for name in ("symbolic_registry", "symbolic_helper", "utils"):
        try:
            __import__(f"torch.onnx.{name}")
        except ImportError:
            empty = types.ModuleType(f"torch.onnx.{name}")
            sys.modules[empty.__name__] = empty
            setattr(torch.onnx, name, empty)
    if not hasattr(torch.onnx, "OperatorExportTypes"):
        torch.onnx.OperatorExportTypes = types.SimpleNamespace(ONNX=0)
    import crypten

    return crypten


def train(table: Any, labels: Any) -> Any:
    import crypten
    import torch

    weights = crypten.cryptensor(torch.zeros(data.COLUMNS))
    for begin in range(0, table.size(0) - data.BATCH + 1, data.BATCH):
        rows, wanted = table[begin : begin + data.BATCH], labels[begin : begin + data.BATCH]
        residual = rows.matmul(weights).sigmoid() - wanted
        weights = weights - rows.t().matmul(residual) * (data.RATE / data.BATCH)
    return weights


FUNCTIONS: dict[str, Any] = {
    "integer product": lambda x, y: x * y,
    "fixed-point product": lambda x, y: x * y,
    "matrix product": lambda x, y: x.matmul(y),
    "x < y": lambda x, y: x < y,
    "sigmoid": lambda x: x.sigmoid(),
    "exp": lambda x: x.exp(),
    "reciprocal": lambda x: x.reciprocal(),
    "sqrt": lambda x: x.sqrt(),
    "logistic regression": train,
}


def party(rank: int, other: Any, told: dict[str, Any]) -> None:
    threads = str(max(1, (os.cpu_count() or 2) // 2))
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(told["port"][0])}
    os.environ.update(
        address
        | {
            "RANK": str(rank),
            "WORLD_SIZE": "2",
            "RENDEZVOUS": f"tcp://127.0.0.1:{told['port'][0]}",
            "DISTRIBUTED_BACKEND": "gloo",
            "GLOO_SOCKET_IFNAME": "lo",
            "OMP_NUM_THREADS": threads,
        }
    )
    crypten = load()
    import torch

    crypten.init()
    torch.set_num_threads(int(threads))
    talk = crypten.communicator.get()
    told["report"](
        {
            "about": f"CrypTen {version()} on torch {torch.__version__}",
            "trust": "2 parties, 64 bits, 16 fraction bits; party 0 makes the correlations "
            "(trusted first party) and can learn every input; masks are not from a "
            "cryptographic generator",
            "tls": False,
        }
    )
    for job in told["jobs"]:
        whole = job["name"] == "integer product"
        shares = [
            crypten.cryptensor(torch.from_numpy(x), **({"precision": 0} if whole else {}))
            for x in work.MAKERS[job["name"]](job["n"])
        ]
        kept: list[Any] = [None]

        def run(shares: Any = shares, kept: Any = kept, name: str = job["name"]) -> None:
            kept[0] = FUNCTIONS[name](*shares)

        seconds, num_bytes = work.measure(rank, other, told, run, talk.barrier)
        opened = kept[0].get_plain_text()
        told["report"](work.result(job, seconds, num_bytes, opened.numpy()))


def version() -> str:
    from importlib.metadata import version as installed

    return installed("crypten")


if __name__ == "__main__":
    work.main(party)
