"""The public client, unmodified, through a whole network: every process real, every hop over TLS."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from petcore.errors import PetcoreError
from petcore.network.acquirer.alipayplus.signing import SigningKey
from petcore.network.acquirer.book import Book
from petcore.network.demo.place import (
    ACQUIRER,
    CLIENT_ID,
    NODE_A,
    PIN,
    WALLET,
    Place,
    make_place,
)
from petcore.network.demo.running import Running
from petcore.network.directory import Directory
from petcore.network.http import Peers
from petcore.network.ledger import Database
from petcore.trust.identity import load_identity

from .alipayplus_client import ADDRESS, Assistant, interpreter, need_port_443

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

FEE = 6  # of 1000, in the demo network's agreement


class Scene:
    """A network that runs, an assistant at a merchant, and a payer with a browser."""

    def __init__(self, place: Place, running: Running, assistant: Assistant) -> None:
        self.place, self.running, self.assistant = place, running, assistant
        trusted = ssl.create_default_context()
        trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
        self._browser = httpx.Client(verify=trusted, timeout=20.0, trust_env=False)

    def order(self, request: str, value: int, currency: str = "SGD") -> dict[str, Any]:
        return self.assistant.call(
            "create_payment",
            payment_request_id=request,
            order_amount_currency=currency,
            order_amount_value=value,
            order_description="two coffees",
        )

    def agree(self, url: str, user: str = "alice") -> None:
        assert "two coffees" in self._browser.get(url).text
        page = self._browser.post(url, data={"user": user, "pin": PIN})
        assert page.status_code == 200

    def ask(self, request: str) -> dict[str, Any]:
        return self.assistant.call("query_payment", payment_request_id=request)

    def until_final(self, request: str) -> dict[str, Any]:
        return self.until(request, lambda asked: asked["paymentResult"]["resultStatus"] != "U")

    def until(self, request: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if condition(asked := self.ask(request)):
                return asked
        raise AssertionError(f"{request} has no final result: {asked}")

    def pay(self, request: str, value: int, **more: Any) -> dict[str, Any]:
        self.agree(self.order(request, value, **more)["normalUrl"])
        return self.until_final(request)

    def refund(self, of: str, request: str, value: int, currency: str = "SGD") -> dict[str, Any]:
        return self.assistant.call(
            "create_refund",
            payment_request_id=of,
            refund_request_id=request,
            refund_amount_value=value,
            refund_currency=currency,
        )

    def close(self) -> None:
        self._browser.close()


@pytest.fixture(scope="module")
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    python = interpreter(request.config)
    need_port_443()
    place = make_place(tmp_path_factory.mktemp("whole") / "network")
    _listen_at_443(place.config(ACQUIRER))
    key = SigningKey.load(place.client / f"{CLIENT_ID}.rsa.pem", "1")
    settings = {
        "CLIENT_ID": CLIENT_ID,
        "MERCHANT_PRIVATE_KEY": key.private_pem().decode(),
        "ALIPAY_PUBLIC_KEY": (place.client / "answers.rsa.pub.pem").read_text(),
    }
    with Running(place) as running, Assistant(python, **settings) as assistant:
        scene = Scene(place, running, assistant)
        yield scene
        scene.close()


def _listen_at_443(config: Path) -> None:
    before, head, rest = config.read_text().partition('[merchants]\nlisten = "')
    _, quote, after = rest.partition('"')
    config.write_text(f"{before}{head}{ADDRESS}:443{quote}{after}")


def code(answer: dict[str, Any]) -> str:
    return str(answer["result"]["resultCode"])


def test_a_payment_waits_for_its_payer_and_succeeds(scene):
    ordered = scene.order("whole-1", 1000)
    assert code(ordered) == "PAYMENT_IN_PROCESS"
    assert scene.ask("whole-1")["paymentResult"]["resultStatus"] == "U"
    scene.agree(ordered["normalUrl"])
    asked = scene.until_final("whole-1")
    assert asked["paymentResult"]["resultCode"] == "SUCCESS"
    assert asked["paymentId"] == ordered["paymentId"]
    assert (
        asked["paymentAmount"]
        == asked["settlementAmount"]
        == {
            "currency": "SGD",
            "value": "1000",
        }
    )
    assert code(scene.order("whole-1", 1000)) == "SUCCESS"
    assert code(scene.order("whole-1", 999)) == "REPEAT_REQ_INCONSISTENT"


def test_refunds_in_parts_up_to_what_was_paid(scene):
    scene.pay("whole-2", 1001)
    answers = [scene.refund("whole-2", f"part-{n}", v) for n, v in enumerate((333, 700, 668))]
    assert [code(answer) for answer in answers] == ["SUCCESS", "REFUND_AMOUNT_EXCEED", "SUCCESS"]
    assert code(scene.refund("whole-2", "part-0", 333)) == "SUCCESS"  # again: the stored answer
    assert code(scene.refund("whole-2", "part-9", 1)) == "REFUND_AMOUNT_EXCEED"
    listed = scene.ask("whole-2")["transactions"]
    done = [row for row in listed if row["transactionStatus"] == "SUCCESS"]
    assert [row["transactionAmount"]["value"] for row in done] == ["333", "668"]


@pytest.mark.parametrize(("currency", "user"), [("JPY", "bob"), ("KWD", "carol")])
def test_currencies_without_and_with_three_decimals(scene, currency, user):
    request = f"whole-{currency}"
    scene.agree(scene.order(request, 12345, currency)["normalUrl"], user)
    assert scene.until_final(request)["paymentResult"]["resultCode"] == "SUCCESS"
    assert code(scene.refund(request, f"back-{currency}", 12345, currency)) == "SUCCESS"


def test_a_payment_is_cancelled_before_and_after_its_payer_agreed(scene):
    before = scene.order("whole-3", 500)
    scene.pay("whole-4", 500)
    for request in ("whole-3", "whole-4", "whole-5"):  # the last is known to nobody
        answer = scene.assistant.call("cancel_payment", payment_request_id=request)
        assert code(answer) == "SUCCESS"
    for request in ("whole-3", "whole-4"):
        assert scene.ask(request)["paymentResult"]["resultCode"] == "ORDER_IS_CANCELED"
    assert code(scene.order("whole-5", 500)) == "ORDER_IS_CANCELED"
    assert code(scene.refund("whole-4", "late-1", 1)) == "ORDER_IS_CANCELED"
    page = scene._browser.post(before["normalUrl"], data={"user": "alice", "pin": PIN})
    assert page.status_code != 200 or "not" in page.text


def test_what_is_illegal_unknown_or_not_supported_says_so(scene):
    assert code(scene.order("whole-8", 0)) == "PARAM_ILLEGAL"
    assert code(scene.order("whole-8", 5, "XYZ")) == "PARAM_ILLEGAL"
    assert code(scene.ask("whole-8")) == "ORDER_NOT_EXIST"
    declared = scene.assistant.call("query_customs_declare", declaration_request_ids=["d1"])
    assert code(declared) == "METHOD_NOT_SUPPORTED"


def test_more_than_the_payer_has_is_declined(scene):
    asked = scene.pay("whole-6", 900_000_000)
    assert asked["paymentResult"]["resultCode"] == "USER_BALANCE_NOT_ENOUGH"
    assert code(scene.refund("whole-6", "late-2", 1)) == "ORDER_NOT_EXIST"


@pytest.mark.parametrize("member", [WALLET, ACQUIRER])
def test_node_a_cannot_read_what_an_edge_counts(scene, member):
    folder = scene.place.member(NODE_A)
    identity = load_identity(folder / f"{NODE_A}.cert.pem", folder / f"{NODE_A}.key.pem")
    directory = Directory.load(scene.place.directory)

    async def read() -> None:
        peers = Peers(identity, directory)
        try:
            assert b"ok" in await peers.get(member, "/health")
            with pytest.raises(PetcoreError, match="404"):
                await peers.get(member, "/metrics")
        finally:
            await peers.close()

    asyncio.run(read())


def test_in_the_end_the_acquirers_book_has_what_was_not_given_back(scene):
    scene.pay("whole-7", 5000)
    scene.running.stop()
    config = scene.place.member(ACQUIRER) / f"{ACQUIRER}.db"
    with Database.open(config, reader=True) as database:
        positions = Book(database, ACQUIRER).positions()
    fees = -(-1000 * FEE // 1000) + -(-5000 * FEE // 1000)
    assert positions == {"SGD": 1000 + 5000 - fees, "JPY": 0, "KWD": 0}
    assert WALLET in scene.place.config(WALLET).read_text()
