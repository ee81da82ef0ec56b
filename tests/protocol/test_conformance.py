"""Every row of the registry computes what the obvious reference computes, at its declared cost."""

from __future__ import annotations

import numpy as np
import pytest

from petcore import _core

from .conftest import SILENT, SOURCES
from .operations import OPERATIONS, U64, Operation, bits, open_any, share, words

LENGTHS = [1, 2, 63, 64, 65, 1000, 32767, 32768, 32769, 65537]
FEW = [1, 65, 1000, 32769]


def test_the_registry_names_each_protocol_with_its_parties_and_adversary():
    rows = {row[0]: row[1:] for row in _core.protocols()}
    assert rows["semi2k"] == (2, "semi-honest, one of two", "Z_2^64")


@pytest.mark.parametrize(
    ("correlations", "n", "operation"),
    [
        pytest.param(source, n, operation, id=f"{source}-{n}-{operation.name}")
        for source, lengths in (("dealer", LENGTHS), ("ot", FEW), (SILENT, [1000]), ("store", FEW))
        for n in lengths
        for operation in OPERATIONS
        if source in ("dealer", "store") or not operation.needs_dealer
    ],
)
def test_an_operation_opens_to_its_reference_at_its_declared_cost(parties, operation, n):
    check_operation(parties, operation, n)


@pytest.mark.parametrize(
    ("correlations", "name", "n"),
    [
        ("dealer", "most significant bit", (1 << 20) + 65),
        ("dealer", "truncate by 18 exactly", (1 << 20) + 65),
        ("dealer", "sign by keys", (1 << 20) + 65),
        ("dealer", "multiply", (1 << 20) + 65),
        ("ot", "most significant bit", (1 << 18) + 65),
        ("store", "multiply", (1 << 20) + 65),
    ],
)
def test_a_vector_longer_than_one_block_is_computed_block_by_block(parties, name, n):
    operation = next(op for op in OPERATIONS if op.name == name)
    check_operation(parties, operation, n)


def check_operation(parties, operation: Operation, n: int) -> None:
    inputs = operation.inputs(np.random.default_rng(n), n)

    def program(session):
        shares = [share(session, values, i % 2) for i, values in enumerate(inputs)]
        before = session.cost()
        result = operation.call(session, *shares)
        after = session.cost()
        declared = session.declared(operation.declared, n, *operation.extra)
        return open_any(session, result), before, after, declared

    expected = operation.reference(*inputs)
    offline = 0
    for opened, before, after, declared in parties(program).values():
        assert opened.dtype == expected.dtype
        above = (opened - expected).astype(np.int64) if operation.tolerance else opened ^ expected
        assert above.min() >= 0
        assert above.max() <= operation.tolerance
        for key in ("rounds", "bytes"):
            assert after[key] - before[key] == declared[key], key
        offline += after["offline_bytes"] - before["offline_bytes"]
        used = after["correlations"]
        for kind, units in declared["correlations"].items():
            assert used[kind] - before["correlations"].get(kind, 0) == units
    assert offline == declared["offline_bytes"]


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (7, 33, 5), (64, 1, 64), (3, 5000, 1)])
def test_a_matrix_product_costs_one_opening_of_both_operands(parties, m, k, n):
    rng = np.random.default_rng(3)
    x, y = words(rng, m * k), words(rng, k * n)

    def program(session):
        a, b = share(session, x, 0), share(session, y, 1)
        before = session.cost()["bytes"]
        product = session.matmul(a, b, m, k, n)
        assert session.cost()["bytes"] - before == 8 * (m * k + k * n)
        return session.open(product, "product")

    expected = (x.reshape(m, k) @ y.reshape(k, n)).ravel()
    for opened in parties(program).values():
        np.testing.assert_array_equal(opened, expected)


@pytest.mark.parametrize("correlations", SOURCES)  # no store holds what masks a matrix
def test_a_masked_matrix_is_opened_once_and_serves_products_and_transposed_products(parties):
    rng = np.random.default_rng(4)
    x, y, z = words(rng, 12 * 5), words(rng, 5 * 2), words(rng, 4 * 3)

    def program(session):
        masked = session.mask(share(session, x, 0), 12, 5)
        after_mask = session.cost()["bytes"]
        weights, residual = share(session, y, 1), share(session, z, 0)
        rows = session.masked_matmul(masked, weights, 2, 3, 8, False)
        gradient = session.masked_matmul(masked, residual, 3, 1, 5, True)
        assert session.cost()["bytes"] - after_mask == 8 * (10 + 12)
        return session.open(rows, "rows"), session.open(gradient, "gradient")

    X = x.reshape(12, 5)
    for rows, gradient in parties(program).values():
        np.testing.assert_array_equal(rows, (X[3:8] @ y.reshape(5, 2)).ravel())
        np.testing.assert_array_equal(gradient, (X[1:5].T @ z.reshape(4, 3)).ravel())


@pytest.mark.parametrize("correlations", SOURCES)
def test_matrix_products_are_truncated_at_once_at_their_declared_cost(parties):
    rng = np.random.default_rng(6)
    x, y = (rng.integers(-(2**28), 2**28, n).astype(U64) for n in (6 * 4, 4 * 3))
    shapes = {"matmul": (6, 4, 3, 18), "masked_matmul": (6, 4, 1, 5, 0, 3, 18)}

    def program(session):
        a, b = share(session, x, 0), share(session, y, 1)
        masked, costs = session.mask(a, 6, 4), [session.cost()]
        whole = session.matmul(a, b, 6, 4, 3, 18)
        costs.append(session.cost())
        rows = session.masked_matmul(masked, b, 3, 1, 5, False, 18)
        costs.append(session.cost())
        for (op, dims), before, after in zip(shapes.items(), costs, costs[1:], strict=False):
            declared = session.declared(op, *dims)
            assert {k: after[k] - before[k] for k in ("rounds", "bytes")} == {
                k: declared[k] for k in ("rounds", "bytes")
            }
        return session.open(whole, "product"), session.open(rows, "rows")

    expected = (x.reshape(6, 4) @ y.reshape(4, 3)).astype(np.int64) >> 18
    for whole, rows in parties(program).values():
        above = whole.astype(np.int64).reshape(6, 3) - expected
        assert set(above.ravel()) <= {0, 1}
        assert set((rows.astype(np.int64).reshape(4, 3) - expected[1:5]).ravel()) <= {0, 1}


def test_reveal_gives_the_value_to_one_party_and_nothing_to_the_other(parties):
    values, flags = words(np.random.default_rng(5), 70), bits(np.random.default_rng(5), 70)

    def program(session):
        x, b = share(session, values, 0), share(session, flags, 1)
        return session.reveal(x, 1, "to wallet"), session.reveal_bits(b, 0, "to gateway")

    (gateway_word, gateway_bit), (wallet_word, wallet_bit) = parties(program).values()
    assert gateway_word is None
    assert wallet_bit is None
    np.testing.assert_array_equal(wallet_word, values)
    np.testing.assert_array_equal(gateway_bit, flags)


def test_public_values_are_added_once_however_many_parties_there_are(parties):
    values, flags = words(np.random.default_rng(6), 9), bits(np.random.default_rng(6), 9)
    offset, flip = np.arange(9, dtype=U64), np.ones(9, dtype=np.uint8)

    def program(session):
        x = session.add_public(share(session, values, 0), offset)
        b = session.xor_public(share(session, flags, 1), flip)
        return session.open(x, "sum"), session.open_bits(b, "flipped")

    for total, flipped in parties(program).values():
        np.testing.assert_array_equal(total, values + offset)
        np.testing.assert_array_equal(flipped, flags ^ 1)


def test_an_input_costs_no_payload_and_carries_its_description(parties):
    values = words(np.random.default_rng(7), 1000)

    def program(session):
        share_array, meta = session.input(0, values if session.party == 0 else None, b"(10, 100)")
        return share_array, meta, session.cost()["bytes"]

    (first, meta0, sent0), (second, meta1, sent1) = parties(program).values()
    np.testing.assert_array_equal(first + second, values)
    assert meta0 == meta1 == b"(10, 100)"
    assert sent0 == sent1 == 0


def test_declared_explains_which_sizes_an_operation_takes(parties):
    from petcore.errors import UsageError

    def program(session):
        with pytest.raises(UsageError, match="m, k, n to matmul"):
            session.declared("matmul", 3)
        with pytest.raises(UsageError, match="no operation is called 'multiply'"):
            session.declared("multiply", 3)

    parties(program).values()
