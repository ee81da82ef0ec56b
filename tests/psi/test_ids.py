"""Ids of every kind become digests: equal ids equal ones, different ids different ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petcore import _core
from petcore.errors import UsageError
from tests.kernels.reference import aes, exclusive_or

KEY = bytes(range(16))


def digests(ids, threads: int = 1) -> list[bytes]:
    return [row.tobytes() for row in _core.digest_ids(*_core.pack_ids(list(ids)), KEY, threads)]


def cbc_mac(text: bytes) -> bytes:
    padded = len(text).to_bytes(8, "little") + text
    padded += bytes(-len(padded) % 16)
    state = bytes(16)
    for i in range(0, len(padded), 16):
        state = aes(KEY, exclusive_or(state, padded[i : i + 16]))
    return state


def test_a_digest_is_the_cbc_mac_of_length_and_bytes_at_every_length():
    ids = [bytes([i % 251]) * i for i in [*range(60), 255, 256, 1000, 70_000]]
    assert digests(ids) == [cbc_mac(i) for i in ids]


def test_the_number_of_threads_does_not_matter():
    ids = [f"customer {i}" for i in range(20_000)]
    assert digests(ids, threads=3) == digests(ids)


def test_text_counts_as_its_utf_8_bytes_and_a_number_as_its_digits():
    assert digests(["Zoë", "支付宝", 42, -7, 2**80]) == digests(
        ["Zoë".encode(), "支付宝".encode(), "42", b"-7", str(2**80)]
    )


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64])
def test_arrays_of_whole_numbers_count_as_their_digits(dtype):
    info = np.iinfo(dtype)
    x = np.array([0, 1, 42, info.min, info.max], dtype)
    wide = x.astype(np.uint64 if info.min == 0 else np.int64)
    got = _core.digest_ids(*_core.pack_numbers(wide), KEY)
    assert [row.tobytes() for row in got] == digests([str(int(v)) for v in x])


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=20)), max_size=30))
def test_digests_are_equal_just_where_the_bytes_are(ids):
    raw = [i.encode() if isinstance(i, str) else i for i in ids]
    found = digests(ids)
    for i, a in enumerate(raw):
        assert [d == found[i] for d in found] == [b == a for b in raw]


@pytest.mark.parametrize("bad", [1.5, None, True, np.bool_(1), ["a"], object()])
def test_an_id_of_another_type_raises_and_names_its_index(bad):
    with pytest.raises(UsageError, match="index 2"):
        _core.pack_ids(["a", "b", bad])


def test_text_that_utf_8_cannot_express_raises_and_names_its_index():
    with pytest.raises(UsageError, match=r"index 1.*surrogate"):
        _core.pack_ids(["a", "\ud800"])


def as_rows(values: list[int]) -> np.ndarray:
    return np.array([[v, v * 3] for v in values], np.uint64).reshape(-1, 2)


@given(st.lists(st.integers(0, 12), max_size=25))
def test_the_first_repeat_is_found_and_the_first_of_each_kept(values):
    again = next((i for i, v in enumerate(values) if v in values[:i]), None)
    expected = None if again is None else (values.index(values[again]), again)
    assert _core.find_repeat(as_rows(values)) == expected
    kept = [i for i, v in enumerate(values) if v not in values[:i]]
    assert _core.first_of_each(as_rows(values)).tolist() == kept


@pytest.mark.parametrize("ends", [[3, 2], [5], [1, 2, 9]])
def test_ends_that_do_not_grow_within_the_bytes_raise(ends):
    with pytest.raises(UsageError, match="ends"):
        _core.digest_ids(np.zeros(4, np.uint8), np.array(ends, np.uint64), KEY)
