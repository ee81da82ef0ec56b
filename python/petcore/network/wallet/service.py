"""Messages in, messages out: what a wallet edge does with the envelopes that node A brings."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petcore.errors import PetcoreError
from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, compose, open_part, verify
from petcore.network.errors import DecisionUnclear, EnvelopeMalformed
from petcore.network.fields import Role
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import key
from petcore.network.replay import Counter
from petcore.network.wallet.book import Payment
from petcore.network.wallet.payments import Answer, Asked, Awaiting, Payments

ANSWER_SECONDS = 3600.0
_REQUESTS = ("pay", "consult", "refund")
_NODES: tuple[Role, ...] = ("node_a", "node_b")

Words = npt.NDArray[np.uint64]


class WalletService:
    """Checks, decisions and cancellations of one wallet; every method blocks, and may be repeated.

    Parameters
    ----------
    payments
        The state machine.
    directory
        Members and agreements.
    ring, keys
        The wallet's own keys; everybody's public ones.
    cashier
        URL of the page where users agree; empty: payments without a code are declined.
    consults
        How often one payment code may be asked about.
    """

    def __init__(
        self,
        payments: Payments,
        directory: Directory,
        ring: KeyRing,
        keys: PublicKeys,
        *,
        cashier: str = "",
        consults: int = 3,
    ) -> None:
        self.payments, self.directory = payments, directory
        self._ring, self._keys, self._counter = ring, keys, Counter()
        self._cashier, self._consults = cashier, consults

    def checks(self, items: Sequence[bytes]) -> list[bytes]:
        """Answer requests in their order: by a check, by ``awaiting``, or by an error as JSON."""
        asked: list[Asked | PetcoreError] = [self._asked(item) for item in items]
        good = [one for one in asked if isinstance(one, Asked)]
        answers = iter(self.payments.check(good, consults=self._consults))
        return [
            self._compose(one, next(answers)) if isinstance(one, Asked) else problem(one)
            for one in asked
        ]

    def check_of(self, envelope: Envelope, payment: Payment) -> bytes:
        """Return the check for a request that was answered by ``awaiting`` before."""
        return self._check(envelope, payment)

    def decisions(self, items: Sequence[bytes]) -> dict[str, str]:
        """Post or void what both nodes decided; return the states by the requests' keys.

        Raises
        ------
        EnvelopeError
            A message is not of a node, or not for this wallet.
        DecisionUnclear
            The two nodes' messages do not fit together; nothing of this call happened.
        """
        shares: dict[tuple[int, tuple[str, ...]], dict[str, Words]] = {}
        for item in items:
            envelope = Envelope.from_bytes(item)
            header = envelope.header
            verify(envelope, self._keys, directory=self.directory, recipient=self._ring.name)
            clear = header.clear
            if header.type != "decision" or len(clear["ids"]) != len(clear["senders"]):
                raise EnvelopeMalformed("a decision names a sender for every id")
            names = map(key, clear["senders"], clear["ids"])
            words = np.asarray(open_part(envelope, self._ring)["decisions"], np.uint64)
            if len(words) != len(clear["ids"]):
                raise EnvelopeMalformed("a decision has a share for every id")
            place = clear["batch"], tuple(names)
            shares.setdefault(place, {})[self.directory.member(header.sender).role] = words
        decided: dict[str, int] = {}
        for (batch, names_of), halves in shares.items():
            if set(halves) != set(_NODES):
                raise DecisionUnclear(f"of batch {batch} only one node's decision came; send both")
            total = halves["node_a"] + halves["node_b"]
            decided.update(zip(names_of, map(int, total), strict=True))
        return self.payments.decide(decided)

    def cancels(self, items: Sequence[bytes]) -> list[bytes]:
        """Cancel payments; answer in order by ``cancelled``, or by an error as JSON."""
        return [self._cancel(item) for item in items]

    def _asked(self, item: bytes) -> Asked | PetcoreError:
        try:
            envelope = Envelope.from_bytes(item)
            verify(envelope, self._keys, directory=self.directory, recipient=self._ring.name)
            if envelope.header.type not in _REQUESTS:
                raise EnvelopeMalformed(f"{envelope.header.type} asks a wallet for nothing")
            return Asked(envelope, open_part(envelope, self._ring))
        except PetcoreError as error:
            return error

    def _compose(self, asked: Asked, answer: Answer) -> bytes:
        if isinstance(answer, PetcoreError):
            return problem(answer)
        if isinstance(answer, Awaiting):
            return self._awaiting(asked.envelope, answer)
        return self._check(asked.envelope, answer)

    def _awaiting(self, envelope: Envelope, answer: Awaiting) -> bytes:
        header = envelope.header
        values: dict[str, object] = {
            "acqp": header.sender,
            "request": envelope.digest,
            "payment_id": answer.id,
            "normal_url": f"{self._cashier}/cashier/{answer.id}",
        }
        return self._send("awaiting", header.request_id, values, {"acqp": header.sender})

    def _check(self, envelope: Envelope, payment: Payment) -> bytes:
        header, numbers = envelope.header, payment.numbers
        refund = header.type == "refund"
        values: dict[str, object] = {
            "acqp": header.sender,
            "request": envelope.digest,
            "payer_currency": payment.payer_currency,
            "rate": payment.rate or "-",
            "seen": numbers.seen,
            "debit": numbers.debit,
            "reason": numbers.reason,
            "debit_amount": numbers.debit,
            "quote": _quote(payment),
        }
        if refund:
            values |= {"refund_id": payment.id, "refund_time": payment.time}
        else:
            values |= {
                "available": numbers.available,
                "count_left": numbers.count_left,
                "sum_left": numbers.sum_left,
                "features": list(numbers.features),
                "payment_id": payment.id,
                "payment_time": payment.time,
            }
        to: dict[Role, str] = {
            "acqp": header.sender,
            "node_a": self.directory.node_a.name,
            "node_b": self.directory.node_b.name,
        }
        return self._send("refund_check" if refund else "check", header.request_id, values, to)

    def _cancel(self, item: bytes) -> bytes:
        try:
            envelope = Envelope.from_bytes(item)
            header = envelope.header
            verify(envelope, self._keys, directory=self.directory, recipient=self._ring.name)
            if header.type != "cancel":
                raise EnvelopeMalformed(f"{header.type} cancels nothing")
            state = self.payments.cancel(header.sender, header.clear["payment"])
        except PetcoreError as error:
            return problem(error)
        values: dict[str, object] = {
            "payment": header.clear["payment"],
            "acqp": header.sender,
            "state": state,
        }
        to: dict[Role, str] = {
            "acqp": header.sender,
            "node_a": self.directory.node_a.name,
            "node_b": self.directory.node_b.name,
        }
        return self._send("cancelled", header.request_id, values, to)

    def _send(
        self, kind: str, request_id: str, values: dict[str, object], to: dict[Role, str]
    ) -> bytes:
        return compose(
            kind,
            request_id,
            values,
            ring=self._ring,
            keys=self._keys,
            to=to,
            expires_in=ANSWER_SECONDS,
            counter=self._counter.next(),
        ).to_bytes()


def problem(error: PetcoreError) -> bytes:
    """Return an error as it travels in the place of an envelope."""
    fields = {"code": error.code, "message": error.message, "retryable": error.retryable}
    return json.dumps(fields).encode()


def _quote(payment: Payment) -> str:
    if not payment.rate:
        return ""
    fields = {
        "quoteId": payment.rate,
        "quoteCurrencyPair": f"{payment.merchant_currency}/{payment.payer_currency}",
        "num": payment.num,
        "den": payment.den,
    }
    return json.dumps(fields, separators=(",", ":"))
