import os

import pytest

from petcore import _core
from petcore.errors import UsageError

from . import reference as ref

group = _core.group
G = ref.encode(ref.G)
ONE = ref.scalar(1)
EDGES = [1, 2, 3, ref.N - 1, ref.N - 2, 2**128, 2**192 - 1, ref.N // 2]


def draw() -> int:
    return int.from_bytes(group.random_scalar(), "big")


def test_the_generator_is_the_one_of_the_standard():
    assert group.generator() == G == group.generator_multiple(ONE)


@pytest.mark.parametrize("k", [*EDGES, *(int.from_bytes(os.urandom(32)) % ref.N for _ in "ab")])
def test_multiples_agree_with_plain_integers(k):
    base = ref.multiply(0x1234567890ABCDEF, ref.G)
    assert group.generator_multiple(ref.scalar(k)) == ref.encode(ref.multiply(k, ref.G))
    assert group.multiply(ref.scalar(k), ref.encode(base)) == ref.encode(ref.multiply(k, base))


def test_sums_and_differences_agree_with_plain_integers():
    p, q = ref.multiply(draw(), ref.G), ref.multiply(draw(), ref.G)
    assert group.add(ref.encode(p), ref.encode(q)) == ref.encode(ref.add(p, q))
    assert group.add(ref.encode(p), ref.encode(p)) == ref.encode(ref.add(p, p))
    minus_q = (q[0], ref.P - q[1])
    assert group.subtract(ref.encode(p), ref.encode(q)) == ref.encode(ref.add(p, minus_q))
    assert group.equal(ref.encode(p), ref.encode(p))
    assert not group.equal(ref.encode(q), ref.encode(minus_q))


def test_the_infinite_point_has_no_encoding():
    with pytest.raises(UsageError, match="infinite"):
        group.subtract(G, G)
    with pytest.raises(UsageError, match="infinite"):
        group.multiply(bytes(32), G)
    with pytest.raises(UsageError, match="infinite"):
        group.generator_multiple(bytes(32))


def test_a_batch_gives_what_single_products_give_whatever_the_threads():
    k = group.random_scalar()
    points = [group.generator_multiple(ref.scalar(i + 1)) for i in range(67)]
    expected = b"".join(group.multiply(k, p) for p in points)
    assert group.multiply_all(b"".join(points), k) == expected
    assert group.multiply_all(b"".join(points), k, threads=3) == expected
    assert group.multiply_all(b"", k, threads=2) == b""


def test_every_point_survives_encoding_and_decoding():
    for i in range(1, 40):
        p = ref.encode(ref.multiply(i, ref.G))
        assert group.decode(p) == p
    root_of_b = pow(ref.B, (ref.P + 1) // 4, ref.P)  # x = 0 is on the curve
    zero = ref.encode((0, root_of_b))
    assert group.decode(zero) == zero


NO_POINT = next(x for x in range(5, 100) if not ref.is_square((x**3 - 3 * x + ref.B) % ref.P))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "33 bytes"),
        (b"\0", "33 bytes"),  # SEC 1's form of infinity
        (G[:-1], "33 bytes"),
        (G + b"\0", "33 bytes"),
        (b"\4" + G[1:] + bytes(32), "33 bytes"),  # uncompressed
        (b"\0" + G[1:], "02 or 03"),
        (b"\4" + G[1:], "02 or 03"),
        (b"\6" + G[1:], "02 or 03"),
        (b"\2" + ref.P.to_bytes(32, "big"), "below the prime"),
        (b"\3" + (ref.P + 5).to_bytes(32, "big"), "below the prime"),
        (b"\2" + b"\xff" * 32, "below the prime"),
        (b"\2" + NO_POINT.to_bytes(32, "big"), "no point"),
    ],
)
def test_bytes_that_are_no_point_are_refused(bad, reason):
    with pytest.raises(UsageError, match=reason):
        group.decode(bad)


@pytest.mark.parametrize("bad", [b"", bytes(31), bytes(33), ref.scalar(ref.N), b"\xff" * 32])
def test_bytes_that_are_no_scalar_are_refused(bad):
    with pytest.raises(UsageError, match="scalar"):
        group.multiply(bad, G)


def test_scalars_compute_modulo_the_order():
    for x, y in [
        (1, ref.N - 1),
        (ref.N - 1, ref.N - 1),
        (0, 5),
        (2**255, 2**254),
        (draw(), draw()),
    ]:
        a, b = ref.scalar(x), ref.scalar(y)
        assert group.scalar_sum(a, b) == ref.scalar((x + y) % ref.N)
        assert group.scalar_difference(a, b) == ref.scalar((x - y) % ref.N)
        assert group.scalar_product(a, b) == ref.scalar(x * y % ref.N)


@pytest.mark.parametrize("k", EDGES)
def test_an_inverse_undoes_its_scalar(k):
    inverse = group.invert(ref.scalar(k))
    assert inverse == ref.scalar(pow(k, -1, ref.N))
    assert group.multiply(inverse, group.multiply(ref.scalar(k), G)) == G


def test_zero_has_no_inverse():
    with pytest.raises(UsageError, match="no inverse"):
        group.invert(bytes(32))


def test_a_wide_number_is_reduced():
    for wide in (b"", b"\5", ref.scalar(ref.N), b"\xff" * 64, os.urandom(48)):
        expected = ref.scalar(int.from_bytes(wide, "big") % ref.N)
        assert group.reduce(wide) == expected
    with pytest.raises(UsageError, match="64 bytes"):
        group.reduce(bytes(65))


def test_random_scalars_are_in_range_and_do_not_repeat():
    drawn = [draw() for _ in range(500)]
    assert all(0 < k < ref.N for k in drawn)
    assert len(set(drawn)) == len(drawn)
    # Each bit is set in 250 of 500, give or take 13 standard deviations: 2^-120 in all.
    assert all(105 < sum(k >> bit & 1 for k in drawn) < 395 for bit in range(255))
