"""Every byte between the parties is taken down: none of it is a value of the other party."""

from __future__ import annotations

import struct
import threading

import numpy as np
import pytest

import petcore as pc
from petcore import _core

from .conftest import NAMES, SOURCES

CANARY = 1_234_567_890_123  # no other number of this test
CANARY_REAL = 54_321.987_65
VALUES = np.full(2500, CANARY)
REALS = np.full(2500, CANARY_REAL)


def encodings(fraction_bits: int) -> list[bytes]:
    """Every form in which a canary could travel in clear."""
    fixed = round(CANARY_REAL * 2**fraction_bits)
    forms = [struct.pack(order + "q", number) for order in "<>" for number in (CANARY, fixed)]
    forms += [
        struct.pack(order + "d", number) for order in "<>" for number in (CANARY, CANARY_REAL)
    ]
    texts = [str(CANARY), str(CANARY_REAL), hex(CANARY)[2:]]
    return forms + [text.encode(code) for text in texts for code in ("ascii", "utf-16-le")]


class Tap:
    """Links where this test carries the bytes of both directions, and keeps a copy."""

    def __init__(self) -> None:
        self.ends, self.raw = [], []
        for peer in ("wallet", "gateway"):
            end, raw = _core.memory_channel_with_raw_peer(peer, binding="one link")
            self.ends.append(end)
            self.raw.append(raw)
        self.received = [bytearray(), bytearray()]  # by the gateway, by the wallet
        self.stopped = threading.Event()
        self.pump = threading.Thread(target=self._carry)
        self.pump.start()

    def _carry(self) -> None:
        waiting = [b"", b""]
        while not self.stopped.is_set():
            moved = False
            for source in (0, 1):
                try:
                    waiting[source] = waiting[source] or self.raw[source].read(1 << 16)
                    sent = self.raw[1 - source].write(waiting[source]) if waiting[source] else 0
                except pc.errors.PetcoreError:
                    continue  # that party is done
                self.received[1 - source] += waiting[source][:sent]
                waiting[source] = waiting[source][sent:]
                moved |= sent > 0
            if not moved:
                self.stopped.wait(0.0005)


def wallet_shares_canaries(session: pc.Session) -> tuple[float, float]:
    mine = session.party == 1
    exact = session.input(VALUES if mine else None, owner=1)
    real = session.input(REALS if mine else None, owner=1)
    weights = session.input(np.linspace(0, 1, 2500) if session.party == 0 else None, owner=0)
    accepted = exact <= session.constant(np.full(2500, 2 * CANARY))
    counted = (accepted * exact).sum()
    score = (pc.functions.sigmoid(real * weights / 100_000) * weights).sum()
    return (
        session.open(counted, label="sum"),
        session.open(score, label="score"),
    )


@pytest.fixture(scope="module", params=SOURCES)
def tapped(request) -> Tap:
    """All links between the parties, tapped, after a run over one source of correlations."""
    tap, offline = Tap(), Tap() if request.param == "ot" else None
    dealer = [_core.memory_channels("dealer", name) for name in NAMES] if not offline else []
    results: list[object] = [None, None]

    def party(index: int) -> None:
        peers = {1 - index: tap.ends[index]}
        to_dealer = dealer[index][1] if dealer else None
        second = offline.ends[index] if offline else None
        core = _core.Session("semi2k", index, NAMES, peers, to_dealer, [], 1, request.param, second)
        with pc.Session(core) as session:
            results[index] = wallet_shares_canaries(session)

    def serve() -> None:
        _core.serve_dealer(NAMES, [pair[0] for pair in dealer], [])

    threads = [threading.Thread(target=party, args=(i,)) for i in range(2)]
    if dealer:
        threads.append(threading.Thread(target=serve))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one in (tap, offline) if offline else (tap,):
        one.stopped.set()
        one.pump.join()
    assert results[0] == results[1]
    assert results[0][0] == 2500 * CANARY
    if offline:
        for received, more in zip(tap.received, offline.received, strict=True):
            received += more  # whole frames both
    return tap


def test_what_a_party_receives_holds_no_value_of_the_other_in_any_encoding(tapped):
    for received in tapped.received:
        assert len(received) > 40_000
        for form in encodings(18):
            assert form not in received


def test_the_same_search_finds_the_canaries_in_what_the_wallet_holds():
    held = VALUES.tobytes() + REALS.tobytes() + np.round(REALS * 2**18).astype("<i8").tobytes()
    found = [form for form in encodings(18) if form in held]
    assert len(found) == 3


@pytest.mark.stat
def test_what_a_party_receives_is_uniform_but_for_the_frame_headers(tapped):
    # Chi-square with 255 degrees of freedom over the shares; headers are 20 bytes in frames of
    # hundreds, so the payload is cut out of the middle of long frames. Six standard deviations:
    # a false alarm has probability below 1e-8.
    for received in tapped.received:
        payload = long_payloads(bytes(received))
        assert len(payload) > 40_000
        counts = np.bincount(np.frombuffer(payload, np.uint8), minlength=256)
        expected = len(payload) / 256
        assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 6 * np.sqrt(2 * 255)


def long_payloads(stream: bytes) -> bytes:
    """Take the payloads of all data frames of at least 1000 bytes out of a recorded stream."""
    at, payloads = 0, []
    while at < len(stream):
        length, _ = struct.unpack_from("<IB", stream, at)
        if length >= 1000:
            payloads.append(stream[at + HEADER : at + HEADER + length])
        at += HEADER + length
    return b"".join(payloads)


HEADER = 24


def test_no_mask_hides_two_values_where_small_products_share_what_is_made_ahead():
    """The same number is opened under a new mask in each product, so no word comes twice."""
    tap, offline = Tap(), _core.memory_channels(*NAMES)

    def party(index: int) -> None:
        peers = {1 - index: tap.ends[index]}
        core = _core.Session("semi2k", index, NAMES, peers, None, [], 1, "ot", offline[index])
        x, _ = core.input(0, np.array([CANARY], np.uint64) if index == 0 else None, b"")
        for _ in range(300):
            core.mul(x, x)
        core.close()

    threads = [threading.Thread(target=party, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    tap.stopped.set()
    tap.pump.join()
    for received in tap.received:
        words = [word for frame in frames(bytes(received), 16) for word in (frame[:8], frame[8:])]
        assert len(words) >= 600
        assert len(set(words)) >= len(words) - 2  # but for those of the handshake


def frames(stream: bytes, size: int) -> list[bytes]:
    """Give the payloads of all frames of that size."""
    at, found = 0, []
    while at < len(stream):
        length, _ = struct.unpack_from("<IB", stream, at)
        if length == size:
            found.append(stream[at + HEADER : at + HEADER + length])
        at += HEADER + length
    return found
