"""What is measured between processes: each operation on shares beside the same in clear."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import petcore as pc

from . import data, payments

Error = Literal["absolute", "relative"]


@dataclass(frozen=True)
class Operation:
    """One row of a table for every size.

    ``make`` gives the operands in clear, ``run`` works on shares of them, ``clear`` on them.
    ``largest`` bounds the sizes of a plot. ``memory`` measures bytes instead of seconds.
    """

    group: str
    name: str
    sizes: tuple[int, ...]
    make: Callable[[int], data.Arrays]
    run: Callable[..., Any]
    clear: Callable[..., Any]
    error: Error = "absolute"
    largest: int = 0  # 0: sizes are not a matter of length (matrices, training)
    memory: bool = False

    def plot_sizes(self) -> tuple[int, ...]:
        return tuple(10**k for k in range(2, 8) if 10**k <= self.largest)


def train(table: Any, labels: Any) -> Any:
    """One epoch on shares; the table is masked and opened once, then only vectors travel."""
    session = table.session
    masked = session.mask(table)
    weights = session.zeros(table.shape[1], "fixed")
    for begin in range(0, len(table) - data.BATCH + 1, data.BATCH):
        rows = masked[begin : begin + data.BATCH]
        residual = pc.functions.sigmoid(rows @ weights) - labels[begin : begin + data.BATCH]
        weights = weights - (rows.T @ residual) * (data.RATE / data.BATCH)
    return weights


def small_products(x: Any, y: Any) -> list[Any]:
    """A product for every element by itself, as a program that knows no vectors writes it."""
    return [x[i] * y[i] for i in range(len(x))]


def batched_products(x: Any, y: Any) -> Any:
    """The same in a batch, whose operations share their rounds."""
    with x.session.batch():
        products = small_products(x, y)
    return pc.stack(products)


VECTORS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
COMPARED = (1_000, 100_000, 1_000_000)
MILLION = (1_000_000,)
PIECES = 1_000


def product(x: Any, y: Any) -> Any:
    return x * y


def matrix_product(x: Any, y: Any) -> Any:
    return x @ y


def less(x: Any, y: Any) -> Any:
    return x < y


def compared(method: str, bits: int) -> Operation:
    """Give x < y by one method; fixed-point numbers from [-4, 4) need 22 bits of the 64."""

    def run(x: Any, y: Any) -> Any:
        return pc.less(x, y, bits=bits, method=method)

    by = {"tree": "by a tree", "fss": "by keys"}[method]
    sizes = (1, 1_000, 100_000)
    return Operation(
        "fss", f"x < y {by}, {bits} bits", sizes, data.close_reals, run, less, largest=10**6
    )


def chosen_by_keys(x: Any, y: Any) -> Any:
    return pc.where_less(x, y, x, y, bits=40, method="fss")


def piece_by_piece(work: Callable[[Any, Any], Any], *, how: str) -> Callable[..., Any]:
    """Do the work on `PIECES` equal pieces, which all give a result of their own.

    "sent ahead": one after another, the correlations for the next ones sent meanwhile.
    """
    around = {"sent ahead": pc.Session.ahead, "in a batch": pc.Session.batch}.get(how, nullcontext)

    def run(x: Any, y: Any) -> Any:
        left, right = x.reshape(PIECES, -1), y.reshape(PIECES, -1)
        with around(x.session):
            done = [work(left[i], right[i]) for i in range(PIECES)]
        return pc.concatenate(done)

    return run


def in_pieces(name: str, make: Any, work: Callable[[Any, Any], Any]) -> list[Operation]:
    return [
        Operation("batch", f"{name}, {how}", MILLION, make, piece_by_piece(work, how=how), work)
        for how in ("one by one", "sent ahead", "in a batch")
    ]


def function(name: str, make: Any, clear: Any, error: Error) -> Operation:
    run = getattr(pc.functions, name)
    return Operation("functions", name, MILLION, make, run, clear, error, largest=10**6)


OPERATIONS = [
    Operation(
        "protocols", "integer product", VECTORS, data.integers, product, product, largest=10**7
    ),
    Operation(
        "protocols", "fixed-point product", VECTORS, data.reals, product, product, largest=10**7
    ),
    Operation(
        "protocols",
        "matrix product",
        (128, 512, 1024),
        data.matrices,
        matrix_product,
        matrix_product,
    ),
    Operation("protocols", "x < y", COMPARED, data.close_reals, less, less, largest=10**7),
    Operation(
        "protocols",
        "products of one, in a batch",
        (1_000,),
        data.integers,
        batched_products,
        small_products,
    ),
    *(compared(method, bits) for bits in (64, 40) for method in ("tree", "fss")),
    Operation(
        "fss", "minimum by keys, 40 bits", (1_000,), data.close_reals, chosen_by_keys, np.minimum
    ),
    *(
        Operation(
            "protocols",
            f"payments {how}",
            sizes,
            payments.batch,
            payments.authorised(method),
            payments.in_clear,
            largest=65536,
        )
        for how, method, sizes in (
            ("by keys", "fss", (8, 64, 1_024)),
            ("by a tree", "tree", (1_024, 65_536)),
        )
    ),
    *in_pieces("1,000 fixed-point products", data.reals, product),
    *in_pieces("1,000 comparisons", data.close_reals, less),
    function("sigmoid", data.real, data.sigmoid, "absolute"),
    function("exp", data.real, np.exp, "relative"),
    function("reciprocal", data.positive, np.reciprocal, "relative"),
    function("sqrt", data.positive, np.sqrt, "relative"),
    Operation("training", "logistic regression", (10_000,), data.labelled_rows, train, data.train),
    Operation(
        "memory",
        "integer product, peak",
        (10_000_000,),
        data.integers,
        product,
        product,
        memory=True,
    ),
    Operation(
        "memory",
        "fixed-point product, peak",
        (10_000_000,),
        data.reals,
        product,
        product,
        memory=True,
    ),
]


def find(group: str, name: str) -> Operation:
    return next(op for op in OPERATIONS if (op.group, op.name) == (group, name))
