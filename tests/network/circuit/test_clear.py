"""The circuit in clear: the same outcome, everything disclosed, and refused outside a benchmark."""

import numpy as np
import pytest

import petcore as pc
from petcore.errors import ConfigError
from petcore.network.circuit import RiskModel, Rows, plain_authorise
from petcore.network.circuit.clear import LABEL, clear_authorise
from petcore.network.node.config import IN_CLEAR, load_node

COUNT = 12


def values(k: int = 2) -> dict[str, np.ndarray]:
    amount = np.arange(1, COUNT + 1, dtype=np.uint64) * np.uint64(100)
    columns = dict.fromkeys(("amount", "seen", "debit"), amount)
    columns |= {"available": np.full(COUNT, 700, np.uint64), "sum_left": amount}
    columns["count_left"] = np.full(COUNT, 1, np.uint64)
    columns["headroom"] = np.full(COUNT, 2500, np.uint64)
    columns["features"] = np.arange(COUNT * k, dtype=np.uint64).reshape(COUNT, k)
    return columns


def rows_of(columns: dict[str, np.ndarray]) -> Rows:
    return Rows.of(["shop"] * COUNT, ["purse"] * COUNT, **columns)


def model_of(party: int) -> RiskModel:
    weights = np.array([3, 2], np.uint64) if party == 0 else np.zeros(2, np.uint64)
    return RiskModel("m1", weights, np.array(0, np.uint64), threshold=40)


@pytest.mark.parametrize("with_model", [False, True])
def test_it_decides_as_the_circuit_on_shares_does_in_one_round(with_model):
    whole = values()
    masks = {
        name: np.random.default_rng(1).integers(0, 2**64, column.shape, np.uint64)
        for name, column in whole.items()
    }

    def program(session):
        mine = masks if session.party else {name: whole[name] - masks[name] for name in whole}
        model = model_of(session.party) if with_model else None
        with session.measure() as cost:
            outcome = clear_authorise(session, rows_of(mine), model, batch="7")
        assert LABEL in [disclosure.label for disclosure in session.sink]
        return cost.rounds, outcome

    (rounds, first), (_, second) = pc.simulate(program)
    expected = plain_authorise(rows_of(whole), model_of(0) if with_model else None)
    assert rounds == 1
    for name in ("decision", "seen", "debit", "fee"):
        assert np.array_equal(getattr(first, name) + getattr(second, name), getattr(expected, name))
    assert 0 < expected.decision.sum() < COUNT
    assert np.array_equal(first.exported["shop"] + second.exported["shop"], expected.decision)


def test_a_node_refuses_to_decide_in_clear_outside_a_benchmark(tmp_path, monkeypatch):
    config = tmp_path / "node-a.toml"
    text = 'name = "node-a"\nnetwork = "n"\nlisten = "127.0.0.1:1"\ndatabase = "d"\nkeys = "k"\n'
    text += 'session = "s"\nprivacy = "off"\n[identity]\ncertificate = "c"\nkey = "k"\n'
    config.write_text(text)
    monkeypatch.delenv(IN_CLEAR, raising=False)
    with pytest.raises(ConfigError, match="both nodes would see every payment"):
        load_node(config)
    monkeypatch.setenv(IN_CLEAR, "1")
    assert not load_node(config).private
    config.write_text(text.replace('"off"', '"none"'))
    with pytest.raises(ConfigError, match='must be "on" or "off"'):
        load_node(config)
