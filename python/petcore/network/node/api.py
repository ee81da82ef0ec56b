"""What nodes A and B answer over HTTP: the contract that edges and the other node build on.

All paths need mutual TLS with a certificate of the directory. Bodies marked *packed* are lists of
byte strings (`petcore.network.envelope.pack`). A call fails as a whole with an error of
`petcore.errors` as JSON ``{"code", "retryable", "message"}`` and a status that is not 200
(`petcore.network.http`); what concerns one message of many stands in that message's reply.

Replies
-------
`Replies` is what carries answers to messages: packed, first a JSON text, then envelopes.

    [ {"replies": [reply, ...]}, envelope 0, envelope 1, ... ]

    reply = {"status": ..., "sender": ..., "id": ..., "kind": ..., "state": ...,
             "envelopes": [indices], "code": ..., "message": ..., "retryable": ..., "number": ...}

One decision envelope answers for many rows, so replies point to envelopes by index. ``status`` is

==============  =================================================================================
``decided``     envelopes: decision of A, decision of B, the wallet's ``check`` or ``refund_check``
                (header and the part for whoever asks). The two shares of the row (senders[i],
                ids[i]) add up to 1, approved, or 0, declined; anything else is an error
``pending``     journalled and not decided: ask by inquiry
``awaiting``    a person has to agree at the wallet first; envelopes: ``awaiting``. Decided later
``cancelled``   envelopes: the wallet's ``cancelled``
``accepted``    a message that has no answer of its own (a check that a wallet brings) was journalled
``refused``     ``code``, ``message``, ``retryable`` say why; nothing happened. Codes: ``inconsistent``
                (the id has another content), ``tombstoned``, ``expired``, ``unknown``, ``window``
                (too late to cancel), ``quota`` (consults of a token), those of envelopes
``unknown``     of an inquiry: no such request
==============  =================================================================================

``state`` is the node's: new, reserved, posted, partially_refunded, refunded, voided, expired,
tombstoned. It never tells approved from declined. ``number`` counts notifications to a recipient.

Node A, for edges
-----------------
``POST /v1/messages``
    Body: packed, 1 to 64 envelopes ``for_recipient`` of nobody, that is with all parts: pay, consult,
    refund, cancel (of an acquirer), check, refund_check (of a wallet whose user agreed). Answer:
    Replies in the same order, at the latest after ``answer_seconds`` (8): a caller waits 12.
``GET /v1/requests/{sender}/{id}``
    The id percent-encoded. Answer: Replies with one reply. The sender of the request and its wallet
    may ask.
``GET /metrics``, ``GET /health``
    For every member; on ``health_listen`` without TLS, loopback only.

Node A calls edges
------------------
``POST /v1/checks``, ``POST /v1/decisions``, ``POST /v1/cancels`` at a wallet
    Packed envelopes, answered in the same order by packed envelopes (or JSON errors); decisions have an
    empty answer: 200 means that they are durable. Repeated until then.
``POST /v1/notifications`` at an acquirer
    Body: Replies, whose envelopes begin with a ``notify`` of each node that has one. 200 means durable;
    repeated until then, in the order of ``number``; what has a known number is ignored.

Node B, for node A
------------------
``POST /v1/pair``                   JSON ``{"session", "directory", "model"}``; both then connect
``POST /v1/batches``                packed: JSON ``{"batch", "session", "window"}``, then of each
                                    row its request and check, with B's parts -> JSON ``{"refused"}``
``POST /v1/batches/{n}/computed``   JSON ``{"digest"}`` -> packed: B's decision envelopes
``POST /v1/batches/{n}/commit``     -> 200 when durable
``POST /v1/batches/{n}/abort``      -> 200 when durable
``GET  /v1/batches/open``           JSON ``{"batches": [{"batch", "state", "digest"}]}``
``POST /v1/cancels``                packed cancel envelopes -> JSON ``{"outcomes"}``
"""

from __future__ import annotations
