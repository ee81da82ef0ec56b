import numpy as np
import pytest

from petcore import _core
from petcore.errors import UsageError

kernels = _core.kernels
TARGETS = kernels.gf128_targets()
MASK = (1 << 64) - 1


def elements(n: int, seed: int = 1) -> np.ndarray:
    x = np.random.default_rng(seed).integers(0, 2**64, (n, 2), np.uint64)
    if n > 2:
        x[0], x[1], x[2] = 0, MASK, (1, 0)
    return x


def number(row: np.ndarray) -> int:
    return int(row[0]) | int(row[1]) << 64


def product(x: int, y: int) -> int:
    """Multiply as in school, then divide by x^128 + x^7 + x^2 + x + 1."""
    out = 0
    for i in range(128):
        out ^= (x << i) * (y >> i & 1)
    for i in range(255, 127, -1):
        out ^= (0x87 | 1 << 128) << (i - 128) if out >> i & 1 else 0
    return out


def test_targets_are_listed_widest_first_and_end_with_portable():
    assert TARGETS in (["vclmul", "clmul", "portable"], ["clmul", "portable"], ["portable"])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 7, 8, 9, 33])
def test_every_operation_matches_multiplication_as_in_school(target, n):
    x, y, out = elements(n, 1), elements(n, 2)[::-1].copy(), elements(n, 3)
    factor = elements(1, 4)
    xs, ys, outs = ([number(row) for row in rows] for rows in (x, y, out))
    got = kernels.gf128_add_scaled(out, x, factor, target)
    by = number(factor[0])
    assert [number(row) for row in got] == [
        o ^ product(a, by) for o, a in zip(outs, xs, strict=True)
    ]
    got = kernels.gf128_add_products(out, x, y, target)
    assert [number(row) for row in got] == [
        o ^ product(a, b) for o, a, b in zip(outs, xs, ys, strict=True)
    ]
    expected = 0
    for a, b in zip(xs, ys, strict=True):
        expected ^= product(a, b)
    assert number(kernels.gf128_inner_product(x, y, target)[0]) == expected


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("degree", [0, 1, 2, 5])
def test_a_polynomial_without_constant_is_added(target, degree):
    x, out, coefficients = elements(9, 1), elements(9, 2), elements(degree, 3)
    got = kernels.gf128_add_polynomial(out, x, coefficients, target)
    for row, point, before in zip(got, x, out, strict=True):
        expected, power = number(before), 1
        for c in coefficients:
            power = product(power, number(point))
            expected ^= product(number(c), power)
        assert number(row) == expected


@pytest.mark.parametrize("target", TARGETS)
def test_a_single_bit_times_a_single_bit_lands_where_it_should(target):
    bits = np.array([[1 << i & MASK, 1 << i >> 64] for i in range(128)], np.uint64)
    for i in (0, 1, 63, 64, 120, 121, 126, 127):
        got = kernels.gf128_add_scaled(np.zeros_like(bits), bits, bits[i : i + 1], target)
        assert [number(row) for row in got] == [product(1 << j, 1 << i) for j in range(128)]


def test_the_inverse_times_the_element_is_one_and_zero_has_inverse_zero():
    for row in elements(8, 5)[1:]:
        got = kernels.gf128_multiply(row.reshape(1, 2), kernels.gf128_inverse(row.reshape(1, 2)))
        assert got.tolist() == [[1, 0]]
    assert kernels.gf128_inverse(np.zeros((1, 2), np.uint64)).tolist() == [[0, 0]]


def test_vectors_of_different_sizes_raise():
    with pytest.raises(UsageError, match="different sizes"):
        kernels.gf128_inner_product(elements(3), elements(4))


def test_a_target_that_is_unknown_raises():
    with pytest.raises(UsageError):
        kernels.gf128_inner_product(elements(3), elements(3), "avx9")
