"""Core: what both nodes have, and what both do with a batch: compute, seal, post."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from petcore.mpc import Session
from petcore.mpc.disclosure import DisclosureSink, MemorySink
from petcore.network.circuit import RiskModel, authorise
from petcore.network.circuit.clear import clear_authorise
from petcore.network.directory import Directory, Participant
from petcore.network.envelope import Envelope, compose, open_part, verify
from petcore.network.errors import BatchRefused, RecipientWrong
from petcore.network.fields import Role
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.ledger import Accounts, Database, Documents, NodeJournal, Outbox
from petcore.network.ledger.postings import Postings
from petcore.network.ledger.records import Words
from petcore.network.logs import Log
from petcore.network.metrics import Metrics
from petcore.network.node.held import HeldFeatures
from petcore.network.node.meters import Meters
from petcore.network.node.pairing import Pairing
from petcore.network.node.receipts import SPACE, make_receipt
from petcore.network.node.replays import LedgerMarks
from petcore.network.node.row import Row, check_refund, check_terms, route, to_columns
from petcore.network.positions import Positions
from petcore.network.replay import Counter, ReplayGuard
from petcore.network.schema import DISPUTE_DAYS

Result = TypeVar("Result")

DECISION_SECONDS = 24 * 3600
NOTHING_HELD = HeldFeatures()
_THREADS = 2


@dataclass(frozen=True, eq=False)
class Computed:
    """What a batch came to at this node: shares, what they post, and decisions by edge."""

    decisions: Words = field(repr=False)
    totals: Words = field(repr=False)
    postings: Postings = field(repr=False)
    envelopes: dict[str, bytes] = field(repr=False)
    receipt: bytes = field(repr=False)


class Core:
    """One node's keys, journal, session and threads.

    Parameters
    ----------
    directory : Directory
    name : str
        Of this node.
    ring, keys : KeyRing, PublicKeys
    database : Database
        This node's own.
    pairing : Pairing
        Its session with the other node.
    model : RiskModel, optional
    held : HeldFeatures
        What this node knows of routes, for the model.
    sink : DisclosureSink, optional
        Takes what leaves this node outside its sessions, before it does.
    private : bool
        Whether batches are decided on shares; in clear only to measure.
    """

    def __init__(
        self,
        directory: Directory,
        name: str,
        *,
        ring: KeyRing,
        keys: PublicKeys,
        database: Database,
        pairing: Pairing,
        model: RiskModel | None = None,
        held: HeldFeatures = NOTHING_HELD,
        sink: DisclosureSink | None = None,
        private: bool = True,
    ) -> None:
        self.directory, self.name = directory, name
        self.first = directory.node_a.name == name
        self.ring, self.keys, self.counter = ring, keys, Counter()
        self.database = database
        self.journal = NodeJournal(database)
        self.outbox = Outbox(database)
        self.receipts = Documents(database, SPACE)
        self.positions = Positions(Accounts(database), directory)
        self.guard = ReplayGuard(LedgerMarks(database))
        self.pairing, self.model, self.held = pairing, model, held
        self.sink = MemorySink() if sink is None else sink
        self._decide = authorise if private else clear_authorise
        self.metrics = Metrics(name, directory.member(name).role)
        self.meters = Meters(self.metrics)
        self.log = Log("node")
        if not private:
            self.log.warning("batches are decided in clear, for measuring")
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="petcore node")

    @property
    def model_name(self) -> str:
        """The risk model by which batches are decided."""
        return "no model" if self.model is None else self.model.name

    @property
    def other(self) -> Participant:
        """The other node."""
        return self.directory.node_b if self.first else self.directory.node_a

    async def in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run blocking work beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def read(self, content: bytes, *, late: bool = False) -> Envelope:
        """Parse and verify a message for this node; raises errors of `petcore.network.errors`.

        ``late``: also after its time, where another member has begun to carry it out.
        """
        envelope = Envelope.from_bytes(content)
        now = min(now_ms(), envelope.header.expires) if late else now_ms()
        verify(envelope, self.keys, now=now, directory=self.directory, recipient=self.name)
        return envelope

    def verify(self, envelope: Envelope, *, sender: str = "") -> None:
        """Verify a message for this node."""
        verify(envelope, self.keys, directory=self.directory, recipient=self.name)
        if sender:
            require_sender(envelope, sender)

    def read_decision(self, content: bytes, number: int) -> Envelope:
        """Parse and verify the other node's decisions of a batch, which are sealed to an edge."""
        envelope = Envelope.from_bytes(content)
        self.verify_for_edge(envelope, self.other.name)
        if envelope.header.type != "decision" or envelope.header.clear["batch"] != number:
            raise BatchRefused(f"{self.other.name} sent no decisions of batch {number}")
        return envelope

    def verify_for_edge(self, envelope: Envelope, sender: str) -> None:
        """Verify a message that only passes through this node."""
        verify(envelope, self.keys, directory=self.directory)
        require_sender(envelope, sender)

    def open(self, envelope: Envelope) -> dict[str, Any]:
        """Return this node's shares of a verified message."""
        return open_part(envelope, self.ring)

    def check_row(self, row: Row) -> None:
        """Refuse a row that does not fit: TermsRefused. Both nodes refuse the same."""
        check_terms(row, self.directory, self.model, self.held.count)
        if row.payment is None:
            return
        payment = self.journal.find([row.payment]).get(row.payment)
        was = Envelope.from_bytes(payment.check) if payment and payment.check else None
        check_refund(row, payment, was)

    def compute(self, session: Session, rows: Sequence[Row], number: int, digest: str) -> Computed:
        """Run the circuit over a batch, and prepare what follows from it; for the session's thread."""
        columns = to_columns(
            rows,
            journal=self.journal,
            positions=self.positions,
            directory=self.directory,
            first=self.first,
            model=self.model,
            held=self.held,
        )
        with session.measure() as cost:
            outcome = self._decide(session, columns, self.model, batch=f"{number} {digest}")
        self.meters.computed(len(rows), cost)
        postings = self.positions.postings(route(rows), outcome.seen, outcome.debit, outcome.fee)
        totals = np.stack([outcome.seen, outcome.debit, outcome.fee], axis=1)
        envelopes = self._seal(rows, number, outcome.exported)
        receipt = make_receipt(
            self.directory, self.ring, number, digest, rows, model=self.model_name
        )
        return Computed(outcome.decision, totals, postings, envelopes, receipt)

    def keep(self, number: int, computed: Computed) -> None:
        """Keep what a batch came to; when this returns it is on the disk."""
        with self.database.write():
            self.journal.computed(
                number,
                decisions=computed.decisions,
                totals=computed.totals,
                postings=computed.postings,
                node=self.name,
                envelopes=computed.envelopes,
            )
            self.receipts.put({str(number): computed.receipt})

    def tidy(self) -> None:
        """Forget what is kept no longer: replay marks that expired, bodies of old requests."""
        now = now_ms()
        self.guard.tidy(now)
        self.journal.forget_bodies(now - DISPUTE_DAYS * 24 * 3600 * 1000)

    def close(self) -> None:
        """End threads and session, and give the database back."""
        self.pairing.close()
        self._threads.shutdown(wait=True)
        self.database.close()

    def _seal(
        self, rows: Sequence[Row], number: int, exported: Mapping[str, Words]
    ) -> dict[str, bytes]:
        """Seal to every edge its decisions, in the order of the rows."""
        sealed: dict[str, bytes] = {}
        roles: dict[str, Role] = {row.acqp: "acqp" for row in rows}
        roles |= {row.mpp: "mpp" for row in rows}
        for edge, role in roles.items():
            mine = [i for i, row in enumerate(rows) if edge in (row.acqp, row.mpp)]
            values = {
                "batch": number,
                "senders": [rows[i].acqp for i in mine],
                "ids": [rows[i].request.header.request_id for i in mine],
                "decisions": exported[edge],
            }
            envelope = compose(
                "decision",
                f"batch-{number}",
                values,
                ring=self.ring,
                keys=self.keys,
                to={role: edge},
                expires_in=DECISION_SECONDS,
                counter=self.counter.next(),
            )
            sealed[edge] = envelope.to_bytes()
        return sealed


def batch_digest(number: int, window: int, rows: Sequence[Row], model: str) -> str:
    """Return what both nodes must have alike of a batch: hex SHA-256 of its signed messages, and
    of the model's name.
    """
    digests = [[row.request.digest, row.check.digest] for row in rows]
    content = json.dumps(["petcore batch 1", number, window, model, digests]).encode()
    return hashlib.sha256(content).hexdigest()


def require_sender(envelope: Envelope, sender: str) -> None:
    """Refuse what a member brings that another member signed."""
    if envelope.header.sender != sender:
        raise RecipientWrong(
            f"{envelope.header.type} was brought by {sender}, who is not its sender"
        )
