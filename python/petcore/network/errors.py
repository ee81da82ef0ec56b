"""The branch of petcore's one error tree that the payment network adds.

Codes are stable and unique in the whole tree.

::

    class                         code        retry  raised when

    NetworkError                  network            never itself
    ├── EnvelopeError             envelope           a message cannot be used
    │   ├── EnvelopeMalformed     malformed          cut short, oversized, not in the one form
    │   ├── FieldRefused          field              an undeclared, missing or wrong field
    │   ├── SignatureWrong        signature          not signed by who it says it is from
    │   ├── RecipientWrong        recipient          it is for somebody else
    │   ├── EnvelopeExpired       expired            its time is over
    │   ├── ClockSkew             skew               it comes from the future
    │   ├── EnvelopeReplayed      replayed           its counter was used by another message
    │   ├── SealBroken            sealed             a part does not open
    │   └── EpochUnknown          epoch              a key that is unknown here, or erased
    ├── SettlementError           settlement         nets cannot be settled
    │   ├── WindowOpen            window_open   yes  the window still runs
    │   ├── NetWithheld           withheld           it covers too few payments; carried on
    │   └── NetsBroken            nets               sums or nodes do not agree
    ├── RequestError              request            a request cannot be dealt with
    │   ├── RequestInconsistent   inconsistent       its id was used for another content
    │   ├── RequestCancelled      cancelled          it was cancelled before it came
    │   ├── RequestLate           request_expired    its time is over
    │   ├── RefundBusy            refund_busy   yes  another refund of the payment is under way
    │   ├── DecisionUnclear       decision           the nodes' shares add up to no decision
    │   ├── RequestTombstoned     tombstoned         its id was cancelled before it came
    │   ├── RequestUnknown        unknown            there is no such request
    │   ├── WindowExceeded        window             too late to cancel
    │   ├── TermsRefused          terms              it does not fit its check or the directory
    │   └── PinRefused            pin                user and PIN do not fit
    │       └── PinLocked         pin_locked         too many wrong ones: the user has to wait
    └── NodeError                 node
        ├── NodesApart            apart       yes    the nodes have no session with each other
        ├── BatchRefused          unfit       yes    the other node does not take a batch
        └── Draining              draining    yes    the process is about to end
"""

from __future__ import annotations

from petcore.errors import NetworkError


class EnvelopeError(NetworkError):
    """A message of the payment network cannot be used."""

    default_code = "envelope"


class EnvelopeMalformed(EnvelopeError, ValueError):
    """The bytes are no message: cut short, oversized, or not in the one form that is accepted."""

    default_code = "malformed"


class FieldRefused(EnvelopeError, ValueError):
    """A field is not declared for this message, is missing, or holds what its kind forbids."""

    default_code = "field"


class SignatureWrong(EnvelopeError, PermissionError):
    """The message was not signed by who it says it is from, or was changed."""

    default_code = "signature"


class RecipientWrong(EnvelopeError, PermissionError):
    """The message, or its part, is for somebody else."""

    default_code = "recipient"


class EnvelopeExpired(EnvelopeError):
    """The message came after its expiry."""

    default_code = "expired"


class ClockSkew(EnvelopeError):
    """The message was made later than this clock allows: one of the two clocks is wrong."""

    default_code = "skew"


class EnvelopeReplayed(EnvelopeError):
    """The counter of the message was used by another message of its sender."""

    default_code = "replayed"


class SealBroken(EnvelopeError):
    """A sealed part does not open: another key, another message, or changed bytes."""

    default_code = "sealed"


class EpochUnknown(EnvelopeError):
    """A key of an epoch that is unknown here, not valid at this time, or erased."""

    default_code = "epoch"


class RequestError(NetworkError):
    """A payment, refund or cancellation cannot be dealt with as it is."""

    default_code = "request"


class RequestInconsistent(RequestError, ValueError):
    """The id was used for a request of another content before; use a new one."""

    default_code = "inconsistent"


class RequestCancelled(RequestError):
    """The payment was cancelled before it came, and never will be made."""

    default_code = "cancelled"


class RequestLate(RequestError):
    """The request came after its expiry, or waits for nobody any more."""

    default_code = "request_expired"


class RefundBusy(RequestError):
    """Another refund of the same payment is under way; ask again when it is decided."""

    default_code = "refund_busy"
    default_retryable = True


class DecisionUnclear(RequestError):
    """The nodes' shares of a decision add up to neither yes nor no, or contradict this journal."""

    default_code = "decision"


class RequestTombstoned(RequestError):
    """The id of the request was cancelled before it came."""

    default_code = "tombstoned"


class RequestUnknown(RequestError):
    """There is no such request."""

    default_code = "unknown"


class WindowExceeded(RequestError):
    """It is too late to cancel; a refund is the way."""

    default_code = "window"


class TermsRefused(RequestError):
    """A request does not fit its check, its agreement, its rate or the risk model."""

    default_code = "terms"


class NodeError(NetworkError):
    """A node cannot do its part."""

    default_code = "node"


class NodesApart(NodeError):
    """The nodes have no session with each other at the moment."""

    default_code = "apart"
    default_retryable = True


class BatchRefused(NodeError):
    """The other node does not take a batch: the two have to compare their journals."""

    default_code = "unfit"
    default_retryable = True


class Draining(NodeError):
    """The process is about to end and takes nothing new."""

    default_code = "draining"
    default_retryable = True


class PinRefused(RequestError, PermissionError):
    """User and PIN do not fit."""

    default_code = "pin"


class PinLocked(PinRefused):
    """Too many wrong PINs of this user came; it has to wait."""

    default_code = "pin_locked"


class SettlementError(NetworkError):
    """The nets of a window cannot be settled."""

    default_code = "settlement"


class WindowOpen(SettlementError):
    """The window has not ended, or a batch of it still runs."""

    default_code = "window_open"
    default_retryable = True


class NetWithheld(SettlementError):
    """A net covers fewer payments than the network opens; it is carried into the next window."""

    default_code = "withheld"


class NetsBroken(SettlementError):
    """Nets do not sum to zero, or the two nodes do not agree about a net."""

    default_code = "nets"
