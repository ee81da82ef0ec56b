"""Oblivious pseudorandom functions of RFC 9497, ciphersuite P256-SHA256, in its three modes.

A server holds a key; a client gets the function of its own inputs under that key. The server never
sees an input or an output, the client never the key. Everything that travels is bytes, for whatever
transport there is.

========  ============================================================================
mode      what it adds
========  ============================================================================
"oprf"    nothing: a server that uses another key for each client goes unnoticed
"voprf"   a proof for each batch that the server used the key of its public key
"poprf"   the same, and a public text `info` that both know and that enters the function
========  ============================================================================

Rounds: 2. Bytes: 33 per input each way, 64 for a batch's proof. Adversary: malicious client, and
server in "voprf" and "poprf". Leaks: the number of inputs, and info.

Examples
--------
>>> from petcore import oprf
>>> key = oprf.PrivateKey.generate("voprf")               # at the server, which publishes:
>>> server_key = key.public_key
>>> request = oprf.blind([b"customer 17"], mode="voprf")  # at the client
>>> answer = key.evaluate(request.elements)               # at the server again
>>> outputs = request.finalize(answer, server_key=server_key)
>>> outputs == key.evaluate_known([b"customer 17"])
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from petcore import _core
from petcore.errors import BadFrame, UsageError
from petcore.threads import thread_count

__all__ = ["BATCH_MAX", "Evaluation", "Mode", "PrivateKey", "Request", "blind"]

Mode = Literal["oprf", "voprf", "poprf"]

BATCH_MAX = 65535  # inputs that go together
ELEMENT_BYTES, PROOF_BYTES, OUTPUT_BYTES, KEY_BYTES = 33, 64, 32, 32


@dataclass(frozen=True)
class Evaluation:
    """A server's answer: an element for each of the client's, and in two modes a proof."""

    elements: bytes
    proof: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the answer as bytes: the elements, then the proof."""
        return self.elements + self.proof

    @classmethod
    def from_bytes(cls, answer: bytes, mode: Mode) -> Evaluation:
        """Read an answer back; raises BadFrame where it has a length that no answer has."""
        size = len(answer) - (0 if mode == "oprf" else PROOF_BYTES)
        if size <= 0 or size % ELEMENT_BYTES:
            raise BadFrame(f"{len(answer)} bytes are no answer of the mode {mode}")
        return cls(answer[:size], answer[size:])


class PrivateKey:
    """A server's key for one mode; make it by `generate`, `derive` or `load`.

    It neither shows itself nor pickles; `dump` is for storing it where nobody else reads.
    """

    def __init__(self, core: _core.OprfKey, mode: Mode) -> None:
        self._core, self.mode = core, mode
        self.public_key: bytes = core.public_key()

    @classmethod
    def generate(cls, mode: Mode) -> PrivateKey:
        """Draw a random key."""
        return cls(_core.OprfKey.random(mode), mode)

    @classmethod
    def derive(cls, seed: bytes, info: bytes = b"", *, mode: Mode) -> PrivateKey:
        """Derive the key that belongs to 32 secret bytes and a public text (section 3.2.1)."""
        return cls(_core.OprfKey.derive(mode, seed, info), mode)

    @classmethod
    def load(cls, scalar: bytes, *, mode: Mode) -> PrivateKey:
        """Take a key that `dump` gave; raises UsageError for bytes that are none."""
        return cls(_core.OprfKey.load(mode, scalar), mode)

    def dump(self) -> bytes:
        """Return the secret itself, 32 bytes."""
        return bytes(self._core.dump())

    def evaluate(
        self, elements: bytes, info: bytes = b"", *, threads: int | None = 1
    ) -> Evaluation:
        """Answer a client's elements; raises BadFrame for bytes that are none."""
        answered, proof = self._core.evaluate(elements, info, threads=thread_count(threads))
        return Evaluation(answered, proof)

    def evaluate_known(
        self, inputs: Sequence[bytes], info: bytes = b"", *, threads: int | None = 1
    ) -> list[bytes]:
        """Return what a client would get for these inputs."""
        return self._core.evaluate_known(_checked(inputs), info, threads=thread_count(threads))

    def __repr__(self) -> str:
        """Show mode and public key."""
        return f"PrivateKey({self.mode}, public_key={self.public_key.hex()})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: a key is dumped on purpose or not at all."""
        raise UsageError("a PrivateKey does not pickle; dump() it where nobody else reads")


class Request:
    """Blinded inputs, at the client: good for one answer. Made by `blind`."""

    def __init__(self, core: _core.OprfAsked, mode: Mode) -> None:
        self._core, self.mode = core, mode
        self.elements: bytes = core.elements

    def __len__(self) -> int:
        """Return the number of inputs."""
        return len(self._core)

    def finalize(
        self,
        answer: Evaluation,
        *,
        server_key: bytes = b"",
        info: bytes = b"",
        threads: int | None = 1,
    ) -> list[bytes]:
        """Return 32 bytes for every input.

        Raises
        ------
        PeerUntrusted
            The proof does not hold: the server used another key than ``server_key``, or another
            info. Use nothing of what it sent.
        BadFrame
            The answer is not made of points of the curve, or not of as many.
        UsageError
            A second call; ``server_key`` is no point; info without the mode "poprf".
        """
        return self._core.finalize(
            server_key, answer.elements, answer.proof, info, threads=thread_count(threads)
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: blinds stay where they were drawn."""
        raise UsageError("a Request does not pickle; blind the inputs where they are finalized")


def blind(inputs: Sequence[bytes], *, mode: Mode, threads: int | None = 1) -> Request:
    """Blind 1 to `BATCH_MAX` inputs of at most 65,535 bytes; each call draws fresh blinds."""
    return Request(_core.OprfAsked(mode, _checked(inputs), threads=thread_count(threads)), mode)


def _checked(inputs: Any) -> list[bytes]:
    if isinstance(inputs, (bytes, str)) or not all(isinstance(item, bytes) for item in inputs):
        raise UsageError("inputs are a list of bytes; encode text, for example by .encode()")
    return list(inputs)
