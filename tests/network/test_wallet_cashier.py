"""The wallet's page: what it shows, who may pay there, and payment codes."""

import asyncio
import re

import httpx
import pytest

from petcore.errors import PeerUnreachable
from petcore.network.wallet.cashier import CODES_MAX, FORM_BYTES_MAX, Cashier
from petcore.network.wallet.pins import TRIES, hash_pin, pin_fits
from tests.network.wallets import Around, Wallet

GOOD = {"user": "alice", "pin": "1234"}


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    return Around(tmp_path_factory.mktemp("around"))


@pytest.fixture
def wallet(tmp_path, around):
    wallet = Wallet(tmp_path, around)
    yield wallet
    wallet.database.close()


class Page:
    """The page of a wallet, and the checks that it brought to node A."""

    def __init__(self, wallet):
        self.wallet, self.brought = wallet, []
        self.app = Cashier(
            wallet.book, wallet.payments, wallet.service, wallet.ring, self._bring
        ).app()

    async def _bring(self, check):
        self.brought.append(check)

    def ask(self, method, path, **options):
        async def call():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://purse") as client:
                return await client.request(method, path, **options)

        return asyncio.run(call())

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **form):
        return self.ask("POST", path, data=form)


@pytest.fixture
def page(wallet):
    return Page(wallet)


@pytest.fixture
def order(around, wallet):
    """The path of an order that waits at the page."""
    (answer,) = wallet.service.checks([around.pay()])
    return "/cashier/" + around.read(answer)[1]["payment_id"]


def test_the_page_shows_the_order_and_takes_nothing_in_it_for_markup(page, order):
    answer = page.get(order)
    assert answer.status_code == 200
    assert "Tom &amp; &lt;Jerry&gt;" in answer.text
    assert "two &lt;b&gt;mice&lt;/b&gt;" in answer.text
    assert "<b>" not in answer.text
    assert "3.00" in answer.text
    assert "SGD" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_user_agrees_by_pin_and_the_nodes_get_the_check_once(page, order, around, wallet):
    answer = page.post(order, **GOOD)
    assert (answer.status_code, "Thank you" in answer.text) == (200, True)
    (check,) = page.brought
    envelope, told = around.read(check)
    assert (envelope.header.type, told["reason"], told["debit_amount"]) == (
        "check",
        "accepted",
        200,
    )
    assert wallet.balance == (5_000, 4_800)
    again = page.post(order, **GOOD)
    assert "being made" in again.text
    assert len(page.brought) == 1
    assert wallet.balance == (5_000, 4_800)
    wallet.service.decisions(around.decide({"p1": 1}))
    assert "was made" in page.get(order).text


@pytest.mark.parametrize(
    "form", [{"user": "alice"}, GOOD | {"pin": "1235"}, GOOD | {"user": "bob"}]
)
def test_user_and_pin_must_fit(page, order, wallet, form):
    answer = page.post(order, **form)
    assert answer.status_code == 403
    assert page.brought == []
    assert wallet.balance == (5_000, 5_000)
    assert page.post(order, **GOOD).status_code == 200


def test_an_order_takes_a_few_tries_only(page, order):
    answers = [page.post(order, **GOOD | {"pin": str(pin)}) for pin in range(5)]
    assert {answer.status_code for answer in answers} == {403}
    answer = page.post(order, **GOOD)
    assert (answer.status_code, "new order" in answer.text) == (403, True)


def test_a_user_whose_pin_is_guessed_by_many_orders_is_locked_for_a_day(page, around, wallet):
    for _ in range(TRIES):
        assert page.post("/codes", user="alice", pin="9").json()["code"] == "pin"
    assert page.post("/codes", **GOOD).json()["code"] == "pin_locked"
    (answer,) = wallet.service.checks([around.pay()])
    order = "/cashier/" + around.read(answer)[1]["payment_id"]
    assert "your wallet helps" in page.post(order, **GOOD).text
    wallet.skew = 24 * 3_600_000
    assert page.post("/codes", **GOOD).status_code == 200


def test_a_right_pin_forgets_the_wrong_ones(page):
    for _ in range(2):
        for _ in range(TRIES - 1):
            assert page.post("/codes", user="alice", pin="9").json()["code"] == "pin"
        assert page.post("/codes", **GOOD).status_code == 200


def test_an_order_that_nobody_made_is_not_found(page):
    assert page.get("/cashier/" + "0" * 32).status_code == 404
    assert page.post("/cashier/" + "0" * 32, **GOOD).status_code == 404


def test_an_order_that_expired_is_shown_and_paid_no_more(page, order, wallet):
    wallet.skew = 601_000
    assert page.get(order).status_code == 410
    assert page.post(order, **GOOD).status_code == 410
    assert wallet.balance == (5_000, 5_000)


def test_an_order_that_was_cancelled_says_so(page, order, around, wallet):
    wallet.service.cancels([around.cancel()])
    assert "was not made" in page.get(order).text
    assert "was not made" in page.post(order, **GOOD).text
    assert page.brought == []


def test_a_form_that_is_too_long_is_not_read(page, order):
    assert page.post(order, user="a" * FORM_BYTES_MAX).status_code == 413

    async def endless():
        yield b"user=alice"

    assert page.ask("POST", order, content=endless()).status_code == 413
    long = page.ask("POST", order, content=b"a" * 2048, headers={"content-length": "0000000002048"})
    assert long.status_code == 413


def test_bytes_that_are_no_form_are_a_wrong_pin(page, order):
    assert page.ask("POST", order, content=b"\xff\x00&&==").status_code == 403


def test_codes_work_once_each(page, around, wallet):
    answer = page.post("/codes", count="2", **GOOD).json()
    assert answer["seconds"] == 60.0
    first, second = answer["codes"]
    assert re.fullmatch(r"28\d{16}", first)
    asked = [around.pay(f"p{i}", payment_token=c) for i, c in enumerate((first, second, first))]
    reasons = [around.read(answer)[1]["reason"] for answer in wallet.service.checks(asked)]
    assert reasons == ["accepted", "accepted", "token"]


@pytest.mark.parametrize("count", ["0", "-1", "x", str(CODES_MAX + 1), "9" * 30, "0000000010"])
def test_the_number_of_codes_is_bounded(page, count):
    assert page.post("/codes", count=count, **GOOD).status_code == 400


def test_a_node_that_is_away_does_not_undo_a_consent(page, order, wallet):
    async def away(_):
        raise PeerUnreachable("node-a cannot be reached")

    app = Cashier(wallet.book, wallet.payments, wallet.service, wallet.ring, away).app()
    page.app = app
    with pytest.raises(PeerUnreachable):
        page.post(order, **GOOD)
    assert wallet.balance == (5_000, 4_800)


def test_a_pin_is_kept_as_a_salted_digest():
    kept = hash_pin("1234")
    assert "1234" not in kept
    assert pin_fits(kept, "1234")
    assert not pin_fits(kept, "1235")
    assert not pin_fits("", "1234")
    assert kept != hash_pin("1234")
