"""One process of a network of nodes, for the tests: party.py CONFIG, or CONFIG ROWS... ANSWER.

A node authorises the batches in the files ROWS, one after the other, and writes its shares of what
became of them, and the rounds that each took, to the file ANSWER.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from petcore.connecting import connect, run_dealer
from petcore.network.circuit import Rows, authorise


def node(config: Path, files: list[str], answer: str) -> None:
    results: dict[str, Any] = {}
    with connect(config, program="petcore node", connect_wait=30.0) as session, session.ahead():
        for number, file in enumerate(files):
            columns = dict(np.load(file))
            names = tuple(columns.pop("names").tolist())
            rows = Rows(**columns, names=names)
            with session.measure() as cost:
                outcome = authorise(session, rows, batch=str(number))
            columns = (outcome.decision, outcome.seen, outcome.debit, outcome.fee)
            results[f"shares {number}"] = np.stack(columns)
            results[f"rounds {number}"] = cost.rounds
    np.savez(answer, **results)


if __name__ == "__main__":
    config, *files = sys.argv[1:]
    if files:
        node(Path(config), files[:-1], files[-1])
    else:
        run_dealer(config, once=True)
