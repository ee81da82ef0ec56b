"""The one error tree of petcore.

Every class has a stable ``code`` (the word that logs and peers see) and says whether the same work
may succeed when tried again on a new session (``retryable``; a failed session stays failed).
A message names the party, the operation and the remedy; it never holds a share, a key or another
party's data.

::

    class                         code        retry  raised when

    PetcoreError                  petcore            never itself
    ├── UsageError                usage              wrong dtype, shape, range, missing argument
    ├── ConfigError               config             a file or option cannot be understood
    ├── LinkError                 link
    │   ├── PeerUnreachable       unreachable yes    the peer never answered the connection
    │   ├── PeerClosed            closed      yes    the peer's process or link went away
    │   ├── PeerLate              late        yes    the peer lives but missed the deadline
    │   ├── PeerSilent            silent      yes    not even a heartbeat arrived
    │   ├── PeerUntrusted         untrusted          the peer's key is not the pinned one
    │   └── BadFrame              frame              no frame, or more bytes than agreed
    ├── AgreementError            agreement
    │   ├── HandshakeMismatch     handshake          the terms of the session differ
    │   ├── StepMismatch          step               the peer runs another program or shape
    │   └── PeerAborted           aborted            the peer reported its own failure
    ├── SessionBroken             broken             the session failed or was closed earlier
    ├── SessionBusy               busy        yes    another thread is using the session
    ├── CorrelationError          correlation        the dealer refused or answered wrongly
    │   ├── DealerFull            full        yes    the dealer serves as many as it may
    │   ├── DealerLimit           limit              more was asked than this client is allowed
    │   └── DealerCheated         cheated            what the dealer sent does not fit its seeds
    ├── StoreError                store              a store of correlations cannot be used
    │   ├── StoreKeyWrong         key                it is sealed under another key
    │   ├── StoreLocked           locked      yes    another process uses it
    │   ├── StoreDamaged          damaged            a file of it is not what was written
    │   └── StockExhausted        exhausted          it has too little of what an operation needs
    ├── LedgerError               ledger      yes    a payment network's database refused
    │   ├── LedgerLocked          ledger-locked yes  another process owns or writes it
    │   ├── LedgerFull            ledger-full yes    no room is left
    │   ├── LedgerDamaged         ledger-damaged     it is damaged, or no database
    │   └── LedgerNewer           ledger-newer       a newer petcore made its tables
    ├── EntropyError              entropy     yes    the system gave no randomness
    ├── PseudonymError            pseudonym
    │   ├── ScopeRefused          scope              the service does not serve this scope or epoch
    │   └── QuotaExceeded         quota       yes    more ids than the service allows for now
    ├── DisclosureError           disclosure
    │   ├── LabelMissing          label              an opening without a label
    │   ├── DisclosureRefused     refused            the policy does not allow the opening
    │   └── LogCorrupt            log                the disclosure log does not verify
    ├── NetworkError              network            drawn on in `petcore.network.errors`
    └── InternalError             internal           a defect in petcore

Examples
--------
>>> error = from_core("late", "no answer within 2 s", "wallet", "10.0.0.7:7100", "mul #12")
>>> type(error).__name__, error.code, error.retryable
('PeerLate', 'late', True)
>>> print(error)
no answer within 2 s [party wallet at 10.0.0.7:7100, step mul #12]
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AgreementError",
    "BadFrame",
    "ConfigError",
    "CorrelationError",
    "DealerCheated",
    "DealerFull",
    "DealerLimit",
    "DisclosureError",
    "DisclosureRefused",
    "EntropyError",
    "HandshakeMismatch",
    "InternalError",
    "LabelMissing",
    "LedgerDamaged",
    "LedgerError",
    "LedgerFull",
    "LedgerLocked",
    "LedgerNewer",
    "LinkError",
    "LogCorrupt",
    "NetworkError",
    "PeerAborted",
    "PeerClosed",
    "PeerLate",
    "PeerSilent",
    "PeerUnreachable",
    "PeerUntrusted",
    "PetcoreError",
    "PseudonymError",
    "QuotaExceeded",
    "ScopeRefused",
    "SessionBroken",
    "SessionBusy",
    "StepMismatch",
    "StockExhausted",
    "StoreDamaged",
    "StoreError",
    "StoreKeyWrong",
    "StoreLocked",
    "UsageError",
    "error_class",
    "from_core",
]


class PetcoreError(Exception):
    """Root of the tree.

    Parameters
    ----------
    message : str
        What went wrong and what to do about it.
    code : str, optional
        Stable word; the class's own where left out.
    party, address, step : str
        Who failed, where it was reached, and during which operation; empty where unknown.
    retryable : bool, optional
        Whether the same work may succeed on a new session; the class's own where left out.
    """

    default_code: ClassVar[str] = "petcore"
    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        party: str = "",
        address: str = "",
        step: str = "",
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.default_code if code is None else code
        self.party = party
        self.address = address
        self.step = step
        self.retryable = self.default_retryable if retryable is None else retryable

    def __str__(self) -> str:
        """Give the message, with the party, address and step it does not name itself."""
        where = []
        if self.party and self.party not in self.message:
            where.append(f"party {self.party}")
        if self.address and self.address not in self.message:
            where.append(f"at {self.address}")
        place = " ".join(where)
        step = f"step {self.step}" if self.step and self.step not in self.message else ""
        notes = ", ".join(part for part in (place, step) if part)
        return f"{self.message} [{notes}]" if notes else self.message


class UsageError(PetcoreError, ValueError, TypeError):
    """The call is wrong: dtype, shape, range, or a missing argument."""

    default_code = "usage"


class ConfigError(PetcoreError, ValueError):
    """A configuration file or option cannot be understood."""

    default_code = "config"


class LinkError(PetcoreError, ConnectionError):
    """Something is wrong between two parties."""

    default_code = "link"


class PeerUnreachable(LinkError):
    """The peer never answered the connection."""

    default_code = "unreachable"
    default_retryable = True


class PeerClosed(LinkError):
    """The peer's process or its link went away."""

    default_code = "closed"
    default_retryable = True


class PeerLate(LinkError, TimeoutError):
    """The peer lives but missed the deadline."""

    default_code = "late"
    default_retryable = True


class PeerSilent(LinkError, TimeoutError):
    """Not even a heartbeat arrived from the peer."""

    default_code = "silent"
    default_retryable = True


class PeerUntrusted(LinkError):
    """The peer's key is not the pinned one."""

    default_code = "untrusted"


class BadFrame(LinkError):
    """The peer sent bytes that are no frame, or more of them than agreed."""

    default_code = "frame"


class AgreementError(PetcoreError):
    """The parties do not do the same thing."""

    default_code = "agreement"


class HandshakeMismatch(AgreementError):
    """The parties do not agree on the terms of the session."""

    default_code = "handshake"


class StepMismatch(AgreementError):
    """The peer runs another program, or another shape."""

    default_code = "step"


class PeerAborted(AgreementError):
    """The peer reported its own failure and left."""

    default_code = "aborted"


class SessionBroken(PetcoreError):
    """The session failed or was closed earlier; its first cause is in the message."""

    default_code = "broken"


class SessionBusy(PetcoreError):
    """A second thread used the session while the first was inside."""

    default_code = "busy"
    default_retryable = True


class CorrelationError(PetcoreError):
    """The dealer refused, or answered wrongly."""

    default_code = "correlation"


class DealerFull(CorrelationError):
    """The dealer serves as many sessions, or holds as many waiting, as it may."""

    default_code = "full"
    default_retryable = True


class DealerLimit(CorrelationError):
    """More was asked of the dealer than this client is allowed; its operator sets the bound."""

    default_code = "limit"


class DealerCheated(CorrelationError):
    """The dealer sent adjustments that do not fit the seeds that it was given."""

    default_code = "cheated"


class StoreError(PetcoreError):
    """A store of correlations cannot be used: missing, of another version, or the disk refuses."""

    default_code = "store"


class StoreKeyWrong(StoreError):
    """The store is sealed under another key."""

    default_code = "key"


class StoreLocked(StoreError):
    """Another process uses the store."""

    default_code = "locked"
    default_retryable = True


class StoreDamaged(StoreError):
    """A file of the store is not what was written: cut short or changed."""

    default_code = "damaged"


class StockExhausted(StoreError):
    """The store has too little of what an operation needs."""

    default_code = "exhausted"


class LedgerError(PetcoreError):
    """The database of a journal or ledger refuses; nothing of the transaction was kept."""

    default_code = "ledger"
    default_retryable = True


class LedgerLocked(LedgerError):
    """Another process owns the ledger, or is writing to it."""

    default_code = "ledger-locked"


class LedgerFull(LedgerError):
    """The disk of the ledger is full, or refuses."""

    default_code = "ledger-full"


class LedgerDamaged(LedgerError):
    """The ledger is not what was written."""

    default_code = "ledger-damaged"
    default_retryable = False


class LedgerNewer(LedgerError):
    """A newer petcore made the ledger's tables."""

    default_code = "ledger-newer"
    default_retryable = False


class EntropyError(PetcoreError):
    """The operating system gave no randomness."""

    default_code = "entropy"
    default_retryable = True


class PseudonymError(PetcoreError):
    """A pseudonym service refuses, or its keys cannot be used."""

    default_code = "pseudonym"


class ScopeRefused(PseudonymError, PermissionError):
    """The service does not serve this scope or this epoch to this client."""

    default_code = "scope"


class QuotaExceeded(PseudonymError):
    """More ids than the service allows this client for now; the message says when to come again."""

    default_code = "quota"
    default_retryable = True


class DisclosureError(PetcoreError):
    """A value may not be disclosed, or its disclosure cannot be recorded."""

    default_code = "disclosure"


class LabelMissing(DisclosureError, ValueError):
    """A value was to be opened without a label that says what it is."""

    default_code = "label"


class DisclosureRefused(DisclosureError, PermissionError):
    """The policy does not allow this disclosure."""

    default_code = "refused"


class LogCorrupt(DisclosureError):
    """The disclosure log does not verify."""

    default_code = "log"


class NetworkError(PetcoreError):
    """The payment network cannot do, or refuses, what was asked."""

    default_code = "network"


class InternalError(PetcoreError):
    """A defect in petcore itself; please report it."""

    default_code = "internal"


_FROM_CORE: dict[str, type[PetcoreError]] = {
    cls.default_code: cls
    for cls in (
        UsageError,
        PeerUnreachable,
        PeerClosed,
        PeerLate,
        PeerSilent,
        PeerUntrusted,
        BadFrame,
        HandshakeMismatch,
        StepMismatch,
        PeerAborted,
        SessionBroken,
        SessionBusy,
        CorrelationError,
        DealerFull,
        DealerLimit,
        DealerCheated,
        StoreError,
        StoreKeyWrong,
        StoreLocked,
        StoreDamaged,
        StockExhausted,
        EntropyError,
        InternalError,
    )
}


def from_core(
    code: str, message: str, party: str = "", address: str = "", step: str = ""
) -> PetcoreError:
    """Turn an error of the compiled core into its class; an unknown code gives `InternalError`."""
    cls = _FROM_CORE.get(code, InternalError)
    return cls(message, party=party, address=address, step=step)


def error_class(code: str) -> type[PetcoreError]:
    """Return the class of a code that another process sent; the root where it is not known here.

    Examples
    --------
    >>> error_class("late").__name__, error_class("no such code").__name__
    ('PeerLate', 'PetcoreError')
    """
    below = [PetcoreError]
    for cls in below:
        if cls.default_code == code:
            return cls
        below.extend(cls.__subclasses__())
    return PetcoreError
