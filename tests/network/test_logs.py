"""Logs: declared operational fields pass, everything else is refused or dropped."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import petcore.network
from petcore.errors import PeerLate, UsageError
from petcore.network import logs
from petcore.network.logs import FIELDS, Log

SHARE = 0xC0FFEE_DEADBEEF_42


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the process writes while its logs are JSON."""
    root, network = logging.getLogger(), logging.getLogger(logs.LOGGER)
    before = root.handlers[:], root.level, network.level, logging.raiseExceptions
    stream = io.StringIO()
    logs.install("node-a", stream)
    yield stream
    root.handlers[:], logging.raiseExceptions = before[0], before[3]
    root.setLevel(before[1])
    network.setLevel(before[2])


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_participant_event_and_declared_fields(lines):
    Log("node").info("batch computed", batch=7, rows=3, peer="node-b", seconds=0.0123456789)
    (line,) = read(lines)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "participant": "node-a",
        "part": "node",
        "event": "batch computed",
        "batch": 7,
        "rows": 3,
        "peer": "node-b",
        "seconds": 0.012346,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"share": 5},
        {"amount": 100},
        {"key": b"\x00" * 32},
        {"merchant": "Noodles"},
        {"message_text": "hello"},
        {"rows": SHARE},
        {"rows": np.uint64(2**63 + 11)},
        {"rows": -1},
        {"rows": "12"},
        {"rows": True},
        {"seconds": float("nan")},
        {"seconds": "1"},
        {"peer": "Ada Lovelace"},
        {"peer": "ada@example.com"},
        {"code": "x" * 64},
        {"code": {"amount": 1}},
        {"retryable": 1},
    ],
)
def test_what_is_not_declared_or_has_another_form_is_refused_without_repeating_it(lines, fields):
    with pytest.raises(UsageError) as met:
        Log().info("something happened", **fields)
    assert lines.getvalue() == ""
    value = str(next(iter(fields.values())))
    assert len(value) < 3 or value not in str(met.value)


@pytest.mark.parametrize("event", ["paid 100 SGD", "share 42", "Ada", "x", "{amount}", "a" * 81])
def test_an_event_is_a_fixed_text(lines, event):
    with pytest.raises(UsageError):
        Log().info(event)
    assert lines.getvalue() == ""


def test_a_request_id_is_shortened_to_a_hash(lines):
    Log().info("request refused", request="order of Ada Lovelace")
    (line,) = read(lines)
    assert "Ada" not in lines.getvalue()
    assert len(line["request"]) == 16


def test_an_error_is_told_by_its_code_only(lines):
    Log().failure(
        "call failed", PeerLate("Ada's 4711 cents are late", party="node-b"), peer="node-b"
    )
    Log().failure("call failed", ValueError("4711"))
    first, second = read(lines)
    assert (first["code"], first["retryable"], first["peer"]) == ("late", True, "node-b")
    assert second["code"] == "valueerror"
    assert "4711" not in lines.getvalue()


def test_what_libraries_log_keeps_only_where_it_came_from(lines):
    logging.getLogger("sqlalchemy.engine").error("INSERT ... %s", {"share": SHARE})
    logging.getLogger("httpx").info("GET /v1/requests/shop-bank/4711")
    logging.getLogger("petcore").warning("4711")
    logging.getLogger("petcore.network.node").warning("amount 4711")
    try:
        raise ValueError("4711")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("4711")
    assert "4711" not in lines.getvalue()
    assert str(SHARE) not in lines.getvalue()
    assert {line["event"] for line in read(lines)} == {"library"}
    assert read(lines)[-1]["cause"] == "ValueError"


def test_every_event_in_the_network_is_a_literal_and_every_field_declared():
    seen = 0
    for path in Path(petcore.network.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = ast.unparse(node.func.value).split(".")[-1].lower()
            if owner not in {"log", "_log"}:
                continue
            seen += 1
            where = f"{path.name}:{node.lineno}"
            assert isinstance(node.args[0], ast.Constant), where
            logs.checked(node.args[0].value, {})
            for keyword in node.keywords:
                assert keyword.arg in FIELDS, f"{where}: {keyword.arg}"
    assert seen >= 0
