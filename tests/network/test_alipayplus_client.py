"""A public client of the dialect, unmodified, against the edge: its signatures, its tools."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from petcore.network.acquirer.alipayplus.signing import parse_header

from .acquirer_network import Network
from .acquirer_place import Place, edge, make_certificate, make_place, node_a
from .alipayplus import CLIENT, EDGE_KEY, MERCHANT_KEY, PAY, public
from .alipayplus_client import ADDRESS, Assistant, interpreter, need_port_443

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

LONG = pytest.mark.skipif(
    "PETCORE_LONG_TESTS" not in os.environ, reason="long; set PETCORE_LONG_TESTS=1"
)
TIME = "2026-11-22T12:00:00+00:00"
SIGN = """
import json, sys
from alipayplusmcp.sdk.tools.signature_tool import sign, verify
what, key, path, client, time, rows = json.load(sys.stdin)
print(json.dumps([sign("POST", path, client, time, body, key) if what == "sign"
                  else verify("POST", path, client, time, body, signature, key)
                  for body, signature in rows]))
"""
BODIES = ['{"a": "b"}', "", '{\n   "orderDescription": "拿铁 & croissant = 1+1"\n}']


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    return interpreter(request.config)


def tool(python: Path, what: str, key: bytes, rows: list[tuple[str, str]]) -> list[Any]:
    """Let the package sign or verify bodies."""
    asked = json.dumps([what, key.decode(), PAY, CLIENT, TIME, rows]).encode()
    done = subprocess.run(
        [str(python), "-c", SIGN], input=asked, check=True, capture_output=True, timeout=60
    )
    said = json.loads(done.stdout)
    assert isinstance(said, list)
    return said


def test_what_the_client_signs_is_verified(python):
    signed = tool(python, "sign", MERCHANT_KEY.private_pem(), [(body, "") for body in BODIES])
    key = public(MERCHANT_KEY)
    for body, text in zip(BODIES, signed, strict=True):
        header = parse_header(f"algorithm=RSA256,keyVersion=1,signature={text}")
        assert header is not None
        assert key.verifies(header.signature, PAY, CLIENT, TIME, body.encode())
        assert not key.verifies(header.signature, PAY, CLIENT, TIME, body.encode() + b" ")


def test_what_the_edge_signs_is_verified_by_the_client(python):
    headers = [EDGE_KEY.header(PAY, CLIENT, TIME, body.encode()) for body in BODIES]
    rows = [
        (body, header.split("signature=")[1]) for body, header in zip(BODIES, headers, strict=True)
    ]
    assert tool(python, "verify", EDGE_KEY.public_pem(), rows) == [True] * len(BODIES)


def settings(**more: str) -> dict[str, str]:
    return {
        "CLIENT_ID": CLIENT,
        "MERCHANT_PRIVATE_KEY": MERCHANT_KEY.private_pem().decode(),
        "ALIPAY_PUBLIC_KEY": EDGE_KEY.public_pem().decode(),
        **more,
    }


def code(answer: dict[str, Any]) -> str:
    return str(answer["result"]["resultCode"])


def served(tmp_path: Path) -> Place:
    """A place whose edge listens where the client connects to."""
    need_port_443()
    place = make_place(tmp_path, times="answer = 5.0\n")
    place.config.write_text(place.config.read_text().replace(place.address, f"{ADDRESS}:443"))
    place.address = f"{ADDRESS}:443"
    place.certificate = make_certificate(place.folder, "merchants", ADDRESS)
    return place


def create(assistant: Assistant, request: str, value: int) -> dict[str, Any]:
    return assistant.call(
        "create_payment",
        payment_request_id=request,
        order_amount_currency="SGD",
        order_amount_value=value,
        order_description="two coffees",
    )


def refund(assistant: Assistant, request: str, value: int) -> dict[str, Any]:
    return assistant.call(
        "create_refund",
        payment_request_id="p1",
        refund_request_id=request,
        refund_amount_value=value,
        refund_currency="SGD",
    )


def declare(assistant: Assistant) -> dict[str, Any]:
    return assistant.call(
        "customs_declare",
        payment_request_id="p1",
        customs_declaration_request_id="d1",
        declaration_amount_value=1000,
        customs_code="c",
        merchant_customs_code="m",
        merchant_customs_name="n",
        is_split=False,
        reference_order_id="o1",
    )


def use_every_tool(assistant: Assistant, network: Network) -> dict[str, dict[str, Any]]:
    """Pay, retry, refund, cancel, declare; the payer agrees in between."""
    said = {
        "first": create(assistant, "p1", 1000),
        "again": create(assistant, "p1", 1000),
        "other": create(assistant, "p1", 1001),
        "none": create(assistant, "p2", 0),
        "nothing": assistant.call("query_payment", payment_request_id="p9"),
    }
    network.agree("p1")  # what the edge's own inquiry finds next
    end = time.monotonic() + 60
    while time.monotonic() < end:
        asked = said["asked"] = assistant.call("query_payment", payment_request_id="p1")
        if asked["paymentResult"]["resultStatus"] == "S":
            break
    said["refunded"] = refund(assistant, "r1", 400)
    said["exceeded"] = refund(assistant, "r2", 700)
    said["cancelled"] = assistant.call("cancel_payment", payment_request_id="p1")
    said["after"] = assistant.call("query_payment", payment_request_id="p1")
    said["customs"] = declare(assistant)
    said["declared"] = assistant.call("query_customs_declare", declaration_request_ids=["d1"])
    return said


@LONG
def test_every_tool_of_the_client_gets_an_answer_that_it_accepts(python, tmp_path):
    place = served(tmp_path)

    async def scene() -> dict[str, dict[str, Any]]:
        async with node_a(place), edge(place):
            with await asyncio.to_thread(Assistant, python, **settings()) as assistant:
                return await asyncio.to_thread(use_every_tool, assistant, place.network)

    said = asyncio.run(scene())
    assert {name: code(answer) for name, answer in said.items()} == {
        "first": "PAYMENT_IN_PROCESS",
        "again": "PAYMENT_IN_PROCESS",
        "other": "REPEAT_REQ_INCONSISTENT",
        "none": "PARAM_ILLEGAL",
        "nothing": "ORDER_NOT_EXIST",
        "asked": "SUCCESS",
        "refunded": "SUCCESS",
        "exceeded": "REFUND_AMOUNT_EXCEED",
        "cancelled": "SUCCESS",
        "after": "SUCCESS",
        "customs": "METHOD_NOT_SUPPORTED",
        "declared": "METHOD_NOT_SUPPORTED",
    }
    assert said["first"]["normalUrl"] == said["again"]["normalUrl"]
    assert said["asked"]["paymentResult"]["resultCode"] == "SUCCESS"
    assert said["asked"]["settlementAmount"] == {"currency": "SGD", "value": "1000"}
    assert said["after"]["paymentResult"]["resultCode"] == "ORDER_IS_CANCELED"


@LONG
def test_the_client_refuses_answers_of_another_edge(python, tmp_path):
    place = served(tmp_path)

    async def scene() -> tuple[str, str]:
        async with node_a(place), edge(place):
            stranger = MERCHANT_KEY.public_pem().decode()  # of nobody who answers here
            keys = settings(ALIPAY_PUBLIC_KEY=stranger)
            unsigned = settings(MERCHANT_PRIVATE_KEY=EDGE_KEY.private_pem().decode())
            said = []
            for one in (keys, unsigned):
                with await asyncio.to_thread(Assistant, python, **one) as assistant:
                    said.append(
                        await asyncio.to_thread(
                            assistant.text, "query_payment", payment_request_id="p1"
                        )
                    )
            return said[0], said[1]

    distrusted, refused = asyncio.run(scene())
    assert "verify failed" in distrusted
    assert code(json.loads(refused)) == "INVALID_SIGNATURE"
