"""The demo says so, and at once, when something is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from petcore.cli import demo_clearing, demo_training
from petcore.cli.app import app
from petcore.cli.demo_children import Children
from petcore.cli.demo_place import open_place
from petcore.errors import InternalError, PeerLate
from petcore.payments import assign_routes


def nothing(_: str) -> None:
    pass


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["--seed", "-1"], "'--seed'"), (["--keep", "/dev/null/place"], "cannot be made")],
)
def test_an_option_that_cannot_work_is_wrong_use(words: list[str], complaint: str) -> None:
    done = CliRunner().invoke(app, ["demo", "--quick", *words])
    assert done.exit_code == 2
    assert complaint in done.stderr


@pytest.mark.processes
def test_a_child_that_fails_is_shown_and_the_others_end(tmp_path: Path) -> None:
    dealer, gateway = tmp_path / "dealer", tmp_path / "gateway"
    gateway.mkdir()
    with open_place(dealer) as place, Children() as children:
        waits = children.start("dealer", place.party("dealer"), ["dealer", "--config=dealer.toml"])
        fails = children.start("gateway", gateway, ["train", "--config=none", "--data=no.csv"])
        with pytest.raises(InternalError, match=r"(?s)gateway:.*no\.csv: cannot be read"):
            children.results([fails], limit=60, tell=nothing)
    assert waits.process.returncode is not None


@pytest.mark.processes
def test_a_child_that_is_not_done_in_time_is_reported(tmp_path: Path) -> None:
    with open_place(tmp_path / "place") as place, Children() as children:
        waits = children.start("dealer", place.party("dealer"), ["dealer", "--config=dealer.toml"])
        with pytest.raises(PeerLate, match="not done after 0 s"):
            children.results([waits], limit=0.2, tell=nothing)
    assert waits.process.returncode is not None


@pytest.mark.parametrize(("private", "fails"), [(0.7019, False), (0.7021, True), (0.6, True)])
def test_a_private_model_that_is_not_the_plaintext_one_fails_the_demo(
    private: float, fails: bool
) -> None:
    report = {"auc": private, "rows_trained": 8, "rows_held_out": 2}
    auc = {"joint, plaintext": 0.7}
    if fails:
        with pytest.raises(InternalError, match="differ by more than"):
            demo_training.judge(auc, {"wallet": report})
    else:
        assert demo_training.judge(auc, {"wallet": report}).auc["joint, MPC"] == private


def test_a_net_position_off_by_one_minor_unit_fails_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = assign_routes(np.full((40, 1), 5), np.full(40, 9), seed=0)
    right = demo_clearing.plaintext_positions(payments.amount, payments.limit, payments.routes)

    def combined(paths: list[Path], *, key: Any) -> Any:
        net = dict(zip(payments.routes.currencies, right[key.name].tolist(), strict=True))
        net["EUR"] += key.name == "wallet-3"
        return type("Position", (), {"net": net})

    monkeypatch.setattr(demo_clearing, "read_position", combined)
    with (
        open_place(tmp_path / "place") as place,
        pytest.raises(InternalError, match="the net position of wallet-3 differs"),
    ):
        demo_clearing.judge(place, payments, {})
