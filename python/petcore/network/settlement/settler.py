"""A node's answers about nets: to each participant its own, and the requests that it covers."""

from __future__ import annotations

import threading

from petcore.mpc.disclosure import Disclosure, DisclosureSink
from petcore.network.directory import Directory
from petcore.network.envelope import Envelope, compose, verify
from petcore.network.errors import NetWithheld, RecipientWrong
from petcore.network.keyring import KeyRing, PublicKeys
from petcore.network.ledger import Database
from petcore.network.replay import Counter
from petcore.network.settlement.nets import NETWORK, Due, Nets, items_digest

NET_SECONDS = 24 * 3600
ITEMS_MAX = 20_000


class Settler:
    """Opens this node's shares of nets, each to the participant that it belongs to.

    A net is the recipient's own, or for node A the network's (fees and exchange).

    Parameters
    ----------
    name
        This node.
    sink
        Takes every net before its share is sealed: the policy, and the disclosure log.
    """

    def __init__(
        self,
        directory: Directory,
        name: str,
        *,
        ring: KeyRing,
        keys: PublicKeys,
        database: Database,
        counter: Counter,
        sink: DisclosureSink,
    ) -> None:
        self._directory, self._name = directory, name
        self._sink, self._log = sink, threading.Lock()
        self._ring, self._keys, self._counter = ring, keys, counter
        self._nets = Nets(database, directory.min_count)

    def answer(self, content: bytes) -> bytes:
        """Return the `net` envelope that answers a `net_request`; asking again gives the same net.

        Raises
        ------
        EnvelopeError
            The request is none, is not signed by a member, or is for another node.
        WindowOpen, NetWithheld, NetsBroken
            There is no net to open.
        """
        request = Envelope.from_bytes(content)
        verify(request, self._keys, directory=self._directory, recipient=self._name)
        if request.header.type != "net_request":
            raise RecipientWrong(f"{request.header.type} is not answered by a net")
        window, currency = request.header.clear["window"], request.header.clear["currency"]
        return self.net(request.header.sender, window, currency, request.header.request_id)

    def net(self, name: str, window: int, currency: str, request_id: str) -> bytes:
        """Return a member's own net, sealed to it; of node A the network's.

        Raises
        ------
        WindowOpen, NetWithheld, NetsBroken
            There is no net to open.
        DisclosureError
            The policy refuses it, or the log cannot be written.
        """
        member = self._directory.member(name)
        due = self._due(name, window, currency)
        with self._log:
            self._sink.record(
                Disclosure(
                    step=0,
                    label=f"net of {name}",
                    recipients=(name,),
                    shape=(),
                    dtype="int64",
                    purpose=f"settlement of {currency}, windows {due.first} to {due.last}",
                    agreement="",
                    kind="export",
                )
            )
        values = {
            "first": due.first,
            "window": due.last,
            "currency": currency,
            "count": due.payments,
            "items": items_digest(self._nets.items(due)),
            "net": due.word,
        }
        return compose(
            "net",
            request_id,
            values,
            ring=self._ring,
            keys=self._keys,
            to={member.role: name},  # type: ignore[dict-item]  # compose refuses other roles
            expires_in=NET_SECONDS,
            counter=self._counter.next(),
        ).to_bytes()

    def items(
        self, member: str, window: int, currency: str, *, after: str = "", most: int = ITEMS_MAX
    ) -> list[str]:
        """Return the next items, after the item `after`, that a member's own net covers."""
        items = self._nets.items(self._due(member, window, currency))
        return [item for item in items if item > after][: min(most, ITEMS_MAX)]

    def _due(self, member: str, window: int, currency: str) -> Due:
        owner = NETWORK if member == self._directory.node_a.name else member
        due, withheld = self._nets.due(window)
        for net in due:
            if (net.owner, net.currency) == (owner, currency):
                return net
        payments = next((w.payments for w in withheld if w[:2] == (owner, currency)), 0)
        raise NetWithheld(
            f"the net of {member} in {currency} at window {window} covers {payments} requests, and "
            f"is opened from {self._directory.min_count} on; it is carried into the next window"
        )
