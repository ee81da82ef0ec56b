"""The edge as a real process: TLS on both sides, SIGKILL, SIGTERM, notifications to merchants."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import ssl
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from petcore.errors import ConfigError, PeerUntrusted, PetcoreError
from petcore.network import http
from petcore.network.acquirer.alipayplus.signing import parse_header
from petcore.network.acquirer.config import AcquirerConfig
from petcore.network.envelope import pack
from petcore.network.node.replies import write_replies
from petcore.network.tls import public_context
from tests.conftest import free_ports

from .acquirer_place import Place, edge, kill, make_place, node_a
from .alipayplus import CANCEL, CLIENT, EDGE_KEY, INQUIRY, PAY, REFUND, pay_body, public

pytestmark = pytest.mark.processes


def code(answer: dict[str, Any]) -> str:
    return answer["result"]["resultCode"]


BACK = {
    "paymentRequestId": "pay-1",
    "refundRequestId": "back-1",
    "refundAmount": {"currency": "SGD", "value": "400"},
}


def test_after_a_sigkill_the_same_id_gets_the_stored_answer_and_the_rest_goes_on(tmp_path):
    async def scene() -> list[dict[str, Any]]:
        async with node_a(place):
            async with edge(place) as (process, merchant):
                paid = await merchant.call(PAY, pay_body())
                kill(process)
            async with edge(place) as (_, merchant):
                again = await merchant.call(PAY, pay_body())
                refunded = await merchant.call(REFUND, BACK)
                asked = await merchant.call(INQUIRY, {"paymentRequestId": "pay-1"})
                cancelled = await merchant.call(CANCEL, {"paymentId": paid["paymentId"]})
        return [paid, again, refunded, asked, cancelled]

    place = make_place(tmp_path)
    answers = asyncio.run(scene())
    paid, again, refunded, asked, _ = answers
    assert {code(answer) for answer in answers} == {"SUCCESS"}
    assert paid == again
    assert (paid["acquirerId"], paid["pspId"]) == ("shop-bank", "purse")
    assert paid["paymentAmount"] == {"currency": "SGD", "value": "1000"}
    assert refunded["refundId"] == "R-back-1"
    assert asked["paymentResult"]["resultCode"] == "SUCCESS"
    assert [row["transactionType"] for row in asked["transactions"]] == ["REFUND"]
    assert place.network.calls == ["pay pay-1", "refund pay-1", "cancel pay-1"]
    assert place.network.requests["pay-1"].cancelled


def test_killed_in_the_middle_of_a_payment_the_edge_pays_it_once_after_its_start(tmp_path):
    async def scene() -> dict[str, Any]:
        async with node_a(place) as network:
            network.mute = True  # the message arrives, its answer does not
            async with edge(place) as (process, merchant):
                calling = asyncio.create_task(merchant.call(PAY, pay_body()))
                while "pay pay-1" not in network.calls:
                    await asyncio.sleep(0.01)
                kill(process)
                with contextlib.suppress(httpx.TransportError):
                    await calling
            network.mute = False
            async with edge(place) as (_, merchant):
                return await merchant.call(PAY, pay_body())

    place = make_place(tmp_path)
    assert code(asyncio.run(scene())) == "SUCCESS"
    assert place.network.calls.count("pay pay-1") == 1


def test_sigterm_lets_a_payment_that_runs_be_answered(tmp_path):
    async def scene() -> tuple[dict[str, Any], int]:
        async with node_a(place) as network:
            network.slow.add("pay-1")
            async with edge(place) as (process, merchant):
                calling = asyncio.create_task(merchant.call(PAY, pay_body()))
                while "pay pay-1" not in network.calls:
                    await asyncio.sleep(0.01)
                process.send_signal(signal.SIGTERM)
                network.slow.clear()
                answer = await calling
            return answer, process.returncode

    place = make_place(tmp_path, times="poll = 0.1\n")
    answer, status = asyncio.run(scene())
    assert (code(answer), status) == ("SUCCESS", 0)


@contextlib.asynccontextmanager
async def a_shop(place: Place, address: str, received: list[Any], refuse: int) -> Any:
    """A merchant's hook, which answers with an error so many times first."""

    async def hook(request: Request) -> Response:
        received.append((dict(request.headers), await request.body()))
        if len(received) <= refuse:
            return Response(b"", 500)
        return JSONResponse({"result": {"resultCode": "SUCCESS", "resultStatus": "S"}})

    context = public_context(
        (place.folder / "merchants.cert.pem").read_bytes(),
        (place.folder / "merchants.key.pem").read_bytes(),
    )
    app = Starlette(routes=[Route("/hooks/{id}", hook, methods=["POST"])])
    server = http.Server(app, address, public=context)
    stop = asyncio.Event()
    serving = asyncio.create_task(server.run(stop))
    try:
        yield
    finally:
        stop.set()
        await serving


def test_a_merchant_is_told_of_a_late_result_until_it_acknowledges(tmp_path):
    (port,) = free_ports(1)
    hooks = f"https://127.0.0.1:{port}/hooks"
    received: list[tuple[dict[str, str], bytes]] = []

    async def notify(network: Any) -> None:
        notice = replace(network.agree("pay-1"), number=1)
        peers = http.Peers(place.members.identities["node-a"], place.members.directory)
        for _ in range(2):  # at least once: the edge takes it once
            await peers.post("shop-bank", "/v1/notifications", pack(write_replies([notice])))
        await peers.close()

    async def scene() -> dict[str, Any]:
        body = pay_body(
            paymentMethod={"paymentMethodType": "CONNECT_WALLET"},
            paymentFactor={"isCashierPayment": True},
            paymentNotifyUrl=f"{hooks}/7",
        )
        async with node_a(place) as network, a_shop(place, f"127.0.0.1:{port}", received, 1):
            async with edge(place) as (_, merchant):
                first = await merchant.call(PAY, body)
                await notify(network)
                async with asyncio.timeout(60):
                    while len(received) < 2:
                        await asyncio.sleep(0.02)
            return first

    place = make_place(tmp_path, hooks=hooks)
    first = asyncio.run(scene())
    assert code(first) == "PAYMENT_IN_PROCESS"
    assert first["normalUrl"] == "https://purse.example/cashier/pay-1"
    assert len(received) == 2
    head, content = received[-1]
    signature = parse_header(head["signature"])
    assert signature is not None
    assert public(EDGE_KEY).verifies(
        signature.signature, "/hooks/7", CLIENT, head["request-time"], content
    )
    told = json.loads(content)
    assert told["paymentResult"]["resultStatus"] == "S"
    assert told["paymentRequestId"] == "pay-1"


def test_nobody_gets_at_the_edge_but_by_the_way_that_is_meant_for_him(tmp_path):
    async def as_member(name: str) -> http.Peers:
        return http.Peers(place.members.identities[name], place.members.directory)

    async def scene() -> bytes:
        async with edge(place):
            async with httpx.AsyncClient(trust_env=False) as plain:
                with pytest.raises(httpx.TransportError):
                    await plain.get(f"http://{place.address}/")
            context = ssl.create_default_context(cafile=str(place.certificate))
            async with httpx.AsyncClient(verify=context, trust_env=False) as stranger:
                with pytest.raises(httpx.TransportError):
                    await stranger.get(f"https://{place.members.listen['shop-bank']}/")
            purse, node = await as_member("purse"), await as_member("node-a")
            with pytest.raises(PeerUntrusted):  # only node A may notify
                await purse.post("shop-bank", "/v1/notifications", pack(write_replies([])))
            with pytest.raises(PetcoreError, match="404"):  # what the edge counts is its own matter
                await node.get("shop-bank", "/metrics")
            health = await node.get("shop-bank", "/health")
            await purse.close()
            await node.close()
            return health

    place = make_place(tmp_path)
    assert json.loads(asyncio.run(scene()))["status"] == "ok"


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('name = "shop-bank"', 'name = "purse"', "purse"),
        ('listen = "', 'listens = "', "listens"),
        ('file = "client.rsa.pub.pem"', 'file = "nowhere.pem"', "nowhere.pem"),
        ('file = "client.rsa.pub.pem"', 'file = "merchants.cert.pem"', "merchants.cert.pem"),
        ("[times]", "[times]\npoll = -1", "poll"),
        ("[times]", "[[codes]]\nmpp = 'stranger'\nprefixes = ['28']\n[times]", "stranger"),
        ('id = "SHOP_0001"', 'id = "SHOP_0001"\ncolour = "red"', "colour"),
        ('database = "sqlite', 'database = "oracle', "ledger"),
        ("[merchants]", 'role = "mpp"\n[merchants]', "acqp"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_by_name(tmp_path, old, new, names):
    from petcore.network.acquirer.process import AcquirerEdge

    place = make_place(tmp_path)
    place.config.write_text(place.config.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=names):
        AcquirerEdge(AcquirerConfig.load(place.config))
