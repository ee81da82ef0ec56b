"""Authorise a batch: every check of a payment network on shares, in four rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from petcore.mpc import Session, between, equal, less
from petcore.network.circuit.chain import failures
from petcore.network.circuit.conditions import (
    DEBIT,
    SIGNS_OF_DEBIT,
    Conditions,
    conditions,
)
from petcore.network.circuit.risk import RiskModel
from petcore.network.circuit.rows import CONSULT, Rows, Words

LABEL = "payment decision"


@dataclass(frozen=True, eq=False)
class Outcome:
    """This node's shares of what became of n rows, each uint64 of shape (n,), mod 2^64.

    Attributes
    ----------
    decision
        1 for approved, 0 for declined: for the row's two edges, and for nobody else.
    seen, debit, fee
        The row's amounts where it is approved, else 0; always 0 for a consult. To be posted.
    exported
        For each edge the decisions of its rows, `Rows.of_edge`: what this node sends to it.
    """

    decision: Words
    seen: Words
    debit: Words
    fee: Words
    exported: Mapping[str, Words]


def authorise(
    session: Session,
    rows: Rows,
    model: RiskModel | None = None,
    *,
    batch: str = "",
    method: str = "fss",
) -> Outcome:
    """Decide all rows of a batch, and multiply what they post by the decisions.

    A row is approved where the acquirer's amount is the wallet's, amounts are from 1 to
    `MAX_AMOUNT`, rate and fee hold to the minor unit, balance, velocity and prefunding suffice and
    the risk is at most the threshold; a refund where no more is refunded than was paid. What nobody
    can share into a wrong approval is told in `petcore.network.circuit.conditions`.

    Parameters
    ----------
    session
        Both nodes call this with the same public columns, in the same order.
    rows
        The batch; it is padded to its size class.
    model
        This node's shares of the risk model; None for none.
    batch
        What the nodes call the batch, such as its number and the digest of its envelopes. Printable;
        they must say the same.
    method
        "fss"; "tree", which needs no keys of a dealer, fewer bytes and more rounds; "auto", by the
        rule of `Session.explain`.

    Raises
    ------
    UsageError
        Rows and model do not fit together.
    StepMismatch
        The nodes have other public columns, another batch or model version, or declare other
        exports: in the first round, before there is any result.

    Rounds: 4, without a model 3; no other for agreements · Adversary: semi-honest nodes that do not
    collude; edges may share any words · Leaks: to a row's two edges its decision.
    """
    count = len(rows)
    if model is not None:
        model.check(rows.features)
    rows = rows.padded()
    name = "no model" if model is None else f"{model.name} up to {model.threshold}"
    session.agree(f"batch {batch!r} of rows {rows.digest()}, {name}", wait=False)
    places = {edge: rows.of_edge(edge) for edge in rows.edges}
    declared = session.declare_exports(
        {edge: len(place) for edge, place in places.items()},
        label=LABEL,
        purpose=f"batch {batch}" if batch else "",
    )
    margin = None if model is None else model.margin(session, rows.features)
    word = _failures(session, rows, conditions(rows, session.party, margin), method)
    decision = equal(session.from_shares(word[None]), 0, method=method)
    posted = decision * session.from_shares(_outputs(rows, session.party)[None])
    exported = {edge: declared[edge].share(posted[0, place])[0] for edge, place in places.items()}
    shares = session.to_shares(posted)[0]
    decided, seen, debit, fee = (column[:count].copy() for column in shares)
    return Outcome(decided, seen, debit, fee, exported)


def _failures(session: Session, rows: Rows, held: Conditions, method: str) -> Words:
    """Return this node's share of a word per row that is zero where all conditions hold.

    A key looks at both ends of an interval at once, a tree at one.
    """
    if method == "auto":
        method = session.explain("between", held.x.size).method
    if method == "fss":
        x = session.from_shares(held.x[None])
        bits, debit = ~between(x, held.low, held.high, method=method), [DEBIT]
    else:
        x = session.from_shares(held.signs(session.party)[None])
        bits, debit = less(x, 0, method=method), list(SIGNS_OF_DEBIT)
    masks = session.common_words(len(debit) * len(rows), "masks of a batch of payments")
    return failures(rows, session.to_shares(bits)[0], debit, session.party, masks)


def _outputs(rows: Rows, party: int) -> Words:
    """Return shares of one, seen, debit and fee, shape (4, n); what a consult posts is nothing."""
    posts = (rows.kind != CONSULT).astype(np.uint64)
    ones = np.full(len(rows), np.uint64(party == 0))
    return np.stack([ones, rows.seen * posts, rows.debit * posts, rows.fee * posts])
