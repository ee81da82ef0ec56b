"""Messages in, messages out: what a wallet edge does with the envelopes that node A brings."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petcore.errors import PetcoreError
from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, Header, compose, open_part, verify
from petcore.network.errors import DecisionUnclear, EnvelopeMalformed, FieldRefused
from petcore.network.fields import Role
from petcore.network.keyring import KeyRing, PublicKeys, now_ms
from petcore.network.ledger import key
from petcore.network.replay import Counter
from petcore.network.wallet.book import Payment
from petcore.network.wallet.payments import Answer, Asked, Awaiting, Payments

ANSWER_SECONDS = 3600.0
_REQUESTS = ("pay", "consult", "refund")
_NEITHER = 2
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
        URL of the page where users agree; empty: payments without a code are refused.
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

    def decisions(self, items: Sequence[bytes]) -> dict[str, str | DecisionUnclear]:
        """Post or void what both nodes decided; return the states by the requests' keys.

        A request whose two shares make no decision has an error for a state, and stays held.

        Raises
        ------
        EnvelopeError
            A message is not of a node, or not for this wallet.
        DecisionUnclear
            A message of one node lacks the other's; nothing of this call happened.
        """
        halves: dict[tuple[int, tuple[str, ...]], dict[str, Words]] = {}
        for item in items:
            header, names, words = self._half(item)
            place = int(header.clear["batch"]), names
            halves.setdefault(place, {})[self.directory.member(header.sender).role] = words
        decided: dict[str, int] = {}
        for (batch, requests), half in halves.items():
            if set(half) != set(_NODES):
                raise DecisionUnclear(f"of batch {batch} only one node's decision came; send both")
            total = half["node_a"] + half["node_b"]
            for request, decision in zip(requests, map(int, total), strict=True):
                if decided.setdefault(request, decision) != decision:
                    decided[request] = _NEITHER  # two batches decided, and differently
        return self.payments.decide(decided)

    def cancels(self, items: Sequence[bytes]) -> list[bytes]:
        """Cancel payments; answer in order by ``cancelled``, or by an error as JSON."""
        return [self._cancel(item) for item in items]

    def _verified(self, item: bytes, *types: str, late: bool = False) -> Envelope:
        """Return a message of one of these types that is for this wallet and by its sender.

        ``late``: also after its time. What the nodes have journalled has to be carried out however
        long this wallet was away, and to do it again changes nothing.
        """
        envelope = Envelope.from_bytes(item)
        now = min(now_ms(), envelope.header.expires) if late else now_ms()
        verify(envelope, self._keys, now=now, directory=self.directory, recipient=self._ring.name)
        if envelope.header.type not in types:
            raise EnvelopeMalformed(f"a wallet is not told so by {envelope.header.type}")
        return envelope

    def _asked(self, item: bytes) -> Asked | PetcoreError:
        try:
            envelope = self._verified(item, *_REQUESTS)
            asked = Asked(envelope, open_part(envelope, self._ring))
            if envelope.header.type == "pay" and not asked.code and not self._cashier:
                raise FieldRefused("this wallet has no page where users agree; send a code")
            return asked
        except PetcoreError as error:
            return error

    def _half(self, item: bytes) -> tuple[Header, tuple[str, ...], Words]:
        """Return one node's decisions: its message's header, the requests, the shares."""
        envelope = self._verified(item, "decision", late=True)
        clear = envelope.header.clear
        words = np.asarray(open_part(envelope, self._ring)["decisions"], np.uint64)
        if not len(clear["ids"]) == len(clear["senders"]) == len(words):
            raise EnvelopeMalformed("a decision has a sender and a share for every id")
        return envelope.header, tuple(map(key, clear["senders"], clear["ids"])), words

    def _compose(self, asked: Asked, answer: Answer) -> bytes:
        if isinstance(answer, PetcoreError):
            return problem(answer)
        try:
            if isinstance(answer, Awaiting):
                return self._awaiting(asked.envelope, answer)
            return self._check(asked.envelope, answer)
        except PetcoreError as error:
            return problem(error)

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
        }
        if payment.rate:
            values["quote"] = _quote(payment)
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
        kind = "refund_check" if refund else "check"
        return self._send(kind, header.request_id, values, self._everyone(header))

    def _cancel(self, item: bytes) -> bytes:
        try:
            envelope = self._verified(item, "cancel", late=True)
            header = envelope.header
            done = self.payments.cancel(
                header.sender, header.clear["payment"], asked=header.created
            )
            values: dict[str, object] = {
                "payment": header.clear["payment"],
                "acqp": header.sender,
                "done": done,
                "cancel_time": now_ms(),
            }
            return self._send("cancelled", header.request_id, values, self._everyone(header))
        except PetcoreError as error:
            return problem(error)

    def _everyone(self, header: Header) -> dict[Role, str]:
        """Return who gets the answer to a request: the acquirer and both nodes."""
        return {
            "acqp": header.sender,
            "node_a": self.directory.node_a.name,
            "node_b": self.directory.node_b.name,
        }

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
    fields = {
        "quoteId": payment.rate,
        "quoteCurrencyPair": f"{payment.merchant_currency}/{payment.payer_currency}",
        "num": payment.num,
        "den": payment.den,
    }
    return json.dumps(fields, separators=(",", ":"))
