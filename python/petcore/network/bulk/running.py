"""Clearing: one file-sized batch through the circuit and the ledger, chunk by chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from petcore.errors import LedgerError, UsageError
from petcore.mpc import Session, stack
from petcore.network.bulk.batch import BulkBatch
from petcore.network.bulk.checkpoints import Checkpoints
from petcore.network.circuit import RiskModel, authorise
from petcore.network.circuit.rows import Words
from petcore.network.directory import Directory
from petcore.network.ledger import Database

CHUNK = 1 << 15
"""Payments of one run of the circuit."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class BulkOutcome:
    """What a node knows after a clearing: shares, for the edges.

    Attributes
    ----------
    decision
        uint64, shape (n,), in the order of the batch.
    nets
        For each edge its currencies, and uint64 of shape (currencies + 1,): net positions in minor
        units, what it pays is negative, and a zero that is shared anew in every run.
    resumed
        How many payments an earlier run of the same files had done.
    """

    decision: Words
    nets: dict[str, tuple[list[str], Words]]
    resumed: int


class Clearing:
    """One clearing at one node.

    Parameters
    ----------
    batch
        The payments; both nodes hold shares of the same ones.
    directory
        Rates, fees, prefunding; the same at both nodes.
    database
        This node's own ledger for clearings, where an interrupted one is found again.
    min_count
        Fewest payments that a net position may cover.
    chunk
        Payments of one run of the circuit, 8 to 65536.
    model
        This node's shares of the risk model; None for none, then features are not looked at.
    """

    def __init__(
        self,
        batch: BulkBatch,
        directory: Directory,
        database: Database,
        *,
        min_count: int,
        chunk: int = CHUNK,
        model: RiskModel | None = None,
    ) -> None:
        batch.check(directory)
        if model is not None:
            model.check(batch.shares["features"])
        self._model = model
        self._batch, self._directory, self._chunk = batch, directory, chunk
        self._database, self._min_count = database, min_count
        self._check_counts()
        said = f"{batch.digest} {directory.digest} {min_count} {chunk}"
        said += "" if model is None else f" {model.name} {model.threshold}"
        self.run_id = hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def program(self) -> str:
        """What both nodes must agree on before they begin, as one line of text."""
        return f"petcore clear: payments={len(self._batch)} run={self.run_id}"

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-len(self._batch) // self._chunk)

    def run(self, session: Session, *, on_progress: Progress | None = None) -> BulkOutcome:
        """Clear what is not cleared yet; both nodes call it.

        Raises
        ------
        StepMismatch
            The nodes have other payments, routes, sharings or directories.
        LedgerError
            A ledger is not the one with which this clearing began.

        Rounds: a chunk's comparisons, and 2 · Leaks: to the nodes the routes; to an edge the
        decisions about its payments, and its net positions.
        """
        session.agree(self.program)
        checkpoints = Checkpoints(self._database, self.run_id, self._batch.routes)
        done = self._meet(session, checkpoints)
        total = len(self._batch)
        resumed = min(total, done * self._chunk)
        for chunk in range(done, self.chunks):
            if on_progress is not None:
                on_progress(chunk * self._chunk, total)
            shares = self._authorise(session, checkpoints, chunk)
            checkpoints.keep(chunk, shares)
            session.agree(f"chunk {chunk} of run {self.run_id} is on disk")
            checkpoints.post(chunk, self._sums(chunk, shares))
        if on_progress is not None:
            on_progress(total, total)
        return self._outcome(session, checkpoints, resumed)

    def _meet(self, session: Session, checkpoints: Checkpoints) -> int:
        """Bring both ledgers to the chunks that count, and return how many these are."""
        mine = np.array([checkpoints.computed(), checkpoints.posted()])
        said = session.open(
            stack([session.input(mine if session.party == i else None, owner=i) for i in range(2)]),
            label="chunks that a node has",
            purpose="resume a clearing",
        )
        done = int(said[:, 0].min())
        if said[:, 0].max() > done + 1 or said[:, 1].max() > done:
            raise LedgerError(
                f"the nodes' ledgers have {said[0, 0]} and {said[1, 0]} chunks of this clearing, "
                "which no crash explains; use the ledgers with which it began",
                retryable=False,
            )
        if checkpoints.computed() > done:
            checkpoints.drop(done)
        for chunk in range(checkpoints.posted(), done):
            checkpoints.post(chunk, self._sums(chunk, checkpoints.shares(chunk)))
        return done

    def _authorise(self, session: Session, checkpoints: Checkpoints, chunk: int) -> Words:
        begin = chunk * self._chunk
        end = min(begin + self._chunk, len(self._batch))
        room = checkpoints.room(self._directory, session.party)
        rows = self._batch.rows(begin, end, self._directory, room)
        name = f"{self.run_id} {chunk}"
        outcome = authorise(session, rows, self._model, batch=name, method="auto")
        return np.stack([outcome.decision, outcome.seen, outcome.debit, outcome.fee])

    def _sums(self, chunk: int, shares: Words) -> Words:
        """Add up seen, debit and fee by route, shape (3, routes): what a chunk posts."""
        begin = chunk * self._chunk
        route = self._batch.route[begin : begin + shares.shape[1]]
        order = np.argsort(route, kind="stable")
        present, first = np.unique(route[order], return_index=True)
        sums = np.zeros((3, len(self._batch.routes)), np.uint64)
        sums[:, present] = np.add.reduceat(shares[1:, order], first, axis=1)
        return sums

    def _outcome(self, session: Session, checkpoints: Checkpoints, resumed: int) -> BulkOutcome:
        decisions = []
        sums = np.zeros((3, len(self._batch.routes)), np.uint64)
        for chunk in range(self.chunks):
            shares = checkpoints.shares(chunk)
            decisions.append(shares[0])
            sums += self._sums(chunk, shares)
        nets = {}
        for edge in self._batch.edges:
            currencies, net = self._net(edge, sums)
            zero = session.input(np.zeros(1, np.int64) if session.party == 0 else None, owner=0)
            words = np.concatenate([net, session.to_shares(zero)[0]])
            nets[edge] = (
                currencies,
                session.export(
                    session.from_shares(words[None]),
                    to=edge,
                    label=f"net position of {edge}",
                    purpose="clearing",
                )[0],
            )
        return BulkOutcome(np.concatenate(decisions), nets, resumed)

    def _net(self, edge: str, sums: Words) -> tuple[list[str], Words]:
        """Return an edge's currencies and this node's shares of what it gets in each."""
        gained: dict[str, int] = {}
        for route, seen, debit, fee in zip(self._batch.routes, *sums.tolist(), strict=True):
            if route.acqp == edge:
                gained[route.currency] = gained.get(route.currency, 0) + seen - fee
            if route.mpp == edge:
                gained[route.payer_currency] = gained.get(route.payer_currency, 0) - debit
        currencies = sorted(gained)
        return currencies, np.array([gained[code] % 2**64 for code in currencies], np.uint64)

    def _check_counts(self) -> None:
        counts = np.bincount(self._batch.route, minlength=len(self._batch.routes)).tolist()
        covered: dict[tuple[str, str], int] = {}
        for route, count in zip(self._batch.routes, counts, strict=True):
            for key in ((route.acqp, route.currency), (route.mpp, route.payer_currency)):
                covered[key] = covered.get(key, 0) + count
        for (edge, currency), count in sorted(covered.items()):
            if count < self._min_count:
                raise UsageError(
                    f"the net position of {edge} in {currency} would cover {count} payments and "
                    f"tell too much about them; wait for {self._min_count}, or lower min_count "
                    "where that is agreed"
                )
