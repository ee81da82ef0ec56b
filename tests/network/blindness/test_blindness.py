"""What the nodes and the dealer can see of payments: nothing, wherever one looks.

Every process runs with its sockets and its TLS taken down, what is inside TLS too. Then files, taps
and the memory of the living processes are searched for canaries in every form; the same search finds
them at the edges. So a node was searched as it would see them itself, and not only from outside.
"""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from petcore.network.demo.merchant import Merchant
from petcore.network.demo.place import ACQUIRER, NODES, WALLET, Place, make_place
from petcore.network.demo.running import Running
from petcore.network.ledger import Database
from petcore.network.wallet.book import Book, User
from petcore.network.wallet.config import WalletConfig

from .canaries import Search, build_tap, number_forms, text_forms

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

USER = "zephyrine-quillfeather"
MERCHANT = "Obsidian Marzipan Emporium"
ORDER = "seventeen lacquered umbrellas"
ORDER_ID = "ORDER-QX7-PELICAN-88213"
AMOUNT = 91_233_907_571  # SGD cents
BALANCE = 713_902_664_183_095  # EUR cents
DEBIT = -(-AMOUNT * 68 // 100)
REFUND = 31_447_662_913
LIMIT = 566_031_744_900_127
PAYMENTS = 40

PRIVATE = Search(
    {
        "user": list(text_forms(USER)),
        "merchant": list(text_forms(MERCHANT)),
        "order": list(text_forms(ORDER)),
        "order id": list(text_forms(ORDER_ID)),
        "amount": list(number_forms(AMOUNT)),
        "debit": list(number_forms(DEBIT)),
        "balance": list(number_forms(BALANCE)),
        "balance after": list(number_forms(BALANCE - DEBIT)),
        "limit": list(number_forms(LIMIT)),
        "refund": list(number_forms(REFUND)),
        "amount after": list(number_forms(AMOUNT - REFUND)),
    }
)


@dataclass(frozen=True)
class Seen:
    """Where each member can have seen something: its files, its taps, and what its memory held."""

    files: dict[str, list[Path]]
    taps: dict[str, list[Path]]
    memory: dict[str, set[str]]
    databases: dict[str, Path]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("blind")
    place = make_place(folder / "net", users=1, balance=10**9)
    taps = folder / "taps"
    taps.mkdir()
    codes = _codes(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETCORE_TAP", str(taps))
        patch.setenv("LD_PRELOAD", str(build_tap(folder)))
        running = Running(place)
        with running:
            patch.delenv("LD_PRELOAD")
            _pay(place, codes)
            pids = {n: m.process.pid for n, m in running.members.items() if m.process}
            memory = {name: PRIVATE.in_memory(pid) for name, pid in pids.items()}
    files = {
        name: [path for path in place.member(name).rglob("*") if path.is_file()] for name in pids
    }
    return Seen(
        files,
        {name: [taps / f"{pid}.bytes"] for name, pid in pids.items()},
        memory,
        {name: place.member(name) / f"{name}.db" for name in NODES},
    )


def _codes(place: Place) -> list[str]:
    config = WalletConfig.load(place.config(WALLET))
    with Database.open(config.database) as database:
        book = Book(database, WALLET)
        user = User(USER, "EUR", count_limit=10**6, sum_limit=LIMIT)
        book.add_user(user, balance=BALANCE)
        first = book.new_codes(USER, seconds=600)
        return [*first, *book.new_codes("user-0", seconds=600, count=PAYMENTS)]


def _pay(place: Place, codes: list[str]) -> None:
    money = {"currency": "SGD", "value": str(AMOUNT)}
    shop = {"referenceMerchantId": "M1", "merchantName": MERCHANT, "merchantMCC": "5411"}
    canary = {
        "paymentRequestId": "canary-payment",
        "paymentAmount": money,
        "order": {
            "referenceOrderId": ORDER_ID,
            "orderDescription": ORDER,
            "orderAmount": money,
            "merchant": shop,
        },
        "paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": codes[0]},
        "paymentFactor": {"inStorePaymentScenario": "PaymentCode"},
    }
    refund = {
        "paymentRequestId": "canary-payment",
        "refundRequestId": "canary-refund",
        "refundAmount": {"currency": "SGD", "value": str(REFUND)},
    }
    with Merchant(place) as merchant, ThreadPoolExecutor(16) as callers:
        answers = [merchant.call("pay", canary), merchant.call("refund", refund)]
        pays = [
            callers.submit(merchant.pay, f"p{i}", 1000 + i, "SGD", code)
            for i, code in enumerate(codes[1:])
        ]
        answers += [pay.result() for pay in pays]
    assert {answer["result"]["resultCode"] for answer in answers} == {"SUCCESS"}


@pytest.mark.parametrize("name", [*NODES, "dealer"])
def test_no_private_value_is_in_a_nodes_files_sockets_tls_or_memory(seen, name):
    assert PRIVATE.in_files(seen.files[name]) == set()
    assert sum(path.stat().st_size for path in seen.taps[name]) > 20_000
    assert PRIVATE.in_files(seen.taps[name]) == set()
    assert seen.memory[name] == set()


def test_the_same_search_finds_them_at_the_edges(seen):
    acquirer = {"merchant", "order", "order id", "amount", "refund"}
    wallet = {"user", "amount", "debit", "balance", "refund", "limit"}
    for name, known in ((ACQUIRER, acquirer), (WALLET, wallet)):
        everywhere = PRIVATE.in_files([*seen.files[name], *seen.taps[name]])
        assert known <= everywhere | seen.memory[name]
    assert PRIVATE.in_files(seen.taps[ACQUIRER]) >= {"merchant", "order", "amount"}
    assert "user" not in PRIVATE.in_files(seen.files[ACQUIRER])
    assert seen.memory[WALLET] != set()


@pytest.mark.stat
@pytest.mark.parametrize("name", NODES)
def test_the_shares_in_a_nodes_ledger_are_uniform(seen, name):
    """Chi-square over the nibbles of all shares, 15 degrees of freedom; false alarm 1e-6 each."""
    words = _shares(seen.databases[name])
    assert len(words) >= 2 * PAYMENTS
    assert len(np.unique(words)) == len(words)
    nibbles = (words[:, None] >> np.arange(0, 64, 4, dtype=np.uint64)) & np.uint64(15)
    counts = np.bincount(nibbles.ravel().astype(np.int64), minlength=16)
    expected = nibbles.size / 16
    assert float(((counts - expected) ** 2 / expected).sum()) < 56.5
    ones = sum(int(word).bit_count() for word in words)
    assert abs(ones - 32 * len(words)) < 4.9 * 4 * len(words) ** 0.5


def _shares(path: Path) -> np.ndarray:
    """Return the amounts of all transfers of a node's ledger, as words."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT amount FROM transfers").fetchall()
    return np.array([row[0] for row in rows], np.int64).astype(np.uint64)


def test_the_search_finds_a_value_in_each_of_its_forms():
    for forms in (number_forms(AMOUNT), text_forms(USER)):
        for form in forms:
            assert len(form) >= 6
            for before in range(5):
                content = bytes(before) + b"x" + form + b"y\0\0\0\0"
                assert Search({"it": [form]}).names(content) == {"it"}


def test_a_search_of_memory_finds_what_this_process_holds():
    secret = bytearray(os.urandom(24))
    needle = bytes(secret)
    assert Search({"secret": [needle]}).in_memory(os.getpid()) == {"secret"}
