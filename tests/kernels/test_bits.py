import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petcore import _core
from petcore.errors import UsageError

from . import reference
from .reference import octets, words

kernels = _core.kernels
TARGETS = kernels.targets()["bits"]
NUM_BITS = [*range(18), 31, 32, 33, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1000]
NUM_WORDS = [0, 1, 2, 63, 64, 65, 127, 128, 129, 256, 300, 511, 512, 513, 600]
SHAPES = [(0, 5), (5, 0), (1, 1), (1, 200), (200, 1), (64, 64), (63, 65), (65, 63), (128, 640)]
SHAPES += [(640, 128), (513, 70), (70, 513), (257, 258)]


@pytest.mark.parametrize("target", TARGETS)
def test_any_number_of_bits_packs_as_in_numpy(target):
    for num_bits in NUM_BITS:
        bits = octets(num_bits)  # only the lowest bit of each byte counts
        assert (kernels.pack(bits, target) == reference.pack(bits)).all(), num_bits


@pytest.mark.parametrize("target", TARGETS)
def test_any_number_of_bits_unpacks_as_in_numpy(target):
    for num_bits in NUM_BITS:
        packed = words(-(-num_bits // 64))
        expected = reference.unpack(packed, num_bits)
        assert (kernels.unpack(packed, num_bits, target) == expected).all(), num_bits


@pytest.mark.parametrize("target", TARGETS)
def test_bits_that_start_anywhere_pack_and_unpack(target):
    for start in range(9):
        bits = octets(200)[start:]
        packed = kernels.pack(bits, target)
        assert (kernels.unpack(packed, bits.size, target) == bits & 1).all()


@pytest.mark.parametrize("target", TARGETS)
def test_slice_s_is_the_packed_vector_of_bit_s(target):
    for size in NUM_WORDS:
        x = words(size)
        slices = kernels.to_slices(x, target)
        assert slices.shape == (64, -(-size // 64))
        for s in (0, 1, 31, 32, 62, 63):
            bits = ((x >> np.uint64(s)) & np.uint64(1)).astype(np.uint8)
            assert (slices[s] == reference.pack(bits)).all(), (size, s)


@pytest.mark.parametrize("target", TARGETS)
def test_words_come_back_from_their_slices(target):
    for size in NUM_WORDS:
        x = words(size)
        slices = kernels.to_slices(x, "portable")
        assert (kernels.from_slices(slices, size, target) == x).all(), size


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_bit_matrix_of_any_shape_transposes(target, shape):
    rows, columns = shape
    matrix = octets(rows * columns).reshape(shape) & 1
    packed = reference.pack_rows(matrix)
    turned = kernels.bit_transpose(packed.reshape(-1), rows, columns, target)
    assert turned.shape == (columns, -(-rows // 64))
    assert (turned == reference.pack_rows(matrix.T)).all()


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=30, deadline=None)
@given(shape=st.tuples(st.integers(1, 700), st.integers(1, 700)))
def test_transposing_twice_gives_the_matrix_back(target, shape):
    rows, columns = shape
    packed = reference.pack_rows(octets(rows * columns).reshape(shape))
    turned = kernels.bit_transpose(packed, rows, columns, target)
    assert (kernels.bit_transpose(turned, columns, rows, target) == packed).all()


@pytest.mark.parametrize("target", TARGETS)
def test_the_low_bits_alone_slice_and_come_back(target):
    for size in NUM_WORDS:
        x = words(size)
        full = kernels.to_slices(x, "portable")
        for width in (1, 7, 31, 63):
            slices = kernels.to_slices(x, target, width)
            assert (slices == full[:width]).all(), (size, width)
            low = x % np.uint64(2**width)
            back = kernels.from_slices(slices.reshape(-1), size, target, width)
            assert (back == low).all(), (size, width)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("num_bytes", range(1, 9))
def test_narrow_words_lie_side_by_side_and_add_up(target, num_bytes):
    for size in (0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1000):
        x, y = words(size), words(size)
        narrow = [kernels.narrow(v, num_bytes, target) for v in (x, y)]
        expected = x.view(np.uint8).reshape(-1, 8)[:, :num_bytes].ravel()
        raw = narrow[0].view(np.uint8)
        assert (raw[: expected.size] == expected).all()
        assert not raw[expected.size :].any()
        total = kernels.widen_sum(*narrow, size, num_bytes, target)
        unused = np.uint64(64 - 8 * num_bytes)
        assert (total << unused == (x + y) << unused).all()


def test_too_few_words_for_the_bits_raise():
    with pytest.raises(UsageError, match="size"):
        kernels.unpack(words(1), 65)


def test_slices_of_another_length_raise():
    with pytest.raises(UsageError, match="size"):
        kernels.from_slices(words(64), 65)
