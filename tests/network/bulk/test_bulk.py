"""Clearing files of payments: the same answer as in clear, one chunk or many, in one go or several."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import petcore as pc
from petcore.errors import ConfigError, LedgerError, StepMismatch, UsageError
from petcore.network.bulk import (
    BulkBatch,
    BulkOutcome,
    Clearing,
    Results,
    ResultsBox,
    load_shares,
    read_results,
    share_parquet,
)
from petcore.network.circuit import RiskModel
from petcore.network.directory import Directory
from petcore.network.ledger import Accounts, Database, check_invariants
from petcore.payments import SealingKey, share_for_nodes

from .files import ACQUIRERS, NETWORK, SIDES, WALLETS, directory, expected_nets, payments, write

NODES = ("gateway", "wallet")


class Stopped(Exception):
    """What a test ends a node with."""


class Bulk:
    """Two nodes, their ledgers and the edges' keys in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.terms = folder, directory(folder)
        self.keys = {name: SealingKey.make(name) for name in (*NODES, *WALLETS, *ACQUIRERS)}
        for key in self.keys.values():
            key.save(folder)

    def share(self, columns: dict[str, Any]) -> list[BulkBatch]:
        for path in write(self.folder, columns):
            share_parquet(path, self.folder, nodes=NODES, keys=self.folder)
        return self.load()

    def load(self) -> list[BulkBatch]:
        return [
            load_shares(
                sorted(self.folder.glob(f"*.{node}.parquet.sealed")),
                key=self.keys[node],
                nodes=NODES,
            )
            for node in NODES
        ]

    def run(
        self,
        batches: list[BulkBatch],
        *,
        on_progress: Callable[[int, int, int], None] | None = None,
        terms: Directory | None = None,
        models: list[RiskModel | None] | None = None,
        **options: Any,
    ) -> list[BulkOutcome]:
        options = {"min_count": 1, "chunk": 64, **options}
        with ExitStack() as stack:
            ledgers = [
                stack.enter_context(Database.open(self.folder / f"{node}.db")) for node in NODES
            ]
            both = (self.terms, terms or self.terms)
            clearings = [
                Clearing(
                    batch, both[i], ledger, model=None if models is None else models[i], **options
                )
                for i, (batch, ledger) in enumerate(zip(batches, ledgers, strict=True))
            ]
            self.run_id = clearings[0].run_id

            def program(session: pc.Session) -> BulkOutcome:
                i = session.party

                def moved(done: int, total: int) -> None:
                    if on_progress is not None:
                        on_progress(i, done, total)

                return clearings[i].run(session, on_progress=moved)

            outcomes: list[BulkOutcome] = pc.simulate(program)
            return outcomes

    def results(self, batches: list[BulkBatch], outcomes: list[BulkOutcome]) -> dict[str, Results]:
        for node, batch, outcome in zip(NODES, batches, outcomes, strict=True):
            box = ResultsBox(batch, self.folder, node=node, keys=self.folder)
            box.write(outcome, self.run_id)
        return {
            edge: read_results(
                [self.folder / f"{edge}.{node}.results.sealed" for node in NODES],
                key=self.keys[edge],
            )
            for edge in batches[0].edges
        }


@pytest.fixture
def bulk(tmp_path: Path) -> Bulk:
    return Bulk(tmp_path)


def approved(columns: dict[str, Any]) -> dict[str, bool]:
    return dict(zip(columns["payment"], columns["good"].tolist(), strict=True))


def test_every_edge_learns_its_decisions_and_nets_to_the_minor_unit(bulk: Bulk) -> None:
    columns = payments(500, bulk.terms)
    batches = bulk.share(columns)
    results = bulk.results(batches, bulk.run(batches))
    truth = approved(columns)
    for edge, result in results.items():
        got = dict(zip(*(result.payments.column(i).to_pylist() for i in range(2)), strict=True))
        own = (columns["mpp"] == edge) | (columns["acqp"] == edge)
        assert got == {name: truth[name] for name in np.array(columns["payment"])[own]}
        assert result.net == expected_nets(columns, edge)
    assert 0 < sum(truth.values()) < 500


def test_the_ledgers_hold_the_same_positions_in_shares(bulk: Bulk) -> None:
    columns = payments(200, bulk.terms)
    bulk.run(bulk.share(columns))
    balances: list[dict[tuple[str, str, str], int]] = []
    for node in NODES:
        with Database.open(bulk.folder / f"{node}.db") as ledger:
            assert check_invariants(ledger, clear=False) == []
            found = Accounts(ledger).all()
            balances.append({(a.owner, a.purpose, a.currency): a.posted for a in found})
    mine, theirs = balances
    total = {name: (mine[name] + theirs[name] + 2**63) % 2**64 - 2**63 for name in mine}
    for edge in (*WALLETS, *ACQUIRERS):
        for currency, net in expected_nets(columns, edge).items():
            assert total[edge, "settlement", currency] == net
    for currency in ("SGD", "JPY", "EUR"):
        assert sum(v for (_, _, code), v in total.items() if code == currency) == 0


@pytest.mark.parametrize("chunk", [8, 50, 1000])
def test_the_size_of_a_chunk_changes_no_answer(bulk: Bulk, chunk: int) -> None:
    columns = payments(100, bulk.terms)
    batches = bulk.share(columns)
    results = bulk.results(batches, bulk.run(batches, chunk=chunk))
    assert all(r.net == expected_nets(columns, edge) for edge, r in results.items())


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("at", [0, 64, 192, 300])
def test_a_clearing_that_was_interrupted_goes_on_where_it_stopped(
    bulk: Bulk, who: int, at: int
) -> None:
    columns = payments(300, bulk.terms)
    batches = bulk.share(columns)

    def stop(party: int, done: int, total: int) -> None:
        if (party, done) == (who, at):
            raise Stopped

    with pytest.raises(Stopped):
        bulk.run(batches, on_progress=stop)
    outcomes = bulk.run(bulk.load())
    assert {outcome.resumed for outcome in outcomes} == {at}
    results = bulk.results(batches, outcomes)
    assert all(r.net == expected_nets(columns, edge) for edge, r in results.items())
    again = bulk.run(bulk.load())
    assert {outcome.resumed for outcome in again} == {300}
    assert bulk.results(batches, again)["shop"].net == results["shop"].net


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("step", ["keep", "post"])
def test_a_chunk_that_one_node_alone_has_is_dropped_and_one_that_both_have_counts(
    bulk: Bulk, who: int, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node fails right before or right after its record of a chunk is on disk."""
    from petcore.network.bulk import running

    columns = payments(200, bulk.terms)
    batches = bulk.share(columns)
    name = bulk.folder / f"{NODES[who]}.db"
    real = running.Checkpoints

    class Failing(real):  # type: ignore[misc, valid-type]
        pass

    def fail(self: Any, chunk: int, words: Any) -> None:
        if chunk == 2 and self._database.name.endswith(str(name)):
            raise Stopped
        getattr(real, step)(self, chunk, words)

    setattr(Failing, step, fail)
    monkeypatch.setattr(running, "Checkpoints", Failing)
    with pytest.raises(Stopped):
        bulk.run(batches)
    monkeypatch.undo()
    outcomes = bulk.run(batches)
    assert {outcome.resumed for outcome in outcomes} == {128 if step == "keep" else 192}
    results = bulk.results(batches, outcomes)
    assert all(r.net == expected_nets(columns, edge) for edge, r in results.items())


def test_a_node_that_lost_its_ledger_is_told_so(bulk: Bulk) -> None:
    batches = bulk.share(payments(200, bulk.terms))
    bulk.run(batches)
    for file in bulk.folder.glob("wallet.db*"):
        file.unlink()
    with pytest.raises(LedgerError, match="which no crash explains"):
        bulk.run(batches)


def test_prefunding_holds_across_chunks(bulk: Bulk) -> None:
    columns = payments(300, bulk.terms)
    columns = {name: np.asarray(column)[columns["good"]] for name, column in columns.items()}
    order = np.argsort(columns["payment"])
    columns = {name: column[order] for name, column in columns.items()}
    own = columns["mpp"] == "kip"
    debits = np.where(own, columns["debit"], 0)
    room = int(debits[:150].sum())
    small = NETWORK.replace(
        f'mpp = "kip"\ncurrency = "JPY"\namount = {10**14}',
        f'mpp = "kip"\ncurrency = "JPY"\namount = {room}',
    )
    bulk.terms = directory(bulk.folder, small)
    batches = bulk.share(columns)
    results = bulk.results(batches, bulk.run(batches))
    taken = np.array(results["kip"].payments.column("approved"))
    spent = int(columns["debit"][own][taken].sum())
    assert -results["kip"].net["JPY"] == spent <= room
    first = int(own[:64].sum())
    assert taken[:first].all()
    assert not taken.all()
    assert results["purse"].payments.column("approved").to_pylist() == [True] * int((~own).sum())


def test_nodes_with_other_shares_or_directories_do_not_clear(bulk: Bulk) -> None:
    columns = payments(50, bulk.terms)
    first = bulk.share(columns)
    other = directory(bulk.folder, NETWORK + "\n# a comment")
    with pytest.raises(StepMismatch):
        bulk.run(first, terms=other)
    for file in bulk.folder.glob("*.parquet*"):
        file.unlink()
    second = bulk.share(columns)
    with pytest.raises(StepMismatch):
        bulk.run([first[0], second[1]])


def test_a_net_over_few_payments_is_refused_before_anything_runs(bulk: Bulk) -> None:
    batches = bulk.share(payments(30, bulk.terms))
    with pytest.raises(UsageError, match="tell too much"):
        bulk.run(batches, min_count=29)


def test_results_of_different_runs_do_not_go_together(bulk: Bulk) -> None:
    batches = bulk.share(payments(40, bulk.terms))
    files = [bulk.folder / f"shop.{node}.results.sealed" for node in NODES]
    bulk.results(batches, bulk.run(batches))
    old = files[0].read_bytes()
    bulk.results(batches, bulk.run(batches))
    files[0].write_bytes(old)
    with pytest.raises(ConfigError, match="different runs"):
        read_results(files, key=bulk.keys["shop"])
    with pytest.raises(ConfigError, match="both nodes"):
        read_results([files[0], files[0]], key=bulk.keys["shop"])
    with pytest.raises(ConfigError, match="cannot be opened by kip"):
        read_results(files, key=bulk.keys["kip"])


def changed(columns: dict[str, Any], name: str, row: int, value: Any) -> dict[str, Any]:
    made = np.array(columns[name]).tolist()
    made[row] = value
    return {**columns, name: made}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("amount", 0, "amount must be from 1"),
        ("amount", -5, "amount must be from 1"),
        ("debit", 10**12 + 1, "debit must be from 1"),
        ("fee", -1, "fee must be from 0"),
        ("fee", 0.5, "not whole numbers"),
        ("fee", None, "gaps"),
        ("payment", "", "1 to 64 printable"),
        ("payment", "x" * 65, "1 to 64 printable"),
        ("payment", "a\nb", "1 to 64 printable"),
        ("mpp", "../etc", "must be 1 to 63"),
        ("currency", "XXQ", "XXQ"),
        ("payer_currency", "eur", "eur"),
    ],
)
def test_an_edge_is_told_what_is_wrong_with_its_file(
    bulk: Bulk, name: str, value: Any, said: str
) -> None:
    columns = changed(payments(20, bulk.terms), name, 7, value)
    side = "acquirers" if name in SIDES["acquirers"] else "wallets"
    path = bulk.folder / f"{side}.parquet"
    pq.write_table(pa.table({n: pa.array(list(columns[n])) for n in SIDES[side]}), path)
    with pytest.raises(ConfigError, match=said):
        share_parquet(path, bulk.folder, nodes=NODES, keys=bulk.folder)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("acqp", "stall2", "column acqp"), ("payment", "pay-9", "column payment")],
)
def test_sides_that_say_different_payments_are_refused(
    bulk: Bulk, name: str, value: str, said: str
) -> None:
    columns = payments(20, bulk.terms)
    write(bulk.folder, changed(columns, name, 3, value))
    (bulk.folder / "wallets.parquet").rename(bulk.folder / "kept")
    write(bulk.folder, columns)
    (bulk.folder / "kept").rename(bulk.folder / "wallets.parquet")
    for side in ("acquirers", "wallets"):
        share_parquet(bulk.folder / f"{side}.parquet", bulk.folder, nodes=NODES, keys=bulk.folder)
    with pytest.raises(ConfigError, match=said):
        bulk.load()


def test_a_payment_that_occurs_twice_is_refused(bulk: Bulk) -> None:
    columns = payments(20, bulk.terms)
    with pytest.raises(ConfigError, match="twice"):
        bulk.share(changed(columns, "payment", 3, columns["payment"][4]))


def test_files_for_another_node_and_rubbish_are_refused(bulk: Bulk) -> None:
    bulk.share(payments(20, bulk.terms))
    files = sorted(bulk.folder.glob("*.gateway.parquet.sealed"))
    with pytest.raises(ConfigError, match="cannot be opened by wallet"):
        load_shares(files, key=bulk.keys["wallet"], nodes=NODES)
    with pytest.raises(ConfigError, match="this is gateway of"):
        load_shares(files, key=bulk.keys["gateway"], nodes=("gateway", "other"))
    with pytest.raises(ConfigError, match="no file of a wallet"):
        load_shares(files[:1], key=bulk.keys["gateway"], nodes=NODES)
    rubbish = bulk.folder / "rubbish.parquet"
    rubbish.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(ConfigError, match="no parquet"):
        share_parquet(rubbish, bulk.folder, nodes=NODES, keys=bulk.folder)
    with pytest.raises(ConfigError, match="cannot be read"):
        share_parquet(bulk.folder / "absent", bulk.folder, nodes=NODES, keys=bulk.folder)


def test_a_route_without_an_agreement_or_rate_is_refused(bulk: Bulk) -> None:
    columns = payments(20, bulk.terms)
    columns["payer_currency"] = np.full(20, "GBP")
    with pytest.raises(UsageError, match="no rate"):
        bulk.run(bulk.share(columns))


def test_a_risk_model_decides_on_features_of_both_sides(bulk: Bulk) -> None:
    columns = payments(120, bulk.terms)
    random = np.random.default_rng(5)
    own, theirs = (random.integers(-(2**14), 2**14, 120) for _ in range(2))
    sides = {"acquirers": {"feature_mcc": own}, "wallets": {"feature_age": theirs}}
    for path in write(bulk.folder, columns, sides):
        share_parquet(path, bulk.folder, nodes=NODES, keys=bulk.folder)
    weights = share_for_nodes(np.array([3 << 18, -(2 << 18)]))
    zero = share_for_nodes(np.array(1 << 30))
    models = [RiskModel("m", weights[i], zero[i], 2 << 30) for i in range(2)]
    batches = bulk.load()
    results = bulk.results(batches, bulk.run(batches, models=models))
    low = (own * 3 - theirs * 2 << 18) + (1 << 30) <= 2 << 30
    columns["good"] = columns["good"] & low
    assert all(r.net == expected_nets(columns, edge) for edge, r in results.items())
    assert 10 < columns["good"].sum() < 110
    for file in bulk.folder.glob("*.parquet*"):
        file.unlink()
    again = bulk.share(payments(20, bulk.terms, seed=1))
    with pytest.raises(UsageError, match="features"):
        bulk.run(again, models=models)
