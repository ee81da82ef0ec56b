"""Keyed pseudonyms: ids that are linkable inside a scope only.

One company holds ids (customers), another a key per epoch. The holder of ids gets a pseudonym for
each, of an oblivious pseudorandom function (RFC 9497, mode POPRF, see `petcore.oprf`): the service
never sees an id or a pseudonym, the client never the key. The scope is a public part of the
function: pseudonyms of one scope and epoch are equal where ids are, at whatever client; those of
two scopes, or of two epochs, cannot be linked without asking the service for both. When the key of
an epoch is destroyed, nobody can make its pseudonyms again.

A client can try ids that it guesses: quotas bound how many, and the journal tells how many were.
The client checks by a proof that the key is the one whose public part it pinned, so that no client
can be given pseudonyms of its own.

Examples
--------
>>> from petcore.pseudonyms import Grant, KeyRing, PseudonymClient, PseudonymService
>>> keys = KeyRing()
>>> epoch = keys.rotate()
>>> service = PseudonymService(keys, {"wallet": Grant(scopes=("fraud",), ids_per_day=1000)})
>>> wallet = PseudonymClient(lambda request: service.answer("wallet", request), keys.public())
>>> first, second, again = wallet.pseudonyms(["anna", "bert", "anna"], scope="fraud", epoch=epoch)
>>> first == again, first == second, len(first)
(True, False, 32)
>>> service.counters()["wallet"]["ids"]
3
"""

from petcore.pseudonyms.client import PseudonymClient
from petcore.pseudonyms.keys import KeyRing
from petcore.pseudonyms.service import Grant, PseudonymService

__all__ = ["Grant", "KeyRing", "PseudonymClient", "PseudonymService"]
