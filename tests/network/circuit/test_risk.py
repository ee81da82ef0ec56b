"""A risk model from joint training to the circuit: kept, saved, loaded, applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import petcore as pc
from petcore.errors import ConfigError, StepMismatch, UsageError
from petcore.network.circuit import FEATURE_BITS, FeatureScale, RiskModel
from petcore.training import LogisticRegression
from petcore.training.preprocessing import Standardizer

from .batches import decisions, good, words


def columns(rows: int) -> tuple[list[Any], Any]:
    """Make two companies' columns and labels that depend on both."""
    random = np.random.default_rng(3)
    X = random.normal(size=(rows, 5)) * [1, 30, 4, 100, 2] + [0, 5, 9, -50, 1]
    z = (X - X.mean(0)) / X.std(0) @ [1.0, -2.0, 0.5, 1.5, 0.0] - 0.4
    return [X[:, :2], X[:, 2:]], (z > 0).astype(np.int64)


def trained(session: pc.Session, **options: Any) -> tuple[RiskModel, FeatureScale, Any]:
    parts, labels = columns(400)
    own = parts[session.party]
    scale = Standardizer.fit(own)
    model = LogisticRegression(session, max_iter=8)
    model.fit(scale.transform(own), labels if session.party == 0 else None)
    kept = RiskModel.of(model, **{"version": "fraud-7", "threshold": 0.6, **options})
    names = tuple(f"column{i}" for i in range(own.shape[1]))
    logits = session.open(model.decision_function(scale.transform(own[:50])), label="logits")
    return kept, FeatureScale(names, scale), logits


def test_a_trained_model_decides_in_the_circuit_as_it_scores(tmp_path: Path) -> None:
    outcomes = pc.simulate(trained)
    for i, (model, scale, _) in enumerate(outcomes):
        model.save(tmp_path / f"{i}.model")
        scale.save(tmp_path / f"{i}.scale")
    models = [RiskModel.load(tmp_path / f"{i}.model") for i in range(2)]
    scales = [FeatureScale.load(tmp_path / f"{i}.scale") for i in range(2)]
    parts, _ = columns(400)
    features = np.hstack([s.encode(p[:50]) for s, p in zip(scales, parts, strict=True)])
    rows = good(50, wallet=np.arange(50), features=features.view(np.uint64))
    logits = outcomes[0][2]
    clear = RiskModel(
        "sum",
        models[0].weights + models[1].weights,
        models[0].intercept + models[1].intercept,
        models[0].threshold,
    )
    exact = features @ clear.weights.view(np.int64) + int(clear.intercept.view(np.int64))
    assert np.abs(exact / 2.0 ** (18 + FEATURE_BITS) - logits).max() < 0.01
    assert decisions(rows, clear) == (exact <= clear.threshold).astype(int).tolist()
    assert 5 < sum(decisions(rows, clear)) < 45
    assert clear.threshold == round(np.log(0.6 / 0.4) * 2 ** (18 + FEATURE_BITS))


def test_a_share_comes_back_from_its_file_which_others_cannot_read(tmp_path: Path) -> None:
    (a, _, _), (b, _, _) = pc.simulate(trained)
    assert a.pair == b.pair != ""
    assert not np.array_equal(a.weights, b.weights)
    file = tmp_path / "fraud.model"
    a.save(file)
    a.save(file)
    assert file.stat().st_mode & 0o777 == 0o600
    again = RiskModel.load(file)
    assert (again.version, again.threshold, again.pair) == (a.version, a.threshold, a.pair)
    assert np.array_equal(again.weights, a.weights)
    assert again.intercept == a.intercept
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        RiskModel.load(file)


@pytest.mark.parametrize("differing", [{"version": "fraud-8"}, {"threshold": 0.7}])
def test_parties_that_keep_different_models_learn_of_it(differing: dict[str, Any]) -> None:
    def program(session: pc.Session) -> None:
        trained(session, **(differing if session.party else {}))

    with pytest.raises(StepMismatch):
        pc.simulate(program)


def test_shares_of_two_trainings_do_not_go_together() -> None:
    (a, _, _), _ = pc.simulate(trained)
    _, (b, _, _) = pc.simulate(trained)
    assert a.name != b.name


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_a_threshold_is_a_probability(threshold: float) -> None:
    def program(session: pc.Session) -> None:
        with pytest.raises(UsageError, match="probability"):
            RiskModel.of(LogisticRegression(session), version="v", threshold=threshold)
        with pytest.raises(UsageError, match="not fitted"):
            RiskModel.of(LogisticRegression(session), version="v", threshold=0.5)

    pc.simulate(program)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"weights": [1] * 65},
        {"weights": []},
        {"weights": [-1]},
        {"weights": [1.5]},
        {"weights": 7},
        {"intercept": 2**64},
        {"threshold": 2**62},
        {"threshold": None},
        {"pair": "zz"},
        {"pair": 7},
        {"version": "a b"},
        {"version": 3},
        {"frac_bits": "18"},
    ],
)
def test_a_file_that_is_no_share_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    file = tmp_path / "model"
    RiskModel("v", words([1, 2]), np.uint64(3) + np.zeros((), np.uint64), 5, 18, "0" * 32).save(
        file
    )
    RiskModel.load(file)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises((ConfigError, UsageError)):
        RiskModel.load(file)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"x" * (1 << 17), b"[" * 60_000])
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model"
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="share"):
        RiskModel.load(file)
    with pytest.raises(ConfigError, match="scale"):
        FeatureScale.load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        RiskModel.load(tmp_path / "absent")


def test_features_are_standardised_clipped_and_whole() -> None:
    scale = FeatureScale(("age", "sum"), Standardizer(np.array([40.0, 0.0]), np.array([10.0, 1.0])))
    encoded = scale.encode([[50.0, 1e9], [40.0, -1e9], [45.0, 0.25]])
    one = 1 << FEATURE_BITS
    assert encoded.tolist() == [[one, 64 * one], [0, -64 * one], [one // 2, one // 4]]
    for wrong in ([[1.0]], [[np.nan, 0.0]]):
        with pytest.raises(UsageError):
            scale.encode(wrong)
    with pytest.raises(UsageError, match="names"):
        FeatureScale(("age",), scale.scale)
