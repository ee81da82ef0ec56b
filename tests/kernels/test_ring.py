import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petcore import _core
from petcore.errors import UsageError

from .reference import words

kernels = _core.kernels
TARGETS = kernels.targets()["ring"]
LARGE = (16 << 20) // 8 + 13  # words: such an output is written around the caches
SIZES = [*range(36), 63, 64, 65, 127, 129, 1000]

BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply}
SHIFTS = {
    "shift_left": lambda x, bits: x << np.uint64(bits),
    "shift_right": lambda x, bits: x >> np.uint64(bits),
    "shift_right_signed": lambda x, bits: (x.view(np.int64) >> bits).view(np.uint64),
}
# Around one tile, one panel and one block of every target; tall, wide and tiny.
SHAPES = [
    (m, k, n)
    for m in (1, 2, 3, 5, 6, 7)
    for k in (1, 3, 4, 9)
    for n in (1, 2, 4, 5, 12, 13, 24, 25)
] + [
    (400, 23, 1),
    (1, 400, 23),
    (23, 700, 1),
    (193, 257, 9),
    (385, 129, 26),
    (70, 513, 3),
    (65, 65, 65),
    (191, 257, 17),
    (21, 259, 1030),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", BINARY)
def test_two_vectors_of_any_length_combine_as_in_numpy(target, name):
    for size in SIZES:
        x, y = words(size, 1), words(size, 2)
        assert (getattr(kernels, name)(x, y, target=target) == BINARY[name](x, y)).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("bits", [0, 1, 17, 31, 32, 33, 63])
def test_a_shift_by_any_number_of_bits_matches_numpy(target, name, bits):
    for size in SIZES[:20]:
        x = words(size)
        assert (getattr(kernels, name)(x, bits, target=target) == SHIFTS[name](x, bits)).all()


@pytest.mark.parametrize("target", TARGETS)
def test_negation_scaling_and_sums_of_any_length_match_numpy(target):
    factor = 0xFEDCBA9876543211
    for size in SIZES:
        x = words(size)
        assert (kernels.neg(x, target=target) == -x).all()
        assert (kernels.scale(x, factor, target=target) == x * np.uint64(factor)).all()
        assert kernels.sum(x, target) == int(x.sum(dtype=np.uint64))


@pytest.mark.parametrize("target", TARGETS)
def test_mul_add2_is_the_sum_of_two_products_and_a_vector(target):
    for size in SIZES:
        a, b, c, d, e = (words(size, i) for i in range(5))
        assert (kernels.mul_add2(a, b, c, d, e, target=target) == a * b + c * d + e).all()


@pytest.mark.parametrize("target", TARGETS)
def test_extreme_words_multiply_exactly(target):
    edge = np.array([0, 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64 - 2**32], np.uint64)
    x, y = np.repeat(edge, edge.size), np.tile(edge, edge.size)
    expected = [int(a) * int(b) % 2**64 for a, b in zip(x, y, strict=True)]
    assert kernels.mul(x, y, target=target).tolist() == expected


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("into", ["left", "right"])
def test_the_output_may_be_an_input(target, name, into):
    for size in (1, 7, 8, 100):
        x, y = words(size, 1), words(size, 2)
        expected = BINARY[name](x, y)
        out = x if into == "left" else y
        assert getattr(kernels, name)(x, y, out=out, target=target) is out
        assert (out == expected).all()


@pytest.mark.parametrize("target", TARGETS)
def test_mul_add2_may_write_over_any_operand(target):
    for over in range(5):
        operands = [words(37, i) for i in range(5)]
        a, b, c, d, e = operands
        expected = a * b + c * d + e
        kernels.mul_add2(a, b, c, d, e, out=operands[over], target=target)
        assert (operands[over] == expected).all()


@pytest.mark.parametrize("target", TARGETS)
def test_vectors_that_start_anywhere_leave_their_surroundings_alone(target):
    for start in range(9):
        x, out = words(100), np.full(100, 7, np.uint64)
        part = slice(start, start + 77)
        kernels.scale(x[part], 3, out=out[part], target=target)
        assert (out[part] == x[part] * np.uint64(3)).all()
        assert (out[:start] == 7).all()
        assert (out[start + 77 :] == 7).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("begin", [0, 3])
def test_vectors_larger_than_the_cache_combine_as_in_numpy(target, begin):
    x, y = words(LARGE, 1), words(LARGE, 2)
    out = np.full(LARGE, 7, np.uint64)
    part = slice(begin, LARGE - 2)
    kernels.mul(x[part], y[part], out[part], target=target)
    assert (out[part] == x[part] * y[part]).all()
    assert (out[:begin] == 7).all()
    assert (out[-2:] == 7).all()
    expected = x + y
    kernels.add(x, y, x, target=target)
    assert (x == expected).all()


@pytest.mark.parametrize("target", TARGETS)
def test_a_matrix_product_of_any_shape_matches_numpy(target):
    for m, k, n in SHAPES:
        a, b = words((m, k), 1), words((k, n), 2)
        assert (kernels.matmul(a, b, target=target) == a @ b).all(), (m, k, n)


@pytest.mark.parametrize("target", TARGETS)
def test_an_accumulating_matrix_product_adds_to_the_output(target):
    for m, k, n in SHAPES[::7]:
        a, b, out = words((m, k), 1), words((k, n), 2), words((m, n), 3)
        expected = out + a @ b
        kernels.matmul(a, b, out, accumulate=True, target=target)
        assert (out == expected).all(), (m, k, n)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60, deadline=None)
@given(shape=st.tuples(st.integers(0, 30), st.integers(0, 300), st.integers(0, 60)))
def test_matrix_products_match_numpy_for_random_shapes(target, shape):
    m, k, n = shape
    a, b = words((m, k), 1), words((k, n), 2)
    assert (kernels.matmul(a, b, target=target) == a @ b).all()


@pytest.mark.parametrize("target", TARGETS)
def test_a_product_with_a_transposed_matrix_matches_numpy(target):
    for m, k, n in SHAPES[::5] + SHAPES[-9:]:
        a, b, out = words((k, m), 1), words((k, n), 2), words((m, n), 3)
        expected = a.T @ b
        assert (kernels.matmul_transposed(a, b, target=target) == expected).all(), (m, k, n)
        expected += out
        kernels.matmul_transposed(a, b, out, accumulate=True, target=target)
        assert (out == expected).all(), (m, k, n)


def test_an_empty_inner_dimension_gives_zeros_or_leaves_the_accumulator():
    a, b, out = words((2, 0)), words((0, 3)), words((2, 3))
    kept = out.copy()
    kernels.matmul(a, b, out, accumulate=True)
    assert (out == kept).all()
    assert not kernels.matmul(a, b, out).any()


def test_transposition_matches_numpy():
    for m, n in [(0, 3), (1, 1), (7, 8), (8, 9), (17, 100), (100, 1)]:
        a = words((m, n))
        assert (kernels.transpose(a) == a.T).all()


@pytest.mark.parametrize("size", [3, 5])
def test_operands_of_different_sizes_raise(size):
    with pytest.raises(UsageError, match="sizes"):
        kernels.add(words(4), words(size))


def test_a_shift_by_64_raises():
    with pytest.raises(UsageError, match="64"):
        kernels.shift_left(words(4), 64)


def test_matrices_that_do_not_fit_raise():
    with pytest.raises(ValueError, match="shapes"):
        kernels.matmul(words((2, 3)), words((2, 3)))
    with pytest.raises(ValueError, match="shapes"):
        kernels.matmul_transposed(words((2, 3)), words((3, 2)))
