"""A merchant's system: it asks the acquirer's edge for payments, in the Alipay+ dialect.

Requests are signed with the merchant's RSA key, and answers are believed only if the acquirer signed
them.
"""

from __future__ import annotations

import json
import ssl
import tomllib
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

import httpx

from petcore.errors import BadFrame, PeerLate, PeerUnreachable, PeerUntrusted
from petcore.network.acquirer.alipayplus.app import PREFIX
from petcore.network.acquirer.alipayplus.signing import SigningKey, VerifyingKey, parse_header
from petcore.network.demo.place import ACQUIRER, CLIENT_ID, Place

SECONDS = 30.0
_ANSWER_BYTES_MAX = 1 << 20

Operation = Literal["pay", "inquiryPayment", "cancelPayment", "refund"]
Values = dict[str, Any]


class Merchant:
    """The one client of a demo network's acquirer; threads may share it.

    Parameters
    ----------
    place
        The network's folder.
    seconds
        How long an answer may take.
    """

    def __init__(self, place: Place, *, seconds: float = SECONDS) -> None:
        folder = place.client
        self._key = SigningKey.load(folder / f"{CLIENT_ID}.rsa.pem", "1")
        self._acquirer = VerifyingKey.load(folder / "answers.rsa.pub.pem", "1")
        config = tomllib.loads(place.config(ACQUIRER).read_text(encoding="utf-8"))
        self._url = f"https://{config['merchants']['listen']}"
        trust = only(str(folder / "merchants.cert.pem"))
        self._http = httpx.Client(verify=trust, timeout=seconds, trust_env=False)

    def __enter__(self) -> Merchant:
        """Return itself; leaving closes the connections."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._http.close()

    def pay(self, request: str, amount: int, currency: str, code: str = "") -> Values:
        """Ask for a payment; without a code the answer says where its payer agrees."""
        paid = {"currency": currency, "value": str(amount)}
        factor = {"paymentFactor": {"inStorePaymentScenario": "PaymentCode"}} if code else {}
        method = {"paymentMethodType": "CONNECT_WALLET"}
        order = {
            "referenceOrderId": request,
            "orderDescription": "a demonstration",
            "orderAmount": paid,
            "merchant": {
                "referenceMerchantId": "M1",
                "merchantName": "Kopi Pte Ltd",
                "merchantMCC": "5814",
            },
        }
        return self.call(
            "pay",
            {
                "paymentRequestId": request,
                "paymentAmount": paid,
                "order": order,
                "paymentMethod": method | ({"paymentMethodId": code} if code else {}),
                **factor,
            },
        )

    def inquire(self, request: str) -> Values:
        """Ask what became of a payment."""
        return self.call("inquiryPayment", {"paymentRequestId": request})

    def cancel(self, request: str) -> Values:
        """Take a payment back."""
        return self.call("cancelPayment", {"paymentRequestId": request})

    def refund(self, request: str, refund: str, amount: int, currency: str) -> Values:
        """Give back a payment, or a part of it."""
        back = {"currency": currency, "value": str(amount)}
        return self.call(
            "refund",
            {"paymentRequestId": request, "refundRequestId": refund, "refundAmount": back},
        )

    def call(self, operation: Operation, values: Values) -> Values:
        """Make one call; return the answer's fields.

        Raises
        ------
        PeerUnreachable, PeerLate
            The edge is away, or does not answer.
        PeerUntrusted
            The answer is not signed by the acquirer.
        BadFrame
            The answer is none of the dialect.
        """
        path, body = f"{PREFIX}/payments/{operation}", json.dumps(values).encode()
        time = datetime.now(UTC).isoformat(timespec="seconds")
        headers = {
            "client-id": CLIENT_ID,
            "request-time": time,
            "signature": self._key.header(path, CLIENT_ID, time, body),
            "content-type": "application/json; charset=UTF-8",
        }
        try:
            answer = self._http.post(self._url + path, content=body, headers=headers)
        except httpx.ConnectError as error:
            raise PeerUnreachable(f"{ACQUIRER} does not run", party=ACQUIRER) from error
        except httpx.HTTPError as error:
            raise PeerLate(f"{ACQUIRER} did not answer", party=ACQUIRER) from error
        if answer.status_code != 200 or len(answer.content) > _ANSWER_BYTES_MAX:
            raise BadFrame(f"{ACQUIRER} answered with status {answer.status_code}", party=ACQUIRER)
        self._verify(answer, path)
        found: Values = answer.json()
        return found

    def _verify(self, answer: httpx.Response, path: str) -> None:
        shown = parse_header(answer.headers.get("signature", ""))
        time = answer.headers.get("response-time", "")
        if shown is None or not self._acquirer.verifies(
            shown.signature, path, CLIENT_ID, time, answer.content
        ):
            raise PeerUntrusted(f"an answer is not signed by {ACQUIRER}", party=ACQUIRER)


def only(certificate: str) -> ssl.SSLContext:
    """Return the TLS context of a client that believes this certificate and no other (a PEM file)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the very certificate says more than a host name
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cafile=certificate)
    return context
