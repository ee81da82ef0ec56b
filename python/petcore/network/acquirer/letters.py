"""Messages of the edge: composing what the network is asked, opening what it answers."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from petcore.errors import UsageError
from petcore.network.acquirer.facts import Asked, MessageName
from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, compose, open_part, verify
from petcore.network.errors import EnvelopeMalformed
from petcore.network.fields import Role
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.replay import Counter
from petcore.network.schema import message
from petcore.payments.sharing import combine_shares

_KEPT = 64  # opened decisions, each for a whole batch
_ORDER = frozenset(field.name for field in message("pay").sealed["mpp"]) - {
    "amount",
    "currency",
    "payment_token",
}


@dataclass(frozen=True)
class _Opened:
    """A decision envelope of one node: its batch, and this node's share of every request."""

    node: str
    batch: int
    shares: dict[tuple[str, str], np.uint64]


class Letters:
    """What goes out is sealed and signed here, what comes in is verified and opened.

    Not thread-safe: one thread composes and opens.

    Parameters
    ----------
    directory
        Of the network.
    ring, keys
        The edge's own keys, and everybody's public ones.
    secret
        Under which contents and tokens get their tags; never leaves the edge.
    """

    def __init__(
        self, directory: Directory, ring: KeyRing, keys: PublicKeys, secret: bytes
    ) -> None:
        self.name = ring.name
        self._directory, self._ring, self._keys, self._secret = directory, ring, keys, secret
        self._counter = Counter()
        self._opened: OrderedDict[bytes, _Opened] = OrderedDict()

    def tag(self, *content: str) -> bytes:
        """Return the keyed digest by which equal contents are recognised, 32 bytes."""
        text = "\n".join(content).encode()
        return hmac.digest(self._secret, text, hashlib.sha256)

    def compose(self, kind: MessageName, asked: Asked, tag: bytes, *, expires_in: float) -> bytes:
        """Write the message that asks the network.

        Raises
        ------
        FieldRefused
            A field holds what the schema forbids; nothing was sent.
        """
        to: dict[Role, str] = {
            "mpp": asked.mpp,
            "node_a": self._directory.node_a.name,
            "node_b": self._directory.node_b.name,
        }
        return compose(
            kind,
            self.request_id(kind, asked),
            self._values(kind, asked, tag),
            ring=self._ring,
            keys=self._keys,
            to=to,
            expires_in=expires_in,
            counter=self._counter.next(),
        ).to_bytes()

    def check(self, kind: MessageName, asked: Asked, tag: bytes) -> None:
        """Raise FieldRefused where the schema forbids what was asked, before anything is kept."""
        message(kind).check(self._values(kind, asked, tag))

    def request_id(self, kind: MessageName, asked: Asked) -> str:
        """Return the id of a request in the network: the caller's; for a cancellation one that
        callers cannot make."""
        return self.cancel_id(asked.payment) if kind == "cancel" else asked.request

    def cancel_id(self, payment: str) -> str:
        """Return the id of the cancellation of a payment."""
        return "cancel-" + self.tag("cancel id", payment).hex()[:48]

    def decision(self, answers: tuple[bytes, ...], request_id: str) -> tuple[bool, int]:
        """Return what the two nodes decided about a request of this edge, and in which batch.

        Raises
        ------
        EnvelopeError
            The two do not fit together or to the request, or do not add up to 0 or 1.
        """
        both = {opened.node: opened for opened in map(self._open_decision, answers)}
        wanted = {self._directory.node_a.name, self._directory.node_b.name}
        key = (self.name, request_id)
        if both.keys() != wanted or any(key not in opened.shares for opened in both.values()):
            raise EnvelopeMalformed("a decision needs a share of each node for this request")
        if len({opened.batch for opened in both.values()}) != 1:
            raise EnvelopeMalformed("the nodes' shares of a decision are of two batches")
        shares = [np.array([opened.shares[key]], np.uint64) for opened in both.values()]
        (sum_of,) = combine_shares(shares).tolist()
        if sum_of not in (0, 1):
            raise EnvelopeMalformed("the nodes' shares of a decision add up to neither 0 nor 1")
        return sum_of == 1, next(iter(both.values())).batch

    def from_wallet(self, content: bytes, type_: str, mpp: str, request_id: str) -> dict[str, Any]:
        """Open what a wallet says to this edge about a request; EnvelopeError where it is not."""
        envelope = self._verified(content, type_, mpp)
        header = envelope.header
        if header.clear.get("payment", header.request_id) != request_id:
            raise EnvelopeMalformed(f"{type_} of {mpp} is about another request")
        opened = open_part(envelope, self._ring) if envelope.has_part(self.name) else {}
        return {**header.clear, **opened}

    def _verified(self, content: bytes, type_: str, sender: str) -> Envelope:
        envelope = Envelope.from_bytes(content)
        header = envelope.header
        if (header.type, header.sender) != (type_, sender):
            raise EnvelopeMalformed(f"a {type_} of {sender} was expected, and another came")
        verify(envelope, self._keys, recipient=self.name, now=header.created)
        return envelope

    def _open_decision(self, content: bytes) -> _Opened:
        known = self._opened.get(content)
        if known is not None:
            return known
        sender = Envelope.from_bytes(content).header.sender
        if sender not in (self._directory.node_a.name, self._directory.node_b.name):
            raise EnvelopeMalformed("a decision comes from a node")
        envelope = self._verified(content, "decision", sender)
        clear, vector = envelope.header.clear, open_part(envelope, self._ring)["decisions"]
        names = list(zip(clear["senders"], clear["ids"], strict=False))
        if not len(names) == len(clear["senders"]) == len(clear["ids"]) == len(vector):
            raise EnvelopeMalformed("a decision names other requests than it decides")
        opened = _Opened(sender, clear["batch"], dict(zip(names, vector, strict=True)))
        if len(opened.shares) != len(names):
            raise EnvelopeMalformed("a decision decides a request twice")
        self._opened[content] = opened
        if len(self._opened) > _KEPT:
            self._opened.popitem(last=False)
        return opened

    def _values(self, kind: MessageName, asked: Asked, tag: bytes) -> dict[str, Any]:
        if kind == "cancel":
            return {"payment": asked.payment, "mpp": asked.mpp, "content": tag.hex()}
        values: dict[str, Any] = {
            "merchant_currency": asked.currency,
            "mpp": asked.mpp,
            "agreement": asked.agreement,
            "content": tag.hex(),
            "amount": asked.amount,
            "fee": asked.fee,
            "currency": asked.currency,
        }
        if kind == "refund":
            values |= {"payment": asked.payment, "fx_mode": asked.fx}
            return {**values, **asked.values}
        if asked.values.keys() - _ORDER:
            raise UsageError("an order names a field that the schema does not have for wallets")
        values |= {**asked.values, "payment_token": asked.token}
        if kind == "consult":
            values["token_tag"] = self.tag("token", asked.token).hex()
        return values
