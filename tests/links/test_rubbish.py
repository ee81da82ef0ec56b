"""Whatever bytes arrive, a link gives the right data or a typed error; never a crash or a hang."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from petcore import _core, errors

LIMITS = _core.Limits(
    frame_bytes_max=4096, message_bytes_max=1024, inbox_bytes_max=8192, deadline_s=5, silence_s=5
)


def drain(stream: bytes) -> bytes:
    """Receive until the error that the end of the stream must bring."""
    channel, wallet = _core.memory_channel_with_raw_peer("wallet", LIMITS)
    assert wallet.write(stream) == len(stream)
    wallet.close()
    got = b""
    for _ in range(len(stream) + 1):
        try:
            got += channel.recv(1, "step 1", 1)
        except errors.PetcoreError as raised:
            error = raised
            break
    else:
        raise AssertionError("more data than bytes")
    assert error.code in {"frame", "closed", "step", "aborted", "handshake"}
    assert error.party == "wallet"
    return got


frames = st.builds(
    lambda kind, pad, sequence, tag, payload, extra: (
        struct.pack("<IIQQ", len(payload) + extra, kind | pad << 8, sequence, tag) + payload
    ),
    st.integers(0, 7),
    st.sampled_from([0, 0, 0, 0, 1]),
    st.integers(0, 4),
    st.sampled_from([1, 1, 1, 2]),
    st.binary(max_size=80),
    st.sampled_from([0, 0, 0, 1, 5000, 2**31]),
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
def test_random_bytes_end_in_a_typed_error(stream):
    drain(stream)


@settings(max_examples=300, deadline=None)
@given(st.lists(frames, max_size=6))
def test_random_frames_end_in_a_typed_error(stream):
    drain(b"".join(stream))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5), st.data())
def test_a_flipped_bit_changes_nothing_that_came_before_it(payloads, data):
    stream = b"".join(
        struct.pack("<IIQQ", len(payload), 1, i, 1) + payload for i, payload in enumerate(payloads)
    )
    at = data.draw(st.integers(0, len(stream) * 8 - 1))
    wrong = bytearray(stream)
    wrong[at // 8] ^= 1 << at % 8
    good, end = b"", 0
    for payload in payloads:
        end += 24 + len(payload)
        if end * 8 > at:
            break
        good += payload
    got = drain(bytes(wrong))
    assert got[: len(good)] == good[: len(got)]
