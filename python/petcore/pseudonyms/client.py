"""The client: ids in, pseudonyms out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from petcore import oprf
from petcore.errors import ScopeRefused, UsageError
from petcore.pseudonyms import messages
from petcore.pseudonyms.keys import MODE
from petcore.threads import thread_count

Transport = Callable[[bytes], bytes]
PSEUDONYM_BYTES = 16  # 10^9 ids collide with probability 10^-21


class PseudonymClient:
    """Asks a service for pseudonyms.

    Parameters
    ----------
    transport : callable
        Takes a request to the service over a link that authenticates both; returns the answer.
    public_keys : mapping of int to bytes
        The service's public keys by epoch, pinned: learnt over a channel that is trusted already.
    threads : int, optional
        How many threads share the work of one request; None means one for each core.
    """

    def __init__(
        self, transport: Transport, public_keys: Mapping[int, bytes], *, threads: int | None = 1
    ) -> None:
        self._transport, self._public = transport, dict(public_keys)
        self._threads = thread_count(threads)

    def pseudonyms(
        self, ids: Sequence[str | bytes], *, scope: str, epoch: int | None = None
    ) -> list[str]:
        """Return 32 hex digits for every id, in order; equal for equal ids of scope and epoch.

        Text stands for its UTF-8 bytes, as it is: normalise ids the same way everywhere before.

        Raises
        ------
        ScopeRefused, QuotaExceeded
            What the service refuses; a part of the ids may have been counted.
        PeerUntrusted
            The service used another key than the pinned one.
        UsageError
            An id that is neither text nor bytes, or a scope that is none.

        Rounds: 2 for every 1,024 ids. Bytes: 33 per id each way. Leaks: as `PseudonymService`.
        """
        messages.check_scope(scope)
        epoch = max(self._public, default=0) if epoch is None else epoch
        if epoch not in self._public:
            raise ScopeRefused(f"no public key is pinned for epoch {epoch}; ask the service for it")
        inputs = [_as_bytes(item) for item in ids]
        out: list[str] = []
        for begin in range(0, len(inputs), messages.IDS_MAX):
            out += self._ask(inputs[begin : begin + messages.IDS_MAX], scope, epoch)
        return out

    def _ask(self, inputs: list[bytes], scope: str, epoch: int) -> list[str]:
        request = oprf.blind(inputs, mode=MODE, threads=self._threads)
        query = messages.Query(scope, epoch, request.elements)
        answer = messages.read_answer(self._transport(messages.write_query(query)))
        outputs = request.finalize(
            answer,
            server_key=self._public[epoch],
            info=messages.info_of(scope, epoch),
            threads=self._threads,
        )
        return [output[:PSEUDONYM_BYTES].hex() for output in outputs]


def _as_bytes(item: str | bytes) -> bytes:
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return item
    raise UsageError(f"an id is text or bytes, not {type(item).__name__}")
