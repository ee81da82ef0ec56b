"""Requests of the dialect, from JSON to the orders of the edge.

A retry is the same request if its key parameters are the same; others, such as the buyer's id, may
change from one try to the next (Alipay+, pay API, paymentRequestId).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from petcore.network.acquirer.alipayplus.reading import Fields
from petcore.network.acquirer.alipayplus.results import Refused
from petcore.network.acquirer.orders import FxMode, PaymentRef, PayOrder, RefundOrder

EXPIRY_MAX = timedelta(minutes=10)
"""A payment may be made for ten minutes, even if a longer time is asked for."""

GOODS_MAX = 32
_METHOD_TYPE_MAX = 64
_FX_MODES: dict[str, FxMode] = {"": "original", "ORIGINAL": "original", "CURRENT": "current"}


def pay_order(fields: Fields, client: str, now: datetime) -> PayOrder:
    """Read ``/payments/pay``; Refused where a parameter is missing or illegal."""
    request = fields.identifier("paymentRequestId")
    currency, amount = fields.amount("paymentAmount")
    order = fields.section("order", required=True)
    factor = fields.section("paymentFactor")
    method = fields.section("paymentMethod", required=True)
    method_type = method.text("paymentMethodType", _METHOD_TYPE_MAX)
    token = method.text("paymentMethodId", 256, method.text("customerId", 256, ""))
    if factor.text("inStorePaymentScenario", 32, "") == "PaymentCode" and not token:
        method.refuse("paymentMethodId", "is missing: it holds the payer's payment code")
    consult = factor.flag("isPaymentEvaluation")
    settlement = fields.section("settlementStrategy").text("settlementCurrency", 3, currency)
    if settlement != currency:
        fields.section("settlementStrategy").refuse(
            "settlementCurrency", "must be the currency of the payment"
        )
    details = _details(order, fields)
    return PayOrder(
        client=client,
        request=request,
        currency=currency,
        amount=amount,
        token=token,
        details=details,
        key=_key("pay", client, currency, amount, details["order_id"], method_type, token, consult),
        consult=consult,
        expires=_expiry(fields, now),
        notify_url=fields.url("paymentNotifyUrl"),
    )


def payment_ref(fields: Fields, client: str) -> PaymentRef:
    """Read ``/payments/inquiryPayment`` or ``cancelPayment``; Refused without an id."""
    ref = PaymentRef(
        client, fields.identifier("paymentRequestId", ""), fields.identifier("paymentId", "")
    )
    if not ref.request and not ref.payment:
        fields.refuse("paymentRequestId", "or paymentId must be given")
    return ref


def refund_order(fields: Fields, client: str) -> RefundOrder:
    """Read ``/payments/refund``; Refused where a parameter is missing or illegal."""
    request = fields.identifier("refundRequestId")
    of = payment_ref(fields, client)
    currency, amount = fields.amount("refundAmount")
    mode = fields.text("refundFxMode", 16, "")
    if mode not in _FX_MODES:
        fields.refuse("refundFxMode", "must be ORIGINAL or CURRENT")
    return RefundOrder(
        client=client,
        request=request,
        of=of,
        currency=currency,
        amount=amount,
        key=_key("refund", client, of.request, of.payment, currency, amount, mode),
        reason=fields.text("refundReason", 256, ""),
        fx=_FX_MODES[mode],
    )


def check_declaration(fields: Fields) -> None:
    """Read ``/customs/declare``; Refused where it is not even a declaration."""
    fields.identifier("customsDeclarationRequestId", fields.identifier("paymentRequestId", ""))
    payment_ref(fields, "")
    if "declarationAmount" in fields:
        fields.amount("declarationAmount")


def check_declaration_inquiry(fields: Fields) -> list[str]:
    """Read ``/customs/inquireDeclarationRequests``; return the ids that it asks for."""
    return fields.texts("declarationRequestIds", 64, 10)


def _expiry(fields: Fields, now: datetime) -> datetime:
    asked = fields.time("paymentExpiryTime")
    if asked is None:
        return now + EXPIRY_MAX
    if asked <= now:
        raise Refused("PARAM_ILLEGAL", "paymentExpiryTime is in the past.")
    return min(asked.astimezone(UTC), now + EXPIRY_MAX)


def _details(order: Fields, fields: Fields) -> dict[str, Any]:
    """Return what the wallet gets to see, by the schema's names; what is empty is left out."""
    merchant, buyer, env = order.section("merchant"), order.section("buyer"), order.section("env")
    store, address = merchant.section("store"), merchant.section("merchantAddress")
    factor = fields.section("paymentFactor")
    if "orderAmount" in order:
        order.amount("orderAmount")
    name = merchant.text("merchantDisplayName", 256, merchant.text("merchantName", 256, ""))
    values: dict[str, Any] = {
        "order_id": order.identifier("referenceOrderId"),
        "order_description": order.text("orderDescription", 512, ""),
        "merchant_id": merchant.text("referenceMerchantId", 64, ""),
        "merchant_name": name,
        "mcc": merchant.text("merchantMCC", 8, ""),
        "merchant_region": address.text("region", 8, ""),
        "merchant_city": address.text("city", 128, ""),
        "store_id": store.text("referenceStoreId", 64, ""),
        "store_name": store.text("storeName", 256, ""),
        "goods": [_goods(row) for row in order.rows("goods", GOODS_MAX)],
        "buyer_id": buyer.text("referenceBuyerId", 64, ""),
        "buyer_email": buyer.text("buyerEmail", 128, ""),
        "device": env.text("userAgent", 512, env.text("terminalType", 64, "")),
        "terminal": env.text("storeTerminalId", 64, ""),
        "client_ip": env.text("clientIp", 64, ""),
        "scenario": factor.text(
            "inStorePaymentScenario", 64, factor.text("presentmentMode", 64, "")
        ),
        "redirect_url": fields.text("paymentRedirectUrl", 2048, ""),
    }
    return {key: value for key, value in values.items() if value}


def _goods(row: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": row.text("referenceGoodsId", 64, ""),
        "name": row.text("goodsName", 256, ""),
        "category": row.text("goodsCategory", 64, ""),
        "quantity": row.whole("goodsQuantity", 1, 10**6) if "goodsQuantity" in row else 0,
        "amount": row.amount("goodsUnitAmount")[1] if "goodsUnitAmount" in row else 0,
    }
    return {key: value for key, value in values.items() if value} or {"quantity": 1}


def _key(*parts: Any) -> str:
    return json.dumps(parts, separators=(",", ":"))
