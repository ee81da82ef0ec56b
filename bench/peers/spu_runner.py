"""SPU: two processes, SEMI2K over 64 bits, as a user gets it by default. Run by its own Python."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from bench import data
from bench.peers import work

os.environ["JAX_PLATFORMS"] = "cpu"


def functions() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    def train(table: Any, labels: Any) -> Any:
        batch = data.BATCH

        def step(i: Any, weights: Any) -> Any:
            rows = jax.lax.dynamic_slice(table, (i * batch, 0), (batch, data.COLUMNS))
            wanted = jax.lax.dynamic_slice(labels, (i * batch,), (batch,))
            residual = jax.nn.sigmoid(rows @ weights) - wanted
            return weights - (data.RATE / batch) * (rows.T @ residual)

        return jax.lax.fori_loop(0, len(table) // batch, step, jnp.zeros(data.COLUMNS))

    return {
        "integer product": lambda x, y: x * y,
        "fixed-point product": lambda x, y: x * y,
        "matrix product": lambda x, y: x @ y,
        "x < y": lambda x, y: x < y,
        "sigmoid": jax.nn.sigmoid,
        "exp": jnp.exp,
        "reciprocal": lambda x: 1.0 / x,
        "sqrt": jnp.sqrt,
        "logistic regression": train,
    }


def party(rank: int, other: Any, told: dict[str, Any]) -> None:
    import spu
    from spu import libspu

    quiet = libspu.logging.LogOptions()
    quiet.log_level = libspu.logging.LogLevel.ERROR
    libspu.logging.setup_logging(quiet)
    config = libspu.RuntimeConfig(protocol=libspu.ProtocolKind.SEMI2K, field=libspu.FieldType.FM64)
    line = libspu.link.Desc()
    line.recv_timeout_ms = 300_000
    for i, port in enumerate(told["port"]):
        line.add_party(f"p{i}", f"127.0.0.1:{port}")
    link = libspu.link.create_brpc(line, rank)
    told["report"](
        {
            "about": f"SPU {spu.__version__}",
            "trust": "2 parties, SEMI2K FM64, 18 fraction bits; party 0 makes the correlations "
            "(trusted first party) and can learn every input",
            "tls": False,
        }
    )
    machine = Machine(rank, other, link, spu.Runtime(link, config), spu.Io(2, config))
    for job in told["jobs"]:
        machine.do(job, told)
    link.barrier()
    link.stop_link()


class Machine:
    """One party's runtime."""

    def __init__(self, rank: int, other: Any, link: Any, runtime: Any, io: Any) -> None:
        self.rank, self.other, self.link = rank, other, link
        self.runtime, self.io = runtime, io
        self.functions = functions()

    def do(self, job: dict[str, Any], told: dict[str, Any]) -> None:
        executable, names = self.share(job)
        seconds, num_bytes = work.measure(
            self.rank, self.other, told, lambda: self.runtime.run(executable), self.link.barrier
        )
        mine = self.runtime.get_var("out0")
        if self.rank == 1:
            self.other.send(mine)
        else:
            opened = self.io.reconstruct([mine, self.other.recv()])
            told["report"](work.result(job, seconds, num_bytes, opened))
        for name in [*names, "out0"]:
            self.runtime.del_var(name)

    def share(self, job: dict[str, Any]) -> tuple[Any, list[str]]:
        """Compile the job, make shares at party 0, send the other's over a pipe."""
        import spu.utils.frontend as frontend
        from spu import libspu

        secret = libspu.Visibility.VIS_SECRET
        clear = [narrow(x) for x in work.MAKERS[job["name"]](job["n"])]
        names = [f"in{i}" for i in range(len(clear))]
        executable, _ = frontend.compile(
            frontend.Kind.JAX,
            self.functions[job["name"]],
            clear,
            {},
            names,
            [secret] * len(clear),
            lambda out: [f"out{i}" for i in range(len(out))],
        )
        if self.rank == 0:
            pairs = [self.io.make_shares(x, secret) for x in clear]
            self.other.send([pair[1] for pair in pairs])
            mine = [pair[0] for pair in pairs]
        else:
            mine = self.other.recv()
        for name, value in zip(names, mine, strict=True):
            self.runtime.set_var(name, value)
        return executable, names


def narrow(x: Any) -> Any:
    """JAX works in 32 bits unless told otherwise."""
    return x.astype(np.float32 if x.dtype.kind == "f" else np.int32)


if __name__ == "__main__":
    work.main(party)
